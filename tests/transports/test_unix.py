"""Unix sockets: for one user, at a path that is taken over only where nobody listens, and never from somebody else."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
import trio.testing

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.door import open_door
from p2pchat.transports import credentials, socket_file
from p2pchat.transports.credentials import LocalUser
from p2pchat.transports.unix import UnixListener, UnixTransport
from tests.support.descriptors import no_descriptors_left, open_descriptors

NOBODY = 65534  # the user id that by custom owns nothing

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat"


def at(path: Path) -> Address:
    return Address("unix", str(path))


@pytest.fixture
def stale(path: Path) -> Path:
    """A socket file that a dead process left behind."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    return path


@pytest.fixture
def alive(path: Path) -> Iterator[socket.socket]:
    """A socket that another program listens on; it knows nothing of our lock files."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        yield sock


@contextmanager
def listening_process(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that listens at `path`, as p2pchat does."""
    script = """if True:
        import sys, trio
        from p2pchat.address import Address
        from p2pchat.transports.unix import UnixTransport

        async def main():
            listeners = await UnixTransport().listen(Address("unix", sys.argv[1]))
            print("listening", flush=True)
            await listeners[0].accept()

        trio.run(main)
    """
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"listening\n"
        yield process


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


async def refusal_to_listen(path: Path) -> str:
    before = open_descriptors()
    with pytest.raises(ListenFailed) as told:
        await UnixTransport().listen(at(path))
    assert told.value.hint
    assert open_descriptors() == before
    return str(told.value)


async def test_missing_directories_are_made_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "chat"
    async with open_door(UnixTransport(), at(path)):
        assert [stat.S_IMODE(place.stat().st_mode) for place in (path.parent, path.parent.parent)] == [0o700, 0o700]


async def test_socket_and_lock_are_for_this_user_alone(path: Path) -> None:
    async with open_door(UnixTransport(), at(path)):
        modes = {place.name: stat.S_IMODE(place.lstat().st_mode) for place in path.parent.iterdir()}
        assert modes == {"chat": 0o600, "chat.lock": 0o600}


async def test_nothing_is_left_after_closing(path: Path) -> None:
    async with open_door(UnixTransport(), at(path)) as door:
        pass
    assert list(path.parent.iterdir()) == []
    await door.listeners[0].aclose()


async def test_what_another_put_at_the_path_meanwhile_is_left_alone(path: Path) -> None:
    async with open_door(UnixTransport(), at(path)):
        path.unlink()
        path.write_text("mine")
        (path.parent / "chat.lock").unlink()
    assert path.read_text() == "mine"


async def test_a_directory_that_is_gone_at_the_end_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "chat"
    async with open_door(UnixTransport(), at(path)):
        for place in path.parent.iterdir():
            place.unlink()
        path.parent.rmdir()


async def test_a_stale_socket_is_replaced(stale: Path) -> None:
    async with open_door(UnixTransport(), at(stale)) as door:
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            pass


@pytest.mark.slow
async def test_killed_listeners_stand_in_nobodys_way(path: Path) -> None:
    with listening_process(path) as process:
        assert "is in use already" in await refusal_to_listen(path)
        process.kill()
    assert path.is_socket()
    async with open_door(UnixTransport(), at(path)) as door:
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            pass


async def test_a_living_socket_of_another_program_is_left_alone(path: Path, alive: socket.socket) -> None:
    assert await refusal_to_listen(path) == f"unix:{path} is in use already"
    async with await UnixTransport().connect(at(path)):
        pass


async def test_a_living_socket_with_a_full_queue_is_left_alone(path: Path, alive: socket.socket) -> None:
    alive.listen(0)
    async with await UnixTransport().connect(at(path)):
        assert await refusal_to_listen(path) == f"unix:{path} is in use already"


async def test_what_is_not_a_socket_is_left_alone(path: Path, tmp_path: Path) -> None:
    path.write_text("diary")
    assert (
        await refusal_to_listen(path) == f"cannot listen on unix:{path}: {path} is something else, and was left alone"
    )
    link = tmp_path / "link"
    link.symlink_to(path)
    assert "is something else" in await refusal_to_listen(link)
    assert path.read_text() == "diary"


@only_root
async def test_a_socket_of_another_user_is_left_alone(stale: Path) -> None:
    os.chown(stale, NOBODY, NOBODY)
    assert "belongs to another user" in await refusal_to_listen(stale)
    assert stale.is_socket()


@only_root
async def test_a_lock_of_another_user_is_not_trusted(path: Path) -> None:
    lock = path.with_name("chat.lock")
    lock.touch()
    os.chown(lock, NOBODY, NOBODY)
    assert "belongs to another user" in await refusal_to_listen(path)


async def test_a_lock_that_is_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.with_name("chat.lock").symlink_to(tmp_path / "victim")
    assert await refusal_to_listen(path) == f"the lock file beside unix:{path} is a link"
    assert not (tmp_path / "victim").exists()


async def test_a_lock_that_is_no_file_is_not_used(path: Path) -> None:
    os.mkfifo(path.with_name("chat.lock"))
    assert "chat.lock is something else" in await refusal_to_listen(path)


async def test_a_lock_that_its_last_holder_removes_is_taken_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = path.with_name("chat.lock")
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        """Let the last holder tidy up between our opening of the file and our locking of it, once."""
        monkeypatch.setattr(fcntl, "flock", flock)
        lock.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    before = open_descriptors()
    async with open_door(UnixTransport(), at(path)):
        assert lock.exists()
        assert "is in use already" in await refusal_to_listen(path)
    assert open_descriptors() == before


async def test_a_directory_for_everybody_has_to_be_sticky(tmp_path: Path) -> None:
    commons = tmp_path / "commons"
    commons.mkdir()
    commons.chmod(0o777)
    assert await refusal_to_listen(commons / "chat") == (
        f"unix:{commons}/chat would not be safe: everybody can write to {commons}, which has no sticky bit"
    )
    commons.chmod(0o1777)
    async with open_door(UnixTransport(), at(commons / "chat")):
        pass


async def test_a_path_through_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    address = at(tmp_path / "file" / "chat")
    assert await refusal_to_listen(Path(address.rest)) == f"{address} leads through something that is not a directory"
    with pytest.raises(ConnectFailed, match="there is no socket at"):
        await UnixTransport().connect(address)


async def test_the_longest_path_works_and_a_longer_one_is_told_the_limit(tmp_path: Path) -> None:
    room = socket_file.MAX_PATH - len(os.fsencode(tmp_path)) - 1
    async with open_door(UnixTransport(), at(tmp_path / ("x" * room))) as door:
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            pass
    longer = tmp_path / ("x" * (room + 1))
    limit = f"is too long: {socket_file.MAX_PATH + 1} bytes, and a socket can have {socket_file.MAX_PATH}"
    assert limit in await refusal_to_listen(longer)
    with pytest.raises(ConnectFailed, match=limit):
        await UnixTransport().connect(at(longer))


async def test_the_kernel_says_who_connects(path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert credentials.of(ours) == LocalUser(os.geteuid(), os.getpid())
    admits_another = UnixListener(at(path), admit=frozenset({os.geteuid() + 1}))
    if sys.platform != "linux":
        pytest.skip("only Linux is asked who connects")
    async with admits_another, trio.open_nursery() as nursery:
        nursery.start_soon(admits_another.accept)
        async with await UnixTransport().connect(at(path)) as turned_away:
            assert await turned_away.receive_some() == b""
        nursery.cancel_scope.cancel()


@only_root
async def test_other_users_are_kept_out_even_where_the_mode_lets_them_in() -> None:
    with TemporaryDirectory(dir="/tmp", prefix="p2pchat-") as commons:  # pytest's own is closed to others
        path = Path(commons) / "chat"
        path.parent.chmod(0o755)
        async with open_door(UnixTransport(), at(path)) as door, trio.open_nursery() as nursery:
            nursery.start_soon(door.accept)
            with socket.socket(socket.AF_UNIX) as knocking, pytest.raises(PermissionError), acting_as(NOBODY):
                knocking.connect(str(path))
            path.chmod(0o666)
            with acting_as(NOBODY):
                turned_away = await UnixTransport().connect(at(path))
            async with turned_away:
                assert await turned_away.receive_some() == b""
            nursery.cancel_scope.cancel()


async def test_nobody_there_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed, match="there is no socket at") as told:
        await UnixTransport().connect(at(path))
    assert told.value.hint == f"start `p2pchat listen unix:{path}` first"
    path.touch()
    with pytest.raises(ConnectFailed, match="nobody listens on"):
        await UnixTransport().connect(at(path))


async def test_a_stale_socket_is_nobody_listening(stale: Path) -> None:
    before = open_descriptors()
    with pytest.raises(ConnectFailed, match="nobody listens on"):
        await UnixTransport().connect(at(stale))
    assert open_descriptors() == before


async def test_a_socket_of_another_kind_is_told_and_left_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        with pytest.raises(ConnectFailed, match="is a socket of another kind"):
            await UnixTransport().connect(at(path))
        assert "is a socket of another kind" in await refusal_to_listen(path)
    assert path.is_socket()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
async def test_connecting_waits_for_room_in_the_queue(
    path: Path, alive: socket.socket, autojump_clock: trio.testing.MockClock
) -> None:
    transport = UnixTransport()
    alive.listen(0)
    async with await transport.connect(at(path)):  # fills the queue
        before = open_descriptors()
        with trio.move_on_after(10):
            await transport.connect(at(path))
        assert trio.current_time() == 10
        assert open_descriptors() == before
        async with trio.open_nursery() as nursery:
            connected = trio.Event()

            async def connect() -> None:
                async with await transport.connect(at(path)):
                    connected.set()

            nursery.start_soon(connect)
            await trio.testing.wait_all_tasks_blocked()
            assert not connected.is_set()
            alive.accept()[0].close()
            await connected.wait()


async def test_running_out_of_descriptors_is_told(path: Path) -> None:
    async with open_door(UnixTransport(), at(path)) as door:
        dialed = await door.connect()
        with no_descriptors_left():
            with pytest.raises(OSError, match="open files") as told:
                await door.listeners[0].accept()
            assert told.value.errno == errno.EMFILE
            with pytest.raises(ConnectFailed, match="no file descriptors are left"):
                await door.connect()
            with pytest.raises(ListenFailed, match="no file descriptors are left"):
                await UnixTransport().listen(at(path.with_name("other")))
        async with dialed, await door.accept():
            pass
