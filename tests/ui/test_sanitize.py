"""Whatever a peer writes, the terminal is not driven by it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.ui import sanitize

NASTY = (
    "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u00ad\u034f\u061c\u0301\u0338\u200b\u200c\u200d\u200e\u2028"
    "\u202e\u2066\u2069\u3164\ufe00\ufe0f\ufeff\U000e0041\U000e0101\ud800"
)
anything = st.text(alphabet=st.one_of(st.characters(), st.sampled_from(NASTY + "ab>=<ē \u2000\u1100\u1161")))
FORBIDDEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("žluťoučký 你好 👍", "žluťoučký 你好 👍"),
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\x1b[2J\x7f", "␛[2J␡"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("a\tb", "a    b"),
        ("\x9b31m", "<U+009B>31m"),
        ("gpj\u202eexe", "gpj<U+202E>exe"),
        ("a\u200bb\ufeff\u00ad", "a<U+200B>b<U+FEFF><U+00AD>"),
        ("a\u2028b\ue000\U000e0041", "a<U+2028>b<U+E000><U+E0041>"),
        ("\ud800", "<U+D800>"),
        ("\u3164\u115f\u2800\u034f", "<U+3164><U+115F><U+2800><U+034F>"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("❤\ufe01\U000e0100", "❤<U+FE01><U+E0100>"),
        ("\u200dx\u200d\u200d", "<U+200D>x\u200d<U+200D>"),
        ("e\u0301", "é"),
        ("q" + "\u0301" * 50, "q" + "\u0301" * 4),
        ("\u0301", "◌\u0301"),
        ("\u200b\u0338", "<U+200B>◌\u0338"),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_a_body_shows_what_it_holds(said: str, shown: str) -> None:
    assert sanitize.clean(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bob", "bob"),
        ("  bob ", "bob"),
        ("bob\n-- alice left", "bob␊-- alice left"),
        ("b\tb\r\n", "b␉b␍␊"),
        ("b\u200dob", "b<U+200D>ob"),
        ("\u2003", ""),
        ("\u3164", "<U+3164>"),
    ],
)
def test_a_name_is_one_line(said: str, shown: str) -> None:
    assert sanitize.clean_line(said) == shown


@pytest.mark.parametrize("letter", ["x", "ž", "\x1b", "\u202e"])
def test_a_long_body_is_cut_with_a_mark(letter: str) -> None:
    shown = sanitize.clean(letter * 100_000)
    assert len(shown) <= sanitize.MAX_SHOWN
    assert shown.endswith("…[cut]")
    assert sanitize.clean(shown) == shown


def test_a_body_of_just_the_limit_is_whole() -> None:
    assert sanitize.clean("x" * sanitize.MAX_SHOWN) == "x" * sanitize.MAX_SHOWN


def test_a_long_name_is_cut_with_a_mark() -> None:
    assert len(sanitize.clean_line("n" * 300)) == sanitize.MAX_LINE


@given(anything)
def test_nothing_that_drives_a_terminal_gets_through(said: str) -> None:
    for char in sanitize.clean(said):
        assert char in "\n\u200c\u200d" or unicodedata.category(char) not in FORBIDDEN | {"Cf"}
    for char in sanitize.clean_line(said):
        assert unicodedata.category(char) not in FORBIDDEN | {"Cf"}


@given(anything)
def test_cleaning_twice_changes_nothing(said: str) -> None:
    body, line = sanitize.clean(said), sanitize.clean_line(said)
    assert sanitize.clean(body) == body
    assert sanitize.clean_line(line) == line


@given(anything)
def test_what_is_shown_is_in_normal_form(said: str) -> None:
    assert unicodedata.is_normalized("NFC", sanitize.clean(said))


@given(anything)
def test_a_clean_body_can_always_be_encoded(said: str) -> None:
    sanitize.clean(said).encode()


def test_right_to_left_text_cannot_reorder_its_line() -> None:
    assert sanitize.isolate("שבת") == "\u2068שבת\u2069"
    assert sanitize.isolate("čau") == "čau"
    assert sanitize.isolate("hello") == "hello"
