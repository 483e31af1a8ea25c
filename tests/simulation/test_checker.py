"""The judge of the simulated world: each promise that is broken is told, by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.testing.judges.checker import Broken, Fate, Line, check_acknowledged, check_survived
from p2pchat.testing.judges.watch import Standing, steps

HERE = Standing(pair=1, gen=2, epoch=b"mine", base=5, next=9, handed=8, peer_epoch=b"theirs", peer_seen=7, waiting=4)
KEY = (b"me", b"you")


def line_of(*fates: Fate) -> Line:
    line = Line("a>b")
    for fate in fates:
        line.ask(50).fate = fate
    return line


def hear(line: Line, *numbers: int) -> None:
    for number in numbers:
        line.hear(line.said[number - 1].text)


YES, ASKED, NO, GONE = Fate.ACCEPTED, Fate.ASKED, Fate.REFUSED, Fate.WITHDRAWN


def test_what_should_arrive_may_arrive() -> None:
    line = line_of(YES, ASKED, ASKED, NO, GONE, YES)
    hear(line, 1, 3)
    assert not line.finished()
    hear(line, 6)
    assert line.finished()


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: hear(line_of(YES), 1, 1), "DUPLICATED: a>b 1"),
        (lambda: hear(line_of(ASKED, ASKED), 2, 1), "REORDERED: a>b 1 after 2"),
        (lambda: hear(line_of(YES, YES), 2), "GAP: a>b 1 is missing where 2 has arrived"),
        (lambda: hear(line_of(NO), 1), "REFUSED and heard: a>b 1"),
        (lambda: hear(line_of(GONE), 1), "WITHDRAWN and heard: a>b 1"),
        (lambda: line_of(YES).hear("a>b 2 what"), "INVENTED: a>b heard"),
        (lambda: line_of(YES).hear("nonsense"), "INVENTED: a>b heard"),
        (lambda: line_of(YES).hear("a>b 1 0"), "TORN: a>b 1: 7 characters instead of 50"),
    ],
    ids=["twice", "reordered", "gap", "refused", "withdrawn", "unknown", "nonsense", "torn"],
)
def test_a_broken_promise_is_told(broken: Callable[[], None], complaint: str) -> None:
    with pytest.raises(Broken, match=complaint):
        broken()


def test_two_processes_have_an_order_each() -> None:
    line = Line("a>b")
    for voice in (0, 1, 0):
        line.ask(30, voice=voice).fate = YES
    hear(line, 1, 3, 2)
    assert line.finished()


def test_what_is_said_at_the_same_time_has_no_order() -> None:
    line = Line("a>b")
    for voice in (0, None, None, 0):
        line.ask(30, voice=voice).fate = YES
    hear(line, 3, 1, 4, 2)
    assert line.finished()


def test_what_expires_may_be_missing() -> None:
    line = line_of(YES, YES)
    line.said[0].may_expire = True
    hear(line, 2)
    assert line.finished()


def test_an_old_backup_of_the_sender_forgets() -> None:
    line = line_of(YES, YES, GONE)
    line.said[0].id, line.said[1].id = b"1", b"2"
    line.sender_went_back([b"1"])
    hear(line, 1, 3)
    assert line.finished()


def test_an_old_backup_of_the_receiver_hears_again_what_is_still_queued() -> None:
    line = line_of(YES, YES, YES)
    for said in line.said:
        said.id = b"%d" % said.number
    hear(line, 1, 2)
    assert line.receiver_went_back([line.said[0].text], queued=[b"3"]) == 1
    hear(line, 3)
    assert line.finished()


def test_numbers_of_a_store_only_rise() -> None:
    check_survived("alice", {KEY: HERE}, {KEY: replace(HERE, next=10, peer_seen=8)})
    check_survived("alice", {KEY: HERE}, {KEY: replace(HERE, epoch=b"new", next=1)})
    for lower in (replace(HERE, gen=1), replace(HERE, base=4), replace(HERE, handed=7), replace(HERE, peer_seen=6)):
        with pytest.raises(Broken, match="LOST COMMIT: alice"):
            check_survived("alice", {KEY: HERE}, {KEY: lower})
    with pytest.raises(Broken, match="has forgotten that it ever met a peer"):
        check_survived("alice", {KEY: HERE}, {})


def test_only_what_is_on_the_other_disk_may_be_dropped() -> None:
    check_acknowledged("a>b", HERE, {b"mine": 4})
    with pytest.raises(Broken, match="ACKNOWLEDGED TOO MUCH: a>b: up to entry 4, and 3 are on the disk there"):
        check_acknowledged("a>b", HERE, {b"mine": 3, b"older": 9})


def test_the_steps_of_a_transaction_are_told_by_what_they_change() -> None:
    before = {KEY: HERE}
    assert steps(before, before) == set()
    assert steps(before, {KEY: replace(HERE, next=10, handed=9)}) == {"enqueue", "hand"}
    assert steps(before, {KEY: replace(HERE, base=6)}) == {"acked"}
    assert steps(before, {KEY: replace(HERE, peer_seen=8, gen=3)}) == {"receive", "claim"}
    assert steps(before, {KEY: replace(HERE, peer_epoch=b"new", peer_seen=1)}) == {"receive"}
    assert steps(before, {KEY: replace(HERE, epoch=b"new", base=1)}) == {"renumber"}
    assert steps({}, {KEY: HERE}) >= {"claim", "enqueue"}


def test_what_was_withdrawn_may_come_back_late_with_a_backup() -> None:
    line = line_of(GONE, YES)
    hear(line, 2)
    line.sender_went_back([])
    hear(line, 1)
    with pytest.raises(Broken, match="DUPLICATED"):
        hear(line, 1)
