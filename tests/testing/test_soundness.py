"""How checks are run: each is bounded, none disturbs another, and whatever comes out of one is a row."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trio

from p2pchat.errors import StoreError
from p2pchat.testing.soundness import finding as soundness
from p2pchat.testing.soundness.finding import (
    REPORT,
    Check,
    Finding,
    NotHere,
    Subject,
    Unsound,
    Verdict,
    examine,
    examine_one,
)
from tests.support.soundness import subject_in


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return subject_in(tmp_path)


def one(check: Check, subject: Subject) -> tuple[Verdict, str, str]:
    found = trio.run(examine_one, check, subject)
    assert found.name == check.name
    return found.verdict, found.what, found.cure


@pytest.mark.parametrize(
    ("error", "row"),
    [
        (Unsound("it leaks", cure="mend it"), (Verdict.FAILED, "it leaks", "mend it")),
        (StoreError("no disk", hint="buy one"), (Verdict.FAILED, "no disk", "buy one")),
        (StoreError("no disk"), (Verdict.FAILED, "no disk", "look there")),
        (NotHere("no sea"), (Verdict.SKIPPED, "no sea", "")),
        (AssertionError("a promise"), (Verdict.FAILED, "a promise", "look there")),
        (trio.TooSlowError(), (Verdict.FAILED, "something took too long, and was given up", "look there")),
        (KeyError("x"), (Verdict.FAILED, "KeyError: 'x'", "look there")),
        (
            ExceptionGroup("", [KeyError("x"), ExceptionGroup("", [Unsound("it leaks", cure="mend it")])]),
            (Verdict.FAILED, "it leaks", "mend it"),
        ),
    ],
    ids=["unsound", "ours", "without a hint", "skipped", "promise", "slow", "bug", "group"],
)
def test_whatever_comes_out_is_a_row(subject: Subject, error: Exception, row: tuple[Verdict, str, str]) -> None:
    def fail(subject: Subject) -> str:
        raise error

    async def fail_later(subject: Subject) -> str:
        await trio.lowlevel.checkpoint()
        raise error

    for attempt in (fail, fail_later):
        assert one(Check(name="sea", attempt=attempt, cure="look there"), subject) == row


def test_a_cure_is_never_missing() -> None:
    assert Check(name="x", attempt=lambda _: "fine").cure == REPORT


def test_what_waits_for_ever_is_given_up_and_tidies(subject: Subject) -> None:
    tidied = threading.Event()

    async def wait(subject: Subject) -> str:
        try:
            await trio.sleep_forever()
        finally:
            tidied.set()
        raise AssertionError

    row = one(Check(name="x", attempt=wait, patience=0.02), subject)
    assert row == (Verdict.FAILED, "no answer within 0.02 seconds", REPORT)
    assert tidied.is_set()


@pytest.mark.parametrize("is_async", [False, True])
def test_what_never_gives_the_processor_back_is_left_behind(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, *, is_async: bool
) -> None:
    monkeypatch.setattr(soundness, "GRACE", 0.02)
    end = threading.Event()

    def hang(subject: Subject) -> str:
        end.wait(60)
        return "at last"

    async def hang_a_loop(subject: Subject) -> str:
        return hang(subject)  # as somebody else's transport may

    try:
        row = one(Check(name="x", attempt=hang_a_loop if is_async else hang, patience=0.02), subject)
        assert row == (Verdict.FAILED, "no answer within 0.02 seconds", REPORT)
    finally:
        end.set()


def test_rows_are_told_in_their_order_and_those_that_run_alone_do(subject: Subject) -> None:
    running: set[str] = set()
    seen: dict[str, set[str]] = {}
    both = threading.Barrier(2)

    def attempt(name: str, *, meets: bool) -> Check:
        def run(subject: Subject) -> str:
            seen[name] = set(running)
            running.add(name)
            if meets:
                both.wait(10)
            running.discard(name)
            return name

        return Check(name=name, attempt=run, alone=not meets)

    checks = [attempt("a", meets=True), attempt("b", meets=False), attempt("c", meets=True)]
    rows: list[Finding] = []
    found = trio.run(examine, checks, subject, rows.append)
    assert [row.what for row in rows] == ["a", "b", "c"]
    assert rows == found
    assert seen["b"] == set()


async def test_who_is_cancelled_lets_checks_tidy(subject: Subject) -> None:
    begun, tidied = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    async def wait(subject: Subject) -> str:
        token.run_sync_soon(begun.set)
        try:
            await trio.sleep_forever()
        finally:
            tidied.set()
        raise AssertionError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(examine, [Check(name="x", attempt=wait)], subject, lambda _: None)
        await begun.wait()
        nursery.cancel_scope.cancel()
    assert tidied.is_set()
