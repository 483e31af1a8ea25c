"""`p2pchat why`: the story of one message."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Tell what became of one message: when it was composed, stored, sent on which link, acknowledged and read; or why not.
ID is what `p2pchat events`, `queue` or `history` shows, or the beginning of it, if no other message begins so.

Example: p2pchat why 019ab0c4-7d2e
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("why")
def why(
    message: Annotated[str, typer.Argument(metavar="ID", help="which message", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Print it."""
    from p2pchat.cli import stored  # noqa: PLC0415  (a wrong option is answered without a database)

    return stored.why(common, message)
