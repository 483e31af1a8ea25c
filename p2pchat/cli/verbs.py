"""The table of verbs. Only the module of the verb that was asked for is ever imported.

A module named here offers `app`, a `typer.Typer` whose commands return exit codes.
"""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One row of the table."""

    name: str
    module: str
    summary: str
    aliases: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # by their names in `settings.py`, in the order of `--help`


_PROFILE = ("profile", "data-dir")
_CHAT = ("guest", *_PROFILE, "name", "accept")
_TALK = ("verbose", "quiet")
_FACE = ("plain", "json", "no-input", "no-receipts", "safe")

VERBS = (
    Verb(
        "listen",
        "p2pchat.cli.listen",
        "wait for peers and chat",
        options=(*_CHAT, "once", "timeout", "linger", *_FACE, *_TALK),
    ),
    Verb(
        "dial",
        "p2pchat.cli.dial",
        "reach a peer and chat",
        aliases=("connect",),
        options=(*_CHAT, "retry", "timeout", "linger", *_FACE, *_TALK),
    ),
    Verb(
        "invite",
        "p2pchat.cli.invite",
        "make a code that lets one person in, and makes you know each other",
        options=(*_PROFILE, "name", "accept", "once", "timeout", "linger", *_FACE, *_TALK),
    ),
    Verb(
        "send",
        "p2pchat.cli.send",
        "send one message, and tell by the exit code how far it came",
        options=(*_PROFILE, "name", "retry", "timeout", "json", *_TALK),
    ),
    Verb(
        "stdio",
        "p2pchat.cli.stdio",
        "be the other side of `dial exec:`, on standard input and output",
        options=(*_CHAT, *_TALK),
    ),
    Verb(
        "demo",
        "p2pchat.cli.demo",
        "chat with an echo at once: no network, no files",
        options=("plain", "no-input", "verbose"),
    ),
    Verb(
        "history",
        "p2pchat.cli.history",
        "show what was said, or delete it",
        options=(*_PROFILE, "json", "no-input", *_TALK),
    ),
    Verb("grep", "p2pchat.cli.grep", "find what was said", options=(*_PROFILE, "json", *_TALK)),
    Verb(
        "events",
        "p2pchat.cli.events",
        "show everything that happened, and wait for more",
        options=(*_PROFILE, "json", *_TALK),
    ),
    Verb("queue", "p2pchat.cli.queue", "show what waits, and for whom", options=(*_PROFILE, "json", *_TALK)),
    Verb("why", "p2pchat.cli.why", "tell what became of a message", options=(*_PROFILE, "json", "verbose")),
    Verb("unsend", "p2pchat.cli.unsend", "withdraw what has not left", options=(*_PROFILE, "json", "verbose")),
    Verb(
        "id",
        "p2pchat.cli.id",
        "show your peer id and its fingerprint",
        options=(*_PROFILE, "json", "no-input", "verbose"),
    ),
    Verb(
        "contacts",
        "p2pchat.cli.contacts",
        "show whom you know, give them names, forget them",
        options=(*_PROFILE, "json", "no-input", *_TALK),
    ),
    Verb(
        "verify",
        "p2pchat.cli.verify",
        "make sure whose key it is, by its fingerprint",
        options=(*_PROFILE, "json", "no-input", "verbose"),
    ),
    Verb(
        "trust",
        "p2pchat.cli.trust",
        "let a peer in, and expect its key where you dial it",
        options=(*_PROFILE, "json", "verbose"),
    ),
    Verb("block", "p2pchat.cli.block", "keep a peer out, and end what runs", options=(*_PROFILE, "json", "verbose")),
    Verb("unblock", "p2pchat.cli.unblock", "keep it out no more", options=(*_PROFILE, "json", "verbose")),
    Verb(
        "simulate",
        "p2pchat.cli.simulate",
        "play what can go wrong, in a world of its own, and check every promise",
        options=("json", *_TALK),
    ),
    Verb(
        "selftest",
        "p2pchat.cli.selftest",
        "find out whether p2pchat is sound on this machine",
        options=(*_PROFILE, "plain", "json", *_TALK),
    ),
    Verb(
        "config",
        "p2pchat.cli.config",
        "show what is set, and where each value came from",
        options=(*_CHAT, "once", "retry", "timeout", "linger", *_FACE, *_TALK),
    ),
    Verb("completion", "p2pchat.cli.completion", "teach your shell our words, for Tab"),
    Verb("help", "p2pchat.cli.help", "explain a verb or a topic"),
)

BY_NAME = {name: verb for verb in VERBS for name in (verb.name, *verb.aliases)}


def find(name: str) -> Verb | None:
    """Return the verb called `name`, if there is one."""
    return BY_NAME.get(name)


def nearest(name: str) -> str:
    """Return the verb that `name` was most likely meant to be, or an empty string."""
    import difflib  # noqa: PLC0415  (a tenth of the time of `--help`, and only for somebody who mistyped)

    return next(iter(difflib.get_close_matches(name, BY_NAME, n=1)), "")
