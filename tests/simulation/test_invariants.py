"""The table of what must hold: everything that is judged has a name in it, and everything in it is judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import p2pchat.testing
from p2pchat.testing.judges.invariants import INVARIANTS
from p2pchat.testing.judges.marks import RARE, unseen

PACKAGE = Path(p2pchat.testing.__file__).parent
WORLD = [path for place in (".", "judges", "story") for path in sorted((PACKAGE / place).glob("*.py"))]
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in WORLD}
LOUD = re.compile(r'Broken\(\s*f?"([A-Z][A-Z ]+[A-Z])')


def test_all_that_is_judged_belongs_to_an_invariant() -> None:
    named = {re.split("[^A-Z ]", words)[0].strip() for one in INVARIANTS.values() for words in one.complaints}
    said = {words for source in SOURCES.values() for words in LOUD.findall(source)}
    fates = {"REFUSED", "WITHDRAWN"}  # of a message; said by `Line.hear` with the fate that it has
    indirect = {"CIPHERTEXT REPEATED", "SHARE REPEATED", "KNOWN WITHOUT CONSENT", "VERIFIED WITHOUT A CODE"}
    assert named == said | fates | indirect


@pytest.mark.parametrize("name", INVARIANTS)
def test_an_invariant_is_one_sentence_and_has_judges(name: str) -> None:
    invariant = INVARIANTS[name]
    assert invariant.means[0].isupper()
    assert invariant.means.endswith(".")
    assert set(invariant.judges) <= SOURCES.keys()
    assert invariant.complaints


def test_every_rare_thing_is_seen_somewhere_and_explained() -> None:
    marked = set(re.findall(r'mark\(\s*f?"([^"{]+)', " ".join(SOURCES.values())))
    marked |= {words for source in SOURCES.values() for words in re.findall(r'else "([^"]+)"\)', source)}
    marked |= set(re.findall(r'marks\["([^"]+)"\]', SOURCES["world"]))
    for mark, means in RARE.items():
        assert any(mark.startswith(one) for one in marked) or f'"{mark}" if' in " ".join(SOURCES.values()), mark
        assert means


def test_what_has_not_happened_is_told() -> None:
    assert unseen({"a": 2, "b": 0}, ("a", "b", "c")) == ["b", "c"]
    assert unseen({}) == list(RARE)
