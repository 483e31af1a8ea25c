"""Production code in the simulated world: nothing that was accepted is lost, doubled or reordered, whatever dies.

The stories are the same in every run; `nox -s simulate` plays thousands that nobody has seen before.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import islice, takewhile

import pytest

from p2pchat.testing import campaign
from p2pchat.testing.campaign import Campaign
from p2pchat.testing.judges.checker import Broken, Line
from p2pchat.testing.judges.watch import POINTS
from p2pchat.testing.story.scenario import aimed, draw, haunted, overlapping
from tests.support.unmeasured import unmeasured

PARTS = 10  # of the campaign: tests of a few seconds, so that a failure comes soon and a hang is found
STORIES = 8  # in each part
DEATHS = 6  # tries to die at each point: not every story comes to the one that it is aimed at
MORE = range(1000, 1040)  # seeds, for what is so rare that the others have not met it
HAUNTED = 8
OVERLAPPING = 8

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def total() -> Iterator[Campaign]:
    """What happened in all parts together."""
    gc.freeze()  # what the tests have loaded is no garbage, and need not be looked through after every story
    with unmeasured():
        yield Campaign()
    gc.unfreeze()


@pytest.mark.parametrize("part", range(PARTS))
def test_no_story_breaks_a_promise(part: int, total: Campaign) -> None:
    total.play_all(map(draw, range(part * STORIES, (part + 1) * STORIES)))
    assert total.broken == []


@pytest.mark.parametrize("point", POINTS)
def test_dying_at_each_point_breaks_no_promise(point: str, total: Campaign) -> None:
    total.play_all(takewhile(lambda _: not total.kills[point], (aimed(seed, point) for seed in range(DEATHS))))
    assert total.broken == []
    assert total.kills[point]


def test_what_was_said_before_a_backup_came_back_breaks_no_promise(total: Campaign) -> None:
    total.play_all(map(haunted, range(HAUNTED)))
    assert total.broken == []


def test_links_that_overlap_break_no_promise(total: Campaign) -> None:
    total.play_all(map(overlapping, range(OVERLAPPING)))
    assert total.broken == []


def test_everything_rare_has_happened(total: Campaign) -> None:
    """A campaign in which nobody ever died after a commit and before its ack has proved nothing about that."""
    if len(total.seeds) < PARTS * STORIES or not all(total.kills[point] for point in POINTS):
        pytest.skip("only a part of the campaign was asked for")
    total.play_all(takewhile(lambda _: total.never, map(draw, MORE)))
    assert total.broken == []
    assert total.never == [], total.table()


def test_the_sums_of_a_campaign_add_up(total: Campaign) -> None:
    assert not total.accounts.complaint
    assert total.accounts.asked >= total.said


def test_a_small_campaign_says_what_it_has_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["3", "--first", "2"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("3 stories of 3 seeds, ")
    assert "NEVER HAPPENED: a death before renumber" in told
    assert "held: exactly once, order" in told


def test_a_campaign_ends_when_its_time_is_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "TELLS", 0.0)
    assert campaign.main(["1000", "--first", "2", "--seconds", "0.1"]) == 1
    told = capsys.readouterr()
    assert int(told.out.split()[0]) < 10
    assert told.err.startswith("1 stories, ")


def test_stories_of_all_kinds_are_played_and_deaths_at_all_points() -> None:
    stories = list(islice(Campaign().endless(7), 2 * campaign.ROUND))
    assert len({(story.again, story.seed) for story in stories}) == len(stories)
    words = " ".join(story.again for story in stories)
    assert all(f"'at:{point}'" in words for point in POINTS)
    assert words.count("haunted") == 2 * campaign.HAUNTED
    assert words.count("overlap") == 2 * campaign.OVERLAPPING


def test_a_broken_promise_is_told_with_the_line_that_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Line, text: str) -> int:
        raise Broken("PLANTED: by this test")

    monkeypatch.setattr(Line, "hear", refuse)
    played = Campaign()
    played.play_all([draw(1), aimed(2, "after receive"), haunted(3)])
    again = "Broken: PLANTED: by this test: p2pchat simulate --seed"
    assert played.broken == [f"{again} 1", f"{again} 2 --faults 'at:after receive'", f"{again} 3 --faults haunted"]
    assert played.table().endswith(f"{again} 3 --faults haunted")
