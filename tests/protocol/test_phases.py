"""The order of things, as the protocol's document states it: here in words, there as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.protocol.phases import CLOSED, NEXT, OPENED, Act, Phase, Phases, act_of, advance
from p2pchat.wire.frames import Frame
from tests.support.framing import EXAMPLES

# docs/protocol.md 3.2: what one side may say, given all that both have said.
ALWAYS = {Act.ABORT}
SMALL_TALK = {Act.PING, Act.PONG}
LEGAL: dict[str, tuple[list[Act], bool, set[Act]]] = {  # said so far, whether the other side has resumed, legal now
    "after the handshake": ([], False, {Act.HELLO, Act.GOODBYE}),
    "after the handshake, the other ahead": ([], True, {Act.HELLO, Act.GOODBYE}),
    "hello": ([Act.HELLO], False, SMALL_TALK | {Act.RESUME, Act.GOODBYE, Act.VOLATILE, Act.PAKE}),
    "hello, the other ahead": ([Act.HELLO], True, SMALL_TALK | {Act.RESUME, Act.GOODBYE, Act.VOLATILE, Act.PAKE}),
    "resume, not answered": ([Act.HELLO, Act.RESUME], False, SMALL_TALK | {Act.GOODBYE, Act.VOLATILE, Act.PAKE}),
    "resume both ways": ([Act.HELLO, Act.RESUME], True, set(Act) - {Act.HELLO, Act.RESUME}),
    "goodbye first of all": ([Act.GOODBYE], False, SMALL_TALK),
    "goodbye after hello": ([Act.HELLO, Act.GOODBYE], True, SMALL_TALK),
    "goodbye, not resumed by the other": ([Act.HELLO, Act.RESUME, Act.GOODBYE], False, SMALL_TALK),
    "goodbye": ([Act.HELLO, Act.RESUME, Act.GOODBYE], True, SMALL_TALK | {Act.ACK}),
}


def said(acts: list[Act], *, resumed: bool) -> Phases:
    """Return the phases after the sender did `acts`, the other side having resumed before or not at all."""
    phases = Phases(Phase.SILENT, Phase.RESUMED if resumed else Phase.SILENT)
    for act in acts:
        phases = advance(phases, act)  # type: ignore[assignment]
    return phases


@pytest.mark.parametrize(("acts", "resumed", "legal"), LEGAL.values(), ids=LEGAL)
def test_what_is_legal_is_what_the_document_says(acts: list[Act], resumed: bool, legal: set[Act]) -> None:  # noqa: FBT001
    phases = said(acts, resumed=resumed)
    assert {act for act in Act if advance(phases, act)} == legal | ALWAYS


def test_nothing_is_legal_after_an_abort() -> None:
    for start in NEXT:
        if start is not Phase.ENDED:
            aborted = advance(Phases(start, Phase.OPEN), Act.ABORT)
            assert aborted == (Phase.ENDED, Phase.OPEN)
    assert NEXT[Phase.ENDED] == {}


def test_a_resume_after_the_others_goodbye_opens_the_way_for_acks_alone() -> None:
    """`p2pchat dial < /dev/null`: whoever has nothing to say may say goodbye before it was let in."""
    left = said([Act.HELLO, Act.RESUME, Act.GOODBYE], resumed=False)
    late = advance(Phases(Phase.GREETED, left.sender), Act.RESUME)
    assert late == (Phase.OPEN, Phase.LEFT)


def test_a_goodbye_without_a_resume_never_opens_the_gate() -> None:
    gone = said([Act.HELLO, Act.GOODBYE], resumed=False)
    late = advance(Phases(Phase.GREETED, gone.sender), Act.RESUME)
    assert late == (Phase.RESUMED, Phase.GONE)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(Act)), max_size=40))
def test_in_no_history_does_an_entry_pass_before_both_have_resumed(history: list[tuple[bool, Act]]) -> None:
    """Nor after the sender's goodbye; and whatever is refused changes nothing."""
    phases = {True: Phase.SILENT, False: Phase.SILENT}
    done: dict[bool, list[Act]] = {True: [], False: []}
    for side, act in history:
        moved = advance(Phases(phases[side], phases[not side]), act)
        if moved is None:
            continue
        phases[side], phases[not side] = moved
        if act in {Act.MSG, Act.ACK}:
            assert Act.RESUME in done[side]
            assert Act.RESUME in done[not side]
        if act in {Act.MSG, Act.GOODBYE}:
            assert Act.GOODBYE not in done[side]
        assert Act.ABORT not in done[side]
        assert done[side].count(act) == 0 or act not in {Act.HELLO, Act.RESUME}
        done[side].append(act)
        assert (phases[side] in CLOSED) == bool({Act.GOODBYE, Act.ABORT} & set(done[side]))


def test_the_table_is_closed() -> None:
    assert set(NEXT) == set(Phase)
    assert {after for row in NEXT.values() for after in row.values()} | set(OPENED.values()) | {Phase.SILENT} == set(
        Phase
    )


@pytest.mark.parametrize("frame", EXAMPLES.values(), ids=EXAMPLES)
def test_every_frame_does_something(frame: Frame) -> None:
    assert act_of(frame) in Act
