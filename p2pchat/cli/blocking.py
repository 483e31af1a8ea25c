"""What `p2pchat block` and `p2pchat unblock` do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from p2pchat.cli import acquaintance, profiles
from p2pchat.store import contacts, known
from p2pchat.store.contacts import Trust

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common

#: What a peer is when it is blocked no more.
_AGAIN: Final = {
    Trust.NEW: "a stranger again: it has to ask",
    Trust.KNOWN: "let in again",
    Trust.VERIFIED: "let in again, and verified as before",
}


def block(word: str, common: Common) -> int:
    """Keep out the peer that `word` means, and print what has changed.

    Raises:
      P2PChatError: if it means nobody, or us, or the disk refuses; then nothing has changed.
    """
    peer = acquaintance.whom(word, common)
    with acquaintance.opened(common) as db:
        with db.transaction():
            changed = contacts.block(db, peer)
        now = known.of(db, peer)
        said = [
            f"{acquaintance.called(now)} {'is blocked' if changed else 'was blocked already'}: not let in, not dialed",
            f"to undo that: p2pchat unblock {peer}{profiles.flags_of(common)}",
        ]
        return acquaintance.tell(peer, said, common, db=db, changed=changed)


def unblock(word: str, common: Common) -> int:
    """Let the peer that `word` means be what it was, and print what that is.

    Raises:
      P2PChatError: as `block`.
    """
    peer = acquaintance.whom(word, common)
    with acquaintance.opened(common) as db:
        with db.transaction():
            changed = contacts.unblock(db, peer)
        now = known.of(db, peer)
        news = f"is {_AGAIN[now.trust]}" if changed else "was not blocked"
        return acquaintance.tell(peer, [f"{acquaintance.called(now)} {news}"], common, db=db, changed=changed)
