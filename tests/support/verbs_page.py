"""The reference of the command line, as the command line itself tells it."""

from __future__ import annotations

import contextlib
import io
import os

from p2pchat.cli import main, topics, verbs

WIDTH = "100"  # columns, so that the page does not depend on who writes it


def told(*words: str) -> str:
    """Return what the program prints for `words`."""
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            main.main(list(words))
    finally:
        if columns is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = columns
    return "\n".join(line.rstrip() for line in out.getvalue().strip().split("\n"))


def all_verbs() -> str:
    """Return a section for each verb, in the order of `p2pchat --help`."""
    return "\n".join(
        f"## {verb.name}\n\n```text\n$ p2pchat {verb.name} --help\n{told(verb.name, '--help')}\n```\n"
        for verb in verbs.VERBS
    )


def all_topics() -> str:
    """Return a section for each topic of `p2pchat help`."""
    return "\n".join(
        f"## help {topic}\n\n```text\n$ p2pchat help {topic}\n{topics.find(topic).strip()}\n```\n"
        for topic in topics.PAGES
    )
