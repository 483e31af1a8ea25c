"""JSON Lines: whole lines of printable ASCII out, lines of bounded length in."""

from __future__ import annotations

import json
import re

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from p2pchat.ui.json.lines import WRITE_SIZE, Lines, Splitter, encode
from tests.support.faces import Paper


@given(st.text(st.characters()))
def test_a_line_is_printable_ascii_and_means_the_same(text: str) -> None:
    line = encode({"text": text, text: 1})
    assert re.fullmatch("[ -~]+", line)
    assert json.loads(line) == {"text": text, text: 1}


def test_what_could_drive_a_terminal_is_escaped() -> None:
    assert encode({"a": "\x1b[2J\x7f\x9b\u202e\n"}) == '{"a":"\\u001b[2J\\u007f\\u009b\\u202e\\n"}'


async def test_lines_go_out_in_the_order_in_which_they_were_said() -> None:
    paper = Paper()
    lines = Lines(paper)
    paper.stall()
    async with trio.open_nursery() as nursery:
        for n in range(5):
            lines.say({"n": n})
            nursery.start_soon(lines.flush)
        await wait_all_tasks_blocked()
        assert paper.data == b""
        paper.read_on()
    assert paper.lines == [f'{{"n":{n}}}' for n in range(5)]


async def test_who_is_cancelled_in_the_queue_loses_no_line() -> None:
    paper = Paper()
    lines = Lines(paper)
    paper.stall()
    async with trio.open_nursery() as nursery:
        lines.say({"n": 1})
        nursery.start_soon(lines.flush)
        await wait_all_tasks_blocked()
        lines.say({"n": 2})
        with trio.CancelScope() as scope:
            scope.cancel()
            await lines.flush()
        assert scope.cancelled_caught
        paper.read_on()
    await lines.flush()
    assert paper.lines == ['{"n":1}', '{"n":2}']


async def test_who_is_cancelled_at_its_turn_loses_no_line() -> None:
    paper = Paper()
    lines = Lines(paper)
    lines.say({"n": 1})
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def flush() -> None:
            with scope:
                await lines.flush()

        async with lines._turn:
            nursery.start_soon(flush)
            await wait_all_tasks_blocked()
        scope.cancel()  # its turn has come, and it has not run yet
    await lines.flush()
    assert paper.lines == ['{"n":1}']


async def test_lines_are_gathered_for_one_write_up_to_a_bound() -> None:
    lines = Lines(Paper())
    assert not lines.is_full
    lines.say({"text": "x" * WRITE_SIZE})
    assert lines.is_full
    await lines.flush()
    assert not lines.is_full


def split(splitter: Splitter, *pieces: bytes) -> list[bytes | None]:
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return [*lines, *splitter.finish()]


@given(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), min_size=1), st.integers(1, 9))
def test_lines_are_the_same_wherever_the_input_was_cut(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    found = split(Splitter(max_line=4), *(data[start : start + size] for start in range(0, len(data), size)))
    expected = [line if len(line) <= 4 else None for line in lines]
    assert found == (expected if lines[-1] else expected[:-1])


def test_of_a_line_without_an_end_nothing_is_kept() -> None:
    splitter = Splitter(max_line=100)
    for _ in range(1000):
        assert list(splitter.feed(b"x" * 99)) == []
        assert len(splitter._line) < 100
    assert list(splitter.feed(b"\nshort\n")) == [None, b"short"]
