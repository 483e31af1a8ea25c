"""Each row about the machine turns red when that very thing is out of order, and is skipped where it is not there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from p2pchat.crypto import kem
from p2pchat.env import Env, Net, system_env
from p2pchat.errors import ConfigurationError
from p2pchat.testing.soundness import machine
from p2pchat.testing.soundness.finding import NotHere, Subject
from tests.support.soundness import red, skipped, subject_in, told


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return subject_in(tmp_path)


def world(subject: Subject, **changes: Callable[..., object]) -> Subject:
    """The same subject in a world that is out of order."""

    def make_env(net: Net) -> Env:
        return replace(system_env(net), **changes)  # type: ignore[arg-type]  # each is what the field is

    return replace(subject, make_env=make_env)


@pytest.mark.parametrize("name", ["libraries", "clocks", "entropy", "room", "scheduler", "power loss"])
def test_here_all_is_well(subject: Subject, name: str) -> None:
    assert told(name, subject)


def test_the_versions_are_told(subject: Subject) -> None:
    what = told("libraries", subject)
    assert f"SQLite {sqlite3.sqlite_version}" in what
    assert f"cryptography {metadata.version('cryptography')}" in what


@pytest.mark.parametrize("installed", ["0.1", ""])
def test_an_old_or_absent_library(subject: Subject, monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    versions = metadata.version

    def version(name: str) -> str:
        if name != "trio":
            return versions(name)
        if not installed:
            raise metadata.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(metadata, "version", version)
    what, cure = red("libraries", subject)
    assert what.startswith("trio 0.30 or newer is needed")
    assert cure == "pip install -U trio"


def test_a_cryptography_without_ml_kem(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mlkem", None)
    monkeypatch.delattr("cryptography.hazmat.primitives.asymmetric.mlkem", raising=False)
    with pytest.raises(ConfigurationError):
        kem.require()
    what, cure = red("libraries", subject)
    assert "has no ML-KEM-768" in what
    assert "pip install" in cure


def test_an_old_sqlite(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    what, cure = red("libraries", subject)
    assert "SQLite 3.37 or newer is needed" in what
    assert "newer SQLite" in cure


def test_sources_that_nobody_installed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert told("libraries", subject)


def test_a_clock_that_stands_still(subject: Subject) -> None:
    what, cure = red("clocks", world(subject, clock=lambda: 7.0))
    assert "went by 0 seconds" in what
    assert "virtual machine" in cure


def test_a_clock_that_was_never_set(subject: Subject) -> None:
    what, cure = red("clocks", world(subject, wall=lambda: 3600.0))
    assert "before this p2pchat was made" in what
    assert "timedatectl" in cure


def test_dice_that_are_loaded(subject: Subject) -> None:
    what, cure = red("entropy", world(subject, urandom=bytes))
    assert "repeat themselves" in what
    assert "make no key" in cure


def test_a_disk_that_is_nearly_full(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=2**30, free=2**20))
    what, cure = red("room", subject)
    assert "1.0 MiB left" in what
    assert "history delete" in cure


def test_what_is_on_no_disk_has_no_room_to_judge(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=0, free=0))
    with pytest.raises(NotHere, match="is on no disk"):
        machine.room(subject)


def test_a_disk_that_takes_no_more_files(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = {"f_frsize": 4096, "f_blocks": 2**30, "f_bfree": 2**29, "f_bavail": 2**29}
    monkeypatch.setattr(os, "statvfs", lambda place: SimpleNamespace(f_files=1000, f_favail=0, **blocks))
    what, _ = red("room", subject)
    assert "no more files" in what


def test_a_trio_that_has_moved_its_hook(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio._core._run", SimpleNamespace())
    what, cure = red("scheduler", subject)
    assert "has moved the names" in what
    assert "simulate" in cure


def test_the_extra_is_not_installed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apsw", None)
    assert "pip install p2pchat-trio[simulate]" in skipped("power loss", subject)


def test_the_extra_does_not_load(subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "apsw.py").write_text("raise ImportError('built for another Python')")
    monkeypatch.delitem(sys.modules, "apsw", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    what, cure = red("power loss", subject)
    assert "built for another Python" in what
    assert "reinstall" in cure
    sys.modules.pop("apsw", None)
