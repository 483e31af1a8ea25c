"""Invites: two who know the same code find out that they are talking to each other, and to nobody in between.

A is the claimant, who typed the code; B is the issuer, who made it::

    A → B   CLAIM(slot, Ya)        directly after HELLO, or on a running link
    B → A   REPLY(slot, Yb, Tb)    Tb proves that B knows the secret …
    A → B   CONFIRM(slot, Ta)      … and Ta that A does; 64 zero bytes if Tb was wrong
    B → A   RESULT(slot, ok)

The run is bound to the handshake of this connection and to both identities. Somebody in the middle has two connections,
and so two bindings: whatever it passes on, both tags are wrong. A wrong code looks the same, and costs one guess.

Pure: what is stored, and when, is the owner's. What it must know: count the attempt durably *before* `Issuer.reply`,
store what a claim earned *before* CONFIRM (claimant) and RESULT (issuer) leave, and send no RESUME before the other
side's tag holds.

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from p2pchat.crypto.codes import draw_token
from p2pchat.crypto.pake import TAG_LENGTH, Keys, Pake
from p2pchat.errors import LocalProtocolError
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import PakeClaim, PakeConfirm, PakeReply, PakeResult
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import PeerId

CLAIM: Final = "claim/1"  #: the feature of a HELLO after which a PAKE_CLAIM comes
CONTEXT: Final = b"p2pchat/1 code"
NO_TAG: Final = bytes(TAG_LENGTH)  # instead of Ta: your tag was wrong


class Step(enum.StrEnum):
    """How far a run has come; the same names on both sides."""

    #: Nothing was said.
    NEW = enum.auto()
    #: CLAIM was said.
    CLAIMED = enum.auto()
    #: REPLY was said.
    REPLIED = enum.auto()
    #: CONFIRM was said.
    CONFIRMED = enum.auto()
    #: RESULT was said.
    OVER = enum.auto()


@final
class Claimant:
    """The side that typed a code: `claim`, then `replied`, then `resulted`."""

    __slots__ = ("_code", "_holds", "_pake", "_run", "_step")

    def __init__(
        self, code: Code, *, binding: bytes, own: PeerId, peer: PeerId, entropy: Callable[[int], bytes]
    ) -> None:
        """Prepare to claim `code` of `peer`.

        Args:
          code: as it was typed.
          binding: `Connection.binding`, the name of this connection on both sides.
          own: who we are on this connection.
          peer: who the other side has proven to be.
          entropy: draws 32 bytes for this run alone.

        Raises:
          LocalProtocolError: if `binding` is not known yet, or `own` is `peer`.
        """
        self._code = code
        self._run = _Run(binding, claimant=own, issuer=peer)
        self._pake = self._run.pake(code.slot, code.secret, entropy)
        self._step = Step.NEW
        self._holds = False

    @property
    def holds(self) -> bool:
        """Whether the issuer has proven that it knows the code: the peer is who told it to us."""
        return self._holds

    def claim(self) -> PakeClaim:
        """Return the first frame of the run.

        Raises:
          LocalProtocolError: the second time.
        """
        if self._step is not Step.NEW:
            raise LocalProtocolError("a code is claimed once on a connection")
        self._step = Step.CLAIMED
        return PakeClaim(self._code.slot, self._pake.share)

    def replied(self, reply: PakeReply) -> PakeConfirm:
        """Return the answer to `reply`; from now on `holds` says whether the issuer's proof is one.

        Raises:
          Violation: PROTOCOL if none was awaited, or it is of another slot, or its share is none.
        """
        _expect(self._step, Step.CLAIMED, reply.slot, self._code.slot)
        self._step = Step.CONFIRMED
        keys = self._run.finish(self._pake, reply.share, first=True)
        self._holds = keys.confirms_b(reply.tag)
        return PakeConfirm(self._code.slot, keys.tag_a if self._holds else NO_TAG)

    def resulted(self, result: PakeResult) -> bool:
        """Return whether both sides know the same code; an issuer without proof is not believed.

        Raises:
          Violation: PROTOCOL if no result was awaited, or it is of another slot.
        """
        _expect(self._step, Step.CONFIRMED, result.slot, self._code.slot)
        self._step = Step.OVER
        return self._holds and result.ok


@final
class Issuer:
    """The side that made a code: `claimed`, `reply`, `confirmed`, `result`. One claim for each connection."""

    __slots__ = ("_claim", "_entropy", "_keys", "_known", "_right", "_run", "_step")

    def __init__(self, *, binding: bytes, own: PeerId, peer: PeerId, entropy: Callable[[int], bytes]) -> None:
        """Wait for the claim of `peer`; arguments and errors are those of `Claimant`."""
        self._run = _Run(binding, claimant=peer, issuer=own)
        self._entropy = entropy
        self._claim: PakeClaim | None = None
        self._keys: Keys | None = None
        self._known = False  # the slot has a secret that may be tried
        self._right = False
        self._step = Step.NEW

    @property
    def step(self) -> Step:
        """How far it has come."""
        return self._step

    def claimed(self, claim: PakeClaim) -> int:
        """Take `claim`; return its slot. Now count the attempt durably, then call `reply`.

        Raises:
          Violation: PROTOCOL for a second claim; nothing is to be counted then.
        """
        _expect(self._step, Step.NEW, claim.slot, claim.slot)
        self._claim = claim
        self._step = Step.CLAIMED
        return claim.slot

    def reply(self, secret: str | None) -> PakeReply:
        """Return the answer to the claim.

        Args:
          secret: of the slot; None if there is no live invite for this peer there. The claimant cannot tell that from
            a wrong guess.

        Raises:
          Violation: PROTOCOL if the claim's share is none.
          LocalProtocolError: if no claim waits for an answer.
        """
        if self._claim is None or self._step is not Step.CLAIMED:
            raise LocalProtocolError("no claim waits for an answer")
        self._step = Step.REPLIED
        decoy = draw_token(self._entropy)  # drawn in any case: both answers take as long
        self._known = secret is not None
        pake = self._run.pake(self._claim.slot, decoy if secret is None else secret, self._entropy)
        self._keys = self._run.finish(pake, self._claim.share, first=False)
        return PakeReply(self._claim.slot, pake.share, self._keys.tag_b)

    def confirmed(self, confirm: PakeConfirm) -> bool:
        """Return whether the claimant has proven that it knows the code. Store what that earns, then say `result`.

        Raises:
          Violation: PROTOCOL if none was awaited, or it is of another slot.
        """
        if self._claim is None or self._keys is None:
            raise Violation(CloseCode.PROTOCOL, "a claim was confirmed before it was answered")
        _expect(self._step, Step.REPLIED, confirm.slot, self._claim.slot)
        self._right = self._keys.confirms_a(confirm.tag) and self._known
        self._step = Step.CONFIRMED
        return self._right

    def result(self, *, ok: bool) -> PakeResult:
        """Return the last frame of the run: whether the claim is right, and what it earns is stored.

        Raises:
          LocalProtocolError: if the claimant has not confirmed yet, or it is to be told that a wrong code was right.
        """
        if self._claim is None or self._step is not Step.CONFIRMED or (ok and not self._right):
            raise LocalProtocolError("there is no such result to be told")
        self._step = Step.OVER
        return PakeResult(self._claim.slot, ok)


@final
class _Run:
    """What both sides put into CPace, beside the secret: which connection it is on, and whose."""

    __slots__ = ("_binding", "_claimant", "_issuer")

    def __init__(self, binding: bytes, *, claimant: PeerId, issuer: PeerId) -> None:
        if not binding or claimant == issuer:  # nothing would tell this run from others, or A from B
            raise LocalProtocolError("a claim is between two keys, on a connection whose handshake is over")
        self._binding = binding
        self._claimant = claimant.key
        self._issuer = issuer.key

    def pake(self, slot: int, secret: str, entropy: Callable[[int], bytes]) -> Pake:
        ci = CONTEXT + slot.to_bytes(4) + self._claimant + self._issuer
        return Pake(secret.encode(), ci=ci, sid=self._binding, entropy=entropy)

    def finish(self, pake: Pake, share: bytes, *, first: bool) -> Keys:
        """Return the keys that follow from the other side's `share`.

        Raises:
          Violation: PROTOCOL if it is no share that anybody may send.
        """
        try:
            return pake.finish(share, self._claimant, self._issuer, first=first)
        except ValueError as exc:
            raise Violation(CloseCode.PROTOCOL, f"a claim's share is none: {exc}") from exc


def _expect(step: Step, expected: Step, slot: int, claimed: int) -> None:
    """Return if a frame of the peer may come now, for this slot.

    Raises:
      Violation: PROTOCOL if not.
    """
    if step is not expected:
        raise Violation(CloseCode.PROTOCOL, f"a frame of a claim out of order: it is {step}, not {expected}")
    if slot != claimed:
        raise Violation(CloseCode.PROTOCOL, "a frame of a claim is of another slot")
