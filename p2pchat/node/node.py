"""The node: this running program among its peers. It owns the one nursery in which listeners, dialers and links run.

    async with open_node(identity, env=env, settings=settings) as node:
        await node.listen(address)
        session = await node.dial(address)
        await session.send("hello")
        async for event in node.feed: ...

A peer can end its link, never the node: what peers and networks do arrives as events. What comes out of `open_node` as
an exception group is a bug, or an error of the body.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, final

import trio

from p2pchat.crypto import kem
from p2pchat.crypto.noise import Role
from p2pchat.node import neighbours
from p2pchat.node.admission import Admission
from p2pchat.node.answering import Answering
from p2pchat.node.dialer import Dialer
from p2pchat.node.events import Listening
from p2pchat.node.gate import Gate, source_of
from p2pchat.node.link import Link, LinkEnd
from p2pchat.node.session import Session
from p2pchat.node.settings import NodeSettings
from p2pchat.protocol.connection import Connection
from p2pchat.store import pins
from p2pchat.transports.base import bound_address
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.messages import Profile, encode_body

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.env import Env
    from p2pchat.store.store import Store

GOODBYE_TIMEOUT = 5.0  # seconds for the goodbyes of a graceful stop; then everything is cancelled
MAX_LINKS = 512  # at once, whoever it is: half of the descriptors that a process usually gets. The rest is hung up on
MAX_SESSIONS = 1024  # peers remembered; beyond, those without a link and without unsaid messages are forgotten
READ_BUFFER = 256 * 1024  # bytes; one for all links of a node, since nothing awaits between its filling and its use


@asynccontextmanager
async def open_node(
    identity: Identity, *, env: Env, settings: NodeSettings | None = None, store: Store | None = None
) -> AsyncIterator[Node]:
    """Open a node that is `identity` to its peers; leaving the block stops it gracefully.

    A stop closes the listening sockets, says goodbye to every peer (CLOSE GOING_AWAY, so that they may redial), waits
    `GOODBYE_TIMEOUT` seconds at most for that to leave, and cancels what is left. When the block is cancelled, the same
    goodbyes are said: the node's own tasks are shielded, and end by this stop and nothing else.

    Args:
      identity: who we are.
      env: the world.
      settings: how to behave; by default like the command line.
      store: where conversations are kept, `identity`'s; opened by the caller, who closes it afterwards. Without one the
        node is a guest: it keeps nothing, and its peers know.

    Raises:
      ConfigurationError: if the installed `cryptography` has no ML-KEM, without which no handshake is possible.
      StoreError: (in a group) if the store does not tell whom we know.
    """
    kem.require()
    async with trio.open_nursery() as nursery:
        leaving = trio.Event()
        settings = settings or NodeSettings()

        def make(nursery: trio.Nursery) -> Node:
            return Node(identity, env=env, settings=settings, store=store, nursery=nursery)

        node = await nursery.start(_run, make, store, leaving)
        try:
            yield node
        finally:
            leaving.set()


async def _run(
    make: Callable[[trio.Nursery], Node],
    store: Store | None,
    leaving: trio.Event,
    *,
    task_status: trio.TaskStatus[Node],
) -> None:
    """Be the task in which a node lives, until `leaving`; a bug in any of its tasks comes out here."""
    async with trio.open_nursery() as below:
        if store is not None:
            await below.start(store.run)
        async with trio.open_nursery() as nursery:
            node = make(nursery)
            await node.contacts.refresh()
            if node.contacts.trouble is not None:
                raise node.contacts.trouble
            nursery.start_soon(node.heed_others)
            task_status.started(node)
            await trio.lowlevel.checkpoint_if_cancelled()  # whoever opens us may have been cancelled meanwhile
            # Until `leaving`, which is always set, and `GOODBYE_TIMEOUT` longer; the store until the last link is gone.
            # Only from outside: a bug in the store's task ends everything in here.
            below.cancel_scope.shield = True
            await leaving.wait()
            with trio.move_on_after(GOODBYE_TIMEOUT):
                await node.stop()
            nursery.cancel_scope.cancel()
        if store is not None:
            await store.flush()
        below.cancel_scope.cancel()
    node.feed.close()


@final
class Node(Admission):
    """What a face holds: the verbs of this program, and `feed`, the events for its one listener."""

    def __init__(
        self, identity: Identity, *, env: Env, settings: NodeSettings, store: Store | None, nursery: trio.Nursery
    ) -> None:
        super().__init__(env=env, settings=settings, store=store)
        self.identity = identity
        self.gate: Gate = Gate(settings.limits)
        self.pauses: set[trio.CancelScope] = set()  # of dialers that wait before they dial again
        self._nursery = nursery
        self._listening: set[trio.CancelScope] = set()
        self._link_gone = trio.Event()
        self._buffer = memoryview(bytearray(READ_BUFFER))
        if store is not None:
            store.changed = self._look

    @property
    def listens(self) -> bool:
        """Whether others can reach us, so that their links may take over from ours."""
        return bool(self._listening)

    @property
    def id(self) -> PeerId:
        """Our own peer id."""
        return self.identity.peer_id

    @property
    def sessions(self) -> list[Session]:
        """The conversations that have a running link now."""
        return [session for session in self._sessions.values() if session.connected]

    # ---- verbs

    async def listen(self, address: Address, *, quiet: bool = False) -> list[Address]:
        """Accept visitors at `address` until the node stops; returns each bound address, a `Listening` event tells it.

        Args:
          address: where.
          quiet: put no event: the address is not for people.

        Raises:
          ListenFailed: if it cannot be bound.
        """
        listeners = await self.env.net.listen(address)
        bound = list(dict.fromkeys(bound_address(listener, address) for listener in listeners))
        if not quiet:
            neighbours.watch(listeners, address, self.feed)
            for one in bound:
                self.feed.put(Listening(address=one))
        scope = trio.CancelScope()
        self._listening.add(scope)
        self._nursery.start_soon(self._serve, scope, listeners, address.scheme)
        return bound

    async def dial(
        self,
        *addresses: Address,
        expected: PeerId | None = None,
        code: Code | None = None,
        retry: bool = False,
    ) -> Session:
        """Reach a peer and return its session once messages can flow; it is kept alive until somebody says goodbye.

        The caller sets the deadline. Cancelled before it returns, it leaves no link behind. Another process of the
        profile may have the peer already: then the session is `elsewhere`, and messages flow through the store.

        Args:
          addresses: where the peer is, in the order in which to try. Dialling one is consent to talk to whoever answers
            there the first time, and with a store to pin its key: from then on it has to be there.
          expected: who has to answer, whatever is pinned.
          code: of an invite of the peer's: both prove that they know it before anything else is said. Its key is then
            verified, and expected there, even if the link is lost before we are let in.
          retry: keep trying (with `DialFailed` events) where the first attempt would raise.

        Raises:
          ConnectFailed: nobody answers there.
          UntrustedPeer: it would not let us in, is not who it should be, or is blocked here.
          CodeFailed: an `UntrustedPeer` that does not know the code, or says that we do not.
          RemoteProtocolError: whatever answers is not a p2pchat that we understand.
          LinkLost: the connection was lost before it began.
          NotLetIn: nobody over there decided in time.
          BadData: it is ourselves, and `NodeSettings.own_guest` is off.
        """
        dialer = Dialer(self, addresses, expected=expected, code=code, retry=retry)
        session: Session = await self._nursery.start(dialer.run)
        return session

    def session(self, peer: PeerId) -> Session:
        """Return the conversation with `peer`, whether a link carries it or not."""
        return self.session_with(peer, self.identity)

    async def visit(self, stream: trio.abc.Stream, *, scheme: str) -> LinkEnd:
        """Serve one visitor, whoever it is, and return how its link ended; the stream is closed then.

        Args:
          stream: what the visitor came through; `listen` gets its own.
          scheme: of the transport; for some of them there are limits per source.
        """
        if len(self._links) >= MAX_LINKS:  # those who are told that we are busy stay a moment, and there is no room
            await trio.aclose_forcefully(stream)
            return LinkEnd(reason="too many connections", code=CloseCode.RATE, silent=True)
        link = self.new_link(stream, Role.RESPONDER, self.identity)
        visitor = Answering(self, link, self.identity, source=source_of(scheme, link.remote, link.user))
        if self.feed.full:
            visitor.turn_away()
        return await self.serve(link)

    def reconnect(self) -> int:
        """Dial now wherever we wait before we dial again; returns how many peers that are."""
        for pause in self.pauses:
            pause.cancel()
        return len(self.pauses)

    def rename(self, name: str) -> None:
        """Call ourselves `name` from now on. Peers with a link are told at once, others when they are back.

        Raises:
          LocalProtocolError: if `name` has more than `MAX_DISPLAY_NAME` characters; nothing has changed then.
        """
        encode_body(Profile(name))
        self.settings: NodeSettings = replace(self.settings, name=name)
        for session in self.sessions:
            session.introduce(name)

    async def stop(self) -> None:
        """Stop listening, tell every peer that we go away, and wait until they know. The caller sets the deadline."""
        for scope in self._listening:
            scope.cancel()
        for session in self._sessions.values():
            session.over = True  # nobody dials again
        for link in list(self._links):
            link.owner.go_away()
        while self._links:
            self._link_gone = trio.Event()
            await self._link_gone.wait()

    # ---- for the node's own parts

    async def pinned(self, address: Address) -> PeerId | None:
        """Return who has to answer at `address`, if that is known.

        Raises:
          StoreError: if it cannot be read: then nobody is good enough.
        """
        if self.store is None:
            return await self.settings.pinned(address)
        return await self.store.read(partial(pins.peer_at, address=pins.canonical(address)))

    def start_soon(self, function: Callable[..., Awaitable[None]], *args: object) -> None:
        """Run a task for a link, which may end before the task does."""
        self._nursery.start_soon(function, *args)

    def keep_lock(self, session: Session) -> None:
        """Let `session`, whose peer has reached us, become the one that other processes leave the peer to."""
        self._nursery.start_soon(session.lock.keep)

    def is_taken(self, peer: PeerId) -> bool:
        """Whether this node is for one peer only, and that is not `peer`."""
        return self.settings.one_peer and any(session.peer != peer for session in self._sessions.values())

    def session_with(self, peer: PeerId, identity: Identity) -> Session:
        """Return the session of `identity` with `peer`: the one there is, unless it was abandoned, or a new one."""
        key = identity.peer_id, peer
        session = self._sessions.pop(key, None)
        if session is None or session.abandoned:
            session = Session(self, peer, identity)
        self._sessions[key] = session
        if len(self._sessions) > MAX_SESSIONS:
            idle = [key for key, old in self._sessions.items() if old is not session and old.idle]
            for key in idle[: len(self._sessions) - MAX_SESSIONS]:
                del self._sessions[key]
        return session

    def new_link(self, stream: trio.abc.Stream, role: Role, identity: Identity) -> Link:
        """Return a link over `stream`, not owned yet; `serve` runs it."""
        connection = Connection(
            role,
            identity,
            entropy=self.env.urandom,
            limits=self.settings.limits,
            now=self.env.clock(),
            jitter=self.env.rng.uniform(0.8, 1.2),
        )
        return Link(stream, connection, env=self.env, limits=self.settings.limits, buffer=self._buffer)

    async def serve(self, link: Link) -> LinkEnd:
        """Run `link` to its end, as one of the node's."""
        self._links.add(link)
        try:
            return await link.run(first=self.know_who_is_who)
        finally:
            self._links.discard(link)
            self._link_gone.set()

    def _look(self) -> None:
        """Let every conversation see what another process has changed."""
        self.others_wrote()
        for session in self._sessions.values():
            session.look()

    async def _serve(
        self, scope: trio.CancelScope, listeners: Sequence[trio.abc.Listener[trio.abc.Stream]], scheme: str
    ) -> None:
        with scope:
            await trio.serve_listeners(
                partial(self.visit, scheme=scheme), list(listeners), handler_nursery=self._nursery
            )
