"""Plays the stories that `p2pchat simulate` was asked for, and prints what happened in them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, final

from p2pchat.cli import say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.cli.halting import Halt
from p2pchat.cli.progress import Progress
from p2pchat.cli.simulated import Bad, Event, Result, Shorter
from p2pchat.env import system_env
from p2pchat.errors import BadData, P2PChatError
from p2pchat.testing import seeded
from p2pchat.testing.story import options
from p2pchat.testing.story.shrinking import Ending, ending, shrunk
from p2pchat.testing.story.telling import Teller
from p2pchat.transports.registry import Transports
from p2pchat.ui.json import lines

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.env import Env
    from p2pchat.testing.story.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of the command line."""

    seed: int | None = None  # None: one that is drawn
    runs: int = 1
    peers: int | None = None
    minutes: float | None = None
    faults: str = options.SWARM
    shrink: bool = False
    trace: bool = False
    twice: bool = False


def simulate(asked: Asked, common: Common) -> int:
    """Play it, print what happened, and return 0 if all promises were kept, and 1 if not.

    Raises:
      P2PChatError: if nothing can be printed.
    """
    try:
        wanted = options.Options(peers=asked.peers, minutes=asked.minutes, faults=asked.faults)
    except BadData as exc:
        return say.fatal(ExitCode.USAGE, str(exc), hint=exc.hint, as_json=common.json)
    try:
        seeded.check_hook()
    except RuntimeError as exc:
        return say.fatal(
            ExitCode.BUG,
            f"no simulation could be repeated: {exc}",
            hint="an older Trio may do: pip install 'trio<0.36'",
            as_json=common.json,
        )
    env = system_env(Transports())
    seed = int.from_bytes(env.urandom(4)) if asked.seed is None else asked.seed
    result = Result(seed=seed, runs=asked.runs, options=wanted)
    if not common.json:
        say.text("\n".join(result.head()))
    simulation = Simulation(asked, common, result, env)
    with simulation.halt.listening(), _nothing_to_collect():
        simulation.play()
    return simulation.close()


@final
class Simulation:
    """Stories in a row."""

    def __init__(self, asked: Asked, common: Common, result: Result, env: Env) -> None:
        self.halt: Halt = Halt()
        self._asked = asked
        self._json = common.json
        self._result = result
        self._is_told = asked.trace and not common.json
        self._progress = Progress(env.wall, is_wanted=not (common.quiet or self._is_told))
        self._now = 0.0  # virtual seconds in the story that is being played
        self._activity = ""

    def play(self) -> None:
        """Play them all, or until somebody ends it."""
        try:
            for seed in range(self._result.seed, self._result.seed + self._asked.runs):
                self._play_one(options.story(seed, self._result.options))
            self._shrink()
        except BaseException:
            if not self.halt:  # or else it is what became of `Halted` on its way through the world
                raise
        finally:
            self._progress.end()

    def close(self) -> int:
        """Print what happened, and return how the process is to end.

        Raises:
          P2PChatError: if nothing can be printed.
        """
        if self.halt.error is not None:
            raise self.halt.error
        result, is_whole = self._result, self._result.stories == self._asked.runs and not self.halt
        if self._json:
            say.text(lines.encode(result.json(is_whole=is_whole)))
        else:
            say.text("\n".join(result.text(is_whole=is_whole)))
        if self.halt.signal:
            return 128 + self.halt.signal
        return ExitCode.NO if result.bad else ExitCode.DONE

    # ---- one story

    def _play_one(self, scenario: Scenario) -> None:
        if self._is_told and self._asked.runs > 1:
            say.text(f"\nthe story of seed {scenario.seed}\n")
        end, trace = self._play_once(scenario, Teller(scenario) if self._is_told else None)
        self._result.stories += 1
        if end.report is not None:
            self._result.sums.add(end.report)
        else:
            self._result.bad.append(Bad(scenario=scenario, message=str(end)))
        if self._asked.trace and self._json:
            self._result.traces.append(trace)
        if self._asked.twice:
            difference = self._difference(scenario, end, trace)
            self._result.compared += 1
            if difference:
                self._result.bad.append(Bad(scenario=scenario, message=difference, is_repeatable=False))

    def _play_once(self, scenario: Scenario, teller: Teller | None = None) -> tuple[Ending, list[Event]]:
        trace: list[Event] = []

        def tell(time: float, who: str, *what: object) -> None:
            self._listen(time)
            trace.append((time, who, *what))
            if teller is not None:
                self._print(teller(time, who, *what))

        end = ending(scenario, tell=tell)
        self.halt.check()  # what came of it may look like a broken promise
        return end, trace

    def _difference(self, scenario: Scenario, end: Ending, trace: list[Event]) -> str:
        """Play a story once more, and return the first event that is another one."""
        again, trace_again = self._play_once(scenario)
        before, after = Teller(scenario), Teller(scenario)
        for number, (one, other) in enumerate(zip_longest(trace, trace_again)):
            told = [teller(*event) if event else "nothing" for teller, event in ((before, one), (after, other))]
            if one != other:
                first, second = (" ".join(line.split()) for line in told)
                return f"event {number} was “{first}”, and when it was played again “{second}”"
        return "" if str(end) == str(again) else f"it ended with “{end}”, and when it was played again with “{again}”"

    def _shrink(self) -> None:
        """Make the first story shorter that has broken a promise, of each promise."""
        seen: set[str] = set()
        other = {bad.scenario.seed for bad in self._result.bad if not bad.is_repeatable}  # each time another story
        for number, bad in enumerate(self._result.bad if self._asked.shrink else ()):
            kind = bad.message.partition(":")[0]
            if bad.scenario.seed not in other and kind not in seen:
                seen.add(kind)
                self._result.bad[number] = replace(bad, shorter=self._shorter(bad.scenario))

    def _shorter(self, scenario: Scenario) -> Shorter:
        count = 0

        def played(number: int) -> None:
            nonlocal count
            count = number

        def listen(time: float, *_: object) -> None:
            self._activity = f"seed {scenario.seed} made shorter, attempt {count + 1}: "
            self._listen(time)

        found = shrunk(scenario, tell=listen, played=played)
        end, _ = self._play_once(found)
        return Shorter(scenario=replace(found, again=""), message=str(end), played=count)

    # ---- what is heard of it

    def _listen(self, time: float) -> None:
        self.halt.check()
        self._now = time
        self._progress.tell(self._words)

    def _words(self) -> str:
        bad = f", {self._result.bad_stories} ended badly" if self._result.bad else ""
        return f"{self._activity}{self._result.stories} of {self._asked.runs} stories{bad}; second {self._now:.0f}"

    def _print(self, line: str) -> None:
        """Print a line of a story; if that fails, it ends the story, and is no error of those who live in it."""
        try:
            say.text(line)
        except P2PChatError as exc:
            self.halt.error = exc
            self.halt.check()


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Let what is loaded count as no garbage, so that it is not looked through after every story."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
