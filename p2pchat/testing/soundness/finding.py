"""Is it sound here? What `p2pchat selftest` tries is a list of checks; this runs them, and bounds each.

A check gets a `Subject`, and returns one sentence about what it saw. It raises `Unsound`, or any other error, where
something is wrong, and `NotHere` where there is nothing to try. Each runs in a thread of its own, asynchronous ones in
a loop of their own there: one that hangs, even one that never gives the processor back, is a row in red and no more.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, cast, final

import outcome
import trio

from p2pchat.address import DEFAULT_PORT
from p2pchat.env import Env, Net, system_env
from p2pchat.errors import P2PChatError
from p2pchat.transports.registry import Transports

PATIENCE: Final = 10.0  # seconds for one check; on a machine with something else to do each takes milliseconds
GRACE: Final = 2.0  # seconds in which a check that was given up may tidy; a thread that still hangs is left behind
REPORT: Final = "please report it, with this table and what `p2pchat --version` says"


@final
class Unsound(P2PChatError):
    """Something is not as it has to be: one sentence, and as its hint the cure."""

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message, hint=cure)


@final
class NotHere(Exception):
    """There is nothing to try: an extra that is not installed, a network that this machine has not."""


class Verdict(StrEnum):
    """What came of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the table."""

    name: str
    verdict: Verdict
    what: str  # one sentence, lower case and without a full stop; not sanitised
    cure: str = ""  # what to do about it, where it failed
    seconds: float = 0.0  # that it took


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The files of one profile, which may not be there. Checks read them, and never write."""

    data: Path  # the directory
    key: Path
    history: Path
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at, and where things can be tried."""

    profile: Profile
    scratch: Path  # an empty directory, removed by whoever made it
    environ: Mapping[str, str]
    screen: int | None = None  # the descriptor of the terminal on which a person reads; None: there is none
    port: int = DEFAULT_PORT
    make_net: Callable[[], Transports] = Transports  # called once in each check: what is made belongs to a loop
    make_env: Callable[[Net], Env] = system_env

    def env(self) -> Env:
        """Return a world for one check."""
        return self.make_env(self.make_net())

    def room(self, name: str) -> Path:
        """Return a new directory for one check."""
        place = self.scratch / name
        place.mkdir(mode=0o700)
        return place


Attempt = Callable[[Subject], str] | Callable[[Subject], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is tried."""

    name: str
    attempt: Attempt  # a blocking function, or an asynchronous one
    cure: str = REPORT  # where the error itself knows none
    patience: float = PATIENCE  # seconds
    alone: bool = False  # while nothing else runs: it changes what all loops of this process share


@final
@dataclass(slots=True)
class _Attempt:
    """A check that runs in a thread, and can be told from outside to end."""

    check: Check
    subject: Subject
    result: outcome.Outcome[str] | None = None
    _scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    _token: trio.lowlevel.TrioToken | None = None

    def run(self) -> None:
        """Run it to its end; `result` has what came of it."""
        if inspect.iscoroutinefunction(self.check.attempt):
            self.result = outcome.capture(trio.run, self._in_a_loop)
        else:
            self.result = outcome.capture(cast("Callable[[Subject], str]", self.check.attempt), self.subject)

    def stop(self) -> None:
        """Cancel it, if it can be; does not wait."""
        if self._token is not None:
            try:
                self._token.run_sync_soon(self._scope.cancel)
            except trio.RunFinishedError:
                return

    async def _in_a_loop(self) -> str:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            return await cast("Callable[[Subject], Awaitable[str]]", self.check.attempt)(self.subject)
        raise trio.TooSlowError


async def examine(checks: Sequence[Check], subject: Subject, tell: Callable[[Finding], None]) -> list[Finding]:
    """Run all `checks`, many at once, and return what was found, in their order.

    Cancelled, it gives running checks `GRACE` seconds to tidy.

    Args:
      checks: what to try.
      subject: what is looked at.
      tell: called with each finding as soon as all before it were told.
    """
    found: dict[str, Finding] = {}
    told = 0

    async def run(check: Check) -> None:
        nonlocal told
        found[check.name] = await examine_one(check, subject)
        while told < len(checks) and checks[told].name in found:
            tell(found[checks[told].name])
            told += 1

    for check in checks:
        if check.alone:
            await run(check)
    async with trio.open_nursery() as nursery:
        for check in checks:
            if not check.alone:
                nursery.start_soon(run, check)
    return [found[check.name] for check in checks]


async def examine_one(check: Check, subject: Subject) -> Finding:
    """Run one check and return what came of it, whatever that is; cancellation as `examine`."""
    clock = subject.env().clock
    began = clock()
    attempt = _Attempt(check, subject)
    over, hold = trio.Event(), trio.CancelScope(shield=True)

    async def work() -> None:
        with hold:
            await trio.to_thread.run_sync(attempt.run, abandon_on_cancel=True)
        over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        try:
            with trio.move_on_after(check.patience):
                await over.wait()
        finally:
            in_time = over.is_set()
            attempt.stop()
            with trio.move_on_after(GRACE, shield=True):
                await over.wait()
            hold.cancel()
    seconds = round(clock() - began, 3)
    result = attempt.result if in_time else None
    finding = partial(Finding, name=check.name, seconds=seconds)
    match result:
        case outcome.Value(value=sentence):
            return finding(verdict=Verdict.OK, what=sentence)
        case outcome.Error(error=error):
            return _wrong(check, _first(error), finding)
    return finding(verdict=Verdict.FAILED, what=f"no answer within {check.patience:g} seconds", cure=check.cure)


def _wrong(check: Check, error: BaseException, finding: Callable[..., Finding]) -> Finding:
    match error:
        case NotHere():
            return finding(verdict=Verdict.SKIPPED, what=str(error))
        case P2PChatError():
            return finding(verdict=Verdict.FAILED, what=str(error), cure=error.hint or check.cure)
        case AssertionError():  # a promise of a transport that was broken
            return finding(verdict=Verdict.FAILED, what=str(error), cure=check.cure)
        case trio.TooSlowError():
            return finding(verdict=Verdict.FAILED, what="something took too long, and was given up", cure=check.cure)
    return finding(verdict=Verdict.FAILED, what=f"{type(error).__name__}: {error}", cure=check.cure)


def _first(error: BaseException) -> BaseException:
    """Return the error in a group of them that says most to a person."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_first(one) for one in error.exceptions]
    return next((one for one in leaves if isinstance(one, Unsound | NotHere)), leaves[0])
