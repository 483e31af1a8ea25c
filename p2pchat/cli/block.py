"""`p2pchat block`: let a peer in no more."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Let a peer in no more, not even to ask, and do not dial it. A conversation that runs ends within a second, in whichever
p2pchat of this profile. The other side learns that it was refused, as any stranger does.

What you know of the peer stays: its name, how you verified it, what was said. `p2pchat unblock` gives all of it back.

Example: p2pchat block mallory
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("block")
def block(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to keep out", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Write it down, and say what has changed."""
    from p2pchat.cli import blocking  # noqa: PLC0415  (a wrong option is answered without SQLite)

    return blocking.block(peer, common)
