"""Rare things that a campaign has to meet, or it has proved nothing about them.

A mark is set where the thing is seen from outside: in what a node tells, in what is committed, on the wires, by the
fault itself. None is set by production code. Whoever adds a fault adds what it is to bring about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

#: What each of them is.
RARE: Final[Mapping[str, str]] = {
    # --- links
    "cut at a byte": "a connection was reset after a byte that was chosen beforehand",
    "resumed after a cut": "… and the next one of the two went on where that one had been",
    "resumed": "a conversation went on over a new link",
    "old bytes on a lost link": "a connection broke for its dialer alone, and delivered on",
    "links overlap": "a link began while another one of the same two was still open",
    "dials crossed": "both had dialed, and a link began while both connections were open",
    "an older link was fenced": "a link was told that a newer one has its place",
    "parted": "two machines did not reach each other",
    "clogged": "a direction of a connection delivered nothing for a while",
    "forgotten on its way": "… and for ever, with nobody told",
    "moved to another transport": "a conversation went on over a link of another kind",
    "a window closes": "one of the processes of a profile ended, and the others went on",
    "continued in another process": "a process saw that another one of its profile has the link",
    # --- deaths and disks
    "killed": "a process died",
    "power lost": "a machine died, and its disk lost what was not synced",
    "died between commit and ack": "what had come was on the disk, and who had sent it was never told",
    "stopped": "a program ended in an orderly way, and began again",
    "disk full": "a write found no room",
    "backup restored": "a profile was replaced by an old copy",
    "rollback detected": "somebody saw that its log, or the peer's, had gone back, and began a new one",
    "gap told": "a person was told that messages are missing for good",
    # --- machines
    "a clock jumps forwards": "somebody set the wall clock",
    "a clock jumps backwards": "… and to an earlier time",
    "no descriptor is left": "a process could open nothing: no connection, and no database",
    "the disk errs": "a write or a sync failed, as it does when a disk is about to die",
    "frozen": "a machine ran nothing for a while, and its kernel went on",
    "accepts nothing": "who listened took no connection for a while",
    "reads slowly": "a person took seconds for each thing that was told",
    "parted in one direction": "bytes passed between two machines one way, and not the other",
    "strangers: garbage": "strangers said what nobody understands",
    "strangers: handshakes": "… began a handshake, and did not go on",
    "strangers: silence": "… said nothing, and stayed",
    "strangers: comings": "… came and went",
    # --- messages
    "refused": "a message was refused",
    "said at the same time": "a message was said while what had been said before it was not on the disk yet",
    "unknown, and said": "a process died before it could answer, and the message was said all the same",
    "unknown, and never said": "… and it was not",
    "said again with its key": "it was asked for once more, by the same key",
    "withdrawn": "a message was taken back",
    "expired": "a message was out of date before it could leave",
    "VOID sent": "what was taken back had a number already, and nothing travelled in its place",
    "VOID received": "… and was counted over there",
    "window full": "a sender had as much under way as the other side takes, and more to send",
    "long message": "a message arrived that was longer than one entry",
    # --- trust
    "met by a code": "two met because one of them typed a code of the other",
    "met again": "somebody was let in without a code, where strangers need one",
    "a code is refused": "a code that was typed was not right",
    "a code was burnt": "a code died of wrong guesses",
    "a claim was cut off": "a link was lost while a code was proved",
    "another key answers": "somebody else stood at the address of a peer",
    "another key is refused": "… and the link was given up",
    "an impostor is refused": "… and was not let in where it dialed",
}


def unseen(marks: Mapping[str, int], wanted: Iterable[str] = RARE) -> list[str]:
    """Return what has not happened, of all that should."""
    return [mark for mark in wanted if not marks.get(mark)]
