"""One rule for what peers are called: a claim never passes for anything but a harmless claim."""

# ruff: noqa: RUF001  (letters that look alike are what this is about)
from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import BadData
from p2pchat.store import names as rules
from p2pchat.ui import marks, transcript
from p2pchat.ui.names import _PLAIN, Names, is_harmless, shapes, shortened

BOB, CARL, MALLORY, OSCAR = (Identity.from_seed(bytes([n]) * 32).peer_id for n in range(1, 5))
SIGNS = marks.UNICODE
SHORT = {peer: shortened(peer, SIGNS) for peer in (BOB, CARL, MALLORY, OSCAR)}

LOOKALIKES = {
    "a": "аａ𝐚á",
    "b": "Ьｂ𝐛",
    "c": "сⅽ",
    "e": "еｅé",
    "i": "іl1|",
    "l": "1I|",
    "o": "о0οｏ",
    "p": "рρ",
    "y": "уγ",
}
INVISIBLE = "\u200b\u200d\u202e\u2066\ufeff\u00ad\u034f\u3164\x07\x1b\n\r\t"


@st.composite
def disguised(draw: st.DrawFn, name: str) -> str:
    """`name`, as somebody writes it who would like to be taken for its owner."""
    letters = [draw(st.sampled_from([char, char.upper(), *LOOKALIKES.get(char, "")])) for char in name]
    for _ in range(draw(st.integers(0, 3))):
        letters.insert(draw(st.integers(0, len(letters))), draw(st.sampled_from(INVISIBLE)))
    return draw(st.sampled_from(["", " ", "\u3000"])) + "".join(letters) + draw(st.sampled_from(["", " ", "  "]))


def names(**petnames: PeerId) -> Names:
    return Names(SIGNS, lambda: {peer: name for name, peer in petnames.items()})


# ---- the rule


def test_a_petname_is_before_every_claim() -> None:
    called = names(bob=BOB)
    assert called.of(BOB, "Robert") == "bob"
    assert called.of(BOB, "") == "bob"
    assert called.everyone({BOB: "carl", CARL: "carl"})[BOB] == "bob"


def test_a_harmless_claim_is_shown_and_else_the_id() -> None:
    assert names().of(BOB, "Bob van der Berg") == "Bob van der Berg"
    for claim in ("", "   ", "\u200b"):
        assert names().of(BOB, claim) == SHORT[BOB]


@pytest.mark.parametrize(
    "claim", ["Žofie", "ann-marie", "j.r.r", "O'Neill", "Иван", "李雷", "R2D2", "Zoë & Co", "שלום"]
)
def test_names_of_people_are_harmless(claim: str) -> None:
    assert names(bob=CARL).of(BOB, claim) == claim


@pytest.mark.parametrize(
    "claim",
    ["you", "You (guest)", "YOU", "you to bob", "not you", "y0u", "me", "m e", "-- connected", "--", "-", "bob:",
     "12:00 bob", "* bob waves", "> ", "bob, verified", "alice verified", "ann (guest)", "✓ bob", "bob ✓", "[ann]",
     "peer1qykl", "Peerl qykl", "a/b", "42", "12.00", "bob\nann", "bob\x1b[2J", "\u202ebob", "bo\u200bb", "bоb",
     "ann  bob", "\x85", "<bob>", "#1", "p2pchat", "a stranger", "bob;", '"bob"', "`bob`", "x" * 65],
)  # fmt: skip
def test_what_could_be_taken_for_something_else_is_not_shown(claim: str) -> None:
    assert names().of(MALLORY, claim) == SHORT[MALLORY]


def test_two_of_one_claim_are_both_called_by_their_ids() -> None:
    called = names()
    assert called.of(BOB, "bob", [(MALLORY, "B0b"), (BOB, "bob")]) == SHORT[BOB]
    assert called.of(MALLORY, "B0b", [(BOB, "bob")]) == SHORT[MALLORY]
    assert called.of(BOB, "bob", [(BOB, "bob"), (CARL, "carl")]) == "bob"
    assert called.everyone({BOB: "bob", MALLORY: "bob ", CARL: "carl"}) == {
        BOB: SHORT[BOB],
        MALLORY: SHORT[MALLORY],
        CARL: "carl",
    }


def test_petnames_of_the_moment_count() -> None:
    moments = [{BOB: "bob"}]
    called = Names(SIGNS)
    assert called.of(MALLORY, "bob") == "bob"
    called.know(lambda: moments[-1])
    assert called.of(MALLORY, "bob") == SHORT[MALLORY]
    moments.append({BOB: "rob"})
    assert called.of(MALLORY, "bob") == "bob"
    assert called.of(BOB, "bob") == "rob"


# ---- who poses as whom


def test_who_claims_the_name_of_a_contact_is_found_out() -> None:
    called = names(bob=BOB, carl=CARL)
    assert called.imitated(MALLORY, "BOB") == "bob"
    assert called.imitated(CARL, "bob") == "bob"  # a contact, too
    for claim in ("b\u200bob", "bob.", " b_o b", "-bob-", "b\u00f6b"):
        assert called.imitated(MALLORY, claim) == "bob"
    assert called.imitated(BOB, "bob") == ""
    assert called.imitated(MALLORY, "mallory") == ""
    assert called.imitated(MALLORY, "") == ""


def test_a_petname_without_letters_is_like_itself_only() -> None:
    called = Names(SIGNS, lambda: {BOB: "\U0001f98a"})
    assert called.imitated(MALLORY, "") == called.imitated(MALLORY, "...") == ""
    assert called.imitated(MALLORY, "\U0001f98a") == "\U0001f98a"


@pytest.mark.parametrize("claim", ["νίκος", "νίκος.", "ν ίκος", "νικος", "ΝΙΚΟΣ", "Nίκος"])
def test_greek_capitals_hide_nobody(claim: str) -> None:
    called = Names(SIGNS, lambda: {BOB: "Νίκος"})
    assert called.of(MALLORY, claim) == SHORT[MALLORY]
    assert called.imitated(MALLORY, claim) == "Νίκος"


@pytest.mark.parametrize("claim", ["ΜΕ", "με", "ΥΟU", "уоu"])
def test_words_of_this_program_are_found_in_whatever_letters(claim: str) -> None:
    assert not is_harmless(claim)


@given(st.text(max_size=40))
def test_no_petname_is_taken_that_would_not_be_plain_as_a_claim(text: str) -> None:
    """But for marks that letters of many scripts carry, and an apostrophe as printers set it."""
    try:
        kept = rules.check_petname(text)
    except BadData:
        return
    bare = "".join(char for char in kept if unicodedata.category(char)[0] != "M" and char != "\u2019")
    assert _PLAIN.fullmatch(bare)


@given(disguised("bob"))
@example("bоb")
@example("b\u200bob")
def test_no_disguise_of_a_petname_is_shown(claim: str) -> None:
    called = names(bob=BOB)
    assert called.of(MALLORY, claim) == SHORT[MALLORY]
    assert called.everyone({MALLORY: claim, BOB: "x"})[MALLORY] == SHORT[MALLORY]
    assert called.claimed(claim) == ""
    if not set(claim) & set("\u202e\u2066\x07\x1b\n\r\t"):
        assert called.imitated(MALLORY, claim) == "bob"


@given(st.data(), st.sampled_from(["alice", "bob", "coby", "pablo"]))
def test_no_two_peers_look_the_same(data: st.DataObject, name: str) -> None:
    one, other = data.draw(disguised(name)), data.draw(disguised(name))
    shown = names().everyone({BOB: one, MALLORY: other})
    assert shapes(shown[BOB]).isdisjoint(shapes(shown[MALLORY]))


@given(st.text(max_size=64))
def test_whatever_is_claimed_is_shown_as_a_word_of_one_script_or_not_at_all(claim: str) -> None:
    shown = names(bob=BOB).of(MALLORY, claim)
    if shown == SHORT[MALLORY]:
        return
    assert shown.isprintable()
    assert shown == shown.strip()
    assert shapes(shown).isdisjoint(shapes("bob"))
    assert not re.search(r"[:/()\[\]<>\"`,;*#…✓✗→·]|--|  ", shown.removeprefix("--"))
    assert not shown.casefold().startswith(("peer1", "peerl", "peeri"))
    assert not {"you", "me", "verified", "guest"} & set(shown.casefold().split())


@given(st.text(max_size=64), st.text(max_size=40))
def test_no_claim_forges_a_line(claim: str, text: str) -> None:
    """Whatever a peer is called and says: one time, one name, one colon, and further lines are indented."""
    called = names(bob=BOB).of(MALLORY, claim)
    clean = text.replace("\r", "").replace("\n", "\n")
    first, *rest = transcript.said("12:00", called, " ".join(clean.split()), 0)
    assert first.removeprefix("12:00 ").removeprefix("\u2068").startswith((f"{called}: ", f"* {called} "))
    assert not first.startswith(("12:00 bob:", "12:00 you:", "--"))
    assert rest == []


@given(st.text(max_size=64))
def test_harmless_is_as_it_is_shown(claim: str) -> None:
    if is_harmless(claim):
        assert is_harmless(names().of(BOB, claim))
