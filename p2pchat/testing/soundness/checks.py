"""The table of `p2pchat selftest`: every check, in the order in which they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.testing.soundness import files, killed, links, machine, meeting, person, store, tampering
from p2pchat.testing.soundness.finding import Check

if TYPE_CHECKING:
    from p2pchat.transports.registry import Transports


def checks(net: Transports) -> list[Check]:
    """Return all checks; one for each transport that `net` has."""
    return [
        Check(name="libraries", attempt=machine.libraries),
        Check(name="clocks", attempt=machine.clocks),
        Check(name="entropy", attempt=machine.entropy),
        *links.transports(net),
        Check(name="handshake", attempt=meeting.handshake),
        Check(name="tampering", attempt=tampering.tampering, cure=meeting.REINSTALL),
        Check(name="invite", attempt=meeting.invite),
        Check(
            name="kill and resume",
            attempt=killed.killed,
            patience=killed.PATIENCE,
            cure=killed.CURE,
        ),
        Check(name="search", attempt=store.finding),
        Check(name="disk", attempt=files.disk),
        Check(name="room", attempt=machine.room),
        Check(name="new files", attempt=files.new_files),
        Check(name="your files", attempt=files.profile),
        Check(name="your store", attempt=store.store),
        Check(name="port", attempt=person.port),
        Check(name="locale", attempt=person.locale),
        Check(name="terminal", attempt=person.terminal),
        Check(name="scheduler", attempt=machine.scheduler, alone=True),
        Check(name="power loss", attempt=machine.power_loss),
    ]
