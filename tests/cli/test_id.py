"""`p2pchat id`: who we are, a passphrase for the key, and another key."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.cli import links
from p2pchat.crypto.identity import Identity
from p2pchat.store import keyfile, keyformat
from p2pchat.store.database import Database
from p2pchat.store.keyformat import Locked
from p2pchat.wire.messages import Text
from tests.support import contract
from tests.support.entropy import seeded
from tests.support.logbook import BOB, open_logbook
from tests.support.profile import Run
from tests.support.programs import Home

ME = Identity.from_seed(b"m" * 32)  # as the logbook has it


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds of bcrypt, and no terminal: this process has none of its own."""
    monkeypatch.setattr(keyformat, "ROUNDS", 1)
    for name in ("P2PCHAT_PASSPHRASE", "P2PCHAT_NEW_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def key(data: Path) -> Path:
    """The key file of a profile that exists."""
    keyfile.load_or_create(data / "identity.key", entropy=lambda size: ME.seed[:size])
    return data / "identity.key"


def kept(path: Path) -> Identity | Locked:
    return keyfile.look(path, entropy=seeded(0))


def told(out: list[str]) -> dict[str, object]:
    (line,) = out
    found: dict[str, object] = json.loads(line)
    contract.check(found, "id")
    return found


def test_who_we_are_is_known_without_the_passphrase(run: Run, key: Path) -> None:
    shown = run("id")
    assert shown == (0, [f"peer id      {ME.peer_id}", f"fingerprint  {ME.peer_id.fingerprint}"], [])
    keyfile.protect(key, ME, "words", entropy=seeded(1))
    assert run("id") == shown
    said = told(run("id", "--json")[1])
    assert (said["peer"], said["passphrase"]) == (str(ME.peer_id), True)
    assert links.read(str(said["link"])).peer == ME.peer_id


def test_a_passphrase_is_set_changed_and_taken_away_by_programs(
    run: Run, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before, after, news in [
        ("", "first", "the key has a passphrase; older copies have none"),
        ("first", "second", "the key has another passphrase now"),
        ("second", "", "the key has no passphrase any more"),
        ("", "", "the key has no passphrase, as before"),
    ]:
        if before:
            monkeypatch.setenv("P2PCHAT_PASSPHRASE", before)
        monkeypatch.setenv("P2PCHAT_NEW_PASSPHRASE", after)
        code, out, errors = run("id", "--passphrase")
        assert (code, out[0], errors) == (0, f"peer id      {ME.peer_id}", [f"p2pchat: {news}"])
        found = kept(key)
        assert (found.open(after) if isinstance(found, Locked) else found).seed == ME.seed
        assert isinstance(found, Locked) == bool(after)


def test_a_first_key_with_a_passphrase_is_never_on_the_disk_without_it(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_NEW_PASSPHRASE", "words")
    written: list[bytes] = []
    encode = keyformat.encode

    def watched(identity: Identity, passphrase: str = "") -> bytes:
        written.append(encode(identity, passphrase))
        return written[-1]

    monkeypatch.setattr(keyformat, "encode", watched)
    said = told(run("id", "--passphrase", "--json")[1])
    assert [b"OPENSSH" in content for content in written] == [True]
    assert (said["passphrase"], "old_key" in said) == (True, False)
    assert str(kept(data / "identity.key").peer_id) == said["peer"]


def test_programs_that_do_not_tell_a_passphrase_are_told_at_once(
    run: Run, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, (error, hint) = run("id", "--passphrase")
    assert (code, "terminal" in error, "P2PCHAT_NEW_PASSPHRASE" in hint) == (78, True, True)
    keyfile.protect(key, ME, "words", entropy=seeded(1))
    monkeypatch.setenv("P2PCHAT_NEW_PASSPHRASE", "other")
    code, _, (error, hint) = run("id", "--passphrase")
    assert (code, "has a passphrase" in error, "P2PCHAT_PASSPHRASE" in hint) == (78, True, True)
    monkeypatch.setenv("P2PCHAT_PASSPHRASE", "wrong")
    code, _, (error, hint) = run("id", "--passphrase")
    assert (code, "P2PCHAT_PASSPHRASE does not open" in error, "unset" in hint) == (78, True, True)
    found = kept(key)
    assert isinstance(found, Locked)
    assert found.open("words").seed == ME.seed


def test_what_is_no_passphrase_changes_nothing(run: Run, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = key.read_bytes()
    monkeypatch.setenv("P2PCHAT_NEW_PASSPHRASE", "x" * 2000)
    code, _, (error, *_) = run("id", "--passphrase")
    assert (code, "1023 bytes" in error, key.read_bytes()) == (65, True, content)


# ---- somebody else


def test_a_new_identity_keeps_the_old_key_aside_and_says_so(run: Run, key: Path) -> None:
    code, (peer, _), (note,) = run("id", "--new", "--yes")
    assert (code, str(ME.peer_id) in peer) == (0, False)
    (aside,) = key.parent.glob("identity.key.old-*")
    assert re.fullmatch(r"identity\.key\.old-\d{8}T\d{6}Z", aside.name)
    assert str(aside) in note
    old, new = kept(aside), kept(key)
    assert isinstance(old, Identity)
    assert old.seed == ME.seed
    assert str(new.peer_id) in peer


def test_a_new_identity_for_programs(run: Run, key: Path) -> None:
    said = told(run("id", "--new", "--yes", "--json")[1])
    old = kept(Path(str(said["old_key"])))
    assert (old.peer_id, said["passphrase"]) == (ME.peer_id, False)


def test_where_there_was_no_key_the_first_one_is_the_new_one(run: Run, data: Path) -> None:
    said = told(run("id", "--new", "--yes", "--json")[1])
    assert "old_key" not in said
    assert [place.name for place in data.glob("identity*")] == ["identity.key"]
    assert str(kept(data / "identity.key").peer_id) == said["peer"]


@pytest.mark.parametrize("words", [[], ["--passphrase"]])
def test_who_follows_a_protected_key_is_protected_and_the_old_passphrase_is_not_needed(
    run: Run, key: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    if not words:
        keyfile.protect(key, ME, "forgotten", entropy=seeded(1))
    code, _, (_, hint) = run("id", "--new", "--yes", *words)
    assert (code, "P2PCHAT_NEW_PASSPHRASE" in hint, kept(key).peer_id) == (78, True, ME.peer_id)
    monkeypatch.setenv("P2PCHAT_NEW_PASSPHRASE", "words")
    said = told(run("id", "--new", "--yes", "--json", *words)[1])
    new, old = kept(key), kept(Path(str(said["old_key"])))
    assert isinstance(new, Locked)
    assert str(new.open("words").peer_id) == said["peer"]
    assert isinstance(old, Locked) == (not words)


def test_without_a_terminal_it_takes_a_yes(run: Run, key: Path) -> None:
    code, _, (error, hint) = run("id", "--new")
    assert (code, "no terminal" in error, hint, kept(key).peer_id) == (2, True, "hint: --yes", ME.peer_id)


def test_nobody_becomes_somebody_else_while_a_program_of_the_profile_runs(run: Run, data: Path, key: Path) -> None:
    with closing(Database.open(data / "history.db", wall=time.time)):
        code, _, (error, hint) = run("id", "--new", "--yes")
    assert (code, "runs" in error, "end it" in hint) == (78, True, True)
    assert kept(key).peer_id == ME.peer_id
    assert run("id", "--new", "--yes")[0] == 0


def test_what_was_said_as_somebody_else_stays_readable(run: Run, data: Path, key: Path) -> None:
    with open_logbook(data) as book:
        book.say(BOB, "to whom it may concern")
        book.hear(BOB, Text("me?"))
    before = run("history")
    assert "to whom it may concern" in str(before)
    assert run("id", "--new", "--yes")[0] == 0
    assert run("history") == before


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\x03", 130)])
async def test_a_person_is_asked_and_told_what_is_lost(answer: str, code: int, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True, mode=0o700)
    with open_logbook(home.data) as book:
        book.say(BOB, "are you there?")
        book.waits()
    keyfile.load_or_create(home.data / "identity.key", entropy=lambda size: ME.seed[:size])
    async with home.run_in_terminal("id", "--new") as program:
        await program.wait_for(r"refuse the new key until they let it in.*Become somebody else\? \[y/N\] $")
        await program.wait_for("the message that still waits to be sent")
        await program.type(answer)
        assert await program.wait() == code
    assert (kept(home.data / "identity.key").peer_id == ME.peer_id) == (code != 0)


# ---- for a camera


def test_a_qr_code_is_drawn_below_with_the_link_in_words(run: Run, key: Path) -> None:
    code, (_, _, link, *drawn), errors = run("id", "--qr")
    assert (code, links.read(link).peer, errors) == (0, ME.peer_id, [])
    assert len(drawn) > 15
    assert {len(line) for line in drawn} == {len(drawn[0])}


@pytest.mark.parametrize("words", [["--qr", "--json"], ["--yes"]])
def test_what_does_not_go_together_is_told(run: Run, key: Path, words: list[str]) -> None:
    assert run("id", *words)[0] == 2
