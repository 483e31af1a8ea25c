"""The exit codes: a public contract with scripts. A number here never changes its meaning.

They are those of BSD's sysexits where one fits, 124 as coreutils' timeout, and 128 + n as a shell reports signal n.
"""

from __future__ import annotations

from enum import IntEnum

from p2pchat import errors


class ExitCode(IntEnum):
    """How a run of the program ended."""

    DONE = 0
    NO = 1
    USAGE = 2
    DATA = 65
    NO_CONTACT = 66
    UNREACHABLE = 69
    BUG = 70
    CANNOT_WRITE = 73
    IO = 74
    STORED = 75
    PROTOCOL = 76
    UNTRUSTED = 77
    CONFIGURATION = 78
    NOT_LET_IN = 124
    HANGUP = 129
    INTERRUPT = 130
    PIPE = 141
    TERMINATE = 143


MEANINGS = {
    ExitCode.DONE: "done; if a wait was asked for, it was reached",
    ExitCode.NO: "the answer is no",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.DATA: "bad data",
    ExitCode.NO_CONTACT: "no such contact, or no such message",
    ExitCode.UNREACHABLE: "unreachable; also a Unix path that is absent or deaf",
    ExitCode.BUG: "a bug of p2pchat",
    ExitCode.CANNOT_WRITE: "cannot write a file or bind an address",
    ExitCode.IO: "input or output failed, or the link is lost for good and nothing is kept",
    ExitCode.STORED: "stored, and not as far yet as was asked for",
    ExitCode.PROTOCOL: "protocol or version: the other side is not a p2pchat that we understand",
    ExitCode.UNTRUSTED: "untrusted, refused, or a changed key",
    ExitCode.CONFIGURATION: "configuration, or wrong owner or mode of a key",
    ExitCode.NOT_LET_IN: "reached, but not let in in time; nothing is stored",
    ExitCode.HANGUP: "the terminal is gone (SIGHUP)",
    ExitCode.INTERRUPT: "interrupted (SIGINT, Ctrl-C)",
    ExitCode.PIPE: "nobody reads our output any more (SIGPIPE)",
    ExitCode.TERMINATE: "terminated (SIGTERM)",
}

# The first class that fits counts, so the special ones stand before the general ones.
_BY_ERROR: tuple[tuple[type[errors.P2PChatError], ExitCode], ...] = (
    (errors.AddressError, ExitCode.USAGE),
    (errors.NoContact, ExitCode.NO_CONTACT),
    (errors.NoMessage, ExitCode.NO_CONTACT),
    (errors.BadData, ExitCode.DATA),
    (errors.ConfigurationError, ExitCode.CONFIGURATION),
    (errors.StoreFull, ExitCode.IO),
    (errors.StoreLocked, ExitCode.IO),
    (errors.StoreFailed, ExitCode.IO),
    (errors.StoreCorrupt, ExitCode.IO),
    (errors.QuotaExceeded, ExitCode.IO),
    (errors.StoreTooNew, ExitCode.CONFIGURATION),
    (errors.StoreError, ExitCode.CANNOT_WRITE),
    (errors.ListenFailed, ExitCode.CANNOT_WRITE),
    (errors.TransportError, ExitCode.UNREACHABLE),
    (errors.LocalProtocolError, ExitCode.BUG),
    (errors.ProtocolError, ExitCode.PROTOCOL),
    (errors.UntrustedPeer, ExitCode.UNTRUSTED),
    (errors.NotLetIn, ExitCode.NOT_LET_IN),
    (errors.LinkLost, ExitCode.IO),
    (errors.StillQueued, ExitCode.STORED),
    (errors.StdioFailed, ExitCode.IO),
    (errors.StdoutClosed, ExitCode.PIPE),
    (errors.TerminalGone, ExitCode.HANGUP),
    (errors.Interrupted, ExitCode.INTERRUPT),
)

#: Ends about which nothing is said: there is nobody left to say it to.
QUIET = frozenset({ExitCode.PIPE, ExitCode.HANGUP, ExitCode.INTERRUPT})


def of(error: errors.P2PChatError) -> ExitCode:
    """Return the exit code for `error`."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.BUG)


def word(code: ExitCode) -> str:
    """Return what programs call `code` in an `error` object: ``unreachable``."""
    return code.name.lower()


def table() -> str:
    """Return all codes with their meanings, one a line, for `p2pchat help exit-codes`."""
    return "\n".join(f"{code:>4}  {meaning}" for code, meaning in MEANINGS.items())
