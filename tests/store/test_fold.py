"""What people take for the same word is the same word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.store import fold


def is_found(word: str, text: str) -> bool:
    """Whether a tokenizer of ASCII would find all phrases of `word` in the folded `text`."""
    folded = fold.fold(text).lower()
    tokens = " ".join("".join(char if char.isalnum() or char > "\x7f" else " " for char in folded).split())
    phrases = list(fold.phrases(word))
    return bool(phrases) and all(f" {phrase} " in f" {tokens} " for phrase in phrases)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("cafe", "le Café"),
        ("CAFÉ", "cafe"),
        ("zlutoucky", "žluťoučký kůň"),
        ("strasse", "Straße"),
        ("ΟΔΟΣ", "οδος"),
        ("istanbul", "İstanbul"),
        ("office", "oﬃce"),
        ("abc", "\uff21\uff22\uff23"),  # full width
        ("東京", "東京都に行く"),
        ("京都", "東京都に行く"),
        ("都", "東京都に行く"),
        ("く", "東京都に行く"),
        ("東", "東"),
        ("テスト", "ﾃｽﾄ"),
        ("か\u3099", "が"),
        ("한국", "한국어"),
        ("\u1112\u1161\u11ab", "한국"),
        ("สวัสดี", "สวัสดีครับ"),
        ("किताब", "यह किताब है"),
        ("שלום", "שָׁלוֹם"),
        ("محمد", "مُحَمَّد"),
        ("👍", "good 👍🏽!"),
        ("👩‍💻", "I am 👩🏽‍💻"),
        ("€", "100€"),
        ("iPhone用", "新しいiPhone用のケース"),
        ("o'brien", "Ask O\u2019Brien"),
        ("naive", "na\u00adive"),
        ("foo-bar", "see foo-bar"),
        ("x.y", "X_Y is"),
    ],
)
def test_is_found(word: str, text: str) -> None:
    assert is_found(word, text)
    assert is_found(word, f"prefix, {text}; 東 suffix é")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("caf", "café"),
        ("京東", "東京"),
        ("東都", "東京都"),
        ("かき", "かぎ"),
        ("किताब", "कताब"),
        ("👎", "👍"),
        ("foo-bar", "bar foo"),
    ],
)
def test_is_something_else(word: str, text: str) -> None:
    assert not is_found(word, text)


@pytest.mark.parametrize("word", ["", "---", "“…”", "\ue000", "\u200b", "$", "\ud800"])
def test_punctuation_is_no_word(word: str) -> None:
    assert list(fold.phrases(word)) == []


def test_what_unicode_may_define_one_day_is_a_letter() -> None:
    assert list(fold.phrases("a\U0001fbff\u0378b")) == ["a\u0378b"] or list(fold.phrases("\u0378")) == ["\u0378"]


def test_phrases_cannot_be_anything_but_words() -> None:
    every = "".join(map(chr, range(0x80))) + "\u201c\uff02"
    assert "".join(fold.phrases(every)) == "0123456789 abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz"


@given(st.text())
def test_every_word_of_a_text_is_found_in_it(text: str) -> None:
    for word in text.split():
        assert is_found(word, text) or not list(fold.phrases(word))
