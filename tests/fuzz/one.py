"""One target under libFuzzer: `python -m tests.fuzz.one TARGET [libFuzzer's arguments]`. It never returns."""

from __future__ import annotations

import shlex
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

    again = shlex.join([sys.executable, "-m", "tests.fuzz.one", name])  # a merge calls itself, by what stands first
    atheris.Setup([again, *arguments, f"-max_len={target.max_length}"], target.run, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
