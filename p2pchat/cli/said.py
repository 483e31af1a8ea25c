"""What one message of `p2pchat send` holds: words of the command line, or standard input."""

from __future__ import annotations

import os
from typing import Final

import typer

from p2pchat.errors import BadData, StdioFailed
from p2pchat.wire import messages

STDIN: Final = "-"


def body(text: str | None) -> messages.Text | messages.Data:
    """Return the message that was given as `text`; None and ``-`` read standard input to its end. Blocks.

    What is not UTF-8 is sent as the bytes it is. Of standard input the last newline belongs to the pipe.

    Raises:
      typer.BadParameter: if a person at a terminal gave no message.
      BadData: if there is nothing to send, or more than one message can hold.
      StdioFailed: if standard input cannot be read.
    """
    if text is None and os.isatty(0):
        raise typer.BadParameter("what to say? TEXT, or - and then Ctrl-D behind it", param_hint="'TEXT'")
    content = _stdin().removesuffix(b"\n") if text in {None, STDIN} else os.fsencode(text or "")
    if not content:
        raise BadData("there is nothing to send", hint="an empty message is no message")
    if len(content) > messages.MAX_TEXT:
        raise BadData(
            f"a message holds at most {messages.MAX_TEXT:,} bytes (1 MiB), and this is longer",
            hint="`p2pchat dial` sends a stream of any length: p2pchat help pipes",
        )
    try:
        return messages.Text(content.decode())
    except UnicodeDecodeError:
        return messages.Data(content)


def _stdin() -> bytes:
    """Return what is on standard input, or as much of it as says that it is too much."""
    content = bytearray()
    try:
        while len(content) <= messages.MAX_TEXT + 1 and (piece := os.read(0, 65536)):
            content += piece
    except OSError as exc:
        raise StdioFailed(f"cannot read standard input: {exc.strerror}") from exc
    return bytes(content)
