"""Codes as people type them: what they mean, what they may mean, and what they do not show."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto.codes import LAST_SLOT, Code, completions, draw_token, draw_words
from p2pchat.errors import BadData
from tests.support import vectors
from tests.support.entropy import scripted, seeded

WORDS = completions("")
CONTRACT = vectors.own("p2pchat-1-kat.json")["codes"]
TOKEN = "mfrggzdfmztwq2lknnwg23tpoa"

slots = st.integers(0, LAST_SLOT)
words = st.lists(st.sampled_from(WORDS), min_size=2, max_size=6)
separators = st.text(" \t\n_-.,\u00a0\u3000", min_size=1, max_size=4)


def wide(text: str) -> str:
    """Return `text` as an East Asian keyboard may write it."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


# ---- the words


def test_the_words_are_those_of_bip_39() -> None:
    text = (importlib.resources.files("p2pchat.crypto") / "words.txt").read_bytes()
    assert hashlib.sha256(text).hexdigest() == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert text.decode().split() == WORDS


def test_four_letters_tell_any_two_words_apart() -> None:
    assert sorted(set(WORDS)) == WORDS
    assert len({word[:4] for word in WORDS}) == len(WORDS) == 2**11


# ---- reading


@pytest.mark.parametrize(("text", "means"), CONTRACT.items(), ids=CONTRACT)
def test_a_code_means_what_the_contract_says(text: str, means: tuple[int, str]) -> None:
    slot, secret = means
    assert Code.parse(text) == Code(slot, secret)


READ: dict[str, tuple[str, str]] = {
    "as it is": ("7-zoo-abandon", "7-zoo-abandon"),
    "cut short": ("7 zoo aban", "7-zoo-abandon"),
    "shouted": ("7 ZOO ABAN", "7-zoo-abandon"),
    "a list": ("007, zoo. abandon.", "7-zoo-abandon"),
    "too many separators": ("-7-zoo--abandon-", "7-zoo-abandon"),
    "full width": (wide("7-zoo-aban"), "7-zoo-abandon"),
    "other spaces": ("7\u00a0zoo\u3000abandon\n", "7-zoo-abandon"),
    "the first slot": ("0 zoo zoo", "0-zoo-zoo"),
    "the last slot": ("4294967295 zoo zoo", "4294967295-zoo-zoo"),
    "a word that others begin with": ("7-act-actio", "7-act-action"),
    "a word of another list": ("7-zoo-zoologist", "7-zoo-zoologist"),
    "a token": (f"7-{TOKEN}", f"7-{TOKEN}"),
    "a token, shouted": (f" 7 {TOKEN.upper()}", f"7-{TOKEN}"),
}


@pytest.mark.parametrize(("text", "means"), READ.values(), ids=READ)
def test_a_code_is_read_however_it_is_typed(text: str, means: str) -> None:
    assert str(Code.parse(text)) == means


NO_NUMBER, TOO_SHORT = "begins with the number", "at least 2 words"
REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", NO_NUMBER),
    "spaces": ("   ", NO_NUMBER),
    "words": ("zoo-abandon-zoo", NO_NUMBER),
    "a number in words": ("seven-zoo-abandon", NO_NUMBER),
    "a sign": ("+7-zoo-abandon", NO_NUMBER),
    "a digit to Python alone": ("\u0667-zoo-abandon", NO_NUMBER),
    "one slot too far": ("4294967296-zoo-abandon", NO_NUMBER),
    "no number of ours": ("9" * 5000 + "-zoo-abandon", NO_NUMBER),
    "a slot": ("7", TOO_SHORT),
    "a slot and no more": ("7-", TOO_SHORT),
    "one word": ("7-zoo", TOO_SHORT),
    "a token cut short": (f"7-{TOKEN[:-1]}", TOO_SHORT),
    "a token too long": (f"7-{TOKEN}a", TOO_SHORT),
    "a token of other letters": (f"7-{TOKEN[:-1]}1", TOO_SHORT),
    "half a character": ("7-zoo-\udcff", "cannot be seen"),
    "a space without width": ("7-zoo-aban\u200bdon", "cannot be seen"),
    "a colour": ("7-zoo-\x1b[31mred", "cannot be seen"),
    "what may be many words": ("7-zoo-ab", "'ab' may be abandon, ability, able, about, above, …"),
    "what may be two words": ("7-zo-zoo", "'zo' may be zone, zoo"),
}


@pytest.mark.parametrize(("text", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_code_is_refused_with_a_hint(text: str, error: str) -> None:
    with pytest.raises(BadData, match=re.escape(error)) as refused:
        Code.parse(text)
    assert refused.value.hint


@given(slots, words, st.lists(separators, min_size=6, max_size=6), st.booleans())
def test_case_and_separators_do_not_matter(slot: int, said: list[str], between: list[str], loud: bool) -> None:  # noqa: FBT001
    text = str(slot) + "".join(separator + word for separator, word in zip(between, said, strict=False))
    assert Code.parse(text.upper() if loud else text) == Code(slot, "-".join(said))


@given(slots, words, st.data())
def test_four_letters_of_each_word_are_enough(slot: int, said: list[str], data: st.DataObject) -> None:
    short = [word[: data.draw(st.integers(4, 8))] for word in said]
    assert Code.parse(f"{slot}-{'-'.join(short)}") == Code(slot, "-".join(said))


@given(
    st.text(st.characters(exclude_categories=[]), max_size=40)
    | st.from_regex(r"[0-9]{1,3}[-_ ].{1,5}[., ].{0,4}", fullmatch=True)
)
def test_anything_is_a_code_or_an_error_for_people(text: str) -> None:
    with contextlib.suppress(BadData):
        code = Code.parse(text)
        assert Code.parse(str(code)) == code
        assert code.secret.encode()


# ---- making


def test_words_are_drawn_by_eleven_bits_each() -> None:
    assert draw_words(scripted(b"\x00\x00", b"\x08\x01", b"\xff\xff")) == f"{WORDS[0]}-{WORDS[1]}-{WORDS[2047]}"
    assert draw_words(scripted(b"\x00\x02"), 1) == WORDS[2]


def test_a_token_is_sixteen_bytes() -> None:
    assert draw_token(scripted(b"abcdefghijklmnop")) == TOKEN
    assert draw_token(scripted(b"\xff" * 16)) == "7" * 25 + "4"


@given(slots, st.integers(), st.integers(2, 6))
def test_what_is_made_is_read_again(slot: int, seed: int, count: int) -> None:
    for secret in (draw_words(seeded(seed), count), draw_token(seeded(seed))):
        code = Code(slot, secret)
        assert Code.parse(str(code)) == code


# ---- completing


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("zo", ["zone", "zoo"]),
        ("ZOO", ["zoo"]),
        ("aban", ["abandon"]),
        ("zooo", []),
        ("~", []),
        (wide("zon"), ["zone"]),
    ],
    ids=["two", "itself", "one", "none", "after the last", "full width"],
)
def test_words_that_begin_so(prefix: str, found: list[str]) -> None:
    assert completions(prefix) == found


# ---- hiding


def test_only_who_asks_for_it_sees_the_secret() -> None:
    code = Code.parse("7-zoo-abandon")
    assert repr(code) == "Code(slot=7)"
    assert f"{code}" == "7-zoo-abandon"


def test_an_error_shows_no_more_of_a_code_than_it_must() -> None:
    with pytest.raises(BadData) as refused:
        Code.parse("7-zoo-abandon-ab")
    assert "zoo" not in f"{refused.value} {refused.value.hint}"
