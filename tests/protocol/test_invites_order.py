"""Claims: what is said in the wrong order, and what a whole claim looks like on a connection."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.invites import CLAIM, NO_TAG, Claimant, Issuer
from p2pchat.wire import codec
from p2pchat.wire.frames import Frame, Hello, Pake, PakeClaim, PakeConfirm, PakeReply, PakeResult
from p2pchat.wire.violation import Violation
from tests.support.claims import BINDING, CODE, SECRET, WEAK, Run, claimant, issuer, violation
from tests.support.entropy import seeded
from tests.support.framing import HELLO, pake_frames
from tests.support.kat import ALICE, BOB
from tests.support.pair import ConnectionPair

# ---- order


def test_a_second_claim_is_a_violation_at_any_time() -> None:
    a, b = claimant(), issuer()
    claim = a.claim()
    with pytest.raises(LocalProtocolError, match=r"^a code is claimed once on a connection$"):
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
    a, b = claimant(), issuer()
    for early in (lambda: b.reply(SECRET), lambda: b.result(ok=False)):
        with pytest.raises(
            LocalProtocolError, match=r"^(no claim waits for an answer|there is no such result to be told)$"
        ):
            early()
    b.claimed(a.claim())
    for step in (lambda: b.reply(SECRET), lambda: None):
        with pytest.raises(LocalProtocolError, match=r"^there is no such result to be told$"):
            b.result(ok=False)
        step()
    with pytest.raises(LocalProtocolError, match=r"^no claim waits for an answer$"):
        b.reply(SECRET)


@pytest.mark.parametrize(("binding", "peer"), [(b"", BOB.peer_id), (BINDING, ALICE.peer_id)], ids=["early", "oneself"])
def test_a_claim_needs_two_keys_and_a_connection(binding: bytes, peer: PeerId) -> None:
    with pytest.raises(
        LocalProtocolError, match=r"^a claim is between two keys, on a connection whose handshake is over$"
    ):
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
