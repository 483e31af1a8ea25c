"""The fence: of all the sessions that two peers ever open, one at a time may change anything.

A session claims the conversation when it sends RESUME, and every later transaction asks first whether the claim still
stands. One that was fenced commits nothing, believes no ACK and sends nothing but CLOSE(DUPLICATE); what it had
received was not acknowledged and comes again. The claim also settles which of two simultaneous dials stays.

Source: docs/protocol.md, section 6.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from p2pchat.errors import ProtocolError
from p2pchat.protocol.ledger import Fence, Held
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.protocol.ledger import Ledger

SIMULTANEOUS: Final = 10.0  # seconds in which two connections count as dialed at the same time


@final
class Fenced(ProtocolError):
    """Another connection with this peer goes on in place of this one. Nothing was changed; say CLOSE(DUPLICATE)."""

    code: Final = CloseCode.DUPLICATE


def claim(ledger: Ledger, *, dialed_by_smaller: bool, holder_lives: bool, now: float) -> int:
    """Claim the conversation for a connection that the bytewise smaller key dialed, or not; return its gen.

    `now` is in seconds since 1970. `holder_lives` tells whether the session that holds the conversation is a link of
    this very process, or another process is known to run it: a dead holder keeps nobody out.

    Raises:
      Fenced: if both were dialed at the same time, and the other is the one that both sides let win.
    """
    fence = ledger.fence
    if fence.held and holder_lives and fence.held.dialed_by_smaller and not dialed_by_smaller:
        age = now - fence.held.since
        if 0 <= age < SIMULTANEOUS:
            raise Fenced("both sides dialed at the same time, and the other connection stays")
    ledger.fence = Fence(gen=fence.gen + 1, held=Held(since=now, dialed_by_smaller=dialed_by_smaller))
    return ledger.fence.gen


def check(ledger: Ledger, gen: int) -> None:
    """Go on if the claim `gen` still stands.

    Raises:
      Fenced: if there was a newer one.
    """
    if ledger.fence.gen != gen:
        raise Fenced("a newer connection took over")


def forget(ledger: Ledger) -> None:
    """Let go of the conversation for a holder that died; only who has got the lock of its peer knows that."""
    ledger.fence = Fence(gen=ledger.fence.gen, held=None)


def release(ledger: Ledger, gen: int) -> None:
    """Let go of the conversation at the end of a link; a claim that no longer stands has nothing to let go of."""
    if ledger.fence.gen == gen:
        ledger.fence = Fence(gen=gen, held=None)
