"""Where messages of peers go when it is no terminal: exact bytes, or cleaned ones if that was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from p2pchat.protocol import pipes
from p2pchat.ui import transcript

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Message
    from p2pchat.ui.marks import Marks
    from p2pchat.ui.stdio import Sink


class Outlet(Protocol):
    """Shows messages; `Transcript` is the one for terminals."""

    async def show(self, name: str, received: Iterable[Message]) -> None:
        """Show messages of the peer called `name`; they are shown when this returns."""


class ExactBytes:
    """The bytes that were sent, and nothing else (`docs/protocol.md` 3.5)."""

    def __init__(self, output: Sink) -> None:
        self._output = output

    async def show(self, name: str, received: Iterable[Message]) -> None:  # noqa: ARG002  (bytes have no author)
        """Write what the peer's pipe read; kinds that are no text and no bytes give nothing."""
        await self._output.send_all(b"".join([pipes.to_bytes(message.body) for message in received]))


class CleanLines:
    """`--safe`: what a terminal would show, one message a line."""

    def __init__(self, output: Sink, *, marks: Marks) -> None:
        self._output = output
        self._marks = marks

    async def show(self, name: str, received: Iterable[Message]) -> None:  # noqa: ARG002
        """Write cleaned text."""
        lines = [transcript.readable(message) + "\n" for message in received]
        await self._output.send_all(self._marks.encode("".join(lines)))
