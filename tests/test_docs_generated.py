"""The parts of the documents that the code writes are as it would write them today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import pages

PAGES = pages.pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_generated_parts_are_fresh(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == pages.renewed(page), f"stale: renew it with {pages.COMMAND}"


def test_every_part_is_in_one_page() -> None:
    assert sorted(name for page in PAGES for name in pages.names(page)) == sorted(pages.BLOCKS)


def test_no_marker_is_misspelt() -> None:
    """A block that is not found would never be renewed, and never be missed."""
    for page in pages.DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert text.count("<!-- generated: ") == text.count("<!-- end of ") == len(pages.names(page))
