"""What the verbs that look back call people: by my names, and by no claim that could mislead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.store import contacts
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, Logbook, open_logbook
from tests.support.profile import Run

MINE = "Robert"


@pytest.fixture
def book(data: Path) -> Iterator[Logbook]:
    """Bob is a contact whom I call Robert, and Ann says that she is that one."""
    with open_logbook(data) as book:
        for peer, claim in ((BOB, "bob"), (ANN, "R0bert")):
            book.pair(peer, name=claim)
            book.say(peer, "here you are")
            book.hear(peer, Text("thank you"))
        book.waits()
        with book.db.transaction():
            contacts.rename(book.db, BOB, MINE)
        yield book


@pytest.mark.parametrize(
    "words", [["history"], ["grep", "thank"], ["grep", "here"], ["events"], ["queue"]], ids=" ".join
)
def test_contacts_come_by_my_names_and_nobody_else_does(run: Run, book: Logbook, words: list[str]) -> None:
    code, out, _ = run(*words)
    assert code == 0
    ours = [line for line in out if MINE in line]
    ann = f"{str(ANN)[:13]}…{str(ANN)[-4:]}"
    assert ours
    assert any(ann in line for line in out)
    assert not any(ann in line for line in ours)
    assert not re.search(r"\bbob\b|R0bert", "\n".join(out))


def test_the_story_of_a_message_has_my_name(run: Run, book: Logbook) -> None:
    code, (first, *_), _ = run("why", "019ab0c4-0001")
    assert code == 0
    assert f"to {MINE} (peer1" in first
