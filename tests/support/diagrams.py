"""State diagrams and tables for the documents, drawn from the tables of the code or from what its machines do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from p2pchat.node.backoff import Redial, verdict
from p2pchat.node.events import MOVES, State
from p2pchat.protocol.handshake import HandshakeFailed, Initiator, Responder, encode_hint
from p2pchat.protocol.phases import NEXT, OPENED, Act, Phase
from p2pchat.wire.close_codes import CloseCode
from tests.support import kat

RATE = CloseCode.RATE
REDIAL = {
    Redial.NEVER: "no",
    Redial.BACK_OFF: "back-off",
    Redial.BACK_OFF_STERN: "back-off, a minute or more",
}


def text(lines: list[str]) -> str:
    """Return `lines` as a block of plain text."""
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```"])


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


# ---- phases


def phases_table() -> str:
    """Return what may be said in each phase, and the phase after it."""
    head = ["phase", *(act.name for act in Act)]
    rows = [[f"**{phase.name}**", *(_cell(phase, act) for act in Act)] for phase in Phase]
    return table(head, rows)


def _cell(phase: Phase, act: Act) -> str:
    after = NEXT[phase].get(act)
    if after is None:
        return "no"
    return "stays" if after is phase else after.name


def phases_drawn() -> str:
    """Return the phases of one direction as a picture: forward to the right, goodbyes downwards."""
    line = [Phase.SILENT]
    forward = []  # what leads from one to the next
    for act in (Act.HELLO, Act.RESUME):
        line.append(NEXT[line[-1]][act])
        forward.append(f"-- {act.name} -->")
    line.append(OPENED[line[-1]])
    forward.append("= their RESUME =>")
    below = [NEXT[phase][Act.GOODBYE] for phase in line]
    sideways = ["", "", f"={'=' * 14}=>"]
    assert OPENED[below[2]] is below[3]
    width = [max(map(len, column)) for column in zip(line, below, strict=True)]
    arrow = [len(arrow) + 2 for arrow in [*forward, ""]]
    top, middle, bottom = "", "", ""
    for i, (phase, gone) in enumerate(zip(line, below, strict=True)):
        top += phase.name.ljust(width[i]) + (f" {forward[i]} " if i < len(forward) else "")
        bottom += gone.name.ljust(width[i]) + (f" {sideways[i]} " if i < len(sideways) else "").ljust(arrow[i])
        middle += "|".ljust(width[i] + arrow[i])
    ends = [phase for phase in Phase if NEXT[phase].get(Act.ABORT) is Phase.ENDED]
    assert ends == [phase for phase in Phase if phase is not Phase.ENDED]
    return text(
        [
            top,
            middle + "  | GOODBYE: CLOSE(0 or 1)",
            middle.replace("|", "v"),
            bottom,
            "",
            f"all of them -- ABORT: CLOSE(any other code) --> {Phase.ENDED.name}",
        ]
    )


# ---- handshake

Move = tuple[str, Callable[[], object]]


def handshake_steps() -> str:
    """Return how the steps of both roles follow from what their owners and their peers do, as the machines do it."""
    preface_and_a, b, c = kat.STEPS[:3]
    lines = ["role       step      what happens                             next"]

    one = kat.initiator()
    lines += _played(
        one,
        ("begin: preface and message A leave", one.begin),
        ("a part of message B comes", lambda: one.receive(b[:40])),
        ("the rest of message B comes", lambda: one.receive(b[40:])),
        ("reveal: message C leaves", one.reveal),
    )
    hinted = kat.initiator()
    lines += _played(hinted, ("", hinted.begin), ("a reject hint comes", lambda: hinted.receive(encode_hint(RATE))))
    fooled = kat.initiator()
    lines += _played(fooled, ("", fooled.begin), ("anything else comes", lambda: fooled.receive(b"HTTP/1.1 400")))

    two = kat.responder()
    lines += _played(
        two,
        ("a part of preface and message A comes", lambda: two.receive(preface_and_a[:40])),
        ("the rest of message A comes", lambda: two.receive(preface_and_a[40:])),
        ("answer: message B leaves", two.answer),
        ("message C comes", lambda: two.receive(c)),
    )
    busy = kat.responder()
    lines += _played(
        busy, ("", lambda: busy.receive(preface_and_a)), ("reject: a hint leaves", lambda: busy.reject(RATE))
    )
    full = kat.responder()
    lines += _played(full, ("reject, at once: a hint leaves", lambda: full.reject(RATE)))
    probed = kat.responder()
    lines += _played(probed, ("anything else comes", lambda: probed.receive(b"GET / HTTP/1.1")))
    return text(lines)


def _played(machine: Initiator | Responder, *moves: Move) -> Iterator[str]:
    """Yield a line for each of `moves` that has a name, with the steps of `machine` before and after it."""
    role = "initiator" if isinstance(machine, Initiator) else "responder"
    for what, do in moves:
        before = machine.step
        with suppress(HandshakeFailed):
            do()
        if what:
            yield f"{role:<11}{before.name:<10}{what:<41}{machine.step.name}"


# ---- the end


def close_codes() -> str:
    """Return the codes of CLOSE, and what a dialer does after each."""
    rows = [[f"{code:d}", code.name, "half" if code.is_goodbye else "both", _redial(code)] for code in CloseCode]
    return table(
        ["code", "name", "ends", "dial again"], [*rows, ["others", "as 11", "both", _redial(CloseCode.INTERNAL)]]
    )


def _redial(code: CloseCode) -> str:
    return "once, as a guest (1.3)" if code is CloseCode.SELF else REDIAL[verdict(code)]


# ---- states of a message


def states_drawn() -> str:
    """Return how far a message may come as a picture: onward downwards, failure to the right."""
    lines = []
    state = State.QUEUED
    while onward := [after for after in MOVES[state] if after is not State.FAILED]:
        lines += [_failure(state), "  |", f"  |  {MOVES[state][onward[0]]}", "  v"]
        (state,) = onward
    drawn = sum(len(moves) for moves in MOVES.values())
    lines.append(_failure(state))
    assert drawn == sum(line.endswith((" v", State.FAILED.value)) for line in lines)
    return text(lines)


def _failure(state: State) -> str:
    why = MOVES[state].get(State.FAILED)
    return state.value if why is None else f"{state.value:<8}-- {f'{why} ':-<40}-> {State.FAILED.value}"
