"""`queue`, `why` and `unsend`, as they are typed: what waits, why, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from p2pchat.wire.messages import Text
from tests.support import contract
from tests.support.contract import Line
from tests.support.logbook import ANN, BOB, Logbook, open_logbook
from tests.support.profile import Run

ONE = "019ab0c4-{:04x}-7000-9000-{:012x}"


def name(cursor: int) -> str:
    return ONE.format(cursor, cursor)


@pytest.fixture
def book(data: Path) -> Iterator[Logbook]:
    """Two messages for Bob and one for Ann wait; the first of Bob's has left."""
    with open_logbook(data) as book:
        book.connected(BOB)
        first = book.say(BOB, "one", ref="42")
        book.say(ANN, "two")
        book.say(BOB, "three")
        book.sent(BOB, first, first)
        book.hear(BOB, Text("hi"))
        book.waits()
        yield book


def as_json(run: Run, *words: str, code: int = 0) -> list[Line]:
    ended, out, err = run(*words, "--json")
    assert (ended, err) == (code, [])
    return contract.parse("".join(f"{line}\n" for line in out).encode())


def ids(found: Sequence[Line]) -> list[str]:
    return [line["id"] for line in found]


def test_what_waits_is_shown_for_all_or_for_one(data: Path, run: Run, book: Logbook) -> None:
    found = as_json(run, "queue")
    assert ids(found) == [name(2), name(3), name(4)]
    assert [line["state"] for line in found] == ["sent", "queued", "queued"]
    assert ids(as_json(run, "queue", str(ANN))) == [name(3)]
    code, out, err = run("queue", str(BOB))
    assert code == 0
    assert [line.split()[-3] for line in out] == [name(2), name(4)]
    unsend = f"p2pchat unsend ID --data-dir {data}"
    assert err == [f"p2pchat: it goes out when any p2pchat of this profile meets that peer; `{unsend}` withdraws it"]
    assert run("queue", "-q", str(BOB)) == (0, out, [])


def test_nothing_waits_in_an_empty_profile(data: Path, run: Run) -> None:
    assert as_json(run, "queue") == []
    assert run("queue") == (0, [], ["p2pchat: nothing waits"])
    assert not (data / "history.db").exists()


@pytest.mark.parametrize(("who", "code"), [("bob", 66), ("tcp:box:7272", 66), ("peer1" + "q" * 59, 2), ("peer1zzz", 2)])
def test_nobody_waits_for_nobody(run: Run, book: Logbook, who: str, code: int) -> None:
    (error,) = as_json(run, "queue", who, code=code)
    assert error["event"] == "error"


def test_why_tells_the_story(data: Path, run: Run, book: Logbook) -> None:
    (story,) = as_json(run, "why", name(2))
    assert [step["step"] for step in story["steps"]] == ["composed", "stored", "sent"]
    code, out, err = run("why", name(4)[:13])
    assert (code, err) == (0, [])
    assert out[0].startswith(name(4))
    assert out[-1].endswith(f"to withdraw it: p2pchat unsend {name(4)} --data-dir {data}")


@pytest.mark.parametrize("verb", ["why", "unsend"])
def test_an_id_means_one_message(run: Run, book: Logbook, verb: str) -> None:
    for text, code, hint in [
        ("019ab0c4", 65, f"more of it, please: {name(2)}, {name(3)}"),
        ("ffff", 66, "p2pchat events"),
        ("hello", 2, "--help"),
    ]:
        (error,) = as_json(run, verb, text, code=code)
        assert hint in error["hint"]
        assert run(verb, text)[:2] == (code, [])


def test_no_message_is_there_in_an_empty_profile(data: Path, run: Run) -> None:
    assert run("why", name(1))[0] == 66
    assert run("unsend", name(1))[0] == 66
    assert not (data / "history.db").exists()


def test_what_has_not_left_can_be_taken_back_and_twice_is_as_good_as_once(run: Run, book: Logbook) -> None:
    for _ in range(2):
        (state,) = as_json(run, "unsend", name(3))
        assert (state["id"], state["state"], state["reason"]) == (name(3), "failed", "withdrawn")
    assert ids(as_json(run, "queue")) == [name(2), name(4)]
    told = [line for line in as_json(run, "events") if line.get("state") == "failed"]
    assert ids(told) == [name(3)]
    code, out, err = run("unsend", name(4)[:13])
    assert (code, err) == (0, [])
    assert out[0].endswith("✗ failed")


def test_what_has_left_cannot(data: Path, run: Run, book: Logbook) -> None:
    (state,) = as_json(run, "unsend", name(2), code=1)
    assert (state["event"], state["state"]) == ("state", "sent")
    code, out, err = run("unsend", name(2))
    assert code == 1
    assert out[0].endswith("→ sent")
    assert err == ["p2pchat: error: it is too late: it has left", f"hint: p2pchat why {name(2)} --data-dir {data}"]
    assert ids(as_json(run, "queue")) == [name(2), name(3), name(4)]


def test_nor_what_the_other_side_has_said(run: Run, book: Logbook) -> None:
    (error,) = as_json(run, "unsend", name(6), code=1)
    assert error["code"] == "no"
    assert as_json(run, "why", name(6))[0]["direction"] == "in"


def test_what_is_out_of_date_has_failed_for_whoever_looks(run: Run, book: Logbook) -> None:
    late = book.say(ANN, "too late", expires_ms=1)
    book.waits()
    told = as_json(run, "why", name(late))[0]
    assert (told["state"], told["reason"], told["expires_at"]) == ("failed", "expired", None)
    assert ids(as_json(run, "queue")) == [name(2), name(3), name(4)]
    assert as_json(run, "unsend", name(late))[0]["reason"] == "expired"


def test_what_is_out_of_date_is_shown_as_it_is_where_nothing_can_be_written(run: Run, book: Logbook) -> None:
    late = book.say(ANN, "too late", expires_ms=1)
    book.waits()
    book.db.connection.execute("BEGIN IMMEDIATE")
    try:
        assert ids(as_json(run, "queue")) == [name(2), name(3), name(4), name(late)]
    finally:
        book.db.connection.execute("ROLLBACK")
