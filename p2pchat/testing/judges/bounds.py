"""How much anybody may make a process hold or do: looked at in every running node, whenever a link comes or goes.

The limits of the protocol are those of `Limits`; tasks and connections are bounded by what stands here, which is what
the node's design comes to, with a little room. What is left when everything is quiet has limits of its own: more would
be a leak.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, final

from p2pchat.testing.judges.checker import Broken
from p2pchat.testing.simnet import BACKLOG
from p2pchat.wire.messages import MAX_TEXT

if TYPE_CHECKING:
    import trio

    from p2pchat.testing.simprocess import Running

TASKS: Final = 30  # of a process with its store, its listeners, and its person, who has one more for each thing to say
TASKS_OF_A_PEER: Final = 12  # on top, for each peer: whoever dials it, talks to it, keeps its lock
TASKS_OF_A_LINK: Final = 8  # on top, for each connection that is open
WIRES_OF_A_PEER: Final = 12  # connections to one peer, both ways: the ones that are dying are among them
DIALS_OF_A_PEER: Final = 30  # … in `A_WHILE`: the pauses between them double
A_WHILE: Final = 10.0  # seconds
QUIET_WIRES: Final = 1  # … when everything has arrived


@final
class Dials:
    """How often one process dials."""

    def __init__(self, name: str, peers: int) -> None:
        """Begin with no dial of the peer `name`, who has so many `peers`."""
        self._name = name
        self._newest: deque[float] = deque(maxlen=DIALS_OF_A_PEER * max(peers, 1))

    def note(self, now: float) -> None:
        """Count one more.

        Raises:
          Broken: if there were too many: whoever comes back without a pause keeps everybody else from doing so.
        """
        if len(self._newest) == self._newest.maxlen and now - self._newest[0] < A_WHILE:
            raise Broken(
                f"TOO MUCH: {self._name} has dialed {len(self._newest)} times in less than {A_WHILE:.0f} seconds"
            )
        self._newest.append(now)


def check_bounds(process: Running, *, is_quiet: bool = False) -> None:
    """Check what a process holds now.

    Args:
      process: which.
      is_quiet: nothing has happened for a while, and nothing is under way.

    Raises:
      Broken: if it is too much.
    """
    node, peers = process.node, len(process.peer.world.peers) - 1
    if node is None or not process.alive:
        return
    limits = node.settings.limits
    wires = process.open_wires
    measured = [
        (
            "tasks",
            tasks_below(process.task),
            TASKS + TASKS_OF_A_PEER * peers + TASKS_OF_A_LINK * (wires + process.open_to_strangers) + process.talking,
        ),
        ("connections", wires, (QUIET_WIRES if is_quiet else WIRES_OF_A_PEER) * peers),
        ("connections of nobody", process.open_to_strangers, limits.half_open + BACKLOG),
        ("strangers that wait", len(node.waiting_room), limits.strangers),
        ("conversations with a link", len(node.sessions), peers),
    ]
    most = limits.outgoing + limits.max_unacked_bytes
    measured += [("bytes for a peer", most - one.outgoing.room, most + 2 * MAX_TEXT) for one in node.sessions]
    for what, found, limit in measured:
        if found > limit:
            raise Broken(f"TOO MUCH: {process.peer.name} has {found} {what}, and {limit} are the limit")


def tasks_below(task: trio.lowlevel.Task | None) -> int:
    """Return how many tasks there are below one, itself included."""
    if task is None:
        return 0
    found, todo = 0, [task]
    while todo:
        one = todo.pop()
        found += 1
        for nursery in one.child_nurseries:
            todo += nursery.child_tasks
    return found
