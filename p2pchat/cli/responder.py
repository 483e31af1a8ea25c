"""What `p2pchat stdio` does: pass one visitor on to the process that listens, or be its peer.

A profile keeps what the visitor says; a guest, who keeps nothing, shows it on standard error. Neither has anything to
say, so a goodbye is answered at once.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import trio

from p2pchat import errors
from p2pchat.cli import chat, local_socket, log, places, profiles, relay, signals
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node import events
from p2pchat.node.node import open_node
from p2pchat.node.settings import NodeSettings
from p2pchat.transports.registry import Transports
from p2pchat.ui import marks, standard_stream, stdio
from p2pchat.ui.pipe import PREFIX
from p2pchat.ui.transcript import Transcript
from p2pchat.ui.words import Words
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.env import Env
    from p2pchat.node.link import LinkEnd
    from p2pchat.node.node import Node
    from p2pchat.ui.standard_stream import StandardStream

LAST_WORDS = 1.0  # seconds for the last lines on standard error, which nobody may be reading
NOBODY = chat.Terminals(keys=False, screen=False, errors=False)


def run(common: Common) -> int:
    """Serve the visitor on standard input and output; returns the exit code."""
    where = None if common.guest else places.find(common.profile, common.data_dir)
    log.begin(where.log if where else None, verbose=common.verbose)

    async def main() -> int:
        stream = standard_stream.take_over()
        listener = await local_socket.reach(where.socket) if where else None
        if listener is not None:
            return await signals.run(partial(relay.relay, stream, listener))
        # The key may have a passphrase, which takes a moment; nobody is asked for it, for the visitor types here.
        get = partial(_identity, where)
        return await Responder(common, where, await trio.to_thread.run_sync(get)).run(stream)

    return trio.run(main)


def _identity(where: places.Places | None) -> Identity:
    entropy = system_env(Transports()).urandom
    return profiles.identity(where, entropy) if where else Identity.generate(entropy)


class Responder:
    """A node with one visitor, for people who read its standard error."""

    def __init__(self, common: Common, where: places.Places | None, identity: Identity) -> None:
        """Be `identity`, that of the profile which is kept at `where`, or nobody that lasts.

        Raises:
          ConfigurationError: if its files cannot be trusted, or somebody is to be asked.
          StoreError: if the disk refuses.
        """
        self._env: Env = system_env(Transports())
        self._where = where
        self._identity = identity
        self._settings = NodeSettings(
            name=common.name,
            accept=chat.accept(common, NOBODY),
            limits=chat.limits(common),
        )
        self._words = Words(
            me=self._identity.peer_id, marks=marks.choose(os.environ), reach=lambda _: [], let_in=profiles.let_in(where)
        )
        self._quiet = common.quiet
        self._output = stdio.Output(2)
        self._transcript = Transcript(self._output, marks=self._words.marks, wall=self._env.wall)
        self._came = False  # whether the visitor ever was in
        self._end: LinkEnd | None = None
        self._ended = trio.Event()
        self._shown = trio.Event()

    async def run(self, stream: StandardStream) -> int:
        """Serve the visitor on `stream` to its end, and return the exit code.

        Raises:
          P2PChatError: if that was no good end.
        """
        async with trio.open_nursery() as nursery:
            code = await self._receive(stream, nursery)
            with trio.move_on_after(LAST_WORDS):
                await self._shown.wait()
            nursery.cancel_scope.cancel()
        if code == 0 and self._end is not None:
            self._judge(self._end)
        return code

    async def _receive(self, stream: StandardStream, nursery: trio.Nursery) -> int:
        """Receive the visitor until one of us has enough; the tasks outlive the node, which says goodbye at its end."""
        async with (
            profiles.kept(self._where, self._env) as store,
            open_node(self._identity, env=self._env, settings=self._settings, store=store) as node,
        ):
            self._words.meet(node)
            nursery.start_soon(self._show, node)
            nursery.start_soon(self._serve, node, stream)
            return await signals.run(self._ended.wait)

    async def _serve(self, node: Node, stream: StandardStream) -> None:
        self._end = await node.visit(stream, scheme="exec")
        self._ended.set()

    async def _show(self, node: Node) -> None:
        async for event in node.feed:
            match event:
                case events.MessagesReceived(session=session, messages=received) if not session.pair.durable:
                    await self._transcript.show(self._words.name(session), received)
                case events.Connected():
                    self._came = True
                case events.Leaving(session=session, going_away=False):
                    session.goodbye()
            if not self._quiet:
                lines = [f"{PREFIX}{line}\n" for line in self._words.tell(event)]
                await self._output.send_all(self._words.marks.encode("".join(lines)))
        self._shown.set()

    def _judge(self, end: LinkEnd) -> None:
        """Raise unless `end` was a good one. A visitor that left before it came in is one: it met its own key, say."""
        match end.code:
            case None if self._came and not end.clean:
                raise errors.LinkLost(f"the visitor is gone: {end.reason}")
            case CloseCode.NOT_AUTHORIZED:
                raise errors.UntrustedPeer("the visitor was not let in")
            case None | CloseCode.NORMAL | CloseCode.GOING_AWAY | CloseCode.SELF:
                return
            case _:
                raise errors.RemoteProtocolError(
                    f"the visitor does not speak p2pchat: {end.reason}",
                    hint="this is the other side of `p2pchat dial exec:`",
                )
