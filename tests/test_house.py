"""The rules of the house that no linter knows: small files and one door to clocks and dice."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_FILE = 400  # lines; raising one of these two takes a page in docs/adr
MAX_FUNCTION = 50  # lines, its docstring not counted: explaining is never punished

PACKAGE = sorted(ROOT.glob("p2pchat/**/*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = [*PACKAGE, *sorted(ROOT.glob("tests/**/*.py")), ROOT / "noxfile.py", ROOT / "docs/conf.py"]

# What only p2pchat/env.py may touch. The lint rule TID251 says the same with better messages; this one has no `noqa`.
CLOCKS_AND_DICE = {"time", "random", "secrets", "asyncio"}
CALLS = {"os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "datetime.now", "datetime.utcnow"}
CALLS |= {"trio.current_time"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from running(node)


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
            yield node.module


def dotted(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_FILE
    long = {f.name: lines_of_code(f) for f in functions(ast.parse(text)) if lines_of_code(f) > MAX_FUNCTION}
    assert not long


@pytest.mark.parametrize("path", [path for path in PACKAGE if path.name != "env.py"], ids=relative)
def test_only_env_reads_clocks_and_dice(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {name.partition(".")[0] for name in imported(running(tree))}
    assert not modules & CLOCKS_AND_DICE
    assert not {*imported(running(tree)), *dotted(tree)} & CALLS


def row_of(module: str) -> int | None:
    """Return how deep the layer of `module` lies, 0 on top; None for the front door and other people's modules."""
    contract, *_ = PYPROJECT["tool"]["importlinter"]["contracts"]
    rows = [re.findall(r"\w+", row) for row in contract["layers"]]
    layer = module.removeprefix("p2pchat.").partition(".")[0]
    return next((row for row, layers in enumerate(rows) if module.startswith("p2pchat.") and layer in layers), None)


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_imports_only_go_down(path: Path) -> None:
    """What `lint-imports` proves for whole chains, said here for one import, at once and by file."""
    here = row_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if here is not None:
        names = imported(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert [name for name in names if (row := row_of(name)) is not None and row < here] == []


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_expected_failures_never_leave_a_task(path: Path) -> None:
    """`except*` belongs to the command line, and no task may live outside a visible nursery."""
    text = path.read_text(encoding="utf-8")
    assert "cli" in path.parts or not any(isinstance(node, ast.TryStar) for node in ast.walk(ast.parse(text)))
    assert "spawn_system_task" not in text


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nothing_is_left_for_later(path: Path) -> None:
    marks = re.compile(r"#.*\b(TO[D]O|FIX[M]E|pragma[:] no)")
    assert not marks.findall(path.read_text(encoding="utf-8"))


def test_tests_are_no_package() -> None:
    """pytest imports them by path; an `__init__.py` would make two modules out of one."""
    assert not list(ROOT.glob("tests/**/__init__.py"))
