"""Is the machine fit for it: libraries, Trio's scheduler, clocks, entropy, room on the disk."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
from importlib import metadata, util
from pathlib import Path
from typing import Final

import trio

import p2pchat
from p2pchat.crypto import kem
from p2pchat.testing import seeded
from p2pchat.testing.soundness.finding import NotHere, Subject, Unsound

DISTRIBUTION: Final = "p2pchat-trio"
OLDEST_SQLITE: Final = (3, 37)  # the first with STRICT tables
RELEASED: Final = 1_793_491_200  # 2026-11-01, Unix seconds: no clock that is right shows less
LITTLE: Final = 64 * 2**20  # bytes; with less the next long message, or a migration's copy, may not fit
MOMENT: Final = 0.02  # seconds that the clocks are watched for

_AT_LEAST: Final = re.compile(r"([\w-]+)\s*>=\s*([\d.]+)$")


def libraries(subject: Subject) -> str:
    """Check that what p2pchat stands on is there, new enough, and has what is needed of it."""
    del subject
    for name, oldest, installed in _required():
        if _numbers(installed) < _numbers(oldest):
            found = installed or "not installed"
            raise Unsound(f"{name} {oldest} or newer is needed, and here it is {found}", cure=f"pip install -U {name}")
    kem.require()
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise Unsound(
            f"SQLite {needed} or newer is needed, and this Python has {sqlite3.sqlite_version}",
            cure="use a Python that was built with a newer SQLite, for example one of python.org's or of uv's",
        )
    return (
        f"p2pchat {p2pchat.__version__} on Python {platform.python_version()}, Trio {trio.__version__}, "
        f"cryptography {metadata.version('cryptography')} with ML-KEM-768, SQLite {sqlite3.sqlite_version}"
    )


def scheduler(subject: Subject) -> str:
    """Check that `p2pchat simulate` can seed Trio's scheduler."""
    del subject
    try:
        seeded.check_hook()
    except RuntimeError as exc:
        raise Unsound(
            str(exc), cure="chats do not need it, `p2pchat simulate` does: install a Trio that p2pchat was tested with"
        ) from exc
    return f"Trio {trio.__version__} wakes tasks in an order that a seed repeats"


def power_loss(subject: Subject) -> str:
    """Check that the disk which `p2pchat simulate` takes the power from can be had."""
    del subject
    if util.find_spec("apsw") is None:
        raise NotHere(
            "`p2pchat simulate` loses no power: the extra is not installed (pip install p2pchat-trio[simulate])"
        )
    try:
        import apsw  # noqa: PLC0415  (an extra)
    except ImportError as exc:
        raise Unsound(f"apsw does not load: {exc}", cure="pip install --force-reinstall apsw") from exc
    return f"apsw {apsw.apsw_version()} is there: `p2pchat simulate` loses power, too"


async def clocks(subject: Subject) -> str:
    """Check that time goes on, and that the date can be right."""
    env = subject.env()
    began, date = env.clock(), env.wall()
    await trio.sleep(MOMENT)
    passed = env.clock() - began
    if passed <= 0:
        raise Unsound(
            f"the monotonic clock went by {passed:g} seconds while we slept",
            cure="restart the machine, or its virtual machine; no deadline works on a clock that stands still",
        )
    if date < RELEASED:
        raise Unsound(
            "the clock of this machine is behind: it shows a time before this p2pchat was made",
            cure="set it, for example with `timedatectl set-ntp true`; codes live too long and messages look old",
        )
    return "time goes on, and the date is after the release of this p2pchat"


def entropy(subject: Subject) -> str:
    """Check that keys are drawn from something; a machine without entropy hangs here."""
    draw = subject.env().urandom
    drawn = {draw(32) for _ in range(64)}
    if len(drawn) < 64 or len(set(b"".join(drawn))) < 200:  # of 2048 random bytes 256 - 0.1 values are expected
        raise Unsound(
            "the system's random numbers repeat themselves",
            cure="make no key on this machine; a virtual machine needs a random device (virtio-rng)",
        )
    return "the system draws random numbers, and they do not repeat"


def room(subject: Subject) -> str:
    """Check that the disk of the profile takes more."""
    place = existing(subject.profile.data)
    usage = shutil.disk_usage(place)
    if not usage.total:
        raise NotHere(f"{place} is on no disk")
    free = usage.free
    cure = f"make room on the disk of {place}; who has a lot to forget: `p2pchat history delete`"
    if free < LITTLE:
        raise Unsound(f"there are {free / 2**20:.1f} MiB left on the disk of the profile", cure=cure)
    status = os.statvfs(place)
    if status.f_files and not status.f_favail:
        raise Unsound("the disk of the profile can hold no more files (inodes)", cure=cure)
    return f"{free / 2**30:.1f} GiB are free on the disk of the profile"


def existing(place: Path) -> Path:
    """Return `place`, or the nearest directory above it that is there."""
    return next(one for one in (place, *place.parents) if one.is_dir())


def _required() -> list[tuple[str, str, str]]:
    """Return what the package says it needs, the oldest version that will do, and the one that is here."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run from a directory of sources
        return []
    needed = [found.groups() for line in lines if (found := _AT_LEAST.match(line))]
    return [(name, oldest, _version(name)) for name, oldest in needed]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
