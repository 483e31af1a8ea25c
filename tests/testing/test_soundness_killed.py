"""The row about a killed program turns red when its disk forgets, when it does not run, when things are said twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from p2pchat.testing.soundness import killed as soundness_killed
from p2pchat.testing.soundness.finding import Subject, Unsound
from p2pchat.testing.soundness.meeting import Heard
from p2pchat.wire.messages import Text
from tests.support.logbook import BOB, open_logbook
from tests.support.soundness import red, subject_in, told

#: Python imports this when the killed program begins: its store is removed while it is open.
FORGETFUL = """
import p2pchat.store.store as store

init = store.Store.__init__


def open_and_remove(self, writer, reader, **how):
    init(self, writer, reader, **how)
    for name in ("", "-wal", "-shm"):
        writer.path.with_name(writer.path.name + name).unlink(missing_ok=True)


store.Store.__init__ = open_and_remove
"""


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setattr(soundness_killed, "TALK", 60)
    monkeypatch.setattr(soundness_killed, "MIDDLE", 10)
    return subject_in(tmp_path)


@pytest.mark.slow
def test_a_killed_program_loses_nothing_here(subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It imports what is installed, not what lies around; nothing of the user's is touched."""
    (tmp_path / "p2pchat.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert "once and in order" in told("kill and resume", subject)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p2pchat.py", "scratch"]


@pytest.mark.slow
def test_a_disk_that_forgets(subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(FORGETFUL)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(soundness_killed, "REST", 1.0)
    what, cure = red("kill and resume", subject)
    assert "the killed program had a" in what  # accepted, or acknowledged: whichever is missed first
    assert cure == soundness_killed.CURE


@pytest.mark.parametrize(
    ("came", "says"),
    [
        (["0", "1", "1"], "doubled, out of order, or not at all"),
        (["0", "2", "1"], "doubled, out of order, or not at all"),
        (["0", "2"], "doubled, out of order, or not at all"),
        (["0", "1"], "had accepted 3 messages, and 2 came"),
    ],
)
def test_what_was_accepted_and_came_otherwise(came: list[str], says: str) -> None:
    with pytest.raises(Unsound, match=says):
        soundness_killed._judge_what_was_said(Heard(texts=came), accepted=3)


def test_what_was_acknowledged_and_is_there_twice(subject: Subject, tmp_path: Path) -> None:
    with open_logbook(tmp_path) as book:
        for number in (*range(60), 59):
            book.hear(BOB, Text(str(number)))
    with pytest.raises(Unsound, match="acknowledged 60 messages, and 60 are there, in 61 rows"):
        soundness_killed._judge_what_is_kept(subject, tmp_path)


def test_a_program_that_does_not_run(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    what, cure = red("kill and resume", subject)
    assert what == "the program ended before it should: exit code 1"
    assert "by hand" in cure
