"""The parts of the documents that the code writes: tables, diagrams and byte listings that nobody has to keep true.

``python -m tests.support.pages`` writes them anew, between these two lines of a page; `tests/test_docs_generated.py`
fails while one of them is stale::

    <!-- generated: NAME (python -m tests.support.pages) -->
    <!-- end of NAME -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.support import configuration, diagrams, handshake_values, listings, verbs_page

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
COMMAND: Final = "python -m tests.support.pages"

#: What is written, by the name that pages call it.
BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "states": diagrams.states_drawn,
    "handshake steps": diagrams.handshake_steps,
    "phases drawn": diagrams.phases_drawn,
    "phases": diagrams.phases_table,
    "close codes": diagrams.close_codes,
    "handshake bytes": listings.handshake,
    "handshake values": handshake_values.table,
    "records": listings.records,
    "logs": listings.logs,
    "padding": listings.padding,
    "parts": listings.parts,
    "pipes": listings.pipes,
    "people": listings.people,
    "voucher": listings.voucher,
    "options": configuration.options,
    "verbs": verbs_page.all_verbs,
    "topics": verbs_page.all_topics,
}

_BLOCK: Final = re.compile(r"(?s)<!-- generated: (?P<name>[\w ]+) \(.*?<!-- end of (?P=name) -->\n")


def pages() -> list[Path]:
    """Return the pages that have generated parts."""
    return [page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts and names(page)]


def names(page: Path) -> list[str]:
    """Return the names of the generated parts of `page`, in order."""
    return [found["name"] for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def renewed(page: Path) -> str:
    """Return the text of `page` with its generated parts as they should be."""
    return _BLOCK.sub(lambda found: _block(found["name"]), page.read_text(encoding="utf-8"))


def _block(name: str) -> str:
    return f"<!-- generated: {name} ({COMMAND}) -->\n\n{BLOCKS[name]()}\n\n<!-- end of {name} -->\n"


def main() -> None:
    """Write all of them."""
    for page in pages():
        page.write_text(renewed(page), encoding="utf-8")


if __name__ == "__main__":
    main()
