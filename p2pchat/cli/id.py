"""`p2pchat id`: who you are to others."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, say, settings
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Show your peer id, which others accept, and its fingerprint, which is compared by voice. The first run makes the key.

With --passphrase the key gets a passphrase, or another one, or (if you type none) has none any more. Whatever needs the
key asks for it then; programs take it from P2PCHAT_PASSPHRASE in the environment, and here the one that is to be from
P2PCHAT_NEW_PASSPHRASE.

With --new you become somebody else: the old key is kept beside the new one, you keep your contacts and your history,
and those who know you refuse the new key until they let it in.

Example: p2pchat id --profile work
"""

app: options.Application = options.application()


@app.command(name="id", help=HELP)
@options.gathered("id")
def identify(
    *,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="set, change or remove the passphrase of the key", show_default=False)
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="become somebody else, and keep the old key aside", show_default=False)
    ] = False,
    code: Annotated[
        bool, typer.Option("--qr", help="draw your id as a link, for a camera", show_default=False)
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --new: do not ask", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Do what was asked for, and print both on standard output."""
    if yes and not new:
        return say.fatal(ExitCode.USAGE, "--yes is for --new", hint="nothing else asks", as_json=common.json)
    if code and common.json:
        return say.fatal(ExitCode.USAGE, "--qr draws for people", hint="the link in it is `link`", as_json=True)
    from p2pchat.cli import identities  # noqa: PLC0415  (a wrong option is answered without cryptography)

    if new:
        return identities.renew(common, protect=passphrase, draw=code, ask=not yes)
    return identities.protect(common, draw=code) if passphrase else identities.show(common, draw=code)
