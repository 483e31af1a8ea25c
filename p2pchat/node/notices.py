"""What people should know about a conversation besides what is said in it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from p2pchat.node.events import Disconnected, Notice

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.link import LinkEnd
    from p2pchat.node.session import Session

CODE_UNTRIED: Final = Notice(
    text="another p2pchat of yours talks to this peer already, so the code was not tried",
    hint="`/verify CODE` does it there",
)


def disconnected(session: Session, end: LinkEnd, redial: float | None) -> Disconnected:
    """Return the event that tells of the `end` of the link of `session`."""
    return Disconnected(
        session=session,
        reason=end.reason,
        code=end.code,
        clean=end.clean,
        redial=redial,
        by_peer=end.by_peer,
        claim=end.claim,
    )


def pinned(peer: PeerId, place: str) -> Notice:
    """Return the notice that nobody but `peer` is expected at `place` any more."""
    fingerprint = f"compare its fingerprint by voice: {peer.fingerprint}"
    return Notice(text=f"this key is expected at {place} from now on; {fingerprint}")


def gap(peer: PeerId) -> Notice:
    """Return the notice that what came from `peer` is not all that it has said."""
    return Notice(text=f"messages of {peer} may be missing here: one of the two sides has lost a part of its past")


def rolled_back(peer: PeerId) -> Notice:
    """Return the notice that our own past is not the one that `peer` knows."""
    return Notice(
        text=f"{peer} knows more of this conversation than this program does",
        hint="a new log was begun; what was withdrawn since may have been delivered",
    )
