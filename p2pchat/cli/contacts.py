"""`p2pchat contacts`: whom I know, what I call them, and how well I know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from p2pchat.cli import options, settings

HELP = """\
Show whom you know: your name for each, how well you know it (new, known, verified or blocked), and its id. A name in
quotes is what a peer calls itself, where you gave it none.

`contacts show PEER` has all that is known of one, `contacts rename PEER NAME` gives a name, `contacts remove PEER`
forgets a contact; each has its own --help. Wherever a command takes PEER, that is one of your names, an id, a link or
an address. With --json each contact is an object on one line.

Example: p2pchat contacts
"""

HELP_SHOW = """\
Show all that is known of a peer: its id and fingerprint, how and when you made sure of it, what a connection to it
gives, where it is expected, what it calls itself, and what waits for it.

Example: p2pchat contacts show bob
"""

HELP_RENAME = """\
Call a peer NAME from now on, here and in every list; the peer does not hear of it. An empty NAME takes the name away.
No two contacts have names that look alike, and nothing that a peer calls itself is ever shown as one of your names.

A name is no trust: `p2pchat trust` lets somebody in, and `p2pchat verify` makes sure.

Example: p2pchat contacts rename peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82 bob
"""

HELP_REMOVE = """\
Forget a contact: its name, how well you know it, and where it is expected. It is a stranger afterwards, also if it was
blocked. What was said stays (`p2pchat history delete` deletes that), and so does what waits to be sent to it.

Example: p2pchat contacts remove bob
"""

#: The words that mean another verb than the first; no contact needs to be called that here.
LIST = "list"

listing: options.Application = options.application()
showing: options.Application = options.application()
renaming: options.Application = options.application()
removing: options.Application = options.application()


class _Verbs(options.Application):
    """All of them: a group of typer has no command that is meant when none is named."""

    def __call__(self, *, args: Sequence[str], prog_name: str, **more: Any) -> Any:  # noqa: ANN401  (as typer's)
        verb = VERBS.get(args[0]) if args else None
        if verb is None:
            return listing(args=args, prog_name=prog_name, **more)
        return verb(args=args[1:], prog_name=f"{prog_name} {args[0]}", **more)


VERBS = {LIST: listing, "show": showing, "rename": renaming, "remove": removing}

app: options.Application = _Verbs()

Peer = Annotated[str, typer.Argument(metavar="PEER", help="whom", show_default=False)]


@listing.command(help=HELP, no_args_is_help=False)
@options.gathered("contacts")
def everyone(*, common: settings.Common) -> int:
    """Print a line for each."""
    from p2pchat.cli import acquaintances  # noqa: PLC0415  (a wrong option is answered without a store)

    return acquaintances.everyone(common)


@showing.command(help=HELP_SHOW)
@options.gathered("contacts")
def show(peer: Peer, *, common: settings.Common) -> int:
    """Print what is known."""
    from p2pchat.cli import acquaintances  # noqa: PLC0415  (as above)

    return acquaintances.show(peer, common)


@renaming.command(help=HELP_RENAME)
@options.gathered("contacts")
def rename(
    peer: Peer,
    name: Annotated[str, typer.Argument(metavar="NAME", help="what to call it", show_default=False)],
    *,
    common: settings.Common,
) -> int:
    """Write the name down."""
    from p2pchat.cli import acquaintances  # noqa: PLC0415  (as above)

    return acquaintances.rename(peer, name, common)


@removing.command(help=HELP_REMOVE)
@options.gathered("contacts")
def remove(
    peer: Peer,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask", show_default=False)] = False,
    common: settings.Common,
) -> int:
    """Forget it."""
    from p2pchat.cli import acquaintances  # noqa: PLC0415  (as above)

    return acquaintances.remove(peer, common, ask=not yes)
