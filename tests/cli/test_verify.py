"""`verify`: two people compare digits, and only the right ones verify."""

from __future__ import annotations

from collections.abc import Sequence
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
from tests.support.profile import Run
from tests.support.programs import Home

BOB, EVE = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))


def know(data: Path, peer: PeerId, name: str = "") -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database.open(data / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        contacts.rename(db, peer, name)


def look(data: Path, peer: PeerId) -> Known:
    with closing(Database.open(data / "history.db", wall=lambda: 0.0)) as db:
        return known.of(db, peer)


def as_json(run: Run, *words: str, code: int = 0, told: Sequence[str] = ()) -> Line:
    ended, out, err = run(*words, "--json")
    assert (ended, err) == (code, list(told))
    (line,) = contract.parse("".join(f"{line}\n" for line in out).encode())
    return line


def own(run: Run) -> str:
    return str(as_json(run, "id")["fingerprint"])


@pytest.mark.parametrize(
    "typed", [BOB.fingerprint, BOB.fingerprint.replace(" ", ""), BOB.fingerprint.replace(" ", "-")]
)
def test_the_right_digits_verify_and_let_in(data: Path, run: Run, typed: str) -> None:
    know(data, BOB, "bob")
    code, out, err = run("verify", "bob", "--fingerprint", typed)
    assert (code, err) == (0, [])
    assert out == [
        "talk to bob by a way on which you know each other, and compare:",
        f"its fingerprint   {BOB.fingerprint}",
        f"your fingerprint  {own(run)}",
        f"bob ({BOB}) is verified, and let in",
    ]
    contact = look(data, BOB).contact
    assert contact is not None
    assert (contact.trust, contact.how, contact.accepted) == (Trust.VERIFIED, How.FINGERPRINT, True)


def test_a_program_gets_an_object(data: Path, run: Run) -> None:
    hint = f"p2pchat: {BOB} is not verified; --fingerprint takes the 30 digits that it reads to you"
    line = as_json(run, "verify", str(BOB), code=1, told=[hint])
    assert (line["trust"], line["changed"], line["own_fingerprint"]) == ("new", False, own(run))
    line = as_json(run, "verify", str(BOB), "--fingerprint", BOB.fingerprint)
    assert (line["trust"], line["how"], line["changed"]) == ("verified", "fingerprint", True)
    line = as_json(run, "verify", str(BOB), "--fingerprint", EVE.fingerprint, code=77)
    assert (line["event"], line["code"]) == ("error", "untrusted")
    assert look(data, BOB).trust is Trust.VERIFIED


def test_other_digits_are_a_warning_and_change_nothing(data: Path, run: Run) -> None:
    know(data, BOB, "bob")
    code, _, err = run("verify", "bob", "--fingerprint", EVE.fingerprint)
    assert code == 77
    assert err[0].startswith(f"p2pchat: error: this is not the fingerprint of bob ({BOB})")
    assert "somebody may be between the two of you" in err[1]
    assert look(data, BOB).trust is Trust.NEW


def test_ones_own_digits_are_a_mistake(run: Run) -> None:
    code, _, err = run("verify", str(BOB), "--fingerprint", own(run))
    assert code == 65
    assert "these are your own digits" in err[0]


@pytest.mark.parametrize("typed", ["", "12345", "x" * 30, BOB.fingerprint + "0", str(BOB)])
def test_what_is_no_fingerprint_is_not_compared(data: Path, run: Run, typed: str) -> None:
    code, out, err = run("verify", str(BOB), "--fingerprint", typed)
    assert (code, out) == (2, [])
    assert "it takes the 30 digits of a fingerprint" in err[0]
    assert not (data / "history.db").exists()


@pytest.mark.parametrize("options", [(), ("--no-input",)])
def test_where_nobody_can_be_asked_who_is_not_verified_is_not(data: Path, run: Run, options: tuple[str, ...]) -> None:
    code, out, err = run("verify", str(BOB), *options)
    assert (code, out[-1]) == (1, "nothing has changed")
    assert err == [f"p2pchat: {BOB} is not verified; --fingerprint takes the 30 digits that it reads to you"]
    assert look(data, BOB).contact is None


def test_who_was_verified_before_still_is(data: Path, run: Run) -> None:
    know(data, BOB, "bob")
    assert run("verify", "bob", "--fingerprint", BOB.fingerprint)[0] == 0
    code, out, err = run("verify", "bob")
    assert (code, out[-1], err) == (0, "nothing has changed", [])
    assert as_json(run, "verify", "bob")["trust"] == "verified"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [(f"{BOB.fingerprint}\n", 0, "is verified"), ("12345\n", 65, "has 30 digits"), ("\n", 1, "nothing has changed")],
)
async def test_a_person_types_what_the_other_side_reads(answer: str, code: int, told: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    know(home.data, BOB, "bob")
    async with home.run_in_terminal("verify", "bob") as program:
        await program.wait_for(r"which 30 digits does bob read to you\? $")
        await program.type(answer)
        await program.wait_for(told)
        assert await program.wait() == code
    assert (look(home.data, BOB).trust is Trust.VERIFIED) == (code == 0)
