"""`p2pchat dial`: reach a peer and chat."""

from __future__ import annotations

import os
from typing import Annotated, Final

import typer

from p2pchat.cli import options, say, settings
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Reach a peer and chat. PEER is the name that you gave a contact, or an address: HOST, HOST:PORT, or a path with a slash
(`p2pchat help addresses` has the rest); or a link that `p2pchat listen` has printed, or the peer1… id of somebody.

Who answers at an address for the first time is expected there from then on: another key is refused. All addresses of a
contact are dialed at once, a command alone and last; the first where its key answers is used, and nobody else learns
who you are.

With --code both sides prove to each other that they know the code which `p2pchat invite` has made over there: you are
let in, and from then on each knows whose key the other has. You are asked for it. Scripts say it in P2PCHAT_CODE, or on
the first line of standard input, with --code - (a dash); never on the command line, where others can see it.

Piped input is sent line by line, answers go to standard output, and the program ends when everything has arrived and no
answer has come for --linger seconds; `p2pchat help pipes` has the rest.

Example: echo hi | p2pchat dial localhost
"""

VARIABLE: Final = "P2PCHAT_CODE"
STANDARD_INPUT: Final = "-"  # behind --code
TYPED: Final = "a code is not typed behind --code: others on this machine could see it, and your shell keeps it"
CURE: Final = f"`p2pchat dial PEER --code` asks for it; scripts say it in {VARIABLE}"

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("dial", timeout="60; at a terminal none")
def dial(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to reach", show_default=False)],
    dash: Annotated[
        list[str] | None, typer.Argument(metavar="-", help="behind --code: read it from there", show_default=False)
    ] = None,
    *,
    code: Annotated[bool, typer.Option("--code", help="claim an invite: ask for its code", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Chat as was asked for."""
    behind, said = dash or [], os.environ.pop(VARIABLE, "")  # programs that we start shall not find it there
    if behind and not code:
        raise typer.TyperException(f"got unexpected extra argument ({' '.join(behind)})")
    if behind not in ([], [STANDARD_INPUT]):
        return say.fatal(ExitCode.USAGE, TYPED, hint=CURE, as_json=common.json)
    from p2pchat.cli import chat, claiming  # noqa: PLC0415  (a wrong option is answered without Trio)

    asked = claiming.Said(text=said, in_input=bool(behind)) if code or said else None
    return chat.dial(peer, common, retry=common.retry, said=asked)
