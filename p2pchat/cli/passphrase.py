"""How the passphrase of a key is had: from the environment, or from a person at a terminal, unseen.

Nobody is waited for who cannot answer: without a terminal, with `--json` and with `--no-input` what is missing is an
error at once. Never from the command line, where other users could read it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from p2pchat.cli import say
from p2pchat.errors import ConfigurationError, Interrupted, WrongPassphrase

if TYPE_CHECKING:
    from p2pchat.crypto.identity import Identity
    from p2pchat.store.keyformat import Locked

CURRENT: Final = "P2PCHAT_PASSPHRASE"
NEW: Final = "P2PCHAT_NEW_PASSPHRASE"
TRIES: Final = 3


def unlock(locked: Locked, *, ask: bool) -> Identity:
    """Return the identity that `locked` protects. Takes some tenths of a second, so never call it in an event loop.

    What the environment says counts, and is no longer there afterwards: programs that we start have no business with
    it. Else a person is asked, if `ask`, who has three tries.

    Raises:
      WrongPassphrase: if no passphrase was the right one.
      ConfigurationError: if there is none to be had, or bcrypt is not installed.
      Interrupted: if the person pressed Ctrl-C.
    """
    given = os.environ.pop(CURRENT, "")
    if given or not ask:
        return _open(locked, given)
    left = TRIES
    while True:
        try:
            return locked.open(_asked("passphrase: "))
        except WrongPassphrase as exc:
            left -= 1
            if not left:
                raise
            say.error(str(exc))


def choose(*, ask: bool) -> str:
    """Return the passphrase that is to be, empty for none.

    Raises:
      ConfigurationError: if there is none to be had, or a person typed two different ones again and again.
      Interrupted: if the person pressed Ctrl-C.
    """
    given = os.environ.pop(NEW, None)
    if given is not None:
        return given
    if not ask:
        raise ConfigurationError("there is no terminal to ask at", hint=f"set {NEW} in the environment; empty for none")
    for _ in range(TRIES):
        first = _asked("new passphrase (empty for none): ")
        if first == _asked("the same again: "):
            return first
        say.error("these were two different ones")
    raise ConfigurationError("no passphrase was typed twice", hint="nothing was changed; try again")


def _open(locked: Locked, given: str) -> Identity:
    if not given:
        raise ConfigurationError(
            "the key of this profile has a passphrase, and there is no terminal to ask at",
            hint=f"set {CURRENT} in the environment",
        )
    try:
        return locked.open(given)
    except WrongPassphrase as exc:
        raise WrongPassphrase(f"{CURRENT} does not open the key", hint=f"correct it, or unset {CURRENT}") from exc


def _asked(question: str) -> str:
    """Return what a person types without it being shown; the terminal is as it was afterwards, however it ends."""
    import getpass  # noqa: PLC0415  (for those who have a passphrase)

    try:
        with _ending_in_order():
            return getpass.getpass(f"{say.PREFIX}: {question}")
    except KeyboardInterrupt as exc:
        _end_line()
        raise Interrupted("a person pressed Ctrl-C") from exc
    except EOFError as exc:
        _end_line()
        raise ConfigurationError("there was no answer", hint=f"type the passphrase, or set {CURRENT}") from exc


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let signals that would end us at once unwind us instead, for the terminal shows nothing that is typed."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    with ExitStack() as undo:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                undo.callback(signal.signal, number, signal.signal(number, end))
        yield


def _end_line() -> None:
    """Leave the line with the question, on which no Enter was seen."""
    with suppress(OSError):
        os.write(2, b"\n")
