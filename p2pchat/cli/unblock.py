"""`p2pchat unblock`: let a peer be what it was before it was blocked."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Let a peer be what it was before you blocked it: who came in without a question does so again, a stranger has to ask.

Example: p2pchat unblock mallory
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("unblock")
def unblock(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to keep out no more", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Write it down, and say what has changed."""
    from p2pchat.cli import blocking  # noqa: PLC0415  (a wrong option is answered without SQLite)

    return blocking.unblock(peer, common)
