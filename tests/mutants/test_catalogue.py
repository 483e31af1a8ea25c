"""The catalogue is kept: every patch still applies, and every test that is to notice it exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.catalogue import all_mutants
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parent.parent.parent
MUTANTS = all_mutants()


def named(mutant: Mutant) -> str:
    return mutant.name


def test_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_a_patch_applies_exactly_once(mutant: Mutant, tmp_path: Path) -> None:
    copy = tmp_path / mutant.path
    copy.parent.mkdir(parents=True)
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    mutant.apply(tmp_path)
    assert copy.read_text(encoding="utf-8") != text
    with pytest.raises(ValueError, match=re.escape(mutant.name)):
        Mutant(mutant.name, mutant.path, mutant.old * 9, "", ()).apply(tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_a_mutant_names_tests_that_exist(mutant: Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        function = name.partition("[")[0].rpartition("::")[2]
        assert re.search(rf"\b(def|class) {function}\b|^{function} =", (ROOT / path).read_text(encoding="utf-8"), re.M)
