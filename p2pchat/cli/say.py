"""What the command line itself says: errors and help. One voice: short, lower case, no full stop, and what to do."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from p2pchat import errors
from p2pchat.cli.exit_codes import QUIET, ExitCode, of, word

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common

PREFIX = "p2pchat"
AT_ONCE = 65_536  # characters that are gathered before they are printed


def error(message: str, *, hint: str = "") -> None:
    """Print one line for what happened and one for what to do about it, on standard error."""
    _tell("error", message, hint)


def warning(message: str, *, hint: str = "") -> None:
    """The same for what happened and is no reason to stop."""
    _tell("warning", message, hint)


def note(message: str) -> None:
    """Print one line for people on standard error, where there is nothing to print on standard output."""
    with contextlib.suppress(OSError):
        _write(2, f"{PREFIX}: {_one_line(message)}\n")


def question(message: str) -> None:
    """Print what a person is to answer on the same line, on standard error."""
    with contextlib.suppress(OSError):
        _write(2, f"{PREFIX}: {_one_line(message)}")


def can_ask(common: Common) -> bool:
    """Whether somebody can see a question and answer it."""
    return os.isatty(0) and os.isatty(2) and not common.no_input and not common.json


def is_confirmed(message: str) -> bool:
    """Ask a person; only a yes is a yes."""
    question(message)
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _tell(kind: str, message: str, hint: str) -> None:
    lines = [f"{PREFIX}: {kind}: {_one_line(message)}"]
    if hint:
        lines.append(f"hint: {_one_line(hint)}")
    with contextlib.suppress(OSError):  # there is nowhere left to say that nothing can be said
        _write(2, "\n".join(lines) + "\n")


def failure(failed: errors.P2PChatError, *, as_json: bool = False) -> ExitCode:
    """Print an expected failure, unless its end is a quiet one, and return its exit code."""
    code = of(failed)
    return code if code in QUIET else fatal(code, str(failed), hint=failed.hint, as_json=as_json)


def fatal(code: ExitCode, message: str, *, hint: str = "", as_json: bool = False) -> ExitCode:
    """Print why we end with `code`: to a person on standard error, `as_json` to a program on standard output."""
    if not as_json:
        error(message, hint=hint)
        return code
    from p2pchat.ui.json import events, lines  # noqa: PLC0415  (when something has gone wrong)

    with contextlib.suppress(OSError):
        _write(1, lines.encode(events.error(word(code), message, hint=hint)) + "\n")
    return code


def text(text: str) -> ExitCode:
    """Print `text` on standard output; returns the code to exit with.

    Raises:
      StdoutClosed: if nobody reads it.
      StdioFailed: if it cannot be written.
    """
    try:
        _write(1, text.rstrip("\n") + "\n")
    except BrokenPipeError as exc:
        raise errors.StdoutClosed("nobody reads our output") from exc
    except OSError as exc:
        raise errors.StdioFailed(f"cannot write standard output: {exc.strerror}") from exc
    return ExitCode.DONE


def lines(lines: Iterable[str]) -> bool:
    """Print `lines` on standard output, many at once, while they are made; whether there were any.

    Raises:
      P2PChatError: as `text`.
    """
    gathered: list[str] = []
    size, is_any = 0, False
    for line in lines:
        gathered.append(line)
        size += len(line)
        is_any = True
        if size >= AT_ONCE:
            text("\n".join(gathered))
            gathered, size = [], 0
    if gathered:
        text("\n".join(gathered))
    return is_any


def _one_line(message: str) -> str:
    # Errors may quote what a peer said. The sanitiser is imported only when something has gone wrong.
    from p2pchat.ui import sanitize  # noqa: PLC0415

    return sanitize.clean(message).replace("\n", " ")


def _write(fd: int, text: str) -> None:
    """Write past Python's buffers, so that nothing is left to fail while the interpreter ends."""
    stream = sys.stdout if fd == 1 else sys.stderr
    encoding = getattr(stream, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    while data:
        data = data[os.write(fd, data) :]
