"""Claims: who gets in, who does not, and what is said in the wrong order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cpace as partner
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.invites import CLAIM, NO_TAG, Claimant, Issuer, Step
from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Frame, Hello, Pake, PakeClaim, PakeConfirm, PakeReply, PakeResult
from p2pchat.wire.violation import Violation
from tests.support import golden_claim, vectors
from tests.support.entropy import seeded
from tests.support.framing import HELLO, pake_frames
from tests.support.kat import ALICE, BOB
from tests.support.pair import ConnectionPair

SECRET = "otter-amber-knife"
CODE = Code(7, SECRET)
BINDING = b"b" * 32
MALLORY = Identity.from_seed(b"m" * 32)
WEAK = bytes(32)  # a share that makes the key the same for all secrets


def claimant(code: Code = CODE, binding: bytes = BINDING, peer: PeerId = BOB.peer_id, seed: int = 1) -> Claimant:
    """Return Alice, who typed `code`."""
    return Claimant(code, binding=binding, own=ALICE.peer_id, peer=peer, entropy=seeded(seed))


def issuer(binding: bytes = BINDING, peer: PeerId = ALICE.peer_id, seed: int = 2) -> Issuer:
    """Return Bob, who made the code."""
    return Issuer(binding=binding, own=BOB.peer_id, peer=peer, entropy=seeded(seed))


@dataclass
class Run:
    """A whole claim; `outcome` is what each side believes at the end."""

    a: Claimant = field(default_factory=claimant)
    b: Issuer = field(default_factory=issuer)
    secret: str | None = SECRET

    def outcome(self) -> tuple[bool, bool]:
        self.b.claimed(self.a.claim())
        right = self.b.confirmed(self.a.replied(self.b.reply(self.secret)))
        return self.a.resulted(self.b.result(ok=right)), right


# ---- who gets in


def test_two_who_know_the_same_code_find_each_other() -> None:
    run = Run()
    assert run.outcome() == (True, True)
    assert run.a.holds
    assert run.a.step is run.b.step is Step.OVER


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
    from p2pchat.crypto.codes import draw_token  # noqa: PLC0415  (what stands in is drawn like a token)

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


# ---- order


def violation(words: str) -> Any:
    """Expect a violation that says so, with the code of appendix A."""
    return pytest.raises(Violation, match=words, check=lambda error: error.code is CloseCode.PROTOCOL)


def test_a_second_claim_is_a_violation_at_any_time() -> None:
    a, b = claimant(), issuer()
    claim = a.claim()
    with pytest.raises(LocalProtocolError):
        a.claim()
    b.claimed(claim)
    for step in (lambda: b.reply(SECRET), lambda: b.confirmed(PakeConfirm(7, NO_TAG)), lambda: b.result(ok=False)):
        with violation("out of order"):
            b.claimed(claim)
        step()
    with violation("out of order"):
        b.claimed(PakeClaim(8, claim.share))


def test_frames_of_another_slot_are_violations() -> None:
    a, b = claimant(), issuer()
    b.claimed(a.claim())
    reply = b.reply(SECRET)
    with violation("another slot"):
        a.replied(PakeReply(8, reply.share, reply.tag))
    confirm = a.replied(reply)
    with violation("another slot"):
        b.confirmed(PakeConfirm(8, confirm.tag))
    with violation("another slot"):
        a.resulted(PakeResult(8, ok=True))


def test_frames_before_their_turn_are_violations() -> None:
    a, b = claimant(), issuer()
    for early in (
        lambda: a.replied(PakeReply(7, WEAK, bytes(64))),
        lambda: a.resulted(PakeResult(7, ok=True)),
        lambda: b.confirmed(PakeConfirm(7, bytes(64))),
    ):
        with violation(r"out of order|before it was answered"):
            early()
    b.claimed(a.claim())
    with violation("before it was answered"):
        b.confirmed(PakeConfirm(7, bytes(64)))
    with violation("out of order"):
        a.resulted(PakeResult(7, ok=True))
    assert Run(claimant(), issuer()).outcome() == (True, True)


def test_what_our_side_says_too_early_is_our_mistake() -> None:
    b = issuer()
    for early in (lambda: b.reply(SECRET), lambda: b.result(ok=False)):
        with pytest.raises(LocalProtocolError):
            early()


@pytest.mark.parametrize(("binding", "peer"), [(b"", BOB.peer_id), (BINDING, ALICE.peer_id)], ids=["early", "oneself"])
def test_a_claim_needs_two_keys_and_a_connection(binding: bytes, peer: PeerId) -> None:
    with pytest.raises(LocalProtocolError):
        claimant(binding=binding, peer=peer)
    with pytest.raises(LocalProtocolError):
        Issuer(binding=binding, own=peer, peer=ALICE.peer_id, entropy=seeded(1))


@pytest.mark.slow
@given(st.lists(st.one_of(pake_frames, st.sampled_from(["claim", "reply", "confirm", "result"])), max_size=12))
@example(["claim", "reply", "confirm", "result"])
def test_in_any_order_the_machines_answer_or_say_what_was_wrong(heard: list[Pake | str]) -> None:
    """Frames of the other side's, real ones and any other, as they may come; no proof comes of what is made up."""
    a, b = claimant(), issuer()
    real: dict[str, Pake] = {"claim": a.claim()}
    taken: list[Pake] = []
    with contextlib.suppress(Violation):  # and nothing else; the connection is over then
        for frame in (real.get(one) if isinstance(one, str) else one for one in heard):
            if frame is not None:
                hear(a, b, frame, real)
                taken.append(frame)
    genuine = all(frame in real.values() for frame in taken)
    assert a.holds <= genuine
    assert b._right <= a.holds


def hear(a: Claimant, b: Issuer, frame: Pake, real: dict[str, Pake]) -> None:
    """Let the side that `frame` is for hear it, and note what it answers."""
    match frame:
        case PakeClaim():
            b.claimed(frame)
            real["reply"] = b.reply(SECRET)
        case PakeReply():
            real["confirm"] = a.replied(frame)
        case PakeConfirm():
            real["result"] = b.result(ok=b.confirmed(frame))
        case PakeResult():
            a.resulted(frame)


# ---- on connections


def greeted() -> ConnectionPair:
    """Return two who have said HELLO, the one that dialed with a claim to come."""
    pair = ConnectionPair().shake_hands()
    pair.say(pair.initiator, Hello(HELLO.agent, [CLAIM], HELLO.max_unacked, HELLO.max_unacked_bytes, ""))
    pair.say(pair.responder, HELLO)
    return pair


def ends(pair: ConnectionPair) -> tuple[Claimant, Issuer]:
    """Return the machines of a claim on `pair`, as its owners make them."""
    there, here = pair.initiator.peer, pair.responder.peer
    assert there is not None
    assert here is not None
    return (
        Claimant(CODE, binding=pair.initiator.binding, own=here, peer=there, entropy=seeded(5)),
        Issuer(binding=pair.responder.binding, own=there, peer=here, entropy=seeded(6)),
    )


def test_a_claim_passes_before_anybody_was_let_in() -> None:
    pair = greeted()
    a, b = ends(pair)
    (claim,) = pair.say(pair.initiator, a.claim())
    b.claimed(of(PakeClaim, claim))
    (reply,) = pair.say(pair.responder, b.reply(SECRET))
    (confirm,) = pair.say(pair.initiator, a.replied(of(PakeReply, reply)))
    right = b.confirmed(of(PakeConfirm, confirm))
    (result,) = pair.say(pair.responder, b.result(ok=right))
    assert a.resulted(of(PakeResult, result))


def of(kind: Any, frame: Any) -> Any:
    assert isinstance(frame, kind)
    return frame


def test_whoever_relays_between_two_connections_gets_nothing() -> None:
    """The man in the middle passes every frame on unchanged, and both sides find him out."""
    left, right = greeted(), greeted()
    assert left.initiator.binding != right.initiator.binding
    a, _ = ends(left)
    _, b = ends(right)
    b.claimed(a.claim())
    confirm = a.replied(b.reply(SECRET))
    assert not a.holds
    assert b.confirmed(confirm) is False


@settings(max_examples=20)
@given(pake_frames)
def test_the_frames_of_a_claim_are_told_as_they_are(frame: Frame) -> None:
    pair = greeted()
    assert pair.say(pair.initiator, frame) == [frame]
    assert list(codec.decode_frames(bytes(codec.encode_frames([frame])[0]))) == [frame]
