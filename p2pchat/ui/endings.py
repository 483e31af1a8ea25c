"""What is an error when a chat ends otherwise than with a goodbye, and what is said about what was left unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat import errors
from p2pchat.ui import sanitize
from p2pchat.wire.close_codes import CloseCode, close_code

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.node.events import Disconnected
    from p2pchat.node.session import Session


def kept(count: int, whom: str) -> str:
    """Return the sentence about `count` messages that stay in the store, for `whom`."""
    what, them = ("1 message stays", "it") if count == 1 else (f"{count} messages stay", "them")
    return f"{what} queued; p2pchat sends {them} when it meets {whom} again"


def not_kept(count: int) -> str:
    """Return the sentence about `count` messages of somebody who has no store."""
    return f"messages that were not delivered, and that nothing keeps: {count}"


def within(seconds: float) -> str:
    """Return how long somebody has waited: ``within 1 second``."""
    return "within 1 second" if seconds == 1 else f"within {seconds:g} seconds"


def too_late(address: Address, seconds: float, *, reached: bool) -> errors.P2PChatError:
    """Return the error for an `address` where no chat began in time; `reached` if somebody was there."""
    if reached:
        return errors.NotLetIn(f"{address} did not let us in {within(seconds)}", hint="--timeout gives it more time")
    return errors.ConnectFailed(
        f"cannot reach {address} {within(seconds)}", hint="check the address, or give it more --timeout"
    )


def lost_too_long(session: Session, seconds: float, *, unsaid: int) -> errors.P2PChatError:
    """Return the error for a link that was lost and did not come back, with `unsaid` messages under way."""
    return _lost(session, f"the connection was lost and did not come back {within(seconds)}", unsaid=unsaid)


def lost_for_good(end: Disconnected, *, unsaid: int) -> errors.P2PChatError:
    """Return the error for the `end` of a link after which nobody dials again."""
    reason = sanitize.clean_line(end.reason)
    match None if end.code is None else close_code(end.code):
        case CloseCode.NOT_AUTHORIZED if not end.by_peer:
            return errors.UntrustedPeer(reason)
        case CloseCode.NOT_AUTHORIZED:
            return errors.UntrustedPeer("the other side does not let us in any more")
        case CloseCode.DUPLICATE:
            return errors.LinkLost(
                "this identity has reached the other side from elsewhere, and goes on there",
                hint="--guest makes this program somebody of its own",
            )
        case CloseCode.UNSUPPORTED:
            return errors.RemoteProtocolError(
                f"the other side does not understand us: {reason}", hint="use the same version on both sides"
            )
        case _:
            return _lost(end.session, f"the connection is lost for good: {reason}", unsaid=unsaid)


def _lost(session: Session, message: str, *, unsaid: int) -> errors.P2PChatError:
    if unsaid and session.pair.durable:
        return errors.StillQueued(message, hint=kept(unsaid, str(session.peer)))
    return errors.LinkLost(message, hint=not_kept(unsaid) if unsaid else "")
