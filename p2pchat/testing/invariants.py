"""What must hold in the simulated world, whatever happens in it: one sentence each, and where it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must hold."""

    means: str  # one sentence
    judge: str  # the module, or modules, of this package that look at it


#: By name.
INVARIANTS: Final[dict[str, Invariant]] = {
    "exactly once": Invariant("What was accepted arrives, and no message arrives twice.", "checker, accounts"),
    "order": Invariant("What one process says to a peer arrives in the order in which it was accepted.", "checker"),
    "unknown outcome": Invariant(
        "Where a process died before it could answer, the message arrives once or never.", "checker, accounts"
    ),
    "acknowledged is durable": Invariant(
        "What a sender believes to be acknowledged is on the disk of the receiver, and survives power loss.", "checker"
    ),
    "no gap": Invariant("What has arrived is a prefix of what was accepted, at every moment.", "checker"),
}
