"""What must hold in the simulated world, whatever happens in it: one sentence each, and where it is judged.

A report lists the names of those that held. All of them are judged in every story, at every commit and at every byte
that they are about; the first one that is broken ends the world, with the words that its judge has for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final


@final
@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must hold."""

    means: str  # one sentence
    judges: tuple[str, ...]  # modules of this package that look at it
    complaints: tuple[str, ...]  # how a failure begins


#: By name; the numbers of docs/protocol.md 6.5 are its own.
INVARIANTS: Final[Mapping[str, Invariant]] = {
    "exactly once": Invariant(
        "What was accepted arrives, whole, and nothing arrives twice or that nobody said.",
        ("checker", "accounts", "simface"),
        ("DUPLICATED", "SHOWN TWICE", "SHOWN, and no text", "TORN", "INVENTED", "LOST", "MISCOUNTED MESSAGES"),
    ),
    "order": Invariant(
        "What one process says to a peer arrives in the order in which it was accepted, whatever clocks say.",
        ("checker",),
        ("REORDERED",),
    ),
    "unknown outcome": Invariant(
        "What a process died in the middle of saying arrives once or never; refused or withdrawn, it never does.",
        ("checker", "accounts", "simprocess"),
        ("REFUSED and heard", "WITHDRAWN", "FAILED, and heard", "MISCOUNTED MESSAGES"),
    ),
    "acknowledged is durable": Invariant(
        "What a sender drops is on the disk of the receiver at that moment, and still there after any death.",
        ("checker", "simpeer", "simface"),
        (
            "ACKNOWLEDGED TOO MUCH",
            "LOST COMMIT",
            "LOST",
            "DELIVERED",
            "SHOWN, and not on the disk",
        ),
    ),
    "no gap": Invariant("What has arrived is a prefix of what was accepted, at every moment.", ("checker",), ("GAP",)),
    "no number twice": Invariant(
        "The number of an entry is used once: a log that has gone back begins anew; then people are told of a gap, "
        "and otherwise never.",
        ("checker", "simprocess", "world"),
        ("LOST COMMIT", "INVENTED", "NO BACKUP", "STUCK", "GAP TOLD"),
    ),
    "one session": Invariant(
        "Whoever has a conversation has fenced off all others before it writes; in the end each two have one link.",
        ("sessions", "calm"),
        ("NOT FENCED", "FENCE LOWERED", "STUCK"),
    ),
    "alive": Invariant(
        "Some time after healing everything has arrived, and everybody was told; the time depends on the world.",
        ("calm", "world", "simface"),
        ("STUCK",),
    ),
    "nothing in the clear": Invariant(
        "No text, no name and no key is on any wire; no share of a handshake and no ciphertext is there twice.",
        ("wiretap",),
        ("IN THE CLEAR", "SHARE REPEATED", "CIPHERTEXT REPEATED"),
    ),
    "consent": Invariant(
        "Nobody is let in, expected or verified to whom the person has not agreed; an impostor is told nothing.",
        ("consent", "impostor", "simpeer"),
        (
            *(
                "PIN MOVED",
                "PIN OF A STRANGER",
                "MISCOUNTED",
                "NOT DEAD",
                "NOT BURNT",
                "HONOURED UNCOUNTED",
                "ANSWERED UNCOUNTED",
            ),
            *("KNOWN WITHOUT CONSENT", "VERIFIED WITHOUT A CODE", "HEARD A STRANGER", "TOLD AN IMPOSTOR", "LET IN"),
        ),
    ),
    "bounded": Invariant(
        "A process holds so many tasks, connections and bytes for each peer, dials it so often, and no more.",
        ("bounds",),
        ("TOO MUCH",),
    ),
    "nothing half done": Invariant(
        "Whenever a process dies and whatever its disk refuses, the store that is left is whole.",
        ("halves", "simpeer"),
        ("HALF DONE",),
    ),
    "noise harms nobody": Invariant(
        "Bytes that are no p2pchat, and strangers without end, cost their own connections; all else holds beside them.",
        ("bounds", "calm"),
        ("TOO MUCH", "STUCK"),
    ),
}
