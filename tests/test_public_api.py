"""The front door: what it offers is there, is the same for checkers and for the interpreter, and costs nothing."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

import p2pchat
from tests.support.unmeasured import modules_loaded_by


def names_for_checkers() -> dict[str, str]:
    """Every name below `if TYPE_CHECKING:`, re-exported as `X as X`, with its module."""
    tree = ast.parse(Path(p2pchat.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        name.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if name.name == name.asname
    }


def test_checkers_and_the_interpreter_see_the_same_names() -> None:
    assert names_for_checkers() == p2pchat._HOMES


@pytest.mark.parametrize("name", sorted(names_for_checkers()))
def test_each_public_name_is_there(name: str) -> None:
    found = getattr(p2pchat, name)
    assert found.__module__ == names_for_checkers()[name]
    assert found.__name__ == name
    assert name in dir(p2pchat)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sesion'"):
        _ = p2pchat.Sesion  # type: ignore[attr-defined]  # that it is an error here is half of the test


def test_the_front_door_loads_nothing() -> None:
    assert modules_loaded_by("import p2pchat") & {"trio", "msgspec", "cryptography", "typer"} == set()


def test_the_package_runs_as_the_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["p2pchat", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("p2pchat", run_name="__main__")
    assert end.value.code == 0
    assert capfd.readouterr().out == f"p2pchat {p2pchat.__version__}\n"
