"""What the pages say of the code is so: every name, number, section and test."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from p2pchat.node.events import State
from p2pchat.protocol.limits import Limits
from p2pchat.ui import marks
from p2pchat.wire import frames, messages, padding
from tests.benchmarks import attackers
from tests.benchmarks.attack import FILLING

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
SOURCES = sorted(path for folder in ("p2pchat", "tests") for path in (ROOT / folder).rglob("*.py"))
UNITS = {"": 1, "s": 1, "bytes": 1, "KiB": 1024, "MiB": 2**20}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


PROTOCOL, SECURITY, ARCHITECTURE = page("protocol.md"), page("security.md"), page("architecture.md")
DELIVERY, ATTACKS = page("explanation/delivery.md"), page("explanation/attacks.md")


def section(text: str, heading: str) -> str:
    """Return what stands under the heading that begins with `heading`, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    _, found, rest = f"\n{text}".partition(f"\n{heading}")
    assert found, heading
    return re.split(rf"\n#{{2,{len(level)}}} ", rest, maxsplit=1)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in `text`, without heads and rules."""
    tables = re.findall(r"(?m)(?:^\|.*\|\n)+", f"{text}\n")
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def number(text: str) -> float:
    """Return the value at the beginning of a cell: ``64``, ``10 s, ±20 %``, ``1 MiB``."""
    found = re.match(r"([\d.]+) ?(s|bytes|KiB|MiB)?\b", text)
    assert found, text
    return float(found[1]) * UNITS[found[2] or ""]


def value_of(name: str) -> float:
    """Return the constant that ``module:NAME`` or ``module:Limits.field`` names."""
    module, _, path = name.partition(":")
    owner: Any = importlib.import_module(module)
    first, _, rest = path.partition(".")
    value = getattr(owner, first)
    return float(getattr(value(), rest) if rest else value)


# ---- names of code and of tests


@cache
def defined(path: str) -> frozenset[str]:
    """Return what the module at `path` defines: `name`, `Class` and `Class.name`."""
    names = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        names |= set(_names(node))
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for child in node.body for name in _names(child)}
    return frozenset(names)


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_named_code_exists(path: Path) -> None:
    named = re.findall(r"(p2pchat/[\w/]+\.py):([\w.]+)", path.read_text(encoding="utf-8"))
    assert [f"{path}:{name}" for path, name in named if name.rstrip(".") not in defined(path)] == []


def test_the_picture_of_tasks_names_methods_that_exist() -> None:
    (picture,) = re.findall(r"(?s)```text\ntrio\.run.*?```", ARCHITECTURE)
    everything = {name for path in (ROOT / "p2pchat").rglob("*.py") for name in defined(str(path.relative_to(ROOT)))}
    assert set(re.findall(r"\b[A-Z]\w+\.\w+", picture)) <= everything


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_named_tests_exist(path: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text(encoding="utf-8"))
    assert [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in defined(path)] == []


def test_every_threat_has_a_test() -> None:
    held = rows(section(SECURITY, "## What holds, and what holds it"))
    assert held
    assert [threat for threat, _, tests in held if "::test_" not in tests] == []


def test_every_attack_has_a_test() -> None:
    tried = rows(ATTACKS.split("## Somebody on the wire", maxsplit=1)[1])
    assert len(tried) > 30
    assert [what for what, _, tests in tried if "::test_" not in tests] == []


def test_all_attacks_that_are_made_are_measured() -> None:
    measured = [cells[0] for cells in rows(section(SECURITY, "## Measured under attack"))]
    assert measured == ["peace", *(attack.title for attack in attackers.ATTACKS.values()), FILLING]


# ---- delivery.md


def test_every_state_is_explained_with_its_sign() -> None:
    explained = {cells[0]: cells[1] for cells in rows(section(DELIVERY, "## Five states")) if cells[0]}
    signs = {state: getattr(marks.UNICODE, state.value) for state in State}
    assert explained == {f"**{state.value}**": f"`{sign}`" for state, sign in signs.items()}


def test_whatever_dies_has_a_test() -> None:
    dies = rows(section(DELIVERY, "## What may die meanwhile"))
    assert dies
    assert [what for what, _, tests in dies if "::test_" not in tests] == []


# ---- architecture.md


def test_the_picture_of_layers_is_the_import_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract, *_ = project["tool"]["importlinter"]["contracts"]
    (picture,) = re.findall(r"(?s)```text\n(.*?)```", section(ARCHITECTURE, "## Layers"))
    drawn = [{line.split()[0], *re.findall(r"  (store|wire) ", line)} for line in picture.splitlines()]
    assert drawn == [set(re.findall(r"\w+", row)) for row in contract["layers"]]


def test_every_row_of_where_is_names_a_file() -> None:
    where = rows(section(ARCHITECTURE, "## Where is"))
    assert len(where) >= 20
    assert [what for what, files in where if "`" not in files] == []


# ---- protocol.md: sections, frames, kinds


def test_every_section_that_the_code_cites_exists() -> None:
    headings = set(re.findall(r"(?m)^#{2,3} (?:Appendix )?(\d+(?:\.\d)?|[AB])[. :]", PROTOCOL))
    cited = {
        (str(path.relative_to(ROOT)), number)
        for path in SOURCES
        for where in re.findall(r"docs/protocol\.md`*,? ([^;\n]*)", path.read_text(encoding="utf-8"))
        for number in re.findall(r"(?<=appendix )[A-Z]|\b\d+(?:\.\d)?\b", where)
    }
    assert headings >= {*map(str, range(11)), "A", "B"}
    assert len(cited) > 50
    assert {(path, number) for path, number in cited if number not in headings} == set()


def test_the_table_of_frames_is_that_of_the_code() -> None:
    described = {
        int(kind, 16): (name, re.findall(r"`(\w+)`", cells))
        for kind, name, cells, _ in rows(section(PROTOCOL, "### 3.1 "))
        if name
    }
    coded = {
        struct.TYPE: (re.sub(r"\B(?=[A-Z])", "_", struct.__name__).upper(), list(struct.__struct_fields__))
        for struct in vars(frames).values()
        if hasattr(struct, "TYPE")
    }
    assert described == coded


def test_the_layout_of_an_entry_is_that_of_the_code() -> None:
    (layout,) = re.findall(r"entry = \[(.*?)\]", PROTOCOL)
    assert [part.split()[0] for part in layout.split(", ")] == list(frames.Entry.__struct_fields__)


def test_the_table_of_kinds_is_that_of_the_code() -> None:
    table = [row for row in rows(section(PROTOCOL, "### 3.3 ")) if row[1]]
    assert {row[1]: int(row[0]) for row in table} == {kind.name: int(kind) for kind in messages.Kind}
    bodies = {int(row[0]): re.findall(r"(?:\[|, )(\w+) ", row[2]) for row in table}
    assert {kind: bodies[kind] for kind in messages._TYPES} == {
        kind: list(struct.__struct_fields__) for kind, struct in messages._TYPES.items()
    }


def test_bounds_of_the_format_are_those_of_the_code() -> None:
    named = {name: int(value) for name, value in re.findall(r"(MAX_\w+) = (\d+)", section(PROTOCOL, "### 3.4 "))}
    assert named == {"MAX_BODY": frames.MAX_BODY, "MAX_TEXT": messages.MAX_TEXT}
    assert "MAX_ASSEMBLED = MAX_TEXT + 256" in PROTOCOL
    assert messages.MAX_TEXT + 256 == messages.MAX_ASSEMBLED
    assert f"{padding.MAX_PLAINTEXT} bytes: whole frames" in PROTOCOL
    assert "64 + len(conv) + len(body)" in PROTOCOL
    assert frames.ENTRY_OVERHEAD == 64
    assert f"costs sum to {frames.MAX_BATCH_COST}" in PROTOCOL.replace("\n  ", " ")


# ---- limits


def test_timers_and_limits_of_the_protocol_are_those_of_the_code() -> None:
    named = [row for heading in ("### 4.3 ", "### 4.4 ") for row in rows(section(PROTOCOL, heading)) if row[-1]]
    described = {row[-1].strip("`"): number(row[1]) for row in named}
    assert len(described) == len(named)
    assert described == {field.name: getattr(Limits(), field.name) for field in fields(Limits)}


def test_limits_of_the_security_page_are_those_of_the_code() -> None:
    limits = rows(section(SECURITY, "## Limits"))
    assert limits
    described = {constant.strip("`"): number(bound) for _, bound, constant in limits}
    assert described == {name: value_of(name) for name in described}
