"""Names: what looks alike is one name, what cannot be told apart from something else is none."""

# ruff: noqa: RUF001, RUF003  (to be taken for something else is what these letters are here for)

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadData
from p2pchat.store import names
from p2pchat.store.names import MAX_PETNAME, alike, check_petname, folded, is_single_script, skeleton
from tests.support import lookalikes

#: These look like a letter or a digit, but they are marks, or their normal form or their case is another sign.
ELSEWHERE = set("ςϲϹſ˛ͺ￨ଃంಂംං")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "Bob"),
        ("bob", "BOB"),
        ("bob", "b0b"),
        ("bob", "bоb"),  # a Cyrillic о
        ("bob", "ВОВ"),  # all Cyrillic
        ("bob", "ｂｏｂ"),  # of full width
        ("bob", "𝐛𝐨𝐛"),  # mathematical
        ("bob", "bọ́b"),
        ("bob", "b\u200bo\u00adb\ufe0f"),
        ("mary", "rnary"),
        ("wendy", "vvendy"),
        ("will", "wi11"),
        ("Ian", "lan"),
        ("Ian", "|an"),
        ("José", "jose"),
        ("Nina", "Νina"),  # a Greek capital
        ("Yves", "Υves"),
        ("coop", "cꝏp"),  # one sign for two
        ("Вова", "вова"),
        ("НИНА", "нина"),
        ("Γιώργος", "ΓΙΏΡΓΟΣ"),
        ("Νίκος", "νίκος"),  # whose skeletons are two
        ("Straße", "STRASSE"),
        ("ﬁona", "fiona"),
        ("I\u0307pek", "ipek"),
        ("カナ", "ｶﾅ"),
        ("bob smith", "bob  smith"),
        ("bob", " bob\u3000"),
        ("ΝΊΚΟΣ", "νικος"),
        ("Υπατία", "υπατια"),
    ],
)
def test_what_looks_alike_is_one_name(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "rob"),
        ("anna", "hanna"),
        ("van", "nan"),
        ("田中", "田中さん"),
        ("が", "か"),
        ("bob", "bob 2"),
        ("Юля", "Юра"),
    ],
)
def test_others_are_two(one: str, other: str) -> None:
    assert not alike(one, other)


def test_the_table_is_the_one_that_is_made_from_unicodes() -> None:
    made = {ord(sign): other for sign, other in lookalikes.table().items()}
    assert names._lookalikes().items() <= made.items(), "a newer Python may know more signs"
    if unicodedata.unidata_version == "14.0.0":  # the oldest Python that we support; it wrote the file
        assert lookalikes.TABLE.read_text(encoding="ascii") == lookalikes.written()


def test_whatever_unicode_takes_for_a_letter_or_a_digit_is_one_here_too() -> None:
    found = [(one, other) for one, other in lookalikes.pairs() if other.isascii() and other.isalnum()]
    assert len(found) > 1400
    for one, other in found:
        assert alike(one, other) or one in ELSEWHERE, f"{one!a} looks like {other}"


@given(st.text(max_size=20))
def test_a_skeleton_has_no_case_and_its_own_is_itself(text: str) -> None:
    assert alike(text, text)
    assert alike(text, folded(text))
    if text.isascii():
        assert skeleton(skeleton(text)) == skeleton(text) == skeleton(text.upper())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("bob", "bob"),
        ("  Bob Smith\n", "Bob Smith"),
        ("Zoe\u0308", "Zoë"),
        ("anna@work", "anna@work"),
        ("O’Neill-2", "O’Neill-2"),
        ("李小龍", "李小龍"),
        ("محمد", "محمد"),
        ("राम", "राम"),
        ("สมชาย ที่รัก", "สมชาย ที่รัก"),
        ("agent 007", "agent 007"),
        ("you2", "you2"),
        ("Youssef", "Youssef"),
        ("Melanie", "Melanie"),
        ("peer", "peer"),
        ("x" * MAX_PETNAME, "x" * MAX_PETNAME),
    ],
)
def test_what_may_be_a_petname(text: str, kept: str) -> None:
    assert check_petname(text) == kept
    assert check_petname(kept) == kept


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no letter"),
        (" \t ", "no letter"),
        ("...", "no letter"),
        ("\u0301", "no letter"),
        ("x" * (MAX_PETNAME + 1), "longer than 64"),
        ("bo\nb", "cannot be seen"),
        ("bo\tb", "cannot be seen"),
        ("bo\u00a0b", "cannot be seen"),
        ("b\x1b[31mob", "cannot be seen"),
        ("b\u202eob", "cannot be seen"),
        ("b\u200bob", "cannot be seen"),
        ("\ud800bob", "cannot be seen"),
        ("b\u3164ob", "cannot be seen"),
        ("\u2800", "cannot be seen"),
        ("\u2028bob\u0378", "cannot be seen"),
        ("tcp:bob", "an address"),
        ("bob/home", "an address"),
        ("bob：1", "an address"),
        ("7", "a number"),
        ("12345 67890", "a number"),
        ("-3.5", "a number"),
        ("٣", "a number"),
        ("½", "a number"),
        ("peer1qyfe3a", "a peer id"),
        ("PEER1", "a peer id"),
        ("peerlqyfe3a", "a peer id"),
        ("рееr1", "a peer id"),
        ("me", "p2pchat says"),
        ("Me", "p2pchat says"),
        ("YOU", "p2pchat says"),
        ("you (verified)", "p2pchat says"),
        ("уоu", "p2pchat says"),
        ("-- connected", "p2pchat says"),
        ("–– connected", "p2pchat says"),
        ("* bob waves", "p2pchat says"),
        ("> bob", "p2pchat says"),
        ("— connected", "no words"),
        ("━━ x", "no words"),
        ("✓ bob", "no words"),
        ("bob ✓", "no words"),
        ("🦊", "no words"),
        ("(you)", "no words"),
        ("a∶b", "no words"),  # a ratio
        ("bob smith, verified", "no words"),
        ("bob  smith", "one blank"),
        ("2nd bob", "no words"),
    ],
)
def test_what_may_not(text: str, why: str) -> None:
    with pytest.raises(BadData, match=why) as caught:
        check_petname(text)
    assert caught.value.hint
    assert str(caught.value).isascii(), "what is wrong with it is not printed"


@given(st.text())
def test_whatever_is_typed_is_a_name_or_is_told_why_not(text: str) -> None:
    try:
        kept = check_petname(text)
    except BadData:
        return
    assert 0 < len(kept) <= MAX_PETNAME
    assert kept == kept.strip()
    assert check_petname(kept) == kept
    kept.encode()


@pytest.mark.parametrize(
    "text",
    [
        "bob",
        "Zoë",
        "b0b!",
        "Вова 2",
        "Νίκος",
        "田中さん",
        "ラーメン",
        "李々",
        "김李",
        "ㄅㄆ李",
        "محمد ٣",
        "۳ فارسی",
        "राम",
        "ʰbob",
        "🦊 bob",
        "",
    ],
)
def test_one_way_of_writing(text: str) -> None:
    assert is_single_script(text)


@pytest.mark.parametrize("text", ["bоb", "Νina", "李bob", "カ김", "bob٣", "b\u0378", "bobा", "\ue000"])
def test_several_ways_of_writing(text: str) -> None:
    assert not is_single_script(text)


def test_a_letter_is_of_the_script_that_unicode_says() -> None:
    """Our scripts are the first words of names of letters: coarser than Unicode's, and never across two that mix up."""
    from confusable_homoglyphs import categories  # noqa: PLC0415

    ours: dict[str, set[str | None]] = {}
    for number in range(0x80, 0x3100):
        char = unicodedata.normalize("NFKC", chr(number))
        if len(char) == 1 and char.isalpha() and not char.isascii():
            ours.setdefault(categories.alias(char), set()).add(names._script(char))
    for script in ("GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "DEVANAGARI", "CHEROKEE", "HIRAGANA"):
        assert ours[script] == {script}
    assert ours["LATIN"] >= {"LATIN"}
