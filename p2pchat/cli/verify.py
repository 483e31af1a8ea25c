"""`p2pchat verify`: make sure whose key it is."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Make sure whose key a contact has. It shows both fingerprints: yours, to read out, and the one that the other side has
to read to you, by a way on which you know each other, such as the telephone. At a terminal it asks for the digits that
you hear (none are no answer, and change nothing); elsewhere --fingerprint has them.

If they are those of the key the contact is *verified*, and let in. If they are not, nothing is changed and the exit
code is 77: somebody may be between the two of you. Without digits it is 0 if the contact was verified before, and 1,
for no, if it was not.

A code does the same without any digits: `p2pchat invite`.

Example: p2pchat verify bob
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("verify")
def verify(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whose key", show_default=False)],
    *,
    fingerprint: Annotated[
        str | None,
        typer.Option("--fingerprint", metavar="DIGITS", help="what the other side has read", show_default=False),
    ] = None,
    common: settings.Common,
) -> int:
    """Compare, and write down what came of it."""
    from p2pchat.cli import verifying  # noqa: PLC0415  (a wrong option is answered without SQLite)

    return verifying.run(peer, fingerprint, common)
