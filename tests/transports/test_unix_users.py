"""Unix sockets and the users of one machine: who is let in, who is shown, and who is sent away."""

from __future__ import annotations

import logging
import os
import pwd
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio

from p2pchat.address import Address
from p2pchat.errors import ListenFailed
from p2pchat.testing.door import open_door
from p2pchat.transports import base, credentials, unix
from p2pchat.transports.credentials import LocalUser
from p2pchat.transports.registry import Transports
from p2pchat.transports.unix import UnixListener, UnixTransport

NOBODY = 65534  # the user id that by custom owns nothing
PATIENCE = 5.0  # seconds; nothing is ever waited for but by somebody who was let in
ANN = 12345  # a user id that by custom nobody has

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


@pytest.fixture
def commons() -> Iterator[Path]:
    """A directory that everybody may look into; pytest's own are closed to others."""
    with TemporaryDirectory(dir="/tmp", prefix="p2pchat-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def at(path: Path) -> Address:
    return Address("unix", str(path))


def shared(path: Path, *users: int) -> UnixTransport:
    return UnixTransport(shared={str(path): frozenset(users)})


async def is_sent_away(path: Path) -> bool:
    """Whether nothing but the end comes from there."""
    async with await UnixTransport().connect(at(path)) as stream:
        with trio.move_on_after(PATIENCE):
            return await stream.receive_some() == b""
    return False


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# ---- who is let in


@only_root
async def test_a_named_user_is_let_in_and_both_ends_see_whose_the_other_is(commons: Path) -> None:
    path = commons / "chat"
    async with open_door(shared(path, ANN), at(path)) as door:
        assert mode(path) == 0o666
        with acting_as(ANN):
            dialed = await UnixTransport().connect(at(path))
        accepted = await door.accept()
        async with dialed, accepted:
            assert (base.user_of(accepted), base.remote_of(accepted)) == (LocalUser(ANN, os.getpid()), at(path))
            assert base.user_of(dialed) == LocalUser(0, os.getpid())


@only_root
async def test_who_is_not_named_is_sent_away_and_told_of_ever_more_rarely(
    commons: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = commons / "chat"
    told: list[tuple[int, int]] = []
    async with open_door(shared(path, ANN), at(path)) as door, trio.open_nursery() as nursery:
        (listener,) = door.listeners
        assert isinstance(listener, UnixListener)
        listener.tell_turned_away = lambda user, times: told.append((user.uid, times))
        nursery.start_soon(door.accept)
        with caplog.at_level(logging.INFO, "p2pchat"), acting_as(NOBODY):
            for _ in range(9):
                assert await is_sent_away(path)
        nursery.cancel_scope.cancel()
    assert told == [(NOBODY, times) for times in (1, 2, 4, 8)]
    assert [f"uid {NOBODY}" in line and "turned away" in line for line in caplog.messages] == [True] * 4


CALLER = """
import os, socket, sys
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as caller:
    caller.connect(sys.argv[1])
    print(os.getpid(), caller.recv(100).decode(), flush=True)
"""


@only_root
async def test_a_process_of_another_user_is_known_for_what_it_is(commons: Path) -> None:
    path, called = commons / "chat", [sys.executable, "-c", CALLER, str(commons / "chat")]
    async with open_door(shared(path, NOBODY), at(path)) as door, trio.open_nursery() as nursery:

        async def answer() -> None:
            async with await door.accept() as accepted:
                user = base.user_of(accepted)
                assert user is not None
                await accepted.send_all(f"{user.uid} {user.pid}".encode())

        nursery.start_soon(answer)
        said = []
        for user in (ANN, NOBODY):
            done = await trio.run_process([*called, str(user)], capture_stdout=True)
            said.append(done.stdout.decode().split())
    assert [len(words) for words in said] == [1, 3]
    assert said[1] == [said[1][0], str(NOBODY), said[1][0]]


@only_root
async def test_root_is_nobody_special(commons: Path) -> None:
    commons.chmod(0o777 | stat.S_ISVTX)
    with acting_as(ANN):
        listener = UnixListener(at(commons / "chat"), admit=frozenset({ANN}))
    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(listener.accept)
        assert await is_sent_away(commons / "chat")
        nursery.cancel_scope.cancel()


async def test_no_other_path_is_shared(tmp_path: Path) -> None:
    transport = shared(tmp_path / "chat", ANN)
    async with open_door(transport, at(tmp_path / "mine")):
        assert mode(tmp_path / "mine") == 0o600
    async with open_door(transport, at(tmp_path / "chat")):
        assert mode(tmp_path / "chat") == 0o666


async def test_to_share_with_oneself_is_not_to_share(tmp_path: Path) -> None:
    async with open_door(shared(tmp_path / "chat", os.geteuid()), at(tmp_path / "chat")):
        assert mode(tmp_path / "chat") == 0o600


async def test_a_directory_for_everybody_has_to_be_sticky_for_a_shared_path_too(commons: Path) -> None:
    commons.chmod(0o777)
    with pytest.raises(ListenFailed, match="has no sticky bit"):
        await shared(commons / "chat", ANN).listen(at(commons / "chat"))


async def test_where_the_system_does_not_tell_nothing_is_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "TELLS", False)
    with pytest.raises(ListenFailed, match="does not tell who connects") as told:
        await shared(tmp_path / "chat", ANN).listen(at(tmp_path / "chat"))
    assert "tcp" in told.value.hint


async def test_who_is_gone_before_we_ask_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS has it: there is nobody left to tell of."""
    ask = credentials.of

    def gone(sock: socket.socket) -> LocalUser | None:
        monkeypatch.setattr(credentials, "of", ask)
        raise OSError(57, "Socket is not connected")

    async with open_door(UnixTransport(), at(tmp_path / "chat")) as door:
        early, late = await door.connect(), await door.connect()
        monkeypatch.setattr(credentials, "of", gone)
        async with early, late, await door.accept() as accepted:
            assert await early.receive_some() == b""
            await accepted.send_all(b"you")
            assert await late.receive_some() == b"you"


async def test_the_visits_of_very_many_users_are_counted_together(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    async with UnixListener(at(tmp_path / "chat"), admit=frozenset({os.geteuid()})) as listener:
        listener.tell_turned_away = lambda user, times: told.append((user.uid, times))
        for uid in range(unix.MAX_COUNTED + 5):
            listener._note(LocalUser(uid, 1))
    of_the_rest = [(unix.MAX_COUNTED + times - 1, times) for times in (1, 2, 4)]
    assert told == [*((uid, 1) for uid in range(unix.MAX_COUNTED)), *of_the_rest]


def test_a_transport_that_was_made_elsewhere_serves_its_scheme() -> None:
    transports, mine = Transports(), UnixTransport()
    transports.use(mine)
    assert transports._transport("unix", ListenFailed) is mine


# ---- what the kernel says


def test_what_linux_says_is_read() -> None:
    assert credentials.from_ucred(struct.pack("iII", 42, 1001, 7)) == LocalUser(1001, 42)


def test_what_macos_says_is_read() -> None:
    """struct xucred: the version, the user, how many groups, and 16 of them."""
    whose = struct.pack("@IIh16I", 0, 501, 2, 20, 12, *[0] * 14)
    assert len(whose) == credentials.XUCRED.size
    assert credentials.from_xucred(whose, struct.pack("i", 77)) == LocalUser(501, 77)


def test_a_user_is_shown_with_name_number_and_process() -> None:
    root = pwd.getpwuid(0).pw_name
    assert str(LocalUser(0, 42)) == f"user {root} (uid 0), pid 42"
    assert str(LocalUser(0, 0)) == f"user {root} (uid 0)"
    assert str(LocalUser(ANN, 42)) == f"uid {ANN}, pid 42"


def test_users_are_found_by_name_and_by_number() -> None:
    me = pwd.getpwuid(os.geteuid())
    assert credentials.uid_of(me.pw_name) == credentials.uid_of(str(me.pw_uid)) == me.pw_uid
    assert [credentials.uid_of(name) for name in ("no such user", str(ANN), "9" * 30, "", "-1")] == [None] * 5
    assert LocalUser(me.pw_uid, 1).is_ours
    assert not LocalUser(ANN, 1).is_ours
