"""`p2pchat dial`: reach a peer and chat."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options

HELP = """\
Reach a peer and chat. PEER is an address: HOST, HOST:PORT, or a path with a slash; `p2pchat help addresses` has the
rest.

Piped input is sent line by line, answers go to standard output, and the program ends when everything has arrived and no
answer has come for --linger seconds; `p2pchat help pipes` has the rest.

Example: echo hi | p2pchat dial localhost
"""

app = options.application()


@app.command(help=HELP)
def dial(  # noqa: PLR0913  (one parameter an option)
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to reach", show_default=False)],
    *,
    guest: options.Guest = False,
    profile: options.Profile = "default",
    data_dir: options.DataDir = None,
    name: options.Name = "",
    accept: options.Accept = None,
    retry: options.Retry = False,
    timeout: options.Timeout = None,
    linger: options.Linger = 5.0,
    plain: options.Plain = False,
    no_input: options.NoInput = False,
    safe: options.Safe = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> int:
    """Gather what was asked for, and chat."""
    common = options.Common(
        guest=guest,
        profile=profile,
        data_dir=data_dir,
        name=name,
        accept=accept,
        timeout=timeout,
        linger=linger,
        plain=plain,
        no_input=no_input,
        safe=safe,
        verbose=verbose,
        quiet=quiet,
    )
    from p2pchat.cli import chat  # noqa: PLC0415  (a wrong option is answered without Trio)

    return chat.dial(peer, common, retry=retry)
