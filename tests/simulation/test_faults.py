"""Each trouble does what it says, and the simulated world lives through it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from p2pchat.testing.lanes import Pace
from p2pchat.testing.story import faults, hardships, mix
from p2pchat.testing.story.flood import MANNERS
from p2pchat.testing.story.hardships import (
    ClockJump,
    CloseWindow,
    Deaf,
    DiskErrors,
    Freeze,
    Knocking,
    NoDescriptors,
    PartOneWay,
    SlowReader,
)
from p2pchat.testing.story.scenario import KINDS, MAX_PEERS, Profile, Say, Scenario, draw, name_of, overlapping
from p2pchat.testing.world import Report, play
from tests.support.unmeasured import unmeasured

PACE = Pace(latency=0.01)
SAYS = tuple(Say(float(at), who, 1 - who) for at in range(1, 20) for who in range(2))


def played(*troubles: faults.Fault, profile: Profile = Profile(pace=PACE), says: tuple[Say, ...] = SAYS) -> Report:  # noqa: B008
    with unmeasured():
        return play(Scenario(1, profile, says, troubles))


def accepted_at(report: Report, line: str = "alice>bob") -> list[float]:
    return [
        time for time, who, *what in report.trace if isinstance(time, float) and [who, *what[:1]] == [line, "accepted"]
    ]


def heard_at(report: Report, line: str = "alice>bob") -> list[float]:
    return [
        time for time, who, *what in report.trace if isinstance(time, float) and [who, *what[:1]] == [line, "heard"]
    ]


def longest_pause(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


# ---- clocks


def test_clocks_that_jump_change_nothing_that_happens() -> None:
    """Order, retries, links: the same to the microsecond, whatever the wall clocks say (they are for people only)."""
    troubles = (faults.Reset(3.0, 0, 1), faults.Part(6.0, 0, 1, 4.0), faults.Crash(12.0, 1, None, 1.0))
    jumps = [(2.5, 0, -7200.0), (4.0, 1, 1e8), (7.0, 1, -1.7e9), (12.0, 1, -2e8), (14.0, 0, 1e6)]

    def with_clocks(share: float) -> Report:
        set_clocks = [ClockJump(at, who, seconds * share) for at, who, seconds in jumps]
        everything: list[faults.Fault] = [*troubles, *set_clocks]
        return played(*sorted(everything, key=lambda fault: fault.at))

    jumped = with_clocks(1.0)
    assert jumped.marks["a clock jumps backwards"] == 3
    assert jumped.trace == with_clocks(0.0).trace


def test_a_clock_before_1970_stops_no_conversation() -> None:
    """Both dial at once, one is beyond what can be sent as a time; found by `--seed 3 --faults jump=4`."""
    report = played(ClockJump(0.0, 0, -3e9), faults.Crash(5.5, 0, None, 0.0), faults.Reset(9.0, 0, 1))
    assert len(heard_at(report)) == len(accepted_at(report)) >= 18


def test_a_message_expires_by_the_clock_of_who_says_it_alone() -> None:
    says = (Say(1.0, 0, 1), Say(4.0, 0, 1, expires_after=60.0), Say(5.0, 0, 1))
    away = faults.Crash(3.0, 1, None, 5.0)
    assert played(away, ClockJump(4.5, 1, 1e6), says=says).marks["expired"] == 0
    assert played(away, ClockJump(4.5, 0, -1e6), says=says).marks["expired"] == 0
    late = played(away, ClockJump(4.5, 0, 1e6), says=says)
    assert late.marks["expired"] == 1
    assert len(heard_at(late)) == 2


# ---- descriptors and disks


def test_without_descriptors_nobody_dials_is_let_in_or_starts() -> None:
    report = played(NoDescriptors(4.2, 1, 5.0), faults.Reset(4.25, 0, 1), faults.Crash(6.0, 1, None, 0.0))
    assert report.marks["no descriptor is left"] >= 3
    assert longest_pause(heard_at(report)) > 4.5
    assert not [at for at in accepted_at(report, "bob>alice") if 6.0 < at < 9.2]  # its database cannot be opened


@pytest.mark.parametrize("good", range(9))
def test_an_error_of_the_disk_at_any_operation_refuses_what_it_hits_and_no_more(good: int) -> None:
    report = played(DiskErrors(4.5, 0, good, 1, 5.0), says=SAYS[:16])
    assert report.marks["the disk errs"] == 1
    assert report.accounts.lost == 0


def test_a_disk_that_errs_for_long_is_left_alone_until_it_works() -> None:
    report = played(DiskErrors(4.5, 0, 2, 1000, 4.0))
    assert report.marks["refused"] >= 2
    assert heard_at(report)[-1] > 18


# ---- machines and people


def test_who_is_frozen_does_nothing_and_goes_on_afterwards() -> None:
    report = played(Freeze(5.5, 1, 6.0, sleeps=True))
    bob = [time for time, who, *_ in report.trace if who == "bob" and isinstance(time, float)]
    assert not [at for at in accepted_at(report, "bob>alice") if 5.6 < at < 11.5]
    assert not [at for at in heard_at(report) if 5.6 < at < 11.5]
    assert max(bob) > 12
    assert report.marks["frozen"] == 1


def test_who_accepts_nothing_is_reached_afterwards() -> None:
    report = played(Deaf(5.4, 1, 4.0), faults.Reset(5.45, 0, 1))
    assert not [at for at in heard_at(report) if 5.5 < at < 9.4]
    assert longest_pause(heard_at(report)) > 4


def test_who_reads_slowly_keeps_nobody_from_talking_and_is_shown_everything() -> None:
    says = tuple(Say(2.0 + number / 2, who, 1 - who) for number in range(20) for who in range(2))
    report = played(SlowReader(1.0, 1, 3.0, 10.0), says=says)
    shown = [time for time, *what in report.trace if what == ["bob", "MessagesReceived"]]
    assert longest_pause([time for time in shown if isinstance(time, float)]) >= 3
    assert longest_pause(heard_at(report)) < 1
    assert longest_pause(accepted_at(report, "bob>alice")) < 1


def test_a_partition_of_one_direction_stops_that_direction() -> None:
    report = played(PartOneWay(5.5, 0, 1, 6.0))
    assert not [at for at in heard_at(report) if 5.6 < at < 11.5]
    assert [at for at in heard_at(report, "bob>alice") if 5.6 < at < 11.5]


@pytest.mark.parametrize("manner", MANNERS)
def test_honest_talk_goes_on_beside_a_flood_of_strangers(manner: str) -> None:
    machines, at_once = (1, 6) if manner == "handshakes" else (3, 12)
    knocking = Knocking(5.5, 1, manner, machines, at_once, 4.0)  # type: ignore[arg-type]  # one of the manners
    report = played(knocking)
    assert report.marks[f"strangers: {manner}"] == 1
    assert longest_pause(heard_at(report)) < 1.5


@pytest.mark.parametrize("orderly", [True, False])
def test_a_window_closes_and_comes_back_while_the_others_go_on(orderly: bool) -> None:  # noqa: FBT001
    profile = Profile(pace=PACE, everybody_dials=True, doubles=2, doubled=1)
    says = tuple(Say(at + 0.1 * window, 1, 0, process=window) for at in range(1, 12) for window in range(3))
    closing = [CloseWindow(3.0 + 2 * seat, 1, seat, orderly, 1.0) for seat in range(3)]
    report = played(*closing, profile=profile, says=says)
    assert report.marks["a window closes"] == 3
    assert [what[0] for _, who, *what in report.trace if who == "bob"].count("starts") == 6
    assert longest_pause(accepted_at(report, "bob>alice")) < 1


# ---- stories


def test_every_kind_of_trouble_can_be_asked_for_by_number() -> None:
    everything = draw(5, peers=3, kinds=dict.fromkeys(KINDS, 2))
    names = {type(fault) for fault in everything.faults}
    assert {
        value for value in vars(hardships).values() if isinstance(value, type) and hasattr(value, "strike")
    } <= names
    assert everything.again.startswith("--seed 5 --peers 3 --faults cut=2,")
    assert draw(5, kinds={}).faults == ()
    assert len(draw(5, kinds={"cut": 7}).faults) == 7
    with pytest.raises(KeyError):
        draw(5, kinds={"earthquake": 1})


def test_seeds_mix_their_troubles_in_different_proportions() -> None:
    mixes = [[type(fault).__name__ for fault in draw(seed).faults] for seed in range(40)]
    assert len({tuple(sorted(set(one))) for one in mixes}) > 20
    assert {name for one in mixes for name in one} >= {"Cut", "ClockJump", "Freeze", "NoDescriptors", "PartOneWay"}


def test_twenty_peers_have_names_and_a_longer_story_has_more_in_it() -> None:
    assert len({name_of(number) for number in range(MAX_PEERS)}) == MAX_PEERS
    long = draw(3, peers=MAX_PEERS, minutes=10)
    assert long.profile.peers == MAX_PEERS
    assert {say.who for say in long.says} == set(range(MAX_PEERS))
    assert 300 < max(say.at for say in long.says) <= 601
    assert len(long.faults) > 20
    assert long.again == "--seed 3 --peers 20 --minutes 10"


def test_links_overlap_where_they_should() -> None:
    with unmeasured():
        report = play(overlapping(2))
    assert report.marks["links overlap"] > 3
    assert report.marks["dials crossed"] > 0


def test_a_backup_is_restored_twice() -> None:
    troubles = (faults.BackUp(4.5, 0), faults.Restore(9.5, 0), faults.Restore(14.5, 0), faults.Crash(16.0, 1, None, 0))
    report = played(*troubles)
    assert report.marks["backup restored"] == 2
    assert report.marks["rollback detected"] > 0


# ---- without apsw

WITHOUT = """
import sys
sys.modules["apsw"] = None
from p2pchat.testing import simdisk
from p2pchat.testing.story import mix
from p2pchat.testing.story.scenario import draw
from p2pchat.testing.world import play
report = play(draw(2, kinds={"kill": 2, "power": 2, "point": 2, "full": 1, "cut": 1}))
marks = report.marks
print(simdisk.HAS_POWER, "power" in mix.WEIGHTS, marks["power lost"], marks["disk full"], marks["killed"] > 1)
print(report.said > 3)
"""


def test_without_apsw_processes_die_and_machines_do_not() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, check=False)
    assert run.stdout.split() == [b"False", b"False", b"0", b"0", b"True", b"True"], run.stderr.decode()


def test_with_apsw_all_kinds_are_there() -> None:
    assert {"power", "full", "errors"} <= mix.WEIGHTS.keys()
    assert replace(draw(1), again="").without(fault=0).faults == draw(1).faults[1:]
