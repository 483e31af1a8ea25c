"""Every sentence about a peer is so at that moment; of a link that does not run, nothing is claimed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from p2pchat.crypto.identity import Identity
from p2pchat.store.contacts import Contact, How
from p2pchat.ui import honesty
from p2pchat.ui.honesty import Me, Path, Standing

BOB = Identity.from_seed(b"b" * 32).peer_id
NOON = 1_795_348_800_000  # 2026-11-22
TCP = Path(address="tcp:192.0.2.7:7272")


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def contact(*, accepted: bool = True, blocked: bool = False, how: How | None = None, name: str = "bob") -> Contact:
    verified_ms = None if how is None else NOON + 86_400_000
    return Contact(
        peer=BOB, name=name, accepted=accepted, blocked=blocked, verified_ms=verified_ms, how=how, since_ms=NOON
    )


def standing(
    kept: Contact | None = None,
    *,
    path: Path | None = None,
    me: Me | None = None,
    guest: bool = False,
    is_me: bool = False,
) -> Standing:
    return Standing(peer=BOB, contact=kept, verify="/verify", path=path, me=me, guest=guest, is_me=is_me)


def told(about: Standing) -> dict[str, str]:
    return dict(honesty.claims(about))


# ---- trust


@pytest.mark.parametrize("how", list(How))
def test_who_was_verified_is_told_when_and_how(how: How) -> None:
    assert told(standing(contact(how=how)))["trust"] == f"verified on 2026-11-23, by {honesty.VERIFIED[how]}"


def test_who_was_not_verified_is_told_with_the_cure() -> None:
    cure = "not verified: nobody has checked whose key this is; /verify does"
    assert told(standing())["trust"] == cure
    assert told(standing(contact(accepted=False)))["trust"] == cure
    assert told(standing(contact()))["trust"] == f"let in since 2026-11-22, {cure}"


def test_who_is_blocked_is_told_so_whatever_was_before() -> None:
    assert told(standing(contact(blocked=True, how=How.CODE)))["trust"].startswith("blocked: ")


def test_oneself_is_not_to_be_verified() -> None:
    assert told(standing(is_me=True))["trust"].startswith("this is you")


# ---- the channel


def test_a_link_that_runs_is_told_as_what_it_is() -> None:
    lines = told(standing(contact(), path=TCP))
    assert lines["encrypted"] == "end to end, by Noise_XXhfs_25519+MLKEM768_ChaChaPoly_SHA256"
    assert "cannot read a recording" in lines["forward secret"]
    assert lines["post-quantum"].startswith("secrecy yes, by ML-KEM-768")
    assert "signatures no, Ed25519 alone" in lines["post-quantum"]


@pytest.mark.parametrize("path", [None, Path(address="tcp:box:7272", until_ms=NOON)], ids=["never", "ended"])
def test_without_a_link_nothing_is_claimed_of_one(path: Path | None) -> None:
    lines = told(standing(contact(), path=path, me=Me()))
    assert lines["encrypted"].startswith("there is no connection now")
    assert not {"forward secret", "post-quantum"} & lines.keys()
    assert lines["path"].startswith("none")
    assert "not when you type, what you have read or that you are here" in lines["it sees"]


# ---- the path


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (TCP, "over the network, tcp:192.0.2.7:7272"),
        (
            Path(address="unix:/run/x", user="user ann (uid 1001), pid 42"),
            "over a socket on this machine, unix:/run/x, by user ann (uid 1001), pid 42",
        ),
        (Path(address="exec:ssh box x"), "through a command that was started here, exec:ssh box x"),
        (Path(address="carrier:pigeon\x1b[2J"), "by the transport carrier, carrier:pigeon␛[2J"),
        (Path(), "of an unknown kind: its transport tells no address"),
        (Path(address="tcp:x:1", is_ours=False), "another p2pchat of this profile has the connection"),
        (
            Path(address="tcp:x:1", until_ms=NOON),
            "none now; the last one, until 2026-11-22 12:00, was over the network, tcp:x:1",
        ),
        (None, "none: there was no connection yet"),
    ],
)  # fmt: skip
def test_the_path_is_told(path: Path | None, sentence: str) -> None:
    assert told(standing(path=path))["path"] == sentence


# ---- what the peer sees


@pytest.mark.parametrize(
    ("me", "path", "sentence"),
    [
        (
            Me(name="a", receipts=True),
            TCP,
            "your id, the name a, {version}, the address that you come from, {here}; not when you type",
        ),
        (
            Me(),
            Path(address="unix:/run/x"),
            "your id, no name, {version}, your user and process and that you are here; {neither}",
        ),
        (
            Me(name="a\nb", guest=True),
            Path(address="memory:x"),
            "an id of this run, the name a␊b, {version} and that you are here; {neither}",
        ),
    ],
)
def test_what_the_peer_sees_is_told(me: Me, path: Path, sentence: str) -> None:
    version, neither = "the version of this program", "not when you type or what you have read"
    whole = sentence.format(version=version, neither=neither, here="what you have read and that you are here")
    assert told(standing(path=path, me=me))["it sees"] == whole


def test_where_nobody_knows_what_it_sees_nothing_is_said_about_it() -> None:
    assert "it sees" not in told(standing(path=TCP))


def test_guests_are_told_on_either_side() -> None:
    lines = told(standing(path=TCP, guest=True, me=Me(guest=True)))
    assert "keeps nothing" in lines["guest"]
    assert "keeps nothing" in lines["you"]
    assert not {"guest", "you"} & told(standing(path=TCP, me=Me())).keys()


def test_lines_stand_in_columns_below_the_id() -> None:
    first, second, *rest = honesty.lines(standing(contact(), path=TCP))
    assert first == f"  id             {BOB}"
    assert second == f"  fingerprint    {BOB.fingerprint}"
    assert all(line[16] == " " and line[17] != " " for line in rest)


def test_what_does_not_fit_goes_on_in_its_column() -> None:
    whole, folded = (honesty.lines(standing(contact(), path=TCP), width=width) for width in (0, 60))
    assert all(len(line) <= 60 for line in folded)
    labels = [line[:17].strip() for line in folded]
    assert [label for label in labels if label] == [line[:17].strip() for line in whole]
    assert "" in labels
