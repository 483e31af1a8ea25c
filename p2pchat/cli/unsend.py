"""`p2pchat unsend`: withdraw what has not left."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Withdraw a message that no link has had yet: nobody will see it. What has left cannot be called back; then the exit code
is 1. ID is what `p2pchat queue` shows, or the beginning of it, if no other message begins so.

Example: p2pchat unsend 019ab0c4-7d2e
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("unsend")
def unsend(
    message: Annotated[str, typer.Argument(metavar="ID", help="which message", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Withdraw it."""
    from p2pchat.cli import stored  # noqa: PLC0415  (a wrong option is answered without a database)

    return stored.unsend(common, message)
