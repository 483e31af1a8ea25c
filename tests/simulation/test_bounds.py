"""The bounds of the simulated world, and how long it may take to calm down: what is too much, or too late, is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import trio

from p2pchat.node.outgoing import Saying
from p2pchat.node.session import Session
from p2pchat.testing.judges import bounds
from p2pchat.testing.judges.accounts import Accounts
from p2pchat.testing.judges.bounds import Dials, tasks_below
from p2pchat.testing.judges.calm import time_to_calm_down
from p2pchat.testing.judges.checker import Broken
from p2pchat.testing.judges.wiretap import FILLER
from p2pchat.testing.lanes import Pace
from p2pchat.testing.simpeer import Peer
from p2pchat.testing.simprocess import Running
from p2pchat.testing.story.faults import Crash
from p2pchat.testing.story.scenario import Profile, Say, Scenario
from p2pchat.testing.world import World, play

QUIET = Profile(pace=Pace(latency=0.005))
STORY = Scenario(1, QUIET, (Say(1.0, 0, 1), Say(2.0, 1, 0, 3000)), ())

Plant = Callable[[pytest.MonkeyPatch], None]


def no_tasks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bounds, "TASKS", -bounds.TASKS)


def no_wires(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bounds, "WIRES_OF_A_PEER", 0)


def wires_that_are_left_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bounds, "QUIET_WIRES", 0)


def deaf_faces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Running, "_told", lambda self, event: None)


def lost_links(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Session, "connected", property(lambda self: False))


def talk_in_the_clear(patch: pytest.MonkeyPatch) -> None:
    told = World._overhear
    patch.setattr(World, "_overhear", lambda self, lane, data: told(self, lane, data + FILLER))


def writing_processes_that_nobody_knows(patch: pytest.MonkeyPatch) -> None:
    committed = Peer.committed
    patch.setattr(Peer, "committed", lambda self, connection, by=None: committed(self, connection, by=by and object()))


def test_nothing_is_too_much_where_nothing_is_planted() -> None:
    report = play(STORY)
    assert report.accounts == Accounts(asked=2, accepted=2, delivered=2)


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        (no_tasks, "TOO MUCH: .* tasks, and -?[0-9]+ are the limit"),
        (no_wires, "TOO MUCH: .* has 1 connections, and 0 are the limit"),
        (wires_that_are_left_over, "TOO MUCH: .* has 1 connections, and 0 are the limit"),
        (deaf_faces, "STUCK: .* nobody was told that bob>alice 1 was heard"),
        (lost_links, r"STUCK: .*alice and bob have 0 and 0 links over 1 connections"),
        (talk_in_the_clear, "IN THE CLEAR: a part of a message"),
        (writing_processes_that_nobody_knows, "NOT FENCED"),
    ],
)
def test_what_is_too_much_or_too_late_is_told(plant: Plant, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken, match=complaint):
        play(STORY)


def test_who_is_not_told_that_a_message_has_expired_complains(monkeypatch: pytest.MonkeyPatch) -> None:
    says = (Say(1.0, 0, 1), Say(5.0, 0, 1, expires_after=1.0))
    story = replace(STORY, says=says, faults=(Crash(4.0, 1, None, 20.0),))
    assert play(story).accounts == Accounts(asked=2, accepted=2, delivered=1, expired=1)
    told = Running._told
    monkeypatch.setattr(Running, "_told", lambda self, event: getattr(event, "failed", ()) or told(self, event))
    with pytest.raises(Broken, match=r"nobody was told that alice>bob 2 has expired"):
        play(story)


def test_time_to_calm_down_depends_on_the_world() -> None:
    def time(**changes: object) -> float:
        return time_to_calm_down(replace(STORY, profile=replace(QUIET, **changes)))  # type: ignore[arg-type]

    assert 60 < time() < time(patience=900.0)
    assert time(patience=900.0) == pytest.approx(time() + 810)
    assert time(guarded=True) == pytest.approx(time() + 60)
    assert time(pace=Pace(latency=0.005, bandwidth=1.0)) > time() + 3000
    assert time(disk=1.0) > time() + 4


def test_tasks_are_counted_with_those_below_them() -> None:
    async def sleep() -> None:
        await trio.sleep(9)

    async def main() -> int:
        assert tasks_below(None) == 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep)
            nursery.start_soon(sleep)
            found = tasks_below(trio.lowlevel.current_task())
            nursery.cancel_scope.cancel()
        return found

    assert trio.run(main) == 3


def test_who_dials_without_a_pause_is_told() -> None:
    calm, storm = Dials("ann", 1), Dials("bob", 1)
    for number in range(100):
        calm.note(number * 0.4)
    for number in range(30):
        storm.note(number * 0.3)
    with pytest.raises(Broken, match="TOO MUCH: bob has dialed 30 times in less than 10 seconds"):
        storm.note(9.0)


async def wait_for_ever(_: object = None) -> None:
    with trio.CancelScope(shield=True):
        while True:  # noqa: ASYNC110  (as a store does, whose beats go on)
            await trio.sleep(60)


def test_who_says_something_and_is_never_answered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Saying, "wait", wait_for_ever)
    with pytest.raises(Broken, match=r"^STUCK: .* have something to say"):
        play(STORY)


def test_who_cannot_be_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kill = Running.kill

    def leave_something(self: Running) -> None:
        kill(self)
        self.peer.world.start_soon(wait_for_ever)

    monkeypatch.setattr(Running, "kill", leave_something)
    with pytest.raises(Broken, match=r"^STUCK: who was killed does not end$"):
        play(STORY)
