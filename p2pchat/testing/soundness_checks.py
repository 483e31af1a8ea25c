"""The table of `p2pchat selftest`: every check, in the order in which they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.testing import (
    soundness_files,
    soundness_killed,
    soundness_links,
    soundness_machine,
    soundness_meeting,
    soundness_person,
    soundness_store,
    soundness_tampering,
)
from p2pchat.testing.soundness import Check

if TYPE_CHECKING:
    from p2pchat.transports.registry import Transports


def checks(net: Transports) -> list[Check]:
    """Return all checks; one for each transport that `net` has."""
    return [
        Check(name="libraries", attempt=soundness_machine.libraries),
        Check(name="clocks", attempt=soundness_machine.clocks),
        Check(name="entropy", attempt=soundness_machine.entropy),
        *soundness_links.transports(net),
        Check(name="handshake", attempt=soundness_meeting.handshake),
        Check(name="tampering", attempt=soundness_tampering.tampering, cure=soundness_meeting.REINSTALL),
        Check(name="invite", attempt=soundness_meeting.invite),
        Check(
            name="kill and resume",
            attempt=soundness_killed.killed,
            patience=soundness_killed.PATIENCE,
            cure=soundness_killed.CURE,
        ),
        Check(name="search", attempt=soundness_store.finding),
        Check(name="disk", attempt=soundness_files.disk),
        Check(name="room", attempt=soundness_machine.room),
        Check(name="new files", attempt=soundness_files.new_files),
        Check(name="your files", attempt=soundness_files.profile),
        Check(name="your store", attempt=soundness_store.store),
        Check(name="port", attempt=soundness_person.port),
        Check(name="locale", attempt=soundness_person.locale),
        Check(name="terminal", attempt=soundness_person.terminal),
        Check(name="scheduler", attempt=soundness_machine.scheduler, alone=True),
        Check(name="power loss", attempt=soundness_machine.power_loss),
    ]
