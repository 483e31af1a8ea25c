"""Do two sides meet as they should here: a handshake, and an invite. Nodes, keys, stores and sockets are real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import trio

from p2pchat.address import Address
from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import CodeFailed, P2PChatError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import Trust
from p2pchat.store.store import open_store
from p2pchat.testing.soundness.finding import Subject, Unsound
from p2pchat.wire.messages import Text

if TYPE_CHECKING:
    from p2pchat.env import Env
    from p2pchat.store.store import Store

LOOPBACK: Final = Address("tcp", "127.0.0.1:0")
SAID: Final = "nobody may change a word of this; " * 100  # so long that the middle of its record is text
LIFETIME: Final = 60.0  # seconds of a code
REINSTALL: Final = "let nobody in with this installation: pip install --force-reinstall p2pchat-trio cryptography"


@final
@dataclass(slots=True)
class Heard:
    """What a node has told so far."""

    texts: list[str] = field(default_factory=list)
    peers: set[PeerId] = field(default_factory=set)  # who said them
    ends: int = 0  # how many links were lost or closed
    _more: trio.Event = field(default_factory=trio.Event)

    def note(self, event: events.Event) -> None:
        """Note what counts of `event`."""
        match event:
            case events.MessagesReceived(session=session, messages=received):
                self.texts += [message.body.text for message in received if isinstance(message.body, Text)]
                self.peers.add(session.peer)
            case events.Disconnected():
                self.ends += 1
        self._more.set()
        self._more = trio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` holds; it is looked at whenever the node tells something."""
        while not condition():
            await self._more.wait()


@asynccontextmanager
async def opened(
    subject: Subject, *, room: Path | None = None, accept: Accept = Accept.ANYONE, heard: Heard | None = None
) -> AsyncIterator[tuple[Node, Heard]]:
    """Open a node of somebody new, and yield it with what it tells; closing it says goodbye.

    Args:
      subject: where.
      room: a directory for its store; without one it is a guest.
      accept: who may come in.
      heard: notes what another node tells, too.
    """
    env, heard = subject.env(), heard or Heard()
    async with _store(room, env) as store:
        identity, settings = Identity.generate(env.urandom), NodeSettings(accept=accept)
        async with open_node(identity, env=env, settings=settings, store=store) as node, trio.open_nursery() as nursery:
            nursery.start_soon(_listen, node, heard)
            yield node, heard
            nursery.cancel_scope.cancel()


async def refused(dial: Callable[[], Awaitable[object]], error: type[P2PChatError]) -> bool:
    """Return whether a dial ends with `error`; False if it goes well."""
    try:
        await dial()
    except error:
        return True
    return False


async def handshake(subject: Subject) -> str:
    """Check that two new identities meet, know each other, talk, and refuse who is somebody else."""
    async with opened(subject) as (listener, heard), opened(subject) as (dialer, _):
        [address] = await listener.listen(LOOPBACK)
        began = dialer.env.clock()
        session = await dialer.dial(address)
        took = dialer.env.clock() - began
        if session.peer != listener.id:
            raise Unsound("the dialer was shown another key than the listener has", cure=REINSTALL)
        await session.send(SAID)
        await heard.until(lambda: heard.texts)
        if heard.texts != [SAID] or heard.peers != {dialer.id}:
            raise Unsound("the listener heard something else, or somebody else", cure=REINSTALL)
    async with opened(subject) as (listener, _), opened(subject) as (dialer, _):
        [address] = await listener.listen(LOOPBACK)
        somebody_else = Identity.generate(dialer.env.urandom).peer_id
        if not await refused(partial(dialer.dial, address, expected=somebody_else), UntrustedPeer):
            raise Unsound("a dialer was content with another key than it expected", cure=REINSTALL)
    return f"two new identities met in {took * 1000:.0f} ms, and whoever is not the one expected is refused"


async def invite(subject: Subject) -> str:
    """Check that a code makes both sides verified contacts, once, and that a wrong one does not."""
    kept, known = subject.room("inviter"), Accept.KNOWN
    async with (
        opened(subject, room=kept, accept=known) as (host, heard),
        opened(subject, room=subject.room("invited")) as (friend, told),
        opened(subject) as (stranger, _),
    ):
        [address] = await host.listen(LOOPBACK)
        if not await refused(partial(friend.dial, address), UntrustedPeer):
            raise Unsound("somebody was let in whom nobody had accepted", cure=REINSTALL)
        code = (await host.invite(LIFETIME)).code
        wrong = Code(code.slot, f"wrong-{code.secret}")
        if not await refused(partial(friend.dial, address, code=wrong), CodeFailed):
            raise Unsound("a wrong code was accepted", cure=REINSTALL)
        await friend.dial(address, code=code)
        await told.until(lambda: friend.contacts.trust(host.id) is Trust.VERIFIED)
        await heard.until(lambda: host.contacts.trust(friend.id) is Trust.VERIFIED)
        if not await refused(partial(stranger.dial, address, code=code), CodeFailed):
            raise Unsound("a code was accepted a second time", cure=REINSTALL)
    return "a code makes both sides verified contacts, once; a wrong one, and none, lets nobody in"


def _store(room: Path | None, env: Env) -> AbstractAsyncContextManager[Store | None]:
    return open_store(room / "history.db", env=env) if room else nullcontext()


async def _listen(node: Node, heard: Heard) -> None:
    async for event in node.feed:
        heard.note(event)
