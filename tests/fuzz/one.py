"""One target under libFuzzer: `python -m tests.fuzz.one TARGET [libFuzzer's arguments]`. It never returns."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["p2pchat"]):  # ours alone: what tests and libraries do guides nobody
    from tests.fuzz.catalogue import TARGETS


def main() -> None:
    name, *arguments = sys.argv[1:]
    target = TARGETS[name]
    atheris.Setup([sys.argv[0], *arguments, f"-max_len={target.max_length}"], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
