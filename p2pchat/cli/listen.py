"""`p2pchat listen`: wait for peers and chat."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options

HELP = """\
Wait for peers and chat. Prints the exact line to type on the other side.

Without an ADDRESS everybody who reaches this machine on TCP port 7272 may knock; `p2pchat listen localhost` keeps it on
this machine, `p2pchat listen /path/of/socket` keeps it among its users. `p2pchat help addresses` has the rest.

A file or a pipe as output gets exactly the bytes that were sent, unless --safe is given; behind `| tee` a program that
looks like a file is your terminal, so use --safe there.

Example: p2pchat listen --once > received
"""

app = options.application()


@app.command(help=HELP, no_args_is_help=False)
def listen(  # noqa: PLR0913  (one parameter an option)
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS", help="where to wait", show_default=False)
    ] = None,
    *,
    guest: options.Guest = False,
    profile: options.Profile = "default",
    data_dir: options.DataDir = None,
    name: options.Name = "",
    accept: options.Accept = None,
    once: options.Once = False,
    timeout: options.Timeout = None,
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
        once=once,
        timeout=timeout,
        plain=plain,
        no_input=no_input,
        safe=safe,
        verbose=verbose,
        quiet=quiet,
    )
    from p2pchat.cli import chat  # noqa: PLC0415  (a wrong option is answered without Trio)

    return chat.listen(addresses or [], common)
