"""Claims: who gets in, and who does not, whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cpace as partner
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto.codes import Code, draw_token
from p2pchat.crypto.identity import Identity
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.invites import NO_TAG, Issuer, Step
from p2pchat.wire.frames import PakeClaim, PakeConfirm, PakeReply, PakeResult
from tests.support import golden_claim, vectors
from tests.support.claims import BINDING, SECRET, WEAK, Run, claimant, issuer, violation
from tests.support.entropy import seeded
from tests.support.kat import ALICE, BOB

MALLORY = Identity.from_seed(b"m" * 32)


# ---- who gets in


def test_two_who_know_the_same_code_find_each_other() -> None:
    run = Run()
    assert run.outcome() == (True, True)
    assert run.a.holds
    assert run.b.step is Step.OVER


@given(st.integers(0, 2**32 - 1), st.text(max_size=60).filter(lambda text: text.isprintable()), st.integers())
def test_any_secret_in_any_slot_will_do(slot: int, secret: str, seed: int) -> None:
    assert Run(claimant(Code(slot, secret), seed=seed), secret=secret).outcome() == (True, True)


def test_the_attempt_is_counted_by_slot_before_anything_is_answered() -> None:
    b = issuer()
    assert b.claimed(claimant(Code(4_294_967_295, SECRET)).claim()) == 4_294_967_295
    assert b.step is Step.CLAIMED


WRONG: dict[str, Callable[[], Run]] = {
    "another secret": lambda: Run(secret="otter-amber-knight"),
    "no such invite": lambda: Run(secret=None),
    "another connection of A": lambda: Run(a=claimant(binding=b"c" * 32)),
    "another connection of B": lambda: Run(b=issuer(binding=b"c" * 32)),
    "A talks to somebody else": lambda: Run(a=claimant(peer=MALLORY.peer_id)),
    "B talks to somebody else": lambda: Run(b=issuer(peer=MALLORY.peer_id)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_anything_else_is_noticed_by_both(wrong: Callable[[], Run]) -> None:
    run = wrong()
    assert run.outcome() == (False, False)
    assert not run.a.holds


def test_a_guess_is_wrong_even_if_it_is_what_was_drawn_for_a_slot_that_is_empty() -> None:
    """Random words stand in for the secret; nobody gets in by having guessed those."""
    run = Run(a=claimant(Code(7, draw_token(seeded(2)))), secret=None)
    a, b = run.a, run.b
    b.claimed(a.claim())
    confirm = a.replied(b.reply(None))
    assert a.holds
    assert b.confirmed(confirm) is False


def test_an_empty_slot_looks_like_a_wrong_guess() -> None:
    """The same frames, of the same sizes, after as many draws, and never the same share twice."""
    replies = []
    for secret in (None, "otter-amber-knight"):
        b = issuer()
        b.claimed(claimant().claim())
        replies.append(b.reply(secret))
        assert b._entropy(1) == seeded_after(48)
    assert [type(reply) for reply in replies] == [PakeReply, PakeReply]
    assert len({reply.share for reply in replies}) == 2
    assert len({reply.tag for reply in replies}) == 2


def seeded_after(draws: int) -> bytes:
    """Return the byte that the issuer's entropy gives after `draws` bytes."""
    entropy = seeded(2)
    for size in (16, draws - 16):
        entropy(size)
    return entropy(1)


def test_neither_side_shows_the_secret() -> None:
    run = Run()
    run.outcome()
    assert SECRET not in f"{run.a!r} {run.b!r} {run.a._run!r} {run.b._keys!r}"


# ---- liars


def test_an_issuer_whose_tag_is_wrong_gets_no_tag_to_guess_with() -> None:
    a = claimant()
    claim = a.claim()
    b = issuer()
    b.claimed(claim)
    reply = b.reply(SECRET)
    confirm = a.replied(PakeReply(7, reply.share, bytes(63) + b"\x01"))
    assert confirm == PakeConfirm(7, NO_TAG)
    assert not a.holds


def test_an_issuer_without_proof_is_not_believed_whatever_it_says() -> None:
    a = claimant()
    b = issuer()
    b.claimed(a.claim())
    a.replied(b.reply("otter-amber-knight"))
    assert a.resulted(PakeResult(7, ok=True)) is False
    assert not a.holds


def test_an_issuer_that_says_no_after_all_is_believed() -> None:
    """It may not have been able to store the claim."""
    a, b = claimant(), issuer()
    b.claimed(a.claim())
    assert b.confirmed(a.replied(b.reply(SECRET)))
    assert a.resulted(b.result(ok=False)) is False
    assert a.holds


@pytest.mark.parametrize("tag", [NO_TAG, b"\x01" * 64], ids=["none", "made up"])
@pytest.mark.parametrize("secret", [SECRET, None], ids=["live", "no invite"])
def test_a_claimant_without_proof_is_not_let_in(secret: str | None, tag: bytes) -> None:
    b = issuer()
    b.claimed(claimant().claim())
    b.reply(secret)
    assert b.confirmed(PakeConfirm(7, tag)) is False
    with pytest.raises(LocalProtocolError):
        b.result(ok=True)
    assert b.result(ok=False) == PakeResult(7, ok=False)


def test_the_issuers_own_proof_sent_back_proves_nothing() -> None:
    b = issuer()
    b.claimed(claimant().claim())
    assert b.confirmed(PakeConfirm(7, b.reply(SECRET).tag)) is False


def test_a_claim_sent_back_as_a_reply_is_a_violation() -> None:
    a = claimant()
    with violation("come back"):
        a.replied(PakeReply(7, a.claim().share, bytes(64)))
    assert not a.holds


def test_a_claim_sent_back_as_a_claim_proves_nothing() -> None:
    """Alice has a code of Mallory's and an invite of her own with the very same words and number."""
    hers = claimant(peer=MALLORY.peer_id)
    own = Issuer(binding=BINDING, own=ALICE.peer_id, peer=MALLORY.peer_id, entropy=seeded(3))
    own.claimed(hers.claim())
    confirm = hers.replied(own.reply(SECRET))
    assert not hers.holds
    assert own.confirmed(confirm) is False


def test_a_share_that_suits_every_secret_is_a_violation_on_both_sides() -> None:
    a, b = claimant(), issuer()
    a.claim()
    with violation("share is none"):
        a.replied(PakeReply(7, WEAK, bytes(64)))
    assert not a.holds
    b.claimed(PakeClaim(7, WEAK))
    with violation("share is none"):
        b.reply(SECRET)
    with pytest.raises(LocalProtocolError):
        b.reply(SECRET)


# ---- somebody else's CPace


def ci(slot: int) -> bytes:
    return b"p2pchat/1 code" + slot.to_bytes(4) + ALICE.peer_id.key + BOB.peer_id.key


def test_an_independent_issuer_understands_the_claimant() -> None:
    a = claimant()
    their = partner.CPace.start(
        role=partner.CPaceRole.RESPONDER, prs=SECRET.encode(), sid=BINDING, ci=ci(7), ad=BOB.peer_id.key
    )
    their.derive(a.claim().share, ALICE.peer_id.key)
    confirm = a.replied(PakeReply(7, their.public_share, their.tag()))
    assert a.holds
    assert their.verify(confirm.tag)


def test_an_independent_claimant_understands_the_issuer() -> None:
    b = issuer()
    their = partner.CPace.start(
        role=partner.CPaceRole.INITIATOR, prs=SECRET.encode(), sid=BINDING, ci=ci(7), ad=ALICE.peer_id.key
    )
    b.claimed(PakeClaim(7, their.public_share))
    reply = b.reply(SECRET)
    their.derive(reply.share, BOB.peer_id.key)
    assert their.verify(reply.tag)
    assert b.confirmed(PakeConfirm(7, their.tag()))


@pytest.mark.parametrize("name", vectors.own(golden_claim.NAME)["claims"])
def test_claims_are_as_recorded(name: str) -> None:
    recorded: dict[str, Any] = vectors.own(golden_claim.NAME)["claims"][name]
    assert golden_claim.claim(recorded["code"], recorded["secret"]) == recorded
    assert recorded["right"] is (name == "right")
