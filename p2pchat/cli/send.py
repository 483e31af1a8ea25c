"""`p2pchat send`: one message, and a truthful exit code."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from p2pchat.cli import options, settings
from p2pchat.cli.durations import some_seconds

HELP = """\
Send one message and tell by the exit code how far it came. PEER is the name that you gave a contact, a peer id, a link,
or an address with a colon or a slash. TEXT is the message; without it, or with `-`, all of standard input is, less its
last newline.

To a peer that has answered there before, or whose id you gave, the message is stored first and then sent: what is not
delivered when the time is up (--timeout, here 30 seconds) stays queued, and goes out when any p2pchat of this profile
meets that peer, or with --flush. To an address where nobody has answered yet nothing is stored before somebody does.

The exit code is 0 when --wait is reached, 75 if the message is stored and that was not reached, 77 if we were refused
or another key answers; with nothing stored 69 if nobody is there, and 124 if we were not let in in time.

With --key a message is sent once, however often the command is run: who runs it again waits for the first one.

Example: p2pchat send box:7272 "the backup is done" --wait delivered
"""

app: options.Application = options.application()


class Wait(StrEnum):
    """How far a message has to come."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"


def _option(*words: str, help: str, metavar: str | None = None) -> object:  # noqa: A002  (typer's name for it)
    return typer.Option(*words, metavar=metavar, help=help, show_default=False)


@app.command(help=HELP)
@options.gathered("send", timeout="30")
def send(  # noqa: PLR0913  (each is something to type)
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whom to tell it", show_default=False)],
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="what to say; - is standard input", show_default=False)
    ] = None,
    *,
    wait: Annotated[
        Wait,
        _option("--wait", metavar="STATE", help="end when it is queued, sent, delivered or read [delivered]"),
    ] = Wait.DELIVERED,
    expires: Annotated[
        str | None, _option("--expires", metavar="TIME", help="withdraw it if nobody could be told for 90s, 5m, 1h, 7d")
    ] = None,
    key: Annotated[
        str | None, _option("--key", metavar="KEY", help="queue at most one message with this key for the peer")
    ] = None,
    flush: Annotated[bool, _option("--flush", help="send what waits already, and nothing new")] = False,
    common: settings.Common,
) -> int:
    """Send it."""
    from p2pchat.cli import posting  # noqa: PLC0415  (a wrong option is answered without Trio)

    asked = posting.Asked(
        text=text,
        wait=wait,
        expires=None if expires is None else some_seconds(expires, "--expires"),
        key=key,
        flush=flush,
    )
    return posting.run(peer, asked, common)
