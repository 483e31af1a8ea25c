"""One target under libFuzzer: `python -m tests.fuzz.one TARGET [libFuzzer's arguments]`. It never returns."""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["p2pchat"]):  # ours alone: what tests and libraries do guides nobody
    from tests.fuzz.catalogue import TARGETS


def main() -> None:
    name, *arguments = sys.argv[1:]
    target = TARGETS[name]

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        dice = Random(seed)
        if target.change is None or dice.randrange(2):
            return bytes(atheris.Mutate(data, max_size))
        return target.change(data, dice, atheris.Mutate)[:max_size]

    arguments = [sys.argv[0], *arguments, f"-max_len={target.max_length}"]
    atheris.Setup(arguments, target.run, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
