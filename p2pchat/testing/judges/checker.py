"""What must hold of every conversation, whatever died meanwhile; `World` tells what happened, and this judges.

The rules, by their names in docs/protocol.md 6.5 and in the product's promises:

* what was accepted arrives exactly once, in the order in which it was accepted (I1, I2, promise 1)
* what was refused, withdrawn or has expired never arrives; where a process died in the middle of saying something,
  nobody knows, and it arrives once or never (I9)
* what arrives is a prefix, at every moment, and whole (I1)
* an acknowledgement is believed only of what is on the other disk, now and after it has lost power (I3, I4)
* no number of the log goes backwards, whoever died (the number of an entry is never used twice)

A store that is put back from a backup may forget what was said or heard since then; the world says so with `forgotten`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from uuid import UUID

    from p2pchat.testing.judges.watch import Standing, Standings


@final
class Broken(AssertionError):
    """A promise was broken."""


class Fate(Enum):
    """What is known of a message, on the side that says it."""

    ASKED = "asked"  # nobody knows: the process that was asked has not answered, or died before it could
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    FORGOTTEN = "forgotten"  # accepted, by a store that was replaced by an old backup since then


@dataclass(eq=False)
class Said:
    """One message."""

    number: int  # 1, 2, … on its line
    text: str
    voice: int = 0  # who says it: what two say at the same time has no order
    id: bytes = b""
    fate: Fate = Fate.ASKED
    may_expire: bool = False
    key: str | None = None  # by which it may be said again
    doubted: bool = False  # it was said again, since nobody knew whether it had been said

    @property
    def must_arrive(self) -> bool:
        """Whether its absence would be a loss."""
        return self.fate is Fate.ACCEPTED and not self.may_expire

    @property
    def may_arrive(self) -> bool:
        """Whether its presence is no surprise."""
        return self.fate not in {Fate.REFUSED, Fate.WITHDRAWN}

    def accept(self, name: UUID) -> None:
        """Note that it was accepted, and as what: from now on it has to arrive."""
        self.id, self.fate = name.bytes, Fate.ACCEPTED


@final
@dataclass(eq=False)
class Line:
    """All that one peer says to another one."""

    name: str  # "alice>bob"
    said: list[Said] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)  # numbers, in the order of the other side's log
    _last: dict[int, int] = field(default_factory=dict)  # the newest of them, by voice

    def ask(self, size: int, *, voice: int | None = 0, may_expire: bool = False, keyed: bool = False) -> Said:
        """Return a new message that is about to be said: its text names it, and is about `size` bytes long.

        `voice` is the process that says it one after the other, or None: at the same time as others.
        """
        number = len(self.said) + 1
        voice = -number if voice is None else voice
        head = f"{self.name} {number} "
        said = Said(number, head + _filler(number, size - len(head)), voice, may_expire=may_expire)
        said.key = f"{self.name} {number}" if keyed else None
        self.said.append(said)
        return said

    def hear(self, text: str) -> int:
        """Note that `text` is on the disk of the other side, after what was heard before; return its number.

        Raises:
          Broken: if it should not be.
        """
        name, _, rest = text.partition(" ")
        digits = rest.partition(" ")[0]
        number = int(digits) if name == self.name and digits.isdecimal() else 0
        if not 0 < number <= len(self.said):
            raise Broken(f"INVENTED: {self.name} heard {text[:60]!r}")
        said = self.said[number - 1]
        if said.text != text:
            raise Broken(f"TORN: {self.name} {number}: {len(text)} characters instead of {len(said.text)}")
        if number in self.heard:
            raise Broken(f"DUPLICATED: {self.name} {number}")
        last = self._last.get(said.voice, 0)
        if number < last and said.fate is not Fate.FORGOTTEN:  # what came back with a backup may come late (I6)
            raise Broken(f"REORDERED: {self.name} {number} after {last}")
        if not said.may_arrive:
            raise Broken(f"{said.fate.value.upper()} and heard: {self.name} {number}")
        for skipped in self.said[last : number - 1]:
            if skipped.must_arrive and skipped.voice == said.voice:
                raise Broken(f"GAP: {self.name} {skipped.number} is missing where {number} has arrived")
        self._last[said.voice] = max(number, last)
        self.heard.append(number)
        return number

    def missing(self) -> list[Said]:
        """Return what must arrive and has not yet."""
        heard = set(self.heard)
        return [said for said in self.said if said.must_arrive and said.number not in heard]

    def finished(self) -> bool:
        """Whether everything that must arrive has arrived."""
        return not self.missing()

    def in_doubt(self, voice: int) -> list[Said]:
        """Return what a process was asked to say, and may say again, because it has a key."""
        return [said for said in self.said if said.voice == voice and said.key and said.fate is Fate.ASKED]

    def find(self, message_id: bytes) -> Said | None:
        """Return the message with this id."""
        return next((said for said in self.said if said.id == message_id), None)

    def sender_went_back(self, kept: Iterable[bytes]) -> None:
        """Note that the sender lives on an old backup, which has of its messages those with the ids `kept`."""
        known = set(kept)
        for said in self.said:
            if said.fate in {Fate.ACCEPTED, Fate.ASKED} and said.id not in known:
                said.fate = Fate.FORGOTTEN
            elif said.fate is Fate.WITHDRAWN or said.may_expire:
                said.fate = Fate.FORGOTTEN  # the backup may not know that it was withdrawn (I9)

    def receiver_went_back(self, kept: Iterable[str], queued: Iterable[bytes]) -> int:
        """Note that the receiver lives on an old backup; return how many messages are gone for good by that.

        Args:
          kept: the texts that the backup has, in order.
          queued: ids of what the sender still has in its outbox, and will send again.
        """
        again = set(queued)
        before = set(self.heard)
        self.heard, self._last = [], {}
        for text in kept:
            self.hear(text)
        have = set(self.heard)
        missing = [said for said in self.said if said.fate in {Fate.ACCEPTED, Fate.ASKED} and said.number not in have]
        gone = [said for said in missing if said.must_arrive and said.id not in again]
        for said in missing:
            if said.number in before or said in gone:  # its acknowledgement is under way, or was believed
                said.fate = Fate.FORGOTTEN
        return len(gone)


def _filler(number: int, size: int) -> str:
    """Return `size` characters that differ from place to place and from message to message."""
    pattern = f"{number}-" + "".join(chr(97 + (number + place) % 26) for place in range(53))
    return (pattern * (size // len(pattern) + 1))[: max(size, 0)]


def check_survived(name: str, before: Standings, after: Standings) -> None:
    """Check that a store has, after a death, at least what was committed before.

    Raises:
      Broken: if not.
    """
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            raise Broken(f"LOST COMMIT: {name} has forgotten that it ever met a peer")
        if new.epoch != old.epoch:
            continue  # the last transaction began a new log
        for number in ("gen", "base", "next", "handed"):
            if getattr(new, number) < getattr(old, number):
                raise Broken(f"LOST COMMIT: {name}: {number} was {getattr(old, number)}, and is {getattr(new, number)}")
        if new.peer_epoch == old.peer_epoch and new.peer_seen < old.peer_seen:
            raise Broken(f"LOST COMMIT: {name}: had seen {old.peer_seen} entries, and has {new.peer_seen}")


def check_acknowledged(line: str, sender: Standing, receiver: dict[bytes, int]) -> None:
    """Check that the sender has dropped only what the receiver has on its disk.

    Args:
      line: for the message.
      sender: the numbers of the sender, which has just believed an acknowledgement.
      receiver: how far each log of the sender was ever committed over there, by its epoch.

    Raises:
      Broken: if not.
    """
    seen = receiver.get(sender.epoch, 0)
    if sender.base - 1 > seen:
        raise Broken(f"ACKNOWLEDGED TOO MUCH: {line}: up to entry {sender.base - 1}, and {seen} are on the disk there")
