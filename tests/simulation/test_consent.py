"""The judge of trust in the simulated world: whatever nobody has agreed to is told, by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.testing.judges.checker import Broken
from p2pchat.testing.judges.consent import Consent, Trusted, trust_steps

ANN, BOB, EVE = b"ann", b"bob", b"eve"
OWNERS = {"tcp:ann:1": ANN, "tcp:bob:1": BOB}
NOBODY = Trusted()
CODE = (1, "otter-amber-knife")


def consent(*states: Trusted) -> Consent:
    """Return Carol's, who has dialed Ann, given CODE to Bob, who typed it, and been through `states`."""
    carol = Consent("carol", OWNERS)
    carol.dials(ANN)
    carol.is_claimed(CODE[1], BOB)
    for state in states:
        carol.judge(state)
    return carol


def codes(attempts: int) -> Trusted:
    return Trusted(codes={CODE: attempts})


def test_what_was_agreed_to_may_be() -> None:
    met = Trusted(pins={"tcp:ann:1": ANN}, known={ANN: None})
    carol = consent(NOBODY, met, replace(met, codes={CODE: 0}), replace(met, codes={CODE: 2}))
    carol.judge(Trusted(met.pins, {ANN: None, BOB: 5}))
    carol.judge(Trusted(met.pins | {"tcp:bob:1": BOB}, {ANN: None, BOB: 5}))
    assert carol.now.known == {ANN: None, BOB: 5}


def test_who_types_a_code_may_believe_whom_it_is_of() -> None:
    carol = consent()
    carol.types(EVE)
    carol.judge(Trusted(known={EVE: 3}))


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: consent(Trusted({"tcp:ann:1": ANN}), Trusted({"tcp:ann:1": BOB})), "PIN MOVED: carol"),
        (lambda: consent(Trusted({"tcp:ann:1": ANN}), NOBODY), "PIN MOVED: carol"),
        (lambda: consent(Trusted({"tcp:ann:1": EVE})), "PIN OF A STRANGER: carol expects somebody at tcp:ann:1"),
        (lambda: consent(Trusted({"tcp:eve:1": EVE})), "PIN OF A STRANGER: carol"),
        (lambda: consent(Trusted(known={EVE: None})), "KNOWN WITHOUT CONSENT: carol"),
        (lambda: consent(Trusted(known={ANN: 7})), "VERIFIED WITHOUT A CODE: carol"),
        (lambda: consent(codes(1), Trusted(known={EVE: 7})), "VERIFIED WITHOUT A CODE: carol"),
        (lambda: consent(codes(1), replace(codes(1), known={BOB: 7})), "VERIFIED WITHOUT A CODE: carol"),
        (lambda: consent(codes(0), Trusted(known={BOB: 7})), "HONOURED UNCOUNTED: a code of carol"),
        (lambda: consent(codes(2), codes(1)), "MISCOUNTED: 1 attempts at code 1 of carol"),
        (lambda: consent(codes(4)), "MISCOUNTED: 4 attempts"),
        (lambda: consent(codes(1), NOBODY, codes(0)), "NOT DEAD: code 1 of carol is back"),
    ],
    ids=[
        *("pin moved", "pin lost", "pin of another", "pin elsewhere", "known", "verified", "verified by another's"),
        *("not burnt", "untried", "uncounted", "too many", "back"),
    ],
)
def test_what_nobody_has_agreed_to_is_told(broken: Callable[[], object], complaint: str) -> None:
    with pytest.raises(Broken, match=complaint):
        broken()


def test_a_code_that_has_worked_is_dead() -> None:
    consent(codes(1), Trusted(known={BOB: 7})).check_burnt([CODE[1]])
    with pytest.raises(Broken, match="NOT BURNT: a code of carol"):
        consent(codes(1)).check_burnt([CODE[1]])


def test_who_has_an_answer_about_a_code_was_counted() -> None:
    carol = consent(codes(1))
    carol.check_counted(CODE[1])
    with pytest.raises(Broken, match="ANSWERED UNCOUNTED: 1 of 2 attempts at a code of carol"):
        carol.check_counted(CODE[1])
    carol.judge(NOBODY)  # it was tried too often, or has worked for somebody else
    carol.check_counted(CODE[1])


def test_an_old_backup_may_bring_back_what_was_there() -> None:
    carol = consent(codes(1), Trusted(known={BOB: 7}))
    carol.went_back(codes(0))
    carol.judge(codes(1))
    carol.judge(Trusted(known={BOB: 9}))


def test_the_steps_of_a_transaction_are_told_by_what_they_change() -> None:
    assert trust_steps(NOBODY, NOBODY) == set()
    assert trust_steps(NOBODY, codes(0)) == set()
    assert trust_steps(codes(0), codes(1)) == {"attempt"}
    assert trust_steps(codes(1), Trusted(known={BOB: 7})) == {"honour"}
    assert trust_steps(codes(3), NOBODY) == set()
    assert trust_steps(NOBODY, Trusted(known={ANN: None})) == {"trust"}
    assert trust_steps(Trusted(known={ANN: None}), Trusted(known={ANN: 5})) == {"trust"}
