"""What `p2pchat.testing` offers is there, is the same for checkers and for the interpreter, and costs nothing."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import types

import pytest

from p2pchat import testing
from tests.support.front_doors import names_for_checkers
from tests.support.unmeasured import ENVIRON, modules_loaded_by

WITHOUT_EXTRAS = """
import sys
sys.modules["apsw"] = sys.modules["pytest"] = None

import trio
from p2pchat import testing

for name in testing._HOMES:
    getattr(testing, name)

async def program(process):
    async with process.open_store() as store:
        await trio.sleep(100)

async def story(world):
    host = world.host("alice")
    await world.trouble(times=20)
    (process,) = host.start(program)
    await trio.sleep(10)
    host.kill(down=1)
    await trio.sleep(10)
    for lost in (lambda: host.kill_when(written=1), host.lose_power):
        try:
            lost()
        except RuntimeError as exc:
            print(exc)
    await world.until(lambda: not host.processes)
    return world.now > 100

assert testing.simulate(story)
"""


def test_checkers_and_the_interpreter_see_the_same_names() -> None:
    assert names_for_checkers(testing) == testing._HOMES


@pytest.mark.parametrize("name", sorted(names_for_checkers(testing)))
def test_each_public_name_is_there(name: str) -> None:
    found = getattr(testing, name)
    assert found is getattr(importlib.import_module(testing._HOMES[name]), name)
    if inspect.isclass(found) or isinstance(found, types.FunctionType):
        assert (found.__module__, found.__name__) == (testing._HOMES[name], name)
        assert found.__doc__
    assert name in dir(testing)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Simulaton'"):
        _ = testing.Simulaton  # type: ignore[attr-defined]  # that it is an error here is half of the test


def test_the_front_door_loads_nothing() -> None:
    assert modules_loaded_by("import p2pchat.testing") & {"trio", "apsw", "msgspec", "pytest"} == set()


@pytest.mark.slow
def test_the_library_needs_no_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=False, timeout=60, env=ENVIRON
    )
    needed = "this needs a disk that is watched: pip install 'p2pchat-trio[simulate]'"
    assert (done.stdout.splitlines(), done.stderr) == ([needed] * 2, "")
