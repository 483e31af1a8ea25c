"""What the front door of a package shows to type checkers."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType


def names_for_checkers(package: ModuleType) -> dict[str, str]:
    """Every name below `if TYPE_CHECKING:`, re-exported as `X as X`, with its module."""
    assert package.__file__
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        name.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if name.name == name.asname
    }
