"""One hop over a real ssh: a server on this machine, with keys of its own and nothing of its user's."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.processes import descendants, wait_for_the_end_of
from tests.support.programs import MAIN, Home

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {path}/host
PidFile none
AuthorizedKeysFile {path}/user.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
PrintMotd no
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SSHD and shutil.which("ssh")), reason="there is no ssh and sshd here"),
]


class Box(NamedTuple):
    """The other side of the hop."""

    home: Home
    ssh: str  # the command that gets there

    def address(self, *words: str, before: str = "") -> str:
        """What to dial; the words of the remote command are for a shell over there, as ssh has it."""
        environ = {name: value for name, value in self.home.environ.items() if name.startswith(("HOME", "XDG_"))}
        there = shlex.join(["env", *(f"{name}={value}" for name, value in environ.items()), *MAIN, *words])
        return f"exec:{self.ssh} {shlex.quote(before + there)}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    path = tmp_path / "box"
    path.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (path / "config").write_text(SERVER.format(port=port, path=path), encoding="utf-8")
    host_key = (path / "host.pub").read_text(encoding="utf-8")
    (path / "known").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="utf-8")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own rule for root; a boot makes it elsewhere
    assert SSHD
    with subprocess.Popen([SSHD, "-D", "-e", "-f", path / "config"], stderr=subprocess.PIPE) as server:
        assert server.stderr
        for line in server.stderr:
            if b"Server listening" in line:
                break
        else:
            pytest.skip("sshd does not start here")
        keys = f"-i {path}/user -o UserKnownHostsFile={path}/known -o IdentitiesOnly=yes"
        yield Box(Home(path), f"ssh -F none -T -p {port} {keys} {getpass.getuser()}@127.0.0.1")
        server.terminate()


async def test_two_identities_talk_over_ssh(home: Home, box: Box) -> None:
    async with home.run("dial", box.address("stdio", "--guest", "--accept", "anyone"), "--linger", "0.5") as dialer:
        await dialer.type("over the hop\n")
        await dialer.end_input()
        assert await dialer.wait() == 0
        await dialer.wait_for(r"the command says: \d\d:\d\d peer1\S+: over the hop\n")


async def test_bytes_are_the_same_over_ssh_and_a_relay(home: Home, box: Box, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(range(256)) * 20_000)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as result:
        async with box.home.run(
            "listen", "localhost:0", "--accept", "anyone", "--once", stdin=subprocess.DEVNULL, stdout=result
        ) as listener:
            await listener.port()
            async with home.run("dial", box.address("stdio"), "--linger", "0.5", stdin=source) as dialer:
                assert await dialer.wait() == 0
            assert await listener.wait() == 0
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (lambda box: f"{box.ssh.replace('@', '_nobody@')} true", 69, r"and said: .*Permission denied"),
        (lambda box: f"{re.sub('-p [0-9]+', '-p 1', box.ssh)} true", 69, r"and said: .*Connection refused"),
        (lambda box: f"{box.ssh} no-such-program", 69, r"exit status 127\) and said: .*not found"),
        (lambda box: f"{box.ssh} 'echo Welcome to box; cat'", 76, r"it said 'Welcome to box\\n"),
    ],
    ids=["not let in by ssh", "no sshd", "no p2pchat", "a motd"],
)
async def test_what_goes_wrong_is_told_in_the_words_of_ssh(
    home: Home, box: Box, change: object, code: int, told: str
) -> None:
    async with home.run("dial", f"exec:{change(box)}") as dialer:  # type: ignore[operator]
        await dialer.end_input()
        assert await dialer.wait() == code
        await dialer.wait_for(told)


async def test_nobody_is_left_on_either_side_when_the_dialer_is_killed(home: Home, box: Box, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = box.address("stdio", "--accept", "anyone", before=f"echo $$ >{pid_file}; exec ")
    async with home.run("dial", command) as dialer:
        await dialer.wait_for("connected")
        left = {*descendants(dialer.process.pid), int(pid_file.read_text())}
        dialer.signal(signal.SIGKILL)
        await dialer.wait()
    await wait_for_the_end_of(left)


async def test_a_lost_ssh_is_dialed_again(home: Home, box: Box) -> None:
    async with (
        box.home.run("listen", "localhost:0", "--accept", "anyone") as listener,
        home.run("dial", box.address("stdio")) as dialer,
    ):
        await dialer.wait_for("connected")
        (ssh,) = descendants(dialer.process.pid)
        os.kill(ssh, signal.SIGKILL)
        await dialer.wait_for("connected again")
        await dialer.type("back\n")
        await listener.wait_for("back\n")
