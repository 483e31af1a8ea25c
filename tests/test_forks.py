"""What is forked is like what is started, and outlives nobody."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from tests.support.forks import Fork, Zygote, can_fork
from tests.support.processes import wait_for_the_end_of
from tests.support.programs import Home, Program

pytestmark = pytest.mark.slow

STATUS = ("Umask", "SigPnd", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def state(program: Program) -> dict[str, object]:
    """Return what the kernel knows of it that does not say which one it is."""
    place = Path("/proc", str(program.process.pid))
    lines = (line.partition(":\t") for line in (place / "status").read_text().splitlines())
    return {
        "status": {name: value for name, _, value in lines if name in STATUS},
        "descriptors": sorted(
            (int(one.name), str(one.readlink()).partition(":")[0]) for one in (place / "fd").iterdir()
        ),
        "directory": (place / "cwd").readlink(),
        "limits": (place / "limits").read_text(),
        "group": os.getpgid(program.process.pid),
        "session": os.getsid(program.process.pid),
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells this of its processes")
async def test_the_kernel_sees_no_difference(home: Home) -> None:
    old = os.umask(0o027)
    try:
        states = []
        for fresh in (False, True):
            async with home.run("listen", "localhost:0", stdin=DEVNULL, fresh=fresh) as program:
                await program.port()
                states.append(state(program))
        assert states[0] == states[1]
    finally:
        os.umask(old)


async def test_one_in_a_terminal_leads_a_session_there(home: Home) -> None:
    for fresh in (False, True):
        async with home.run_in_terminal("listen", "localhost:0", "--plain", fresh=fresh) as program:
            await program.port()
            assert program.terminal is not None
            assert os.getsid(program.process.pid) == program.process.pid == os.tcgetpgrp(program.terminal)


async def test_it_ends_with_its_code_or_by_its_signal(home: Home) -> None:
    assert (await home.ended("lisen")).process.returncode == 2
    async with home.run("listen", "localhost:0") as program:
        await program.port()
        program.signal(signal.SIGKILL)
        assert await program.wait() == -signal.SIGKILL


async def test_nothing_outlives_where_it_came_from(home: Home) -> None:
    mother = Zygote()
    forked = Fork(mother, ["listen", "localhost:0"], home.environ, PIPE, PIPE, PIPE)
    mother.close()
    await wait_for_the_end_of([forked.pid])


def test_what_is_read_before_main_cannot_be_changed_by_a_fork(home: Home) -> None:
    assert can_fork(home.environ)
    assert not can_fork(home.environ | {"LC_ALL": "C"})
    assert not can_fork(home.environ | {"PYTHONUTF8": "0"})
