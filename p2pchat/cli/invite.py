"""`p2pchat invite`: a code that makes two people know each other, and then dies."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Invite one person: prints a code to say, for example on the phone, the line to type on the other side, and a link that
does the same. Who comes with either is let in, and both of you know from then on whose key it is. Nobody in between can
do that: a code is good for three tries and for ten minutes (the link for a day), and both together for one person.

If a p2pchat of the profile listens already, it honours the code, and this ends at once. Else it listens itself, at
ADDRESS, as `p2pchat listen` does.

Example: p2pchat invite --qr
"""

app: options.Application = options.application()


@app.command(help=HELP, no_args_is_help=False)
@options.gathered("invite", timeout="60; at a terminal none")
def invite(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="where to wait, if nobody listens yet", show_default=False)
    ] = None,
    *,
    qr: Annotated[bool, typer.Option("--qr", help="draw the link as a QR code", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Print the codes, and listen if need be."""
    from p2pchat.cli import inviting  # noqa: PLC0415  (a wrong option is answered without Trio)

    return inviting.invite(address, common, picture=qr)
