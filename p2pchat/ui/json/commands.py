"""What a program may ask for: one command a line. Nothing here does anything."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from p2pchat.ui.json.lines import MAX_COMMAND

MAX_REF: Final = 256  # characters; it is kept until the message has reached its end
MAX_EXPLANATION: Final = 300  # characters of an error message, which may quote what it complains about

Ref: TypeAlias = Annotated[str, Meta(max_length=MAX_REF)]


class Base(Struct, tag_field="command", frozen=True, kw_only=True):
    """What all commands have: `ref`, which comes back with whatever is told about this one."""

    ref: Ref | None = None


class Send(Base, tag="send", frozen=True):
    """Send `text`; `ref` is how its states will be told apart before its id is known."""

    text: str
    peer: str | None = None


class Accept(Base, tag="accept", frozen=True):
    """Let `peer` in, now if it waits, and from now on."""

    peer: str


class Reject(Base, tag="reject", frozen=True):
    """Send `peer` away, who waits."""

    peer: str


class Block(Base, tag="block", frozen=True):
    """Refuse `peer` from now on, and end its link if it has one."""

    peer: str


class Verify(Base, tag="verify", frozen=True):
    """Make sure whose key `peer` has: `code` is one of an invite of theirs, or the 30 digits of its fingerprint."""

    peer: str
    code: str


class Who(Base, tag="who", frozen=True):
    """Tell who is here, and who waits to be let in."""


class Read(Base, tag="read", frozen=True):
    """Tell its sender that the message `id` was read."""

    id: UUID


class Close(Base, tag="close", frozen=True):
    """Say goodbye to `peer`, once it has everything of ours."""

    peer: str | None = None


Command: TypeAlias = Send | Accept | Reject | Block | Verify | Who | Read | Close


class Refused(Exception):
    """A command cannot be done; `code` is what the program is told, `ref` that of a line that is no command."""

    def __init__(self, code: str, message: str, *, hint: str = "", ref: str | None = None) -> None:
        super().__init__(message[:MAX_EXPLANATION])
        self.code = code
        self.hint = hint
        self.ref = ref


class _Reference(Struct):
    ref: Ref | None = None


_decode: Final = msgspec.json.Decoder(Command).decode
_decode_reference: Final = msgspec.json.Decoder(_Reference).decode
_NOT_READABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse(line: bytes | None) -> Command:
    """Return the command in `line`; None is a line that was too long to be kept. Fields without a meaning are ignored.

    Raises:
      Refused: if it is none.
    """
    if line is None:
        raise Refused("too_long", f"a command has at most {MAX_COMMAND} bytes")
    try:
        command: Command = _decode(line)
    except _NOT_READABLE as exc:
        hint = 'for example {"command":"send","text":"hello"}; `p2pchat help json` lists the commands'
        raise Refused("bad_command", f"not a command: {exc}", hint=hint, ref=_reference(line)) from exc
    return command


def _reference(line: bytes) -> str | None:
    """Return the `ref` of a line that is no command, if it has one: its program waits for an answer to it."""
    try:
        reference: _Reference = _decode_reference(line)
    except _NOT_READABLE:
        return None
    return reference.ref
