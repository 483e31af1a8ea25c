"""The line in which a code is typed, key by key."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import pytest
import trio
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input

from p2pchat.crypto.codes import Code
from p2pchat.errors import Interrupted, P2PChatError, TerminalGone
from p2pchat.ui import bridge
from p2pchat.ui.code_prompt import CodePrompt, Words
from p2pchat.ui.terminal import Terminal

CODE = Code(7, "ocean-amazing-knife")
CODE_TYPED = str(CODE)
TAB, ENTER, CLEAR = "\t", "\r", "\x15"


class Ask:
    """A prompt, what was drawn, and what came out."""

    def __init__(self, keys: PipeInput) -> None:
        self.keys = keys
        self.paper = io.StringIO()
        self.prompt = CodePrompt(Terminal(self.paper, lambda: Size(rows=24, columns=100), term="xterm"), keys=keys)
        self.code: Code | None = None
        self.error: P2PChatError | None = None

    async def run(self) -> None:
        try:
            self.code = await self.prompt.ask()
        except P2PChatError as exc:
            self.error = exc

    async def type(self, text: str, *, until: str) -> None:
        """Type `text`, and wait until the prompt says `until`; of which only what is new is drawn."""
        self.keys.send_text(text)
        with trio.fail_after(10):
            while until not in self.prompt._told:  # noqa: ASYNC110  (a toolkit that tells nobody)
                await trio.sleep(0.005)


def play(scene: Callable[[Ask], object] | None, *typed: str) -> Ask:
    """Ask, and type: what `scene` says, then what is `typed`."""

    async def main(keys: PipeInput) -> Ask:
        asked = Ask(keys)
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = trio.current_time() + 20
            nursery.start_soon(asked.run)
            if scene is not None:
                await scene(asked)  # type: ignore[misc]
            if typed:
                keys.send_text("".join(typed))
        return asked

    with create_pipe_input() as keys:
        return bridge.run(partial(main, keys))


@pytest.mark.parametrize(
    "typed", ["7-ocean-amazing-knife", "7 OCEAN amazing knife", f"7-oce{TAB}-amaz{TAB}-kni{TAB}", "7-ocea-amaz-knif"]
)
def test_a_code_is_typed_completed_or_abbreviated(typed: str) -> None:
    asked = play(None, typed, ENTER)
    assert asked.code == CODE
    assert asked.error is None


def test_tab_completes_the_words_and_not_the_number() -> None:
    def offered(text: str) -> list[str]:
        return [one.text for one in Words().get_completions(Document(text), CompleteEvent())]

    assert offered("7-oce") == ["ocean"]
    assert offered(" 7 ocean_ama") == ["amateur", "amazing"]
    assert offered("7-cla") == ["claim", "clap", "clarify", "claw", "clay"]
    for text in ("", "7", "7-", "7-ocean-", "oce", "-oce", "7-qqq"):
        assert offered(text) == []


def test_what_is_no_code_stays_in_the_line_with_the_reason() -> None:
    async def scene(asked: Ask) -> None:
        await asked.type(f"ocean{ENTER}", until="a code begins with the number")
        await asked.type(f"{CLEAR}7-ocean{ENTER}", until="at least 2 words")
        await asked.type(f"{CLEAR}7-cla-knife{ENTER}", until="may be claim, clap, clarify, claw, clay")

    assert play(scene, CLEAR, "7-ocean-amazing-knife", ENTER).code == CODE


def test_a_word_that_is_none_of_ours_is_asked_about_before_it_costs_a_try() -> None:
    async def scene(asked: Ask) -> None:
        await asked.type(f"7-ocean-amazng-knife{ENTER}", until="'amazng' is no word of ours")

    assert play(scene, ENTER).code == Code(7, "ocean-amazng-knife")
    assert play(scene, CLEAR, "7-ocean-amazing-knife", ENTER).code == CODE


def test_the_token_of_a_link_is_a_code_too() -> None:
    assert play(None, f"8-{'a2' * 13}{ENTER}").code == Code(8, "a2" * 13)


@pytest.mark.parametrize("key", ["\x03", "\x04", "7-oce\x03"])
def test_a_person_may_rather_not(key: str) -> None:
    asked = play(None, key)
    assert isinstance(asked.error, Interrupted)
    assert asked.code is None


def test_a_terminal_that_hangs_up_ends_it() -> None:
    async def scene(asked: Ask) -> None:
        await asked.type(f"7{ENTER}", until="at least 2 words")
        asked.keys.close()

    assert isinstance(play(scene).error, TerminalGone)


def test_nothing_of_the_code_is_left_on_the_screen() -> None:
    asked = play(None, CODE_TYPED, ENTER)
    drawn = asked.paper.getvalue()
    assert "\x1b[J" in drawn[drawn.rindex("knife") :]  # all that stands below, from where the prompt began
