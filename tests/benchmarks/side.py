"""One side of one round, as a process: prints where it listens, then what it has spent."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable
from typing import Protocol

from tests.benchmarks.meter import Spent


class Sides(Protocol):
    """What a contender is made of. Both calls block until the work is done."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Listen at `where`, tell `ready` the address as bound, and do this side's part of `count` units of work."""
        ...

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Dial `where` and do this side's part."""
        ...


def sides(name: str) -> type[Sides]:
    """Return the contender `module.Class`; nobody else's imports weigh on it."""
    module, _, attribute = name.partition(".")
    found: type[Sides] = getattr(importlib.import_module(f"tests.benchmarks.{module}"), attribute)
    return found


def main(role: str, name: str, where: str, count: str) -> None:
    """Be the side that the command line asks for."""
    if role == "listen":
        spent = sides(name).listen(where, int(count), lambda bound: print(bound, flush=True))
    else:
        spent = sides(name).dial(where, int(count))
    print(json.dumps(dataclasses.asdict(spent)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
