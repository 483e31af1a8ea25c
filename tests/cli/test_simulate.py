"""`p2pchat simulate`: stories that are told, summed up, found to be broken, played again and made shorter."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio._core._run as scheduler

import p2pchat
from p2pchat.cli import main, progress, simulated, simulating
from p2pchat.cli.progress import Progress
from p2pchat.testing.judges.checker import Broken, Line
from p2pchat.testing.story import options, shrinking
from p2pchat.testing.story.scenario import Scenario
from p2pchat.testing.world import Tell
from tests.support import contract
from tests.support.programs import MAIN

PAGE = Path(__file__).parent.parent.parent / "docs" / "howto" / "simulate.md"
TRANSCRIPTS = re.findall(r"(?ms)^<!-- simulated -->\n\n```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))

CALM = ("--faults", "none", "--minutes", "0.1")  # costs least
SHORT = ("--seed", "5", "--faults", "reset=2", "--minutes", "0.1")

pytestmark = pytest.mark.slow


def simulate(*words: str) -> int:
    return main.main(["simulate", *words])


def told(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug: whoever hears the second message of somebody has heard too much."""
    hear = Line.hear

    def refuse_the_second(self: Line, text: str) -> int:
        if " 2 " in text:
            raise Broken(f"PLANTED: {self.name} 2")
        return hear(self, text)

    monkeypatch.setattr(Line, "hear", refuse_the_second)


# ---- what happened


def test_it_ends_with_what_happened_and_what_held(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seed", "1") == 0
    first, *lines = told(capfd)
    assert first == f"p2pchat {p2pchat.__version__}: the story of seed 1"
    assert lines[-1] == "every promise was kept"
    rows = {line.partition(" ")[0] for line in lines}
    assert {"messages", "faults", "rare", "time", "held"} <= rows
    assert re.search(r"\d+ asked, .*\d+ delivered", "\n".join(lines))
    assert any(line.startswith("held       exactly once: ") for line in lines)
    assert max(map(len, [first, *lines])) <= 100


def test_without_a_seed_one_is_drawn_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(*CALM) == 0
    seeds = re.findall(r": the story of seed (\d+), with --minutes 0.1 --faults none$", told(capfd)[0])
    assert len(seeds) == 1
    assert simulate(*CALM) == 0
    assert seeds[0] not in told(capfd)[0].split()


def test_the_same_words_print_the_same_bytes_in_every_process() -> None:
    words = [*MAIN, "simulate", *SHORT, "--trace"]
    runs = [
        subprocess.Popen(
            words, env=os.environ | {"PYTHONHASHSEED": str(seed), "COLUMNS": columns}, stdout=subprocess.PIPE
        )
        for seed, columns in ((1, "40"), (2, "200"))
    ]
    one, other = (run.communicate()[0] for run in runs)
    assert one == other
    assert one.endswith(b"every promise was kept\n")


def test_a_story_is_told_in_lines(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--trace", "--seed", "1") == 0
    _, *lines = told(capfd)
    story = lines[: lines.index("")]
    assert [line for line in story if not re.fullmatch(r" *\d+\.\d{3}  (--|[a-z]+) +\S.*", line)] == []
    assert any("says message 1 to" in line for line in story)
    assert any("has message 1 of" in line for line in story)


def test_several_stories_are_told_one_after_the_other(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--trace", "--seed", "5", "--runs", "2", *CALM) == 0
    lines = told(capfd)
    assert "the stories of seeds 5 to 6, with --minutes 0.1 --faults none" in lines[0]
    assert [line for line in lines if line.startswith("the story of seed")] == [
        "the story of seed 5",
        "the story of seed 6",
    ]


def test_without_apsw_it_says_that_the_power_stays_on(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "HAS_POWER", False)
    assert simulate("--seed", "1", *CALM) == 0
    assert told(capfd)[1].startswith("power      stays on, and only processes die")


@pytest.mark.parametrize("number", [0, 1])
def test_what_the_page_shows_is_what_happens(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    command, *shown = TRANSCRIPTS[number].splitlines()
    assert simulate(*shlex.split(command.removeprefix("$ p2pchat simulate "))) == 0
    lines = iter(told(capfd))
    for line in shown:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        assert any(map(pattern.match, lines)), line


# ---- for programs


def test_one_object_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seed", "1", "--json", "--trace", "--check-determinism") == 0
    (result,) = contract.parse(capfd.readouterr().out.encode())
    assert (result["seed"], result["stories"], result["complete"]) == (1, 1, True)
    assert (result["broken"], result["deterministic"], result["differences"]) == ([], True, [])
    assert "exactly once" in result["held"]
    assert result["traces"][0][0][1:] == ["bob", "starts", 0]
    counts = result["messages"]
    assert counts["asked"] == counts["accepted"] + counts["refused"] + counts["unknown"]


@pytest.mark.usefixtures("planted")
def test_a_broken_promise_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(*SHORT, "--json", "--shrink") == 1
    (result,) = contract.parse(capfd.readouterr().out.encode())
    (broken,) = result["broken"]
    assert broken["again"] == "p2pchat simulate --seed 5 --minutes 0.1 --faults reset=2"
    assert broken["message"].startswith("PLANTED: ")
    assert broken["shorter"]["faults"] == 0
    assert broken["shorter"]["messages"] in {2, 3}
    assert (result["held"], result["deterministic"], result["traces"]) == ([], None, None)


# ---- broken promises


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("words", [["--seed", "1"], ["--seed", "2", "--faults", "at:after receive"]])
def test_one_line_plays_it_again(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(*words) == 1
    lines = told(capfd)
    (at,) = (number for number, line in enumerate(lines) if line.startswith("broken     "))
    assert re.fullmatch(rf"broken     seed {words[1]}: PLANTED: \w+>\w+ 2", lines[at])
    assert lines[-1] == "1 of 1 stories ended badly"
    program, verb, *again = shlex.split(lines[at + 1])
    assert (program, verb, again) == ("p2pchat", "simulate", words)
    assert simulate(*again) == 1
    assert told(capfd) == lines


@pytest.mark.usefixtures("planted")
def test_the_next_stories_are_played_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seed", "1", "--runs", "2", "--faults", "none") == 1
    lines = told(capfd)
    assert [line for line in lines if line.startswith("           p2pchat")] == [
        f"           p2pchat simulate --seed {seed} --faults none" for seed in (1, 2)
    ]
    assert lines[-1] == "2 of 2 stories ended badly"


@pytest.mark.usefixtures("planted")
def test_a_shorter_story_is_told_and_can_be_pasted(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate(*SHORT, "--shrink") == 1
    text = capfd.readouterr().out
    assert re.search(r"(?m)^shorter    0 of \d+ faults and [23] of \d+ messages break it as well", text)
    names: dict[str, object] = {}
    exec(text.partition("as a test:\n\n")[2].rpartition("\n\n")[0], names)
    test = names["test_the_story_of_seed_5"]
    assert callable(test)
    assert str(test.__doc__).startswith("PLANTED: ")
    with pytest.raises(Broken, match="PLANTED"):
        test()


# ---- the same story twice


def test_a_story_is_the_same_when_it_is_played_again(capfd: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seed", "1", "--check-determinism", *CALM) == 0
    assert "held       determinism: Each story was the same when it was played again." in told(capfd)


def test_the_first_difference_is_told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ending, count = shrinking.ending, 0

    def once_more(scenario: Scenario, *, tell: Tell) -> shrinking.Ending:
        nonlocal count
        count += 1

        def differently(time: float, who: str, *what: object) -> None:
            if count < 2 or "accepted" not in what:
                tell(time, who, *what)

        return ending(scenario, tell=differently)

    monkeypatch.setattr(simulating, "ending", once_more)
    assert simulate("--seed", "1", "--check-determinism", *CALM) == 1
    lines = told(capfd)
    (at,) = (number for number, line in enumerate(lines) if line.startswith("differs    seed 1: event "))
    assert "says message 1 to" in " ".join(lines[at : at + 3])
    assert "           p2pchat simulate --seed 1 --minutes 0.1 --faults none --check-determinism" in lines


def test_what_was_not_played_again_is_not_said_to_be_the_same(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, count = shrinking.ending, 0

    def interrupted(scenario: Scenario, *, tell: Tell) -> shrinking.Ending:
        nonlocal count
        count += 1
        if count % 2 == 0:
            signal.raise_signal(signal.SIGINT)
        return ending(scenario, tell=tell)

    monkeypatch.setattr(simulating, "ending", interrupted)
    assert simulate("--seed", "1", "--check-determinism", *CALM) == 130
    lines = told(capfd)
    assert lines[-1] == "ended early: every promise was kept"
    assert not any("determinism" in line for line in lines)
    assert simulate("--seed", "1", "--check-determinism", "--json", *CALM) == 130
    assert json.loads(capfd.readouterr().out)["deterministic"] is None


def test_a_story_that_is_broken_and_another_one_each_time_is_one_story(
    planted: None, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, count = shrinking.ending, 0

    def once_more(scenario: Scenario, *, tell: Tell) -> shrinking.Ending:
        nonlocal count
        count += 1
        tell(0.0, "healed", count)
        return ending(scenario, tell=tell)

    monkeypatch.setattr(simulating, "ending", once_more)
    assert simulate(*SHORT, "--check-determinism", "--shrink") == 1
    lines = told(capfd)
    assert lines[-1] == "1 of 1 stories ended badly"
    assert not any(line.startswith("shorter") for line in lines)


# ---- what ends it


@pytest.mark.parametrize("name", ["_r", "_ALLOW_DETERMINISTIC_SCHEDULING"])
def test_a_trio_that_cannot_be_seeded_is_refused(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(scheduler, name)
    assert simulate("--seed", "1") == 70
    out, err = capfd.readouterr()
    assert out == ""
    assert re.match(r"p2pchat: error: no simulation could be repeated: Trio [\d.]+ has moved the names", err)
    assert err.splitlines()[1].startswith("hint: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_is_known(
    number: signal.Signals, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = options.story

    def interrupt(seed: int, asked: options.Options) -> Scenario:
        if seed == 2:
            signal.raise_signal(number)
        return story(seed, asked)

    monkeypatch.setattr(options, "story", interrupt)
    before = signal.getsignal(number)
    assert simulate("--seed", "1", "--runs", "3", *CALM) == 128 + number
    assert told(capfd)[-1] == "ended after 1 of 3 stories: every promise was kept"
    assert signal.getsignal(number) == before
    monkeypatch.setattr(options, "story", lambda _, asked: interrupt(2, asked))
    assert simulate("--seed", "1", "--json") == 128 + number
    assert json.loads(capfd.readouterr().out)["complete"] is False


def test_a_reader_that_leaves_ends_it_at_once() -> None:
    words = [*MAIN, "simulate", "--seed", "1", "--runs", "100000", "--trace"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith(b"p2pchat ")
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 141


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--peers", "1"], "no world has 1 peers", "--peers takes 2 to 20"),
        (["--minutes", "0"], "no story lasts 0 minutes", "--minutes takes more than 0, up to 1440"),
        (["--faults", "cutt=1"], "no such kind of fault: cutt", "did you mean cut?"),
        (["--faults", "xyzzy"], "no such faults: xyzzy", "there is swarm, none, network, crashes, disk, machines,"),
        (["--runs", "0"], "invalid value for '--runs'", "`p2pchat simulate --help` shows what it takes"),
        (["--sede", "7"], "no such option: --sede", "`p2pchat simulate --help` shows what it takes"),
    ],
)
def test_wrong_words_are_told_what_there_is(
    words: Sequence[str], message: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert simulate(*words) == 2
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith(f"p2pchat: error: {message}")
    assert second.startswith(f"hint: {hint}")
    if words[0] not in {"--runs", "--sede"}:
        assert simulate(*words, "--json") == 2
        (line,) = contract.parse(capfd.readouterr().out.encode())
        assert (line["event"], line["code"]) == ("error", "usage")


# ---- on the way


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_at_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    clock = Clock()
    shown = Progress(clock, is_wanted=True)
    for now in (0.9, 1.0, 1.1, 1.2):
        clock.now = now
        shown.tell(lambda: f"at {clock.now}")
    shown.end()
    shown.end()
    assert capfd.readouterr().err == "\rp2pchat: at 1.0\x1b[K\rp2pchat: at 1.2\x1b[K\r\x1b[K"


def test_progress_elsewhere_is_a_line_now_and_then(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    shown, silent = Progress(clock, is_wanted=True), Progress(clock, is_wanted=False)
    for now in (9.0, 10.0, 19.0, 20.0):
        clock.now = now
        shown.tell(lambda: f"at {clock.now}")
        silent.tell(lambda: "never")
    shown.end()
    assert capfd.readouterr().err == "p2pchat: at 10.0\np2pchat: at 20.0\n"


def test_a_run_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "ELSEWHERE", 0.0)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    assert simulate("--seed", "1", *CALM) == 0
    lines = capfd.readouterr().err.splitlines()
    assert {re.sub(r"\d+$", "", line) for line in lines} == {"p2pchat: 0 of 1 stories; second "}
    assert simulate("--seed", "1", "-q", *CALM) == 0
    assert capfd.readouterr().err == ""
