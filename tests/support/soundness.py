"""A machine to look at, and one row of what is found there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import trio

from p2pchat.testing.soundness import checks as soundness_checks
from p2pchat.testing.soundness.finding import Check, Finding, Profile, Subject, Verdict, examine_one
from p2pchat.transports.registry import Transports


def subject_in(place: Path, **changes: Any) -> Subject:
    """Return what to look at: a profile in `place` that is not there yet, and an empty place to try things in."""
    scratch = place / "scratch"
    scratch.mkdir()
    data = place / "profile"
    profile = Profile(data=data, key=data / "identity.key", history=data / "history.db", log=place / "log")
    return replace(Subject(profile=profile, scratch=scratch, environ=os.environ), **changes)


def check_called(name: str) -> Check:
    return next(check for check in soundness_checks.checks(Transports()) if check.name == name)


def look(name: str, subject: Subject) -> Finding:
    """Return the row `name`."""
    return trio.run(examine_one, check_called(name), subject)


def told(name: str, subject: Subject) -> str:
    """Return what is told where all is well."""
    found = look(name, subject)
    assert (found.verdict, found.cure) == (Verdict.OK, ""), found
    return found.what


def red(name: str, subject: Subject) -> tuple[str, str]:
    """Return what is wrong, and the cure."""
    found = look(name, subject)
    assert found.verdict is Verdict.FAILED, found
    assert found.what
    assert found.cure
    return found.what, found.cure


def skipped(name: str, subject: Subject) -> str:
    """Return why there is nothing to try."""
    found = look(name, subject)
    assert (found.verdict, found.cure) == (Verdict.SKIPPED, ""), found
    return found.what
