"""`p2pchat listen`: wait for peers and chat."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Wait for peers and chat. Prints the exact line to type on the other side, and a link with your id in it:
whoever dials that reaches you and nobody else.

Without an ADDRESS everybody who reaches this machine on TCP port 7272 may knock; `p2pchat listen localhost` keeps it on
this machine, `p2pchat listen /path/of/socket` keeps it yours alone. `p2pchat help addresses` has the rest.

A file or a pipe as output gets exactly the bytes that were sent, unless --safe is given; behind `| tee` a program that
looks like a file is your terminal, so use --safe there.

Example: p2pchat listen --once > received
"""

app: options.Application = options.application()


@app.command(help=HELP, no_args_is_help=False)
@options.gathered("listen", timeout="60; at a terminal none")
def listen(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS", help="where to wait", show_default=False)
    ] = None,
    *,
    common: settings.Common,
) -> int:
    """Chat as was asked for."""
    from p2pchat.cli import chat  # noqa: PLC0415  (a wrong option is answered without Trio)

    return chat.listen(addresses or [], common)
