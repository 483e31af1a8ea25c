"""`p2pchat history`: what was said; `p2pchat history delete`: what is not to be known any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from p2pchat.cli import options, settings

HELP = """\
Show what was said, oldest first: all of it, or what was said with PEER (the name that you gave a contact, an id, a
link, or an address that you have dialed). The signs are the states of your own messages: · queued, → sent, ✓ delivered,
✓✓ read, ✗ failed.

`p2pchat history delete --help` tells how to delete some of it. With --json each message is an object on one line.

Example: p2pchat history --since yesterday
"""

HELP_DELETE = """\
Delete what was said: with PEER, the message --id, or everything --before WHEN; if there are several of these, what fits
all of them. The text is gone from the store for good. That there was a message, and its id, is kept, so that it is not
taken for a new one if it comes again. The other side keeps its copy, and so do your backups.

What still waits to be sent stays, in the queue, until it is delivered: `p2pchat unsend` withdraws it.

Example: p2pchat history delete --before 2026-01-01
"""

#: The first word that means the other verb; no peer is called that.
DELETE = "delete"

showing: options.Application = options.application()
deleting: options.Application = options.application()


class _TwoVerbs(options.Application):
    """Both of them: a group of typer has no command that is meant when none is named."""

    def __call__(self, *, args: Sequence[str], prog_name: str, **more: Any) -> Any:  # noqa: ANN401  (as typer's)
        if args[:1] == [DELETE]:
            return deleting(args=args[1:], prog_name=f"{prog_name} {DELETE}", **more)
        return showing(args=args, prog_name=prog_name, **more)


app: options.Application = _TwoVerbs()

Peer = Annotated[
    str | None, typer.Argument(metavar="PEER", help="only what was said with this peer", show_default=False)
]


@showing.command(help=HELP, no_args_is_help=False)
@options.gathered("history")
def show(
    peer: Peer = None,
    *,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            metavar="N",
            help="the newest N messages [100; with --since all]",
            show_default=False,
        ),
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="CURSOR", help="only what is older than that", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="WHEN", help="only from then on: 2026-11-22, yesterday, 7d", show_default=False
        ),
    ] = None,
    common: settings.Common,
) -> int:
    """Show what was asked for."""
    from p2pchat.cli import reading  # noqa: PLC0415  (a wrong option is answered without a store)

    return reading.history(peer, reading.Part(limit=limit, before=before, since=since), common)


@deleting.command(help=HELP_DELETE, no_args_is_help=False)
@options.gathered("history")
def delete(
    peer: Peer = None,
    *,
    message_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="only this message", show_default=False)
    ] = None,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="WHEN", help="only what is older: 2026-11-22, 30d, now", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Delete what was asked for."""
    from p2pchat.cli import deleting as work  # noqa: PLC0415  (a wrong option is answered without a store)

    return work.delete(work.Choice(peer=peer, id=message_id, before=before), common, ask=not yes)
