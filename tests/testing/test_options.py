"""What can be asked of the simulated world is what comes, and says how to ask for it again."""

from __future__ import annotations

import math
import shlex
from collections import Counter

import pytest

from p2pchat.errors import BadData
from p2pchat.testing.story import faults, options
from p2pchat.testing.story.options import PROFILES, STORIES, SWARM, Options, counts, story
from p2pchat.testing.story.scenario import MAX_PEERS


def kinds(scenario_faults: tuple[faults.Fault, ...]) -> Counter[str]:
    return Counter(type(fault).__name__ for fault in scenario_faults)


def test_so_many_faults_of_each_kind() -> None:
    drawn = story(7, Options(faults="cut=3,slow=2"))
    assert kinds(drawn.faults) == {"Cut": 3, "SlowDisk": 2}
    assert story(7, Options(faults="none")).faults == ()


def test_the_seed_decides_where_nothing_is_asked_for() -> None:
    assert {story(seed, Options()).profile.peers for seed in range(40)} == {2, 3}
    assert {len(story(seed, Options()).faults) for seed in range(10)} != {0}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_lasts_as_long_as_its_story(name: str) -> None:
    short, long = (story(3, Options(faults=name, minutes=minutes)) for minutes in (1, 3))
    assert bool(PROFILES[name]) == bool(short.faults)
    assert len(long.faults) >= 2 * len(short.faults)
    assert all(fault.at <= 70 for fault in short.faults)


@pytest.mark.parametrize("peers", [2, 5, MAX_PEERS])
def test_there_are_as_many_peers_as_were_asked_for(peers: int) -> None:
    drawn = story(3, Options(peers=peers, minutes=2))
    assert drawn.profile.peers == peers
    assert {say.who for say in drawn.says} <= set(range(peers))


@pytest.mark.parametrize(
    "asked",
    [
        Options(),
        Options(peers=4, minutes=0.5, faults="cut=2"),
        Options(faults="network", minutes=2),
        Options(faults="at:after receive"),
        *(Options(faults=name) for name in STORIES),
    ],
)
def test_a_story_says_how_to_ask_for_it_again(asked: Options) -> None:
    words = dict(zip(*[iter(shlex.split(story(11, asked).again))] * 2, strict=True))
    assert int(words["--seed"]) == 11
    again = Options(
        peers=int(words["--peers"]) if "--peers" in words else None,
        minutes=float(words["--minutes"]) if "--minutes" in words else None,
        faults=words.get("--faults", SWARM),
    )
    assert again == asked
    assert story(11, again) == story(11, asked)


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"peers": 1}, "no world has 1 peers", "--peers takes 2 to 20"),
        ({"peers": 21}, "no world has 21 peers", "--peers takes 2 to 20"),
        ({"minutes": 0}, "no story lasts 0 minutes", "--minutes takes more than 0, up to 1440"),
        ({"minutes": math.nan}, "no story lasts nan minutes", "--minutes takes more than 0, up to 1440"),
        ({"faults": "netwrok"}, "no such faults: netwrok", "did you mean network?"),
        ({"faults": "xyzzy"}, "no such faults: xyzzy", "there is swarm, none, network"),
        ({"faults": ""}, "no such faults: ", "there is swarm, none, network"),
        ({"faults": "cot=1"}, "no such kind of fault: cot", "did you mean cut?"),
        ({"faults": "xyzzy=1"}, "no such kind of fault: xyzzy", "there is cut, reset"),
        ({"faults": "=1"}, "no such faults: =1", "there is swarm, none, network"),
        ({"faults": "nonsense"}, "no such faults: nonsense", "did you mean none? there is swarm, none, network"),
        ({"faults": "cut=1,kill=x"}, "not a number of faults: kill=x", "it takes 0 to 1000"),
        ({"faults": "cut=1001"}, "not a number of faults: cut=1001", "it takes 0 to 1000"),
        ({"faults": "cut=" + "9" * 5000}, "not a number of faults: cut=999", "it takes 0 to 1000"),
        ({"faults": "at:after recieve"}, "nobody can die 'after recieve'", "did you mean after receive?"),
        ({"faults": "at:"}, "nobody can die ''", "a point is one of before claim"),
        ({"faults": "haunted", "peers": 3}, "the story haunted has peers and times of its own", "leave out --peers"),
        ({"faults": "at:after claim", "minutes": 3}, "the story at:after claim has peers", "leave out --peers"),
    ],
)
def test_what_there_is_not_is_told(wrong: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(BadData) as caught:
        Options(**wrong)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)
    assert caught.value.hint.startswith(hint)


def test_without_another_sqlite_some_things_cannot_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "HAS_POWER", False)
    monkeypatch.setattr(options, "KINDS", ("cut",))
    for asked in ("power=1", "at:during receive"):
        with pytest.raises(BadData) as caught:
            Options(faults=asked)
        assert caught.value.hint == "that takes another SQLite: pip install 'p2pchat-trio[simulate]'"


def test_kinds_that_are_named_twice_are_added() -> None:
    assert counts("cut=1, kill=2 ,cut=3") == {"cut": 4, "kill": 2}
