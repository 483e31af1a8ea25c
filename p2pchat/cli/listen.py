"""`p2pchat listen`: wait for peers and chat."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, say, settings
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Wait for peers and chat. Prints the exact line to type on the other side, and a link with your id in it:
whoever dials that reaches you and nobody else.

Without an ADDRESS everybody who reaches this machine on TCP port 7272 may knock; `p2pchat listen localhost` keeps it on
this machine, `p2pchat listen /path/of/socket` keeps it yours alone. `p2pchat help addresses` has the rest.

With --invite it also prints a code that lets one person in, as `p2pchat invite` does.

A file or a pipe as output gets exactly the bytes that were sent, unless --safe is given; behind `| tee` a program that
looks like a file is your terminal, so use --safe there.

Example: p2pchat listen --once > received
"""

WITH = "`p2pchat listen --invite --qr` does both"
WITHOUT = "leave --guest out, and whoever comes with the code is remembered"

app: options.Application = options.application()


@app.command(help=HELP, no_args_is_help=False)
@options.gathered("listen", timeout="60; at a terminal none")
def listen(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS", help="where to wait", show_default=False)
    ] = None,
    *,
    invite: Annotated[
        bool, typer.Option("--invite", help="make a code that lets one person in", show_default=False)
    ] = False,
    qr: Annotated[
        bool, typer.Option("--qr", help="with --invite: draw its link as a QR code", show_default=False)
    ] = False,
    allow_user: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-user",
            metavar="NAME",
            help="let that user of this machine knock at our Unix socket, too; may be repeated",
            show_default=False,
        ),
    ] = None,
    common: settings.Common,
) -> int:
    """Chat as was asked for."""
    if qr and not invite:
        return say.fatal(ExitCode.USAGE, "--qr draws the link of --invite", hint=WITH, as_json=common.json)
    if invite and common.guest:
        return say.fatal(ExitCode.USAGE, "a guest keeps nothing, and no codes", hint=WITHOUT, as_json=common.json)
    from p2pchat.cli import chat, inviting  # noqa: PLC0415  (a wrong option is answered without Trio)

    asked = inviting.Asked(picture=qr) if invite else None
    return chat.listen(addresses or [], common, invite=asked, users=allow_user or [])
