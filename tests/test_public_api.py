"""The front door: what it offers is there, is the same for checkers and for the interpreter, and costs nothing."""

from __future__ import annotations

import importlib
import inspect
import runpy
import subprocess
import sys
import textwrap
import types
import typing

import pytest

import p2pchat
from p2pchat import errors
from p2pchat.node import events
from tests.support.front_doors import names_for_checkers
from tests.support.unmeasured import modules_loaded_by


def test_checkers_and_the_interpreter_see_the_same_names() -> None:
    assert names_for_checkers(p2pchat) == p2pchat._HOMES


@pytest.mark.parametrize("name", sorted(names_for_checkers(p2pchat)))
def test_each_public_name_is_there(name: str) -> None:
    found, home = getattr(p2pchat, name), names_for_checkers(p2pchat)[name]
    assert found is getattr(importlib.import_module(home), name)
    if not isinstance(found, types.UnionType):  # a union does not know where it was written
        assert (found.__module__, found.__name__) == (home, name)
        assert found.__doc__
    assert name in dir(p2pchat)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sesion'"):
        _ = p2pchat.Sesion  # type: ignore[attr-defined]  # that it is an error here is half of the test


def test_the_front_door_loads_nothing() -> None:
    assert modules_loaded_by("import p2pchat") & {"trio", "msgspec", "cryptography", "typer"} == set()


def test_every_event_and_every_error_of_a_program_is_public() -> None:
    for event in typing.get_args(events.Event):
        assert p2pchat._HOMES[event.__name__] == "p2pchat.node.events"
    of_the_command_line = {"Interrupted", "StdioFailed", "StdoutClosed", "TerminalGone"}
    of_the_command_line |= {"NoContact", "NoMessage", "StillQueued"}
    named = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    assert named - of_the_command_line == {name for name, home in p2pchat._HOMES.items() if home == "p2pchat.errors"}


LIBRARY_ALONE = """
    import importlib.abc, sys

    class Missing(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name.partition(".")[0] in {"typer", "platformdirs", "prompt_toolkit", "asyncio", "rich", "pydantic"}:
                raise ModuleNotFoundError(name)

    sys.meta_path.insert(0, Missing())

    import trio
    import p2pchat

    for name in p2pchat._HOMES:
        getattr(p2pchat, name)

    async def main():
        env = p2pchat.system_env(p2pchat.Transports())
        me, you = p2pchat.Identity.generate(env.urandom), p2pchat.Identity.generate(env.urandom)
        anyone = p2pchat.NodeSettings(accept=p2pchat.Accept.ANYONE)
        async with p2pchat.open_node(me, env=env, settings=anyone) as mine, p2pchat.open_node(you, env=env) as yours:
            await mine.listen(p2pchat.parse("memory:here"))
            session = await yours.dial(p2pchat.parse("memory:here"))
            await session.send("hello")
            async for event in mine.feed:
                if isinstance(event, p2pchat.MessagesReceived):
                    print([message.body.text for message in event.messages])
                    return

    trio.run(main)
    print(sorted(name for name in sys.modules if name.startswith("p2pchat.cli")))
"""


@pytest.mark.slow
def test_the_library_needs_nothing_of_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIBRARY_ALONE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.splitlines(), done.stderr) == (["['hello']", "[]"], "")


def test_the_package_runs_as_the_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["p2pchat", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("p2pchat", run_name="__main__")
    assert end.value.code == 0
    assert capfd.readouterr().out == f"p2pchat {p2pchat.__version__}\n"
