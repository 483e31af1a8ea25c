"""The rules of the house that no linter knows. Each test lists every file that breaks its rule, and how."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

MAX_FILE = 400  # lines; raising one of these two takes a page in docs/adr
MAX_FUNCTION = 50  # lines, its docstring not counted: explaining is never punished

# What only p2pchat/env.py may touch. The lint rule TID251 says the same with better messages; this one has no `noqa`.
CLOCKS_AND_DICE = {"time", "random", "secrets", "asyncio"}
CALLS = {"os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "datetime.now", "datetime.utcnow"}
CALLS |= {"trio.current_time"}

LEFT_FOR_LATER = re.compile(r"#.*\b(TO[D]O|FIX[M]E|pragma[:] no)")


def read(*patterns: str) -> dict[str, str]:
    """Return the text of every file of this repository that matches, by its path from the root."""
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


PACKAGE = read("p2pchat/**/*.py")
SOURCES = PACKAGE | read("tests/**/*.py", "noxfile.py", "docs/conf.py")


@cache
def nodes_of(path: str) -> tuple[ast.AST, ...]:
    """Every node of a file."""
    return tuple(ast.walk(ast.parse(SOURCES[path])))


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
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def dotted(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def row_of(module: str, *, otherwise: int) -> int:
    """Return how deep the layer of `module` lies, 0 on top; `otherwise` for the front door and what is not ours."""
    contract, *_ = PYPROJECT["tool"]["importlinter"]["contracts"]
    rows = [re.findall(r"\w+", row) for row in contract["layers"]]
    ours, _, rest = module.partition(".")
    layer = rest.partition(".")[0] if ours == "p2pchat" else ""
    return next((row for row, layers in enumerate(rows) if layer in layers), otherwise)


def offenders(broken: dict[str, list[str]]) -> dict[str, list[str]]:
    return {path: how for path, how in broken.items() if how}


def test_files_stay_small() -> None:
    lengths = {path: len(text.splitlines()) for path, text in SOURCES.items()}
    assert {path: length for path, length in lengths.items() if length > MAX_FILE} == {}


def test_functions_stay_small() -> None:
    broken = {
        path: [
            f"{node.name}: {lines_of_code(node)} lines"
            for node in nodes_of(path)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of_code(node) > MAX_FUNCTION
        ]
        for path, text in SOURCES.items()
    }
    assert offenders(broken) == {}


def test_only_env_reads_clocks_and_dice() -> None:
    broken: dict[str, list[str]] = {}
    for path in PACKAGE:
        nodes = list(running(nodes_of(path)[0]))
        modules = {name.partition(".")[0] for name in imported(nodes)}
        broken[path] = sorted(modules & CLOCKS_AND_DICE | {*imported(nodes), *dotted(nodes)} & CALLS)
    env = broken.pop("p2pchat/env.py")
    assert env  # or this test looks at nothing
    assert broken.pop("p2pchat/ui/bridge.py") == ["asyncio"]
    assert offenders(broken) == {}


def test_imports_only_go_down() -> None:
    """What `lint-imports` proves for whole chains, said here for one import, at once."""
    broken: dict[str, list[str]] = {}
    for path in PACKAGE:
        here = row_of(path.removesuffix(".py").replace("/", "."), otherwise=-1)
        names = imported(nodes_of(path))
        broken[path] = [name for name in names if row_of(name, otherwise=99) < here]
    assert offenders(broken) == {}


def test_expected_failures_never_leave_a_task() -> None:
    """`except*` belongs to the command line, and no task lives outside a visible nursery."""
    stars = {path for path, text in PACKAGE.items() if re.search(r"^\s*except\*", text, re.MULTILINE)}
    assert {path for path in stars if not path.startswith("p2pchat/cli/")} == set()
    assert {path for path, text in PACKAGE.items() if "spawn_system_task" in text} == set()


def test_nothing_is_left_for_later() -> None:
    assert offenders({path: LEFT_FOR_LATER.findall(text) for path, text in SOURCES.items()}) == {}


def test_tests_are_no_package() -> None:
    """pytest imports them by path; an `__init__.py` would make two modules out of one."""
    assert list(ROOT.glob("tests/**/__init__.py")) == []
