"""`p2pchat stdio`: be the other side of `dial exec:`."""

from __future__ import annotations

import os

from p2pchat.cli import options, say, settings
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Speak the protocol on standard input and output, for somebody who dials a command. Nothing else is written to standard
output; what people should know is written to standard error.

If `p2pchat listen` runs with the same profile, the visitor is passed on to it. Else this program is the peer: it shows
on standard error what the visitor says, and ends with its goodbye.

It is for the command of somebody else: p2pchat dial "exec:ssh box p2pchat stdio"

Example: p2pchat stdio --profile work
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("stdio")
def stdio(*, common: settings.Common) -> int:
    """Serve one visitor."""
    if os.isatty(0) or os.isatty(1):
        return say.fatal(
            ExitCode.USAGE,
            "stdio talks to a program, and this is a terminal",
            hint="dial it from the other side: p2pchat dial 'exec:ssh HOST p2pchat stdio' (ssh without -t)",
        )
    from p2pchat.cli import responder  # noqa: PLC0415  (a wrong option is answered without Trio)

    return responder.run(common)
