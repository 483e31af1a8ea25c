"""What the documents show is true: their Python examples run, and the pages name only files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent.parent
FRAGMENTS = sorted((ROOT / "docs/changes").glob("*"))
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in ROOT.glob("docs/**/*.md") if "_build" not in path.parts),
]

SYBIL = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()], pattern="*.md", path=str(ROOT))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parse(path: Path) -> Document:
    return SYBIL.parse(path)


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_python_examples_run(path: Path) -> None:
    """Top to bottom, each page in a namespace of its own."""
    for example in parse(path).examples():
        example.evaluate()


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_named_files_exist(path: Path) -> None:
    """`p2pchat/…`, `tests/…` and `docs/…` in backticks are files or folders of this repository."""
    named = re.findall(r"`((?:p2pchat|tests|docs)/[\w./-]*)`", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_nobody_is_sent_to_a_stranger(path: Path) -> None:
    """The name `p2pchat` on PyPI is somebody else's; ours is `p2pchat-trio`."""
    assert not re.search(r"pipx? install (-\S+ )*p2pchat\b(?!-trio)", path.read_text(encoding="utf-8"))


def test_the_readme_shows_the_line_that_ci_runs() -> None:
    (line,) = re.findall(r"^  (python3 -m venv .*)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"```console\n{line}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_bot_of_the_readme_is_the_one_that_runs() -> None:
    blocks = [
        re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)[0]
        for page in ("README.md", "docs/howto/bot.md")
    ]
    assert blocks[0] == blocks[1]


@pytest.mark.parametrize("path", FRAGMENTS, ids=relative)
def test_change_fragments_are_named_for_the_changelog(path: Path) -> None:
    assert re.fullmatch(
        r"README\.md|(\d+|\+[\w-]+)\.(security|breaking|feature|bugfix|doc|misc)(\.\d+)?\.md", path.name
    )


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    """The harness itself: a page that lies fails."""
    page = tmp_path / "page.md"
    page.write_text("```python\nassert 1 + 1 == 3\n```\n", encoding="utf-8")
    (example,) = parse(page).examples()
    with pytest.raises(AssertionError):
        example.evaluate()
