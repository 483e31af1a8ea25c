"""The judge sees each kind of fault, or a day without any would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crash_life import Book, Line, text_of
from tests.support.crash_verdict import compare
from tests.support.programs import Home

SAID = ["ann1.1", "ann1.2", "ann2.1"]


def lines(*names: str) -> list[Line]:
    return [{"id": name, "text": text_of(name)} for name in names]


@pytest.mark.parametrize(
    ("kept", "came", "faults"),
    [
        (SAID, SAID, ""),
        (SAID, SAID[:2], "lost"),
        (SAID[:2], SAID[:2], "lost"),
        (SAID, [*SAID, SAID[2]], "doubled reordered"),
        (SAID, [SAID[1], SAID[0], SAID[2]], "reordered"),
        ([SAID[2], *SAID[:2]], SAID, "reordered"),
        (SAID, [*SAID, "ann2.2"], "ghosts"),
        ([*SAID, "ann2.3"], [*SAID, "ann2.3"], "ghosts"),
    ],
    ids=str,
)
def test_each_fault_is_seen(tmp_path: Path, kept: list[str], came: list[str], faults: str) -> None:
    ann, bob = (Book(Home(tmp_path / name), name) for name in ("ann", "bob"))
    ann.tried, ann.accepted, ann.refused = [*SAID, "ann2.2", "ann2.3"], SAID, ["ann2.3"]
    verdict = compare(ann, bob, lines(*kept), lines(*came))
    assert set(verdict.faults) == set(faults.split())
    assert verdict.undecided == 1


def test_what_is_not_whole_or_shown_twice_is_seen(tmp_path: Path) -> None:
    ann, bob = (Book(Home(tmp_path / name), name) for name in ("ann", "bob"))
    ann.tried = ann.accepted = SAID
    bob.heard = [[text_of(SAID[0]), text_of(SAID[0])], [text_of(SAID[1]) + "?"]]
    assert compare(ann, bob, lines(*SAID), lines(*SAID)).faults == {"doubled": 1, "reordered": 1, "torn": 1}
