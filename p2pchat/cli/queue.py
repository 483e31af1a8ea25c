"""`p2pchat queue`: what waits, and for whom."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Show your messages that were not acknowledged yet, oldest first: for whom, since when, how long they are. PEER is a name
of yours, an id or an address; without it, all that waits is shown. It goes out when any p2pchat of this profile meets
that peer.

Example: p2pchat queue
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("queue")
def queue(
    peer: Annotated[str | None, typer.Argument(metavar="PEER", help="whose messages", show_default=False)] = None,
    *,
    common: settings.Common,
) -> int:
    """Print it."""
    from p2pchat.cli import stored  # noqa: PLC0415  (a wrong option is answered without a database)

    return stored.queue(common, peer)
