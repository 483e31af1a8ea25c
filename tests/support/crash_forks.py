"""Programs that are killed, and programs elsewhere: like those of `Home`, but forked where the test says."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from subprocess import PIPE
from typing import Any

import trio

from tests.support.forks import Fork, Zygote
from tests.support.programs import Home, Program


class Forks:
    """Where processes come from."""

    def __init__(self, mother: Zygote) -> None:
        self._mother = mother

    @asynccontextmanager
    async def run(self, home: Home, *words: str, largest_file: int | None = None) -> AsyncIterator[Program]:
        """Run the program; it is killed at the end of the block. Then all it wrote is in its `out` and `err`."""
        process = Fork(self._mother, words, home.environ, PIPE, PIPE, PIPE)
        if largest_file is not None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
        program = Program(process)
        async with process, trio.open_nursery() as nursery:
            for name, source in ("out", process.stdout), ("err", process.stderr):
                assert source is not None
                nursery.start_soon(program.listen, name, source)
            try:
                yield program
            finally:
                process.kill()  # which is the end of both outputs

    async def call(self, home: Home, *words: str, **how: Any) -> Program:
        """Run the program to its end, without any input."""
        async with self.run(home, *words, **how) as program:
            await program.end_input()
            await program.wait()
        return program


@contextmanager
def open_forks(*within: str, **how: str) -> Iterator[Forks]:
    """Start a place where processes come from, as `Zygote` says; all of them are dead after the block."""
    mother = Zygote(*within, **how)
    try:
        yield Forks(mother)
    finally:
        mother.close()
