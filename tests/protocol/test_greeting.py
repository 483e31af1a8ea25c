"""Saying hello, with something in it that nobody knows."""

from __future__ import annotations

import re

import pytest

from p2pchat.protocol.greeting import greeting
from p2pchat.protocol.limits import Limits
from p2pchat.wire.frames import Hello, Unknown
from tests.support.entropy import scripted, seeded
from tests.support.pair import ConnectionPair


def test_a_greeting_offers_what_the_limits_allow() -> None:
    limits = Limits(max_unacked=7, max_unacked_bytes=70_000)
    said = greeting("p2pchat/1", features=["guest/1"], name="bob", limits=limits, entropy=scripted(b"\xab\xcd\x01\x00"))
    assert said == [Hello("p2pchat/1", ["guest/1", "grease-abcd"], 7, 70_000, "bob")]


@pytest.mark.parametrize("number", range(16))
def test_now_and_then_an_unknown_frame_follows(number: int) -> None:
    entropy = scripted(bytes([0, 0, 4, number << 4 | number]))
    hello, grease = greeting("a", features=[], name="", limits=Limits(), entropy=entropy)
    assert isinstance(hello, Hello)
    assert grease == Unknown(0xF0 + number, b"\x90")


def test_whatever_is_drawn_the_other_side_hears_one_hello() -> None:
    greased = 0
    for seed in range(40):
        pair = ConnectionPair().shake_hands()
        said = greeting("a", features=["guest/1"], name="", limits=Limits(), entropy=seeded(seed))
        (hello,) = pair.say(pair.initiator, *said)
        assert isinstance(hello, Hello)
        assert re.fullmatch(r"grease-[0-9a-f]{4}", hello.features[-1])
        greased += len(said) - 1
    assert 0 < greased < 40
