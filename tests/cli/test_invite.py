"""`p2pchat invite` and `listen --invite`: what is made, what is told, and who is there to honour it."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat import address
from p2pchat.cli import inviting, links, reach
from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity
from p2pchat.node.events import Invited
from p2pchat.store import contacts, invites
from p2pchat.store.database import Database
from p2pchat.store.invites import Invite
from tests.support import contract
from tests.support.profile import Run
from tests.support.programs import Home, Program

ME = Identity.from_seed(bytes(32)).peer_id
SPOKEN = Invite(slot=1, secret="ocean-amazing-knife", expires_ms=1_000_000, for_peer=None, attempts=0)
TOKEN = Invite(slot=2, secret="a2" * 13, expires_ms=2_000_000, for_peer=None, attempts=0)


def told(*bound: str, picture: bool = False) -> Invited:
    return inviting.describe((SPOKEN, TOKEN), ME, [address.parse(word) for word in bound], picture=picture)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that others call 10.0.0.7, in a world without time zones."""
    monkeypatch.setattr(reach, "own_host", lambda: "10.0.0.7")
    monkeypatch.setattr(inviting, "_clock", lambda ms: f"<{ms}>")


def test_two_codes_are_made_each_in_a_slot_of_its_own(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "history.db", wall=lambda: 1000.0)) as db:
        spoken, token = inviting.make(db, lambda n: bytes(range(n)))
        assert invites.live(db) == [spoken, token]
        with db.transaction():
            assert invites.burn(db, token.slot, token.secret)
        assert invites.live(db) == [], "they were for one person"
    assert (spoken.slot, token.slot) == (1, 2)
    assert len(spoken.secret.split("-")) == 3
    assert re.fullmatch("[a-z2-7]{26}", token.secret)
    assert spoken.expires_ms - 1_000_000 == 10 * 60 * 1000
    assert token.expires_ms - 1_000_000 == 24 * 3600 * 1000


@pytest.mark.usefixtures("outside")
def test_whoever_is_told_can_type_it() -> None:
    event = told("*:7272")
    link = f"p2pchat:{ME}?a=tcp:10.0.0.7:7272&c=2-{TOKEN.secret}"
    assert (event.code, event.link) == ("1-ocean-amazing-knife", link)
    assert event.lines == (
        "say this code:    1-ocean-amazing-knife",
        "on this machine:  p2pchat dial localhost --code",
        "from elsewhere:   p2pchat dial 10.0.0.7 --code",
        f"or, with a link:  p2pchat dial '{link}'",
        "the code dies at <1000000>, and at its first use or third wrong try",
        "the link does so tomorrow, at <2000000>; once one of both was used, the other is dead",
    )
    assert links.read(event.link) == (ME, (address.parse("10.0.0.7"),), Code(2, TOKEN.secret))


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("bound", "dialed", "linked"),
    [
        (["localhost:7300"], ["localhost:7300"], ["tcp:localhost:7300"]),
        (["box", "localhost:7300"], ["box", "localhost:7300"], ["tcp:box:7272"]),
        (["0.0.0.0", "[::]"], ["localhost", "10.0.0.7"], ["tcp:10.0.0.7:7272"]),
        (["/tmp/a b"], ["'/tmp/a b'"], []),
        ([], ["HOST"], []),
    ],
)
def test_a_link_names_what_is_reached_from_farthest(bound: list[str], dialed: list[str], linked: list[str]) -> None:
    event = told(*bound)
    assert [found[1] for line in event.lines if (found := re.search("dial (.*) --code", line))] == dialed
    assert [str(one) for one in links.read(event.link).addresses] == linked if linked else event.link == ""
    assert any("link" in line for line in event.lines) is bool(linked)


@pytest.mark.usefixtures("outside")
def test_a_picture_stands_above_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    *drawn, _, _, _, _, _ = told("localhost:7300", picture=True).lines
    assert len(drawn) > 20
    assert set("".join(drawn)) == set(" █▀▄")
    first, *_ = told("/tmp/s", picture=True).lines
    assert first == "no QR code: nobody in the network can reach us here, so there is no link to draw"


# ---- where a process of the profile listens; a socket that nobody accepts at is as good


@pytest.fixture
def listener(data: Path) -> Iterator[Path]:
    """What notes where somebody listens."""
    (data / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(data / "run" / "default.sock"))
        door.listen()
        note = data / "run" / "default.addresses"
        note.write_text("tcp:localhost:7300\n")
        yield note


def test_codes_are_kept_for_the_process_that_listens(run: Run, data: Path, listener: Path) -> None:
    code, out, err = run("invite")
    assert (code, err) == (0, [])
    assert out[1] == "on this machine:  p2pchat dial localhost:7300 --code"
    assert out[-1] == "whoever comes with it meets the p2pchat of this profile that listens already"
    with closing(Database.open(data / "history.db", wall=lambda: 0.0)) as db:
        spoken, token = invites.live(db)
    assert out[0] == f"say this code:    {Code(spoken.slot, spoken.secret)}"
    assert str(Code(token.slot, token.secret)) in out[2]
    assert stat.S_IMODE((data / "history.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [[], ["localhost:7300"], ["127.0.0.1:7300", "--qr"]])
def test_a_program_gets_one_object(run: Run, listener: Path, words: list[str]) -> None:
    code, (line,), err = run("invite", "--json", *words)
    assert (code, err) == (0, [])
    result = json.loads(line)
    contract.check(result, "invited")
    assert "a=tcp:localhost:7300&c=2-" in result["link"]
    listener.write_text("")
    _, (line,), _ = run("invite", "--json")
    contract.check(json.loads(line), "invited")
    assert json.loads(line)["link"] is None


def test_what_makes_no_sense_is_told(run: Run) -> None:
    for words, said in [
        (["invite", "foo:bar:baz"], "p2pchat: error: "),
        (["invite", "--guest"], "p2pchat: error: no such option: --guest"),
        (["listen", "--invite", "--guest"], "p2pchat: error: a guest keeps nothing, and no codes"),
        (["listen", "--qr"], "p2pchat: error: --qr draws the link of --invite"),
    ]:
        code, out, err = run(*words)
        assert (code, out) == (2, [])
        assert err[0].startswith(said)


# ---- real programs


async def heard(program: Program, event: str) -> dict[str, object]:
    """Wait for a line of JSON with this event."""
    line = await program.wait_for(rf'(?m)^\{{"event":"{event}".*\}}$')
    found: dict[str, object] = json.loads(line[0])
    return found


@pytest.mark.slow
async def test_two_who_were_told_a_code_and_a_link_are_verified(tmp_path: Path) -> None:
    ann, bob, eve = (Home(tmp_path / name) for name in ("ann", "bob", "eve"))
    async with ann.run("listen", "localhost:0", "--invite", "--json") as listener:
        invited = await heard(listener, "invite")
        contract.check(invited, "invite")
        where = str((await heard(listener, "listening"))["address"])
        async with bob.run("dial", where, "--code", "-") as dialer:
            await dialer.type(f"{invited['code']}\nthe rest is said\n")
            await dialer.wait_for("is verified")
            await listener.wait_for('"text":"the rest is said"')
            assert (await heard(listener, "verified"))["how"] == "code"
        async with eve.run("dial", where, environ={"P2PCHAT_CODE": str(invited["code"])}) as dialer:  # it is spent
            assert await dialer.wait() == 77
            assert b"the code was wrong, or is spent" in dialer.err
        async with eve.run("dial", str(invited["link"])) as dialer:  # it was for one person
            assert await dialer.wait() == 77
            assert b"the code was wrong, or is spent" in dialer.err
        async with ann.run("invite", "--json") as program:
            assert await program.wait() == 0
            link = json.loads(program.out)["link"]
        async with eve.run("dial", link) as dialer:
            await dialer.wait_for("is verified")
        for home, count in (ann, 2), (bob, 1), (eve, 1):
            with closing(Database.open(home.data / "history.db", wall=lambda: 0.0)) as db:
                assert [one.trust for one in contacts.everyone(db)] == [contacts.Trust.VERIFIED] * count
                assert invites.live(db) == []


@pytest.mark.slow
async def test_where_nobody_listens_it_listens_itself_and_a_program_gets_the_codes_first(tmp_path: Path) -> None:
    ann = Home(tmp_path / "ann")
    async with ann.run("invite", "localhost:0", "--json") as program:
        await heard(program, "listening")
        first, *others = program.out.decode().splitlines()
        contract.check(json.loads(first), "invited")
        assert [json.loads(line)["event"] for line in others] == ["ready", "listening"]
        assert json.loads(others[-1])["address"] in json.loads(first)["link"]
        async with ann.run("invite", "localhost:0") as other:  # which is elsewhere
            await other.wait_for("p2pchat: say this code: ")
            assert await other.port() != json.loads(others[-1])["address"].removeprefix("tcp:")
        program.signal(signal.SIGTERM)
        assert await program.wait() == 143
