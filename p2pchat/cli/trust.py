"""`p2pchat trust`: let a peer in, and say where it is to be expected."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Let the peer with this id in, from now on, also where a p2pchat of yours runs already. Compare its fingerprint first, by
voice: whoever has the key is who you talk to. `p2pchat verify` notes that you did.

With ADDRESS that key is expected there: another one that answers when you dial it is refused, also the one that was
expected there until now.

Example: p2pchat trust peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82 box:7272
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("trust")
def trust(
    peer: Annotated[
        str, typer.Argument(metavar="PEER", help="whom to trust: an id, or a name of yours", show_default=False)
    ],
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="where to expect that key", show_default=False)
    ] = None,
    *,
    common: settings.Common,
) -> int:
    """Write it down, and say what has changed."""
    from p2pchat.cli import trusting  # noqa: PLC0415  (a wrong option is answered without SQLite)

    return trusting.run(peer, address, common)
