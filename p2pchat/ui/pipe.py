"""The face of a pipe: lines in become messages, messages come out as the bytes they were.

Nothing in the input is a command. It is not read before somebody is there to hear it, and it goes to the first peer for
as long as the program runs: what was meant for one is never told to another. Status lines go to standard error;
one of them says how many messages came to an earlier process, and were not written by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from p2pchat.errors import LocalProtocolError, StoreError
from p2pchat.node import events
from p2pchat.protocol import pipes
from p2pchat.ui.unshown import Unshown

if TYPE_CHECKING:
    import trio

    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.outlets import Outlet
    from p2pchat.ui.reader import Manner
    from p2pchat.ui.stdio import Sink, Source
    from p2pchat.wire.messages import Data, Text

PREFIX = "p2pchat: "
AT_ONCE = 512  # messages queued between two checks of the outbox: it is bounded by bytes, and short lines are many


class PipeFace:
    """Standard input and output as they are; see `p2pchat.ui.chat.Face`."""

    is_person = False

    def __init__(self, manner: Manner, *, source: Source | None, outlet: Outlet, status: Sink) -> None:
        """Begin with nothing read.

        Args:
          manner: how to treat whoever reads the status lines.
          source: where lines come from; None to say nothing at all and stay.
          outlet: where messages go.
          status: where status lines go.
        """
        self._source = source
        self._outlet = outlet
        self._status = status
        self._words = manner.words
        self._quiet = manner.quiet
        self._unshown = Unshown(manner.store)
        self._accepted = 0  # lines that were said, whole

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Write messages to the outlet, everything else that is news to the status lines."""
        if isinstance(event, events.MessagesReceived):
            await self._outlet.show(self._words.name(event.session, chat.sessions), event.messages)
            self._unshown.wrote(event)
        elif not self._quiet or isinstance(event, events.Invited | events.ClaimFailed):
            lines = self._words.tell(event, chat.sessions)
            if isinstance(event, events.Connected | events.Elsewhere):
                left = await self._unshown.left(event.session)
                lines += self._words.unshown(event.session, left.count, chat.sessions)
            await self._status.send_all(self._words.marks.encode("".join(f"{PREFIX}{line}\n" for line in lines)))

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Send the input to the first peer."""
        nursery.start_soon(chat.guard, self._unshown.attend)
        session = await chat.first_session()
        if self._source is None:
            return
        cutter = pipes.LineCutter()
        try:
            while data := await self._source.receive_some():
                await self._say(chat, session, cutter.feed(data))
            await self._say(chat, session, cutter.finish())
        except LocalProtocolError:
            return  # the peer has said goodbye and has got ours: nobody hears the rest
        except StoreError as exc:
            told = f"lines of the input that were accepted before: {self._accepted}"
            raise type(exc)(str(exc), hint="; ".join(filter(None, [exc.hint, told]))) from exc
        await chat.finish_input(session)

    async def _say(self, chat: Chat, session: Session, bodies: Iterable[Text | Data]) -> None:
        for some in _batches(iter(bodies)):
            await session.send_many(some)  # with a store all of them are accepted, or none
            self._accepted += sum(not body.more for body in some)
            chat.note_said()


def _batches(bodies: Iterator[Text | Data]) -> Iterator[list[Text | Data]]:
    while some := list(islice(bodies, AT_ONCE)):
        yield some
