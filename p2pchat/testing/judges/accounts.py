"""What became of every message that anybody was asked to say: accounts that have to add up.

A process that dies in the middle of saying something has not said whether it is said. Such a message is *unknown*; what
the logs of both sides show in the end tells whether it was (`recovered`) or was not (`never`), and each of the two is
right. Everything that was said has one end, and what is in a log and in no account is a bug:

    asked                = accepted + refused + unknown
    unknown              = recovered + never
    accepted + recovered = delivered + withdrawn + expired + forgotten + lost

`lost`, `duplicated` and `unexpected` have to be 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

from p2pchat.store.expiry import EXPIRED
from p2pchat.store.queue import WITHDRAWN
from p2pchat.testing.judges.checker import Broken, Fate

if TYPE_CHECKING:
    from p2pchat.testing.judges.checker import Line, Said


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """How many messages had which end. They can be added up."""

    asked: int = 0
    accepted: int = 0  # whoever asked was told that it is said
    refused: int = 0  # … that it is not
    unknown: int = 0  # … nothing: the process died in the middle
    recovered: int = 0  # unknown, and said as it turned out
    never: int = 0  # unknown, and not said
    delivered: int = 0
    withdrawn: int = 0
    expired: int = 0
    forgotten: int = 0  # by an old backup that somebody lives on since
    lost: int = 0
    duplicated: int = 0  # copies too many
    unexpected: int = 0  # in a log, and refused, withdrawn, or said by nobody

    def __add__(self, other: Accounts) -> Accounts:
        """Return both together."""
        sums = Counter(self.counts())
        sums.update(other.counts())
        return Accounts(**sums)

    def counts(self) -> dict[str, int]:
        """Return all of them by name."""
        return asdict(self)

    @property
    def complaint(self) -> str:
        """What does not add up, or should not have happened; empty if all is well."""
        wrong = [
            f"{wanted} = {is_}, and {name} = {have}"
            for name, have, wanted, is_ in (
                ("asked", self.asked, "accepted + refused + unknown", self.accepted + self.refused + self.unknown),
                ("unknown", self.unknown, "recovered + never", self.recovered + self.never),
                ("accepted + recovered", self.accepted + self.recovered, "all ends", self._ends),
            )
            if have != is_
        ]
        bad = {"lost": self.lost, "duplicated": self.duplicated, "unexpected": self.unexpected}
        return "; ".join(wrong + [f"{number} {name}" for name, number in bad.items() if number])

    @property
    def _ends(self) -> int:
        return self.delivered + self.withdrawn + self.expired + self.forgotten + self.lost


def settle(line: Line, sent: Mapping[str, str | None], heard: Iterable[str]) -> Accounts:
    """Return the accounts of a line, from what is in the logs of both sides in the end.

    Args:
      line: what was asked for, and what was answered.
      sent: what the log of who says it has, by text: why it failed, or None if it did not.
      heard: the texts that the other side has in its log.
    """
    copies = Counter(heard)
    counts: Counter[str] = Counter(asked=len(line.said))
    for said in line.said:
        have = copies.pop(said.text, 0)
        counts["duplicated"] += max(have - 1, 0)
        counts.update(_entries(said, is_sent=said.text in sent, why=sent.get(said.text), is_there=have > 0))
    counts["unexpected"] += copies.total()
    return Accounts(**counts)


def check_accounts(name: str, accounts: Accounts) -> None:
    """Check that accounts add up, and that nothing is in them which must not be.

    Raises:
      Broken: if not.
    """
    if accounts.complaint:
        raise Broken(f"MISCOUNTED MESSAGES: {name}: {accounts.complaint}")


def _entries(said: Said, *, is_sent: bool, why: str | None, is_there: bool) -> list[str]:
    """Return the accounts that a message belongs to."""
    if said.fate is Fate.REFUSED:
        return ["refused", *(["unexpected"] if is_there else [])]
    ends = _ends(said, why=why, is_there=is_there)
    if said.id and not said.doubted:
        return ["accepted", *ends]
    return ["unknown", "recovered", *ends] if said.id or is_sent or is_there else ["unknown", "never"]


def _ends(said: Said, *, why: str | None, is_there: bool) -> list[str]:
    if said.fate is Fate.WITHDRAWN:
        return ["withdrawn", *(["unexpected"] if is_there else [])]
    if is_there:
        return ["delivered"]
    if said.fate is Fate.FORGOTTEN:
        return ["forgotten"]
    if said.fate is Fate.ASKED and why == WITHDRAWN:  # who took it back died before they were told that they could
        return ["withdrawn"]
    return ["expired" if why == EXPIRED and said.may_expire else "lost"]
