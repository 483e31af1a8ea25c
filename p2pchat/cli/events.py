"""`p2pchat events`: the log of everything that happened."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Show everything that happened, oldest first: messages that came, how far yours have come, connections that began and
ended. Nothing is changed by looking.

With --json each line has a cursor; --since CURSOR shows what came after it. --follow waits for more, until Ctrl-C or
until nobody reads.

Example: p2pchat events --json --follow --since 0000000000000042
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("events")
def events(
    *,
    since: Annotated[
        str, typer.Option("--since", metavar="CURSOR", help="begin after this place in the log", show_default=False)
    ] = "0",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="wait for more", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Print the log."""
    if not re.fullmatch("[0-9]{1,16}", since):
        raise typer.BadParameter(
            "a cursor is what `events --json` has printed, for example 0000000000000042", param_hint="'--since'"
        )
    from p2pchat.cli import logreader  # noqa: PLC0415  (a wrong option is answered without Trio)

    return logreader.show(common, after=int(since), follow=follow)
