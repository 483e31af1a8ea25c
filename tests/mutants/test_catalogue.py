"""The catalogue is kept: every patch still applies, and every test that is to notice it exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from p2pchat.testing.story.options import Options, story
from tests.mutants.catalogue import all_mutants
from tests.mutants.mutant import Mutant
from tests.mutants.unmet import reason

ROOT = Path(__file__).parent.parent.parent
MUTANTS = all_mutants()


def named(mutant: Mutant) -> str:
    return mutant.name


def test_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_a_patch_applies_exactly_once(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert mutant.patched(text) != text
    with pytest.raises(ValueError, match=re.escape(mutant.name)):
        mutant.patched(text.replace(mutant.old, ""))


def test_a_bug_is_there_while_it_is_planted_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "sums.py"
    path.write_text("a + b")
    with Mutant("sums: wrong", "sums.py", "+", "-", ()).planted(tmp_path):
        assert path.read_text() == "a - b"
    assert path.read_text() == "a + b"


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_the_world_is_asked_or_there_is_a_reason(mutant: Mutant) -> None:
    assert mutant.hunt or reason(mutant)


@pytest.mark.parametrize("kind", sorted({mutant.hunt for mutant in MUTANTS} - {""}))
def test_the_world_has_such_stories(kind: str) -> None:
    assert story(0, Options(faults=kind)).says


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_a_mutant_names_tests_that_exist(mutant: Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        function = name.partition("[")[0].rpartition("::")[2]
        assert re.search(rf"\b(def|class) {function}\b|^{function} =", (ROOT / path).read_text(encoding="utf-8"), re.M)
