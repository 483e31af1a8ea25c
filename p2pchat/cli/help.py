"""`p2pchat help`: what a verb takes, and what is worth a page."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from p2pchat.cli import options, say, topics, verbs
from p2pchat.cli.exit_codes import ExitCode

HELP = """\
Explain a verb or a topic; without a word, list both.

Example: p2pchat help exit-codes
"""

app: options.Application = options.application()


@app.command(name="help", help=HELP)
def explain(
    topic: Annotated[str, typer.Argument(metavar="[TOPIC]", help="a verb or a topic", show_default=False)] = "",
) -> int:
    """Print the page of `topic`."""
    if not topic:
        return say.text(topics.contents())
    if page := topics.find(topic):
        return say.text(page)
    if verb := verbs.find(topic):
        module = importlib.import_module(verb.module)
        return int(module.app(args=["--help"], prog_name=f"p2pchat {verb.name}", standalone_mode=False) or 0)
    meant = topics.nearest(topic)
    hint = f"did you mean `p2pchat help {meant}`?" if meant else "`p2pchat help` lists them"
    say.error(f"no such topic: {topic}", hint=hint)
    return ExitCode.USAGE
