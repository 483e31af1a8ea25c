"""The one tree of exceptions. Every error that a person can cause says what happened and what to do.

`str(error)` is the sentence that the command line prints after ``p2pchat: error:``; `hint` is the line after it.
The command line maps classes to exit codes (`p2pchat/cli/exit_codes.py`); nothing here knows about processes.
"""

from __future__ import annotations


class P2PChatError(Exception):
    """Anything that p2pchat reports to its user; a bug is never one of these."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class AddressError(P2PChatError):
    """An address that cannot be read; the message says what is wrong, the hint shows one that works."""


class NoContact(P2PChatError):
    """A word that should name somebody, and names nobody who is known here."""


class NoMessage(P2PChatError):
    """An id that should name a message, and names none that is kept here."""


class BadData(P2PChatError):
    """What was given can be read, and cannot be used: nothing to send, too much of it, our own id for a peer's."""


class NameTaken(BadData):
    """A name that somebody has already, or that looks like that name. Nothing was changed."""


class ConfigurationError(P2PChatError):
    """The installation or the profile cannot be used as it is: wrong owner or mode of a key, no ML-KEM."""


class WrongPassphrase(ConfigurationError):
    """The key of the profile has a passphrase, and it is not the one that was given."""


class StoreError(P2PChatError):
    """Something of ours could not be read from, or written to, the disk."""


class StoreFull(StoreError):
    """The disk has no room left. Nothing of the change was kept, all that was kept before is there."""


class StoreLocked(StoreError):
    """Another program did not let us write for seconds. Nothing was changed."""


class StoreReadOnly(StoreError):
    """The store, or the directory it is in, may not be written."""


class StoreFailed(StoreError):
    """The disk could not be read or written. Whether the last change is kept shows when the store is opened again."""


class StoreCorrupt(StoreError):
    """What is there is not what was written, or no store at all."""


class StoreTooNew(StoreError):
    """A newer version of p2pchat has written the store. Nothing was changed."""


class QuotaExceeded(StoreError):
    """The peer has made us keep as much as any may. Nothing was changed; no other peer is affected."""


class TransportError(P2PChatError):
    """A transport could not do what it was asked for."""


class ConnectFailed(TransportError):
    """The address could not be reached: refused, no route, name not found, nobody listening."""


class ListenFailed(TransportError):
    """The address could not be bound: in use, no permission, a path too long."""


class ProtocolError(P2PChatError):
    """The rules of `docs/protocol.md` were broken, by us or by the other side."""


class LocalProtocolError(ProtocolError):
    """The caller misused a state machine. Nothing was sent and nothing has changed."""


class RemoteProtocolError(ProtocolError):
    """The other side broke the protocol, does not speak it, or speaks another version of it."""


class UntrustedPeer(P2PChatError):
    """The other side is not who was expected, was not accepted here, or did not accept us."""


class CodeFailed(UntrustedPeer):
    """The other side does not know the code that was typed, or says that we do not know its."""


class NotLetIn(P2PChatError):
    """The other side was reached, but did not let us in before the time was up."""


class LinkLost(P2PChatError):
    """The connection broke and was not, or could not be, made again."""


class StillQueued(P2PChatError):
    """What was said is in the store, and has not reached the other side; it goes out when the two meet."""


class StdioFailed(P2PChatError):
    """Standard input or output cannot be read or written; a full disk, most likely."""


class StdoutClosed(P2PChatError):
    """Whoever read our standard output is gone. Quiet: the program ends as if by SIGPIPE."""


class TerminalGone(P2PChatError):
    """The terminal hung up. Quiet: the program ends as if by SIGHUP."""


class Interrupted(P2PChatError):
    """A person pressed Ctrl-C where it means "end now". Quiet: the program ends as if by SIGINT."""
