"""One story again: `python -m p2pchat.testing.replay 7` prints it, plays it, and says how it ended.

`--trace` prints all that happens. `--shrink` leaves out of a story that breaks a promise whatever it breaks it without.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from p2pchat.testing.scenario import Scenario, aimed, draw, haunted
from p2pchat.testing.watch import POINTS
from p2pchat.testing.world import Tell, nobody, play


def main(arguments: Sequence[str]) -> int:
    """Play one story and return how the process is to end."""
    parser = argparse.ArgumentParser(prog="python -m p2pchat.testing.replay", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--point", choices=POINTS, metavar="POINT", help="the story in which somebody dies there")
    parser.add_argument("--haunted", action="store_true", help="the story of old bytes and a backup")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter story with the same end")
    options = parser.parse_args(arguments)
    scenario = haunted(options.seed) if options.haunted else draw(options.seed)
    if options.point:
        scenario = aimed(options.seed, options.point)
    if options.shrink:
        scenario = shrunk(scenario)
    for line in (scenario.profile, *scenario.faults, *scenario.says):
        sys.stdout.write(f"{line}\n")
    end = ending(scenario, tell=_print if options.trace else nobody)
    sys.stdout.write(f"{end or 'every promise was kept'}\n")
    return 1 if end else 0


def ending(scenario: Scenario, *, tell: Tell = nobody) -> str:
    """Return how a story ended badly; nothing, if it did not."""
    try:
        play(scenario, tell=tell)
    except Exception as exc:  # noqa: BLE001  (whatever it is, that is what somebody wants to see)
        return f"{type(exc).__name__}: {exc}"
    return ""


def shrunk(scenario: Scenario) -> Scenario:
    """Return a shorter story that ends as badly: by the same promise, or the same kind of error."""
    wanted = _kind(ending(scenario))
    if not wanted:
        return scenario
    shorter = True
    while shorter:
        shorter = False
        attempts = [scenario.without(fault=number) for number in range(len(scenario.faults))]
        attempts += [scenario.without(say=number) for number in range(len(scenario.says))]
        for attempt in attempts:
            if _kind(ending(attempt)) == wanted:
                scenario, shorter = attempt, True
                break
    return scenario


def _kind(end: str) -> str:
    """Return the promise that was broken, or the kind of error: what stands before the second colon."""
    return ":".join(end.split(":")[:2])


def _print(*what: object) -> None:
    sys.stdout.write(" ".join(map(str, what)) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
