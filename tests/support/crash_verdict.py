"""What two profiles have kept, compared: is everything there that was accepted, once, in order, and whole?

It is read as anybody would read it, by `history` and `events`, and compared with what the processes had told.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Line, name_in, text_of

ALL = "1000000000"


@dataclass
class Verdict:
    """Counts; all but the first three are faults."""

    kills: int = 0
    messages: int = 0  # that are there
    undecided: int = 0  # of which nobody was told whether they were accepted: each is there, or is not
    lost: int = 0  # accepted, or kept by the sender, and not there
    doubled: int = 0
    reordered: int = 0
    torn: int = 0  # not what was said
    ghosts: int = 0  # refused, or never said, and there all the same
    untrue: int = 0  # events that tell something else than what is there

    @property
    def faults(self) -> dict[str, int]:
        """What must not be, by name: empty if all is well."""
        counts = {part.name: getattr(self, part.name) for part in fields(self)[3:]}
        return {name: count for name, count in counts.items() if count}

    def __iadd__(self, other: Verdict) -> Self:
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + getattr(other, part.name))
        return self

    def __str__(self) -> str:
        return ", ".join(f"{part.name} {getattr(self, part.name)}" for part in fields(self))


async def judge(forks: Forks, one: Book, other: Book) -> Verdict:
    """Compare what two profiles have kept of each other; nothing may be under way any more."""
    kept = {book.name: await history(forks, book) for book in (one, other)}
    verdict = Verdict()
    for sender, receiver in ((one, other), (other, one)):
        out = [line for line in kept[sender.name] if line["direction"] == "out"]
        there = [line for line in kept[receiver.name] if line["direction"] == "in"]
        verdict += compare(sender, receiver, out, there)
        verdict.untrue += _untrue(await log(forks, sender), out)
    return verdict


async def history(forks: Forks, book: Book) -> list[Line]:
    """Return all that a profile has kept of what was said."""
    return await _lines(forks, book, "history", "-n", ALL)


async def log(forks: Forks, book: Book) -> list[Line]:
    """Return all that has happened to a profile."""
    return await _lines(forks, book, "events")


async def _lines(forks: Forks, book: Book, verb: str, *words: str) -> list[Line]:
    program = await forks.call(book.home, verb, "--json", *words)
    assert program.process.returncode == 0, program.err
    return [json.loads(line) for line in program.out.splitlines()]


def compare(sender: Book, receiver: Book, out: list[Line], there: list[Line]) -> Verdict:
    """Compare what one has said with what is kept on both sides."""
    kept = [name_in(line["text"]) for line in out]
    came = [name_in(line["text"]) for line in there]
    shown = [[name_in(text) for text in heard] for heard in receiver.heard]
    decided = {*sender.accepted, *sender.refused}
    texts = [*(line["text"] for line in [*out, *there]), *(text for heard in receiver.heard for text in heard)]
    never = {*came}.union(*shown) - {*sender.tried}
    return Verdict(
        messages=len(there),
        undecided=len({*sender.tried} - decided),
        lost=len({*sender.accepted, *kept} - {*came}),
        doubled=sum(map(doubles, (kept, came, [line["id"] for line in there], *shown))),
        reordered=sum(map(_disorder, (kept, came, *shown))) + sum(a != b for a, b in zip(kept, came, strict=False)),
        torn=sum(text != text_of(name_in(text)) for text in texts),
        ghosts=len({*came} - {*kept}) + len(never) + len({*came} & {*sender.refused}),
    )


def doubles(names: list[str]) -> int:
    """Return how many of them are there too often."""
    return sum(Counter(names).values()) - len(set(names))


def _disorder(names: list[str]) -> int:
    """How often a message comes after a later one of the same process."""
    newest: dict[str, int] = {}
    wrong = 0
    for name in names:
        life, _, number = name.partition(".")
        wrong += int(number) <= newest.get(life, 0)
        newest[life] = int(number)
    return wrong


def _untrue(log: list[Line], out: list[Line]) -> int:
    """How many events tell something else than what is there: each message queued, sent and delivered once."""
    states: dict[str, list[str]] = {}
    for event in log:
        if event["event"] == "state":
            states.setdefault(event["id"], []).append(event["state"])
    cursors = [event["cursor"] for event in log]
    wrong: int = sum(a >= b for a, b in pairwise(cursors))
    wrong += sum(states.get(line["id"]) != ["queued", "sent", "delivered"] for line in out)
    wrong += sum(line["state"] != "delivered" for line in out)
    return wrong + sum(event["event"] in {"gap", "rolled_back"} for event in log)
