"""`contacts`: whom one knows, and what one calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.cli.exit_codes import ExitCode
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.store import contacts, known, pins
from p2pchat.store.contacts import How
from p2pchat.store.database import Database
from p2pchat.store.locks import PeerLocks
from tests.support import contract
from tests.support.contract import Line
from tests.support.logbook import open_logbook
from tests.support.profile import Run
from tests.support.programs import Home

ANN, BOB, CAT, DAN = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2, 3, 4))


@pytest.fixture
def book(data: Path) -> Iterator[Database]:
    """Ann is verified and blocked, Bob was let in, Cat has a name, and nothing but talk is known of Dan."""
    with open_logbook(data) as book:
        with book.db.transaction():
            contacts.verify(book.db, ANN, How.CODE)
            contacts.rename(book.db, ANN, "ann")
            contacts.block(book.db, ANN)
            contacts.know(book.db, BOB)
            contacts.rename(book.db, CAT, "cat")
            for place in ("tcp:box:7272", "exec:ssh ann"):
                pins.pin(book.db, place, ANN)
        book.pair(BOB, name="Bobby")
        book.connected(BOB, "tcp:192.0.2.7:50512")
        book.say(BOB, "one")
        book.pair(CAT, name="ANN")
        book.pair(DAN, name="dan")
        book.connected(DAN)
        book.disconnected(DAN)
        book.waits()
        yield book.db


def as_json(run: Run, *words: str, code: int = 0) -> list[Line]:
    ended, out, err = run(*words, "--json")
    assert (ended, err) == (code, [])
    return contract.parse("".join(f"{line}\n" for line in out).encode())


def test_nobody_is_known_in_an_empty_profile(data: Path, run: Run) -> None:
    code, out, err = run("contacts")
    assert (code, out) == (0, [])
    assert err[0].startswith("p2pchat: you know nobody yet")
    assert run("contacts", "list", "-q") == (0, [], [])
    assert as_json(run, "contacts") == []
    assert not (data / "history.db").exists()


def test_everybody_is_listed_the_oldest_first(run: Run, book: Database) -> None:
    listed = sorted([("ann", "blocked", str(ANN)), ('"Bobby"', "known", str(BOB)), ("cat", "new", str(CAT))])
    for words in (["contacts"], ["contacts", "list"]):
        code, out, err = run(*words)
        assert (code, err) == (0, [])
        assert sorted(tuple(line.split()) for line in out) == listed
        assert len({line.index("peer1") for line in out}) == 1
    lines = {line["peer"]: line for line in as_json(run, "contacts")}
    assert {line["petname"] for line in lines.values()} == {"ann", None, "cat"}
    assert lines[str(ANN)]["addresses"] == ["tcp:box:7272", "exec:ssh ann"]
    assert (lines[str(ANN)]["how"], lines[str(ANN)]["verified_at"]) == ("code", "2026-11-22T12:00:00.000Z")
    assert (lines[str(BOB)]["name"], lines[str(BOB)]["waiting"]) == ("Bobby", 1)
    assert lines[str(BOB)]["newest_link"]["address"] == "tcp:192.0.2.7:50512"


def test_a_claim_that_could_mislead_is_not_shown(run: Run, book: Database) -> None:
    book.connection.execute("UPDATE pairs SET name = 'ann' WHERE peer = ?", (BOB.key,))
    assert [line.split()[0] for line in run("contacts")[1] if str(BOB) in line] == ["-"]


def test_all_that_is_known_of_one_is_shown(data: Path, run: Run, book: Database) -> None:
    code, out, err = run("contacts", "show", "ann")
    assert (code, err) == (0, [])
    assert out[0] == "ann"
    told = "\n".join(out)
    assert ANN.fingerprint in told
    assert "blocked: it is not let in, and not dialed" in told
    assert out[-2:] == ["  expected at    tcp:box:7272", "  expected at    exec:ssh ann"]
    told = "\n".join(run("contacts", "show", "cat")[1])
    assert 'calls itself   "ANN", and is not your ann' in told
    assert f"`p2pchat verify cat --data-dir {data}`" in told
    told = "\n".join(run("contacts", "show", str(BOB))[1])
    assert 'calls itself   "Bobby"\n' in told
    assert f"1 message waits to be sent: p2pchat queue {BOB} --data-dir {data}" in told
    (line,) = as_json(run, "contacts", "show", str(DAN))
    assert (line["trust"], line["since"], line["newest_link"]["reason"]) == ("new", None, "connection lost")


def test_a_connection_runs_if_somebody_has_its_lock(data: Path, run: Run, book: Database) -> None:
    def path(peer: PeerId) -> str:
        return next(line for line in run("contacts", "show", str(peer))[1] if line.strip().startswith("path"))

    assert "none now; the last one, until 2026-11-22 12:00" in path(BOB)  # its process was killed
    assert "none now; the last one, until 2026-11-22 12:00" in path(DAN)
    locks = PeerLocks(data / "locks")
    assert locks.try_lock(BOB)
    assert locks.try_lock(DAN)
    assert "another p2pchat of this profile has the connection" in path(BOB)
    assert "none now" in path(DAN)  # it is dialed, and not there
    locks.close()


@pytest.mark.parametrize(("who", "code"), [("eve", 66), (str(PeerId(ANN.key))[:-1], 2), ("eve:1", 66)])
def test_nothing_is_known_of_nobody(run: Run, book: Database, who: str, code: int) -> None:
    (error,) = as_json(run, "contacts", "show", who, code=code)
    assert error["event"] == "error"
    (error,) = as_json(run, "contacts", "remove", who, "--yes", code=code)


def test_a_stranger_is_neither_shown_nor_forgotten(data: Path, run: Run) -> None:
    for _ in range(2):
        assert "nothing is known of" in run("contacts", "show", str(ANN))[2][0]
        assert run("contacts", "remove", str(ANN), "--yes")[0] == 66
        with open_logbook(data):
            pass  # the same once there is a store


def test_a_name_is_mine_to_give(data: Path, run: Run, book: Database) -> None:
    assert run("contacts", "rename", str(DAN), " Dan Brown ")[:2] == (0, [f"{DAN} is Dan Brown from now on"])
    assert known.of(book, DAN).trust == "new"
    (line,) = as_json(run, "contacts", "rename", "dan brown", "dan")
    assert (line["petname"], line["changed"]) == ("dan", True)
    assert as_json(run, "contacts", "rename", "dan", "dan")[0]["changed"] is False
    assert run("contacts", "rename", "dan", "")[1] == [f"{DAN} has no name any more"]
    assert run("contacts", "show", "dan")[0] == 66
    for name in ("ANN", "peer1x", "a:b", "7"):
        assert run("contacts", "rename", str(DAN), name)[0] == 65


def test_names_lead_wherever_a_peer_is_asked_for(data: Path, run: Run, book: Database) -> None:
    book.connection.execute("UPDATE contacts SET name = 'bob' WHERE peer = ?", (BOB.key,))
    assert [line["peer"] for line in as_json(run, "queue", "BOB")] == [str(BOB)]
    assert [line["text"] for line in as_json(run, "history", "bob")] == ["one"]
    assert as_json(run, "grep", "one", "--from", "bob", code=1) == []
    code, out, err = run("send", "bobo", "hi")
    assert (code, out) == (66, [])
    assert err == ["p2pchat: error: nobody here is called 'bobo'", "hint: did you mean bob?"]
    code, out, err = run("send", "bob", "two", "--wait", "queued")
    assert (code, [line["peer"] for line in as_json(run, "queue", "bob")]) == (0, [str(BOB)] * 2)
    assert run("dial", "bob")[0] == 66  # and not a host of that name


def test_a_contact_is_forgotten_and_what_was_said_stays(data: Path, run: Run, book: Database) -> None:
    code, out, err = run("contacts", "remove", "ann")
    assert (code, out, err[-1]) == (2, [], "hint: --yes")
    code, out, err = run("contacts", "remove", "ann", "--yes")
    assert (code, out) == (0, [])
    assert err[0].startswith(f"p2pchat: ann ({ANN}) is a stranger from now on. What was said stays: ")
    left = known.of(book, ANN)
    assert (left.contact, left.addresses) == (None, ())
    assert as_json(run, "contacts", "remove", str(BOB), "--yes") == [{"removed": str(BOB), "waiting": 1}]
    assert len(as_json(run, "history", str(BOB))) == 1
    assert run("contacts", "remove", "cat", "--yes", "-q") == (0, [], [])
    assert as_json(run, "contacts") == []


def test_a_contact_that_is_damaged_is_nobody(run: Run, book: Database) -> None:
    book.connection.execute("UPDATE contacts SET accepted = 7 WHERE peer = ?", (CAT.key,))
    for words in (["contacts"], ["contacts", "show", "ann"], ["trust", str(DAN)], ["history", "ann"]):
        code, out, err = run(*words)
        assert (code, out) == (ExitCode.IO, [])
        assert "is damaged" in err[0]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
async def test_a_person_is_asked(answer: str, code: int, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    with open_logbook(home.data) as book:
        with book.db.transaction():
            contacts.know(book.db, ANN)
            pins.pin(book.db, "tcp:box:7272", ANN)
        async with home.run_in_terminal("contacts", "remove", "box:7272") as program:
            await program.wait_for(rf"forget {ANN}, which is known, and where it is expected\? \[y/N\] $")
            await program.type(answer)
            await program.wait_for("nothing was forgotten" if code else "is a stranger from now on")
            assert await program.wait() == code
        assert (contacts.find(book.db, ANN) is None) == (code == 0)
