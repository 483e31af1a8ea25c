"""`p2pchat dial`: reach a peer and chat."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Reach a peer and chat. PEER is an address: HOST, HOST:PORT, or a path with a slash (`p2pchat help addresses` has the
rest); or a link that `p2pchat listen` has printed, or the peer1… id of somebody who has answered before.

Who answers at an address for the first time is expected there from then on: another key is refused.

Piped input is sent line by line, answers go to standard output, and the program ends when everything has arrived and no
answer has come for --linger seconds; `p2pchat help pipes` has the rest.

Example: echo hi | p2pchat dial localhost
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("dial", timeout="60; at a terminal none")
def dial(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to reach", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Chat as was asked for."""
    from p2pchat.cli import chat  # noqa: PLC0415  (a wrong option is answered without Trio)

    return chat.dial(peer, common, retry=common.retry)
