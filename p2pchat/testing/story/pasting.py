"""A story as Python: a test that plays it, to be pasted into a file of tests, so that what was found stays found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from p2pchat.testing.world import play

if TYPE_CHECKING:
    from p2pchat.testing.story.scenario import Scenario

INDENT: Final = "    "
WIDTH: Final = 110  # columns of a line, as far as it can be cut


def as_test(scenario: Scenario, *, why: str) -> str:
    """Return the text of a test that plays `scenario`; `why` becomes its docstring."""
    modules: dict[str, set[str]] = {play.__module__: {play.__name__}}
    for kind in _classes(scenario):
        modules.setdefault(kind.__module__, set()).add(kind.__name__)
    imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())]
    quoted = why.replace("\\", r"\\").replace('"""', "'''")
    value = as_python(scenario, indent=INDENT)
    return "\n".join(
        [
            *imports,
            "",
            "",
            f"def test_the_story_of_seed_{scenario.seed}() -> None:",
            f'{INDENT}"""{quoted}"""',
            f"{INDENT}play({value})",
        ]
    )


def as_python(value: object, *, indent: str = "") -> str:
    """Return the expression that makes `value`: what is as always is left out, each item of a tuple has its line.

    Args:
      value: dataclasses, enumerations, tuples, numbers and text, however nested.
      indent: of the line in which it stands.
    """
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, tuple):
        inner = indent + INDENT
        items = "".join(f"\n{inner}{as_python(item, indent=inner)}," for item in value)
        return f"({items}\n{indent})" if value else "()"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _as_call(value, indent) if is_dataclass(value) else repr(value)


def _as_call(value: object, indent: str) -> str:
    """Return what makes a dataclass, on one line if it fits."""
    name, inner = type(value).__name__, indent + INDENT
    line = f"{name}({', '.join(f'{field}={as_python(each, indent=indent)}' for field, each in _said(value))})"
    if len(indent) + len(line) <= WIDTH and "\n" not in line:
        return line
    items = "".join(f"\n{inner}{field}={as_python(each, indent=inner)}," for field, each in _said(value))
    return f"{name}({items}\n{indent})"


def _said(value: object) -> Iterator[tuple[str, object]]:
    """Yield the fields of a dataclass that are not as always, with their values."""
    for field in fields(value):  # type: ignore[arg-type]  # whoever calls has looked
        each = getattr(value, field.name)
        if field.default is MISSING or each != field.default:
            yield field.name, each


def _classes(value: object) -> Iterator[type]:
    """Yield the classes that have to be imported to make `value`."""
    if isinstance(value, tuple):
        for item in value:
            yield from _classes(item)
    elif isinstance(value, Enum):
        yield type(value)
    elif is_dataclass(value):
        yield type(value)
        for _, each in _said(value):
            yield from _classes(each)
