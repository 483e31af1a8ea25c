"""The eavesdropper of the simulated world: what must not be on a wire is told, in however many pieces it travels."""

from __future__ import annotations

import random

import pytest

from p2pchat.testing.judges.checker import Broken, Line
from p2pchat.testing.judges.wiretap import FILLER, PREFACE, WHOLE, Wiretap

SECRETS = {b"alice of the simulated world": "a name", b"k" * 32: "the key of alice", FILLER: "a part of a message"}


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def opening(share: bytes, seed: int) -> bytes:
    return PREFACE + b"\x01" + (1216).to_bytes(2) + share + noise(1184, seed)


def test_an_honest_wire_says_nothing() -> None:
    tap = Wiretap(SECRETS)
    for number in range(20):
        tap.hear("there", opening(noise(32, number), 100 + number) if number == 0 else noise(300, 200 + number))
        tap.hear("back", noise(500, 300 + number))
        tap.hear("there", b"ping")
        tap.hear("back", b"ping")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("cut", [0, 1, 7, 11])
def test_what_travels_in_the_clear_is_told(secret: bytes, cut: int) -> None:
    tap = Wiretap(SECRETS)
    tap.hear("there", noise(100) + secret[:cut])
    with pytest.raises(Broken, match=f"IN THE CLEAR: {SECRETS[secret]} is on a wire"):
        tap.hear("there", secret[cut:] + noise(100, 2))


def test_the_middle_of_every_long_text_would_be_noticed() -> None:
    for number in range(1, 60):
        text = Line("a>b").ask(32_000).text if number == 1 else _text(number)
        for start in range(0, 1000, 50):
            assert FILLER.decode() in text[100 + start : 220 + start]


def _text(number: int) -> str:
    line = Line("a>b")
    for _ in range(number - 1):
        line.ask(0)
    return line.ask(2000).text


def test_a_share_that_is_used_again_is_told() -> None:
    tap = Wiretap({})
    tap.hear("one there", opening(noise(32, 7), 1)[:20])
    tap.hear("one there", opening(noise(32, 7), 1)[20:])
    tap.hear("one back", (1297).to_bytes(2) + noise(32, 8) + noise(1265, 9))
    tap.hear("two there", opening(noise(32, 10), 2))
    with pytest.raises(Broken, match="SHARE REPEATED"):
        tap.hear("two back", (1297).to_bytes(2) + noise(32, 7) + noise(1265, 11))


def test_ciphertext_that_travels_twice_is_told() -> None:
    tap = Wiretap({})
    tap.hear("one", noise(WHOLE))
    with pytest.raises(Broken, match="CIPHERTEXT REPEATED"):
        tap.hear("two", noise(10, 3) + noise(WHOLE))
