"""How fast p2pchat is, side by side with bare Trio and bare sockets in the same run: `nox -s bench`.

How to read the numbers:

* Every contender runs as two processes on this machine, one that listens and one that dials. Each process measures its
  own CPU (user and system) from the first message to the last; imports and handshakes are not in it, but in `setup`
  they are what is measured.
* Contenders take turns, A B C A B C …, so what else the machine does hits them all. Shown is the median.
* Trust CPU first: other work on the machine makes the wall clock useless long before it changes CPU. Compare inside a
  table, never across tables or runs.
* `speed` is how fast a contender is if the first one is 1.00, made round by round: by the CPU of both sides together,
  and by the time for one message. (For round trips that is the median one, so a busy machine harms it less.)

The contenders are not equals: the bare ones move bytes, in the clear, to whoever answers. p2pchat encrypts, pads,
proves identities and delivers exactly once, every message acknowledged; *on the disk* it also keeps it on both sides,
and acknowledges after the commit. The ratio says what all that costs.

    python -m tests.benchmarks                      # everything, a minute or two
    python -m tests.benchmarks stream tcp -r 9      # one table, more rounds
    python -m tests.benchmarks history              # a page of, and a search in, a million messages
    python -m tests.benchmarks attack               # what strangers cost who do their worst, while friends chat
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tests.benchmarks import attack, commands, past, race, tables


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks that were asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="See the module's docstring.")
    parser.add_argument("only", nargs="*", help="names of benchmarks, and of transports: tcp, unix")
    parser.add_argument("-r", "--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    parser.add_argument("-s", "--scale", type=float, default=1.0, help="factor on the number of messages")
    arguments = parser.parse_args(argv)
    only = set(arguments.only)

    for benchmark in race.BENCHMARKS:
        for scheme in ("tcp", "unix"):
            if only <= {benchmark.name, scheme}:
                count = max(1, round(benchmark.count * arguments.scale))
                results = race.run(benchmark, scheme, count=count, rounds=arguments.rounds)
                print(tables.of_race(benchmark, scheme, count, results), end="\n\n", flush=True)
    if only <= {"commands"}:
        print(tables.of_commands(commands.run(rounds=arguments.rounds)), end="\n\n", flush=True)
    if only <= {"history"}:
        count = max(1, round(past.MESSAGES * arguments.scale))
        print(tables.of_past(past.run(count, rounds=arguments.rounds), count), end="\n\n", flush=True)
    if only <= {"attack"}:
        print(tables.of_attacks(attack.run(seconds=attack.SECONDS * arguments.scale)), flush=True)


if __name__ == "__main__":
    main()
