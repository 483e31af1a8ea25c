"""`trust`, `block` and `unblock`: what they write down, what they say, and what they leave alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.store import contacts, known
from p2pchat.store.contacts import How, Trust
from p2pchat.store.database import Database
from p2pchat.store.known import Known
from tests.support import contract
from tests.support.contract import Line
from tests.support.logbook import open_logbook
from tests.support.profile import Run

ANN, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))


def look(data: Path, peer: PeerId) -> Known:
    """What the profile knows of `peer`."""
    with closing(Database.open(data / "history.db", wall=lambda: 0.0)) as db:
        return known.of(db, peer)


def done(run: Run, *words: str) -> list[str]:
    """Run it; returns what it said."""
    code, out, err = run(*words)
    assert (code, err) == (0, [])
    return out


def as_json(run: Run, *words: str, code: int = 0) -> Line:
    ended, out, err = run(*words, "--json")
    assert (ended, err) == (code, [])
    (line,) = contract.parse("".join(f"{line}\n" for line in out).encode())
    return line


def test_a_peer_is_let_in_once(data: Path, run: Run) -> None:
    assert done(run, "trust", str(ANN)) == [f"{ANN} comes in from now on", f"fingerprint  {ANN.fingerprint}"]
    assert done(run, "trust", str(ANN).upper())[0] == f"{ANN} was let in already"
    assert look(data, ANN).trust is Trust.KNOWN
    assert not (data / "accepted").exists()
    assert as_json(run, "trust", str(ANN))["changed"] is False
    line = as_json(run, "trust", str(BOB))
    assert (line["peer"], line["trust"], line["changed"], line["instead_of"]) == (str(BOB), "known", True, None)


def test_an_address_is_expected_to_have_that_key_and_may_get_another(data: Path, run: Run) -> None:
    assert done(run, "trust", str(ANN), "Box")[-1] == "it is expected at tcp:box:7272 from now on"
    assert done(run, "trust", str(ANN), "Box")[-1] == "it was expected at tcp:box:7272 already"
    assert done(run, "trust", str(BOB), "Box")[2:] == [
        f"it is expected at tcp:box:7272 from now on, instead of {ANN}",
        f"fingerprint  {ANN.fingerprint}",
        f"the old key still comes in; to keep it out: p2pchat block {ANN} --data-dir {data}",
    ]
    line = as_json(run, "trust", str(ANN), "tcp://box:7272/")
    assert (line["addresses"], line["changed"], line["instead_of"]) == (["tcp:box:7272"], True, str(BOB))
    assert look(data, BOB).addresses == ()


def test_the_name_of_the_old_key_is_told_and_can_be_given_to_the_new_one(data: Path, run: Run) -> None:
    done(run, "trust", str(ANN), "box")
    done(run, "contacts", "rename", str(ANN), "ann o'hara")
    said = done(run, "trust", str(BOB), "box")
    assert f"from now on, instead of ann o'hara ({ANN})" in said[2]
    assert said[-2] == "ann o'hara is still the name of the old key; to give it to the new one:"
    rename = f"p2pchat contacts rename --data-dir {data}"
    assert said[-1] == f"{rename} {ANN} '' && {rename} {BOB} 'ann o'\"'\"'hara'"
    done(run, "contacts", "rename", str(ANN), "")
    done(run, "contacts", "rename", str(BOB), "ann o'hara")
    assert look(data, BOB).name == "ann o'hara"


def test_what_waits_for_the_old_key_is_told(data: Path, run: Run) -> None:
    done(run, "trust", str(ANN), "box")
    with open_logbook(data) as book:
        book.say(ANN, "for ann alone")
        book.waits()
        told, cure = done(run, "trust", str(BOB), "box")[-2:]
        assert told == "1 message still waits for the old key, and nobody else gets what was said to it"
        flags = f"--data-dir {data}"
        queue = f"p2pchat queue {ANN} {flags}"
        assert cure == f"to see that: {queue}; to withdraw a message: p2pchat unsend ID {flags}"
        book.say(ANN, "another")
        book.waits()
        done(run, "trust", str(ANN), "box")
        assert "2 messages still wait for the old key" in done(run, "trust", str(BOB), "box")[-2]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("bob",), 66),
        ((str(ANN)[:-1],), 2),
        ((str(ANN), "exec:'"), 2),
        ((str(ANN), "a b"), 2),
        ((), 2),
        (("box:1",), 66),
    ],
)
def test_what_cannot_be_read_or_means_nobody_changes_nothing(
    data: Path, run: Run, words: tuple[str, ...], code: int
) -> None:
    ended, out, err = run("trust", *words)
    assert (ended, out) == (code, [])
    assert err[0].startswith("p2pchat: error: ")
    assert not (data / "history.db").exists()
    assert not (data / "identity.key").exists()


@pytest.mark.parametrize("verb", ["trust", "block", "unblock", "verify"])
def test_nothing_is_decided_about_ourselves(data: Path, run: Run, verb: str) -> None:
    me = done(run, "id")[0].split()[-1]
    code, _, err = run(verb, me)
    assert code == 65
    assert "this is you" in err[0]
    assert not (data / "history.db").exists()


def test_an_old_list_becomes_contacts_and_a_spoilt_one_lets_nobody_in(data: Path, run: Run) -> None:
    (data / "accepted").write_text(f"{ANN}\noops\n")
    for words in (["trust", str(BOB)], ["contacts"], ["history"], ["send", str(BOB), "hi", "--wait", "queued"]):
        code, out, err = run(*words)
        assert (code, out) == (78, [])
        assert "line 2" in err[0]
    assert look(data, ANN).contact is None
    (data / "accepted").write_text(f"{ANN}  # ann\n")
    assert [line.split()[-1] for line in done(run, "contacts")] == [str(ANN)]
    assert not (data / "accepted").exists()


def test_who_is_blocked_stays_so_until_somebody_says_otherwise(data: Path, run: Run) -> None:
    done(run, "trust", str(ANN), "box")
    done(run, "contacts", "rename", str(ANN), "ann")
    undo = f"p2pchat unblock {ANN} --data-dir {data}"
    assert done(run, "block", "ann") == [
        f"ann ({ANN}) is blocked: not let in, not dialed",
        f"to undo that: {undo}",
    ]
    assert done(run, "block", "box:7272")[0] == f"ann ({ANN}) was blocked already: not let in, not dialed"
    for words in (["trust", "ann"], ["verify", "ann"], ["dial", "ann"], ["dial", "box"], ["send", "ann", "hi"]):
        code, out, err = run(*words)
        assert (code, out) == (77, [])
        assert err == ["p2pchat: error: you have blocked ann", f"hint: to undo that: `{undo}`"]
    assert run("queue") == (0, [], ["p2pchat: nothing waits"])
    assert done(run, "unblock", "ann") == [f"ann ({ANN}) is let in again"]
    assert done(run, "unblock", "ann") == [f"ann ({ANN}) was not blocked"]


def test_programs_get_an_object_of_both(run: Run) -> None:
    for verb, trust, changed in [
        ("block", "blocked", True),
        ("block", "blocked", False),
        ("unblock", "new", True),
        ("unblock", "new", False),
    ]:
        line = as_json(run, verb, str(ANN))
        assert (line["peer"], line["trust"], line["changed"]) == (str(ANN), trust, changed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Trust.NEW, "is a stranger again: it has to ask"),
        (Trust.KNOWN, "is let in again"),
        (Trust.VERIFIED, "is let in again, and verified as before"),
    ],
)
def test_who_is_unblocked_is_what_it_was(data: Path, run: Run, before: Trust, after: str) -> None:
    with closing(Database.open(data / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        if before is Trust.KNOWN:
            contacts.know(db, ANN)
        if before is Trust.VERIFIED:
            contacts.verify(db, ANN, How.CODE)
        contacts.block(db, ANN)
    assert done(run, "unblock", str(ANN)) == [f"{ANN} {after}"]
    assert look(data, ANN).trust is before


@pytest.mark.parametrize("words", [["trust", str(ANN)], ["verify", str(ANN)], ["contacts", "rename", str(ANN), "ann"]])
def test_a_guest_is_no_contact(data: Path, run: Run, words: list[str]) -> None:
    with open_logbook(data) as book:
        book.pair(ANN, guest=True)
    code, out, err = run(*words)
    assert (code, out) == (77, [])
    assert "is a guest" in err[0]
    assert look(data, ANN).contact is None
