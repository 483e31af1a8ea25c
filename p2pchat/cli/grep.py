"""`p2pchat grep`: find what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import options, settings

HELP = """\
Find messages in which all WORDS occur, the best first. Whole words are found: door does not find doors. Capitals and
accents do not matter: cafe finds Café. A word of Chinese, Japanese, Korean, Thai or the like is found in the middle of
a sentence, too. Nothing in WORDS means anything but itself: there are no operators, and no quotes are needed. What
begins with a dash stands behind `--`.

Where very many messages fit, only the newest 2000 of them are compared. The exit code is 1 if there is none. With
--json each message is an object on one line; with -C it has `before` and `after`.

Example: p2pchat grep -C 2 --since 30d door code
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("grep")
def grep(  # noqa: PLR0913  (each is something to type)
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="what to look for", show_default=False)],
    *,
    context: Annotated[
        int,
        typer.Option(
            "--context", "-C", min=0, max=100, metavar="N", help="with N messages around each", show_default=False
        ),
    ] = 0,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="PEER", help="only what PEER said, or `me`", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="WHEN", help="only from then on: 2026-11-22, yesterday, 7d", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", "-n", min=1, max=2000, metavar="N", help="at most N of them [100]", show_default=False),
    ] = 100,
    common: settings.Common,
) -> int:
    """Show what is found."""
    from p2pchat.cli import reading  # noqa: PLC0415  (a wrong option is answered without a store)

    return reading.grep(words, reading.Where(sender=sender, since=since, limit=limit, context=context), common)
