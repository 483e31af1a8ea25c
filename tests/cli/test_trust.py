"""`p2pchat trust`: what it writes down, what it says, and what it leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from p2pchat.crypto.identity import Identity, PeerId
from tests.support.programs import Home

pytestmark = pytest.mark.slow

ANN, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def trust(home: Home, *words: str) -> tuple[int, str]:
    """Run it; returns the exit code and what it said."""
    done = home.call("trust", *words)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_peer_is_let_in_once(home: Home) -> None:
    assert trust(home, str(ANN)) == (0, f"{ANN} comes in from now on\nfingerprint  {ANN.fingerprint}\n")
    code, said = trust(home, str(ANN).upper())
    assert code == 0
    assert f"{ANN} was let in already\n" in said
    assert (home.data / "accepted").read_text() == f"{ANN}\n"
    assert not (home.data / "history.db").exists()  # nothing to pin


def test_an_address_is_expected_to_have_that_key_and_may_get_another(home: Home) -> None:
    def expected(peer: PeerId) -> str:
        code, said = trust(home, str(peer), "Box")
        assert code == 0
        return said.splitlines()[-1]

    assert expected(ANN) == "it is expected at tcp:box:7272 from now on"
    assert expected(ANN) == "it was expected at tcp:box:7272 already"
    assert expected(BOB) == f"fingerprint  {ANN.fingerprint}"  # whose place it was
    code, said = trust(home, str(ANN), "tcp://box:7272/")
    assert code == 0
    assert f"it is expected at tcp:box:7272 from now on, instead of {BOB}\n" in said


def test_what_waits_for_the_old_key_is_told(home: Home) -> None:
    home.call("trust", str(ANN), "box")
    home.call("send", "box:7272", "for ann alone", "--wait", "queued")
    code, said = trust(home, str(BOB), "box")
    assert code == 0
    flags = re.escape(f" --data-dir {home.data}")
    told, cure = said.splitlines()[-2:]
    assert told == "1 message still waits for the old key, and nobody else gets what was said to it"
    assert re.fullmatch(
        f"to see that: p2pchat queue {ANN}({flags})?; to withdraw a message: .* unsend ID({flags})?", cure
    )
    home.call("send", str(ANN), "another", "--wait", "queued")
    trust(home, str(ANN), "box")
    assert "2 messages still wait for the old key" in trust(home, str(BOB), "box")[1]


@pytest.mark.parametrize("words", [("bob",), (str(ANN)[:-1],), (str(ANN), "exec:'"), (str(ANN), "a b"), ()])
def test_what_cannot_be_read_changes_nothing(home: Home, words: tuple[str, ...]) -> None:
    code, said = trust(home, *words)
    assert code == 2
    assert said.startswith("p2pchat: error: ")
    assert not home.data.exists()


def test_we_trust_ourselves_anyway(home: Home) -> None:
    me = home.call("id").stdout.decode().split()[2]
    code, said = trust(home, me, "box")
    assert code == 65
    assert "this is you" in said
    assert [path.name for path in home.data.iterdir()] == ["identity.key"]


def test_where_the_list_is_spoilt_nothing_is_pinned_either(home: Home) -> None:
    home.call("id")
    (home.data / "accepted").write_text("oops\n")
    code, said = trust(home, str(ANN), "box")
    assert code == 78
    assert "line 1" in said
    assert not (home.data / "history.db").exists()
