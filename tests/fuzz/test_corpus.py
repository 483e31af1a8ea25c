"""Every input that was worth keeping, once more, without any guessing; and that the inputs reach what they are for."""

from __future__ import annotations

import typing
from random import Random

import pytest

from p2pchat.protocol.events import EndOfStream, Failed, PingDue, WaitingToBeLetIn
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Known, Msg
from tests.fuzz import frames, handshake, records
from tests.fuzz.catalogue import TARGETS
from tests.fuzz.corpus import found, kept

BROKEN = [pytest.param(name, data, id=f"{name}-{n}") for name in TARGETS for n, data in enumerate(found(name))]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_every_input_keeps_the_promises(name: str) -> None:
    target = TARGETS[name]
    for data in (*target.seeds(), *kept(name)):
        target.run(data)


@pytest.mark.skipif(not BROKEN, reason="no input has ever broken a promise")
@pytest.mark.parametrize(("name", "data"), BROKEN)
def test_what_once_broke_a_promise_keeps_it(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


def test_the_seeds_reach_every_frame_behind_the_keys() -> None:
    told = [event for data in records.seeds() for event in records.tell(data, cut=False).told]
    assert set(map(type, told)) >= {*typing.get_args(Known), Failed, EndOfStream, PingDue, WaitingToBeLetIn}
    codes = {event.code for event in told if isinstance(event, Failed)}
    assert codes >= {CloseCode.PROTOCOL, CloseCode.UNSUPPORTED, CloseCode.RATE, CloseCode.TIMEOUT}


def test_the_seeds_shake_hands_on_both_sides() -> None:
    visits = [handshake.tell(data, cut=False) for data in handshake.seeds()]
    assert {visit.dialed for visit in visits if any(isinstance(event, Msg) for event in visit.told)} == {True, False}


def test_no_input_is_longer_than_a_target_may_make_them() -> None:
    for name, target in TARGETS.items():
        assert max(map(len, kept(name)), default=0) <= target.max_length


def test_frames_are_taken_apart_and_put_together_again() -> None:
    dice = Random(0)
    for data in records.seeds():
        assert b"".join(frames.split(data)) == data
        changed = records.change(data, dice, lambda text, _: text[::-1])
        records.tell(changed, cut=False).judge()
