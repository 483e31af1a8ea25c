"""`p2pchat simulate`: a whole network in this process, with everything that can go wrong in one."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Play a story in a simulated world: peers that run this very p2pchat, over a network that breaks, on disks that lose
power, in virtual time. Nothing real is touched. At the end it prints what happened, and whether all promises were kept:
nothing that was accepted is lost, doubled or reordered. The same seed is the same story, on every machine.

--faults says what goes wrong: swarm (a mix that the seed draws), none, network, crashes, disk, machines or people; so
many faults of each kind, as in cut=3,kill=1; or a story of its own: haunted (a backup meets old bytes), overlap (old
links and new ones), at:POINT (somebody dies there, as in 'at:after receive').

If a promise is broken, that is a bug of p2pchat: the exit code is 1, and one line plays it again, with --shrink a
shorter story, with --trace all that happens in it. Ctrl-C ends a long run with what is known so far.

Example: p2pchat simulate --runs 50
"""

app: options.Application = options.application()


@app.command(help=HELP, no_args_is_help=False)
@options.gathered("simulate")
def simulate(  # noqa: PLR0913  (one for each option)
    *,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, metavar="N", help="which story [one that is drawn]", show_default=False),
    ] = None,
    peers: Annotated[
        int | None,
        typer.Option("--peers", metavar="N", help="how many, 2 to 20 [the seed decides]", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes", metavar="M", help="virtual minutes of talk and trouble [the seed decides]", show_default=False
        ),
    ] = None,
    runs: Annotated[
        int,
        typer.Option("--runs", min=1, metavar="N", help="so many stories, of N seeds in a row [1]", show_default=False),
    ] = 1,
    faults: Annotated[
        str, typer.Option("--faults", metavar="WHAT", help="what goes wrong [swarm]", show_default=False)
    ] = "swarm",
    shrink: Annotated[
        bool,
        typer.Option("--shrink", help="look for a shorter story that breaks the same promise", show_default=False),
    ] = False,
    trace: Annotated[bool, typer.Option("--trace", help="tell everything that happens", show_default=False)] = False,
    check_determinism: Annotated[
        bool,
        typer.Option(
            "--check-determinism", help="play each story twice, and find the first difference", show_default=False
        ),
    ] = False,
    common: settings.Common,
) -> int:
    """Play what was asked for."""
    from p2pchat.cli import simulating  # noqa: PLC0415  (a wrong option is answered without a world)

    asked = simulating.Asked(
        seed=seed,
        runs=runs,
        peers=peers,
        minutes=minutes,
        faults=faults,
        shrink=shrink,
        trace=trace,
        twice=check_determinism,
    )
    return simulating.simulate(asked, common)
