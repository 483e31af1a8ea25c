"""What must hold of trust at one peer: nobody is let in, expected or verified to whom its person has not agreed.

* a pin stays where it is, and names whoever was met there; a refused attempt pins nobody (promise 3)
* somebody becomes known by being dialed, or by a code, and in no other way
* a code is honoured once at the most, for somebody who typed it, and never after three attempts; none is ever uncounted

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, final

from p2pchat.store.invites import MAX_ATTEMPTS
from p2pchat.testing.judges.checker import Broken

if TYPE_CHECKING:
    from p2pchat.store.database import Connection

Pins: TypeAlias = dict[str, bytes]  # who is expected where: the key, by address


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a store says about trust, as committed."""

    pins: Pins = field(default_factory=dict)
    known: dict[bytes, int | None] = field(default_factory=dict)  # who is let in, and when it was verified last
    codes: dict[tuple[int, str], int] = field(default_factory=dict)  # attempts, by slot and secret

    @property
    def burnt(self) -> set[tuple[int, str]]:
        """Codes that died of wrong guesses."""
        return {code for code, attempts in self.codes.items() if attempts >= MAX_ATTEMPTS}


def trusted(connection: Connection) -> Trusted:
    """Return what the database says about trust."""
    return Trusted(
        pins=dict(connection.execute("SELECT address, peer FROM pins")),
        known=dict(connection.execute("SELECT peer, verified_ms FROM contacts WHERE accepted")),
        codes={
            (slot, secret): attempts
            for slot, secret, attempts in connection.execute("SELECT slot, secret, attempts FROM invites")
        },
    )


def trust_steps(before: Trusted, after: Trusted) -> set[str]:
    """Return what was done about trust between two looks."""
    gone = before.codes.keys() - after.codes.keys()
    verified = {key for key, when in after.known.items() if when != before.known.get(key)}
    done = {"honour"} if gone and verified else {"trust"} if verified or after.known.keys() - before.known else set()
    if any(attempts > before.codes.get(code, attempts) for code, attempts in after.codes.items()):
        done.add("attempt")
    return done


@final
class Consent:
    """What the person at a peer has agreed to; and what its store makes of that is judged."""

    def __init__(self, name: str, owners: Pins) -> None:
        """Agree to nothing yet.

        Args:
          name: of the peer, for people.
          owners: who is really where.
        """
        self.now: Trusted = Trusted()  # as last committed
        self._name = name
        self._owners = owners
        self._dialed: set[bytes] = set()
        self._typed: set[bytes] = set()  # whose codes were typed here
        self._told: dict[str, set[bytes]] = {}  # who has typed it, by secret of a code that was given out here
        self._dead: set[str] = set()  # secrets that were there once
        self._answers: Counter[str] = Counter()  # how many were heard of, by secret

    def dials(self, peer: bytes) -> None:
        """Agree to talk to `peer`, by dialling it."""
        self._dialed.add(peer)

    def types(self, peer: bytes) -> None:
        """Agree to talk to `peer`, by typing its code."""
        self._typed.add(peer)

    def is_claimed(self, secret: str, peer: bytes) -> None:
        """Note that `peer` types a code that was given out here."""
        self._told.setdefault(secret, set()).add(peer)

    def check_burnt(self, tried: Collection[str]) -> None:
        """Check that one of the codes that somebody has typed is dead, after somebody was told that it was right.

        Raises:
          Broken: if not.
        """
        if {*tried} <= {alive for _, alive in self.now.codes}:
            raise Broken(f"NOT BURNT: a code of {self._name} has worked, and works again")

    def check_counted(self, secret: str) -> None:
        """Check that an attempt at a code was counted before it was answered, now that somebody has an answer.

        Raises:
          Broken: if not: whoever guesses would have more answers than a code bears.
        """
        self._answers[secret] += 1
        counted = [attempts for (_, alive), attempts in self.now.codes.items() if alive == secret]
        if counted and counted[0] < min(self._answers[secret], MAX_ATTEMPTS):  # then answers cost nothing any more
            raise Broken(
                f"ANSWERED UNCOUNTED: {counted[0]} of {self._answers[secret]} attempts at a code of {self._name}"
            )

    def judge(self, now: Trusted) -> None:
        """Judge what a transaction has left.

        Raises:
          Broken: if nobody has agreed to that.
        """
        before, self.now = self.now, now
        if now != before:
            self._judge_pins(before.pins, now.pins)
            self._judge_codes(before.codes, now.codes)
            for key, when in now.known.items():
                if key not in before.known or when != before.known[key]:
                    self._judge_known(key, before, now)
            self._dead |= {secret for _, secret in before.codes.keys() - now.codes.keys()}

    def went_back(self, now: Trusted) -> None:
        """Note that the store was replaced by an old backup: what had happened since then may happen again."""
        self.now = now
        self._dead.clear()
        self._answers.clear()

    def _judge_pins(self, before: Pins, now: Pins) -> None:
        for address, key in before.items():
            if now.get(address) != key:
                raise Broken(f"PIN MOVED: {self._name} expects somebody else at {address}, or nobody any more")
        for address, key in now.items():
            if self._owners.get(address) != key:
                raise Broken(f"PIN OF A STRANGER: {self._name} expects somebody at {address} who is not there")

    def _judge_codes(self, before: dict[tuple[int, str], int], now: dict[tuple[int, str], int]) -> None:
        for (slot, secret), attempts in now.items():
            if not before.get((slot, secret), 0) <= attempts <= MAX_ATTEMPTS:
                raise Broken(f"MISCOUNTED: {attempts} attempts at code {slot} of {self._name}")
            if secret in self._dead:
                raise Broken(f"NOT DEAD: code {slot} of {self._name} is back")

    def _judge_known(self, key: bytes, before: Trusted, now: Trusted) -> None:
        is_verified = now.known[key] != before.known.get(key)
        gone = {code: attempts for code, attempts in before.codes.items() if code not in now.codes}
        honoured = [attempts for (_, secret), attempts in gone.items() if key in self._told.get(secret, ())]
        if honoured and not 0 < min(honoured) <= MAX_ATTEMPTS:
            raise Broken(f"HONOURED UNCOUNTED: a code of {self._name} that nobody has tried")
        if not honoured and key not in self._typed and (is_verified or key not in self._dialed):
            what = "VERIFIED WITHOUT A CODE" if is_verified else "KNOWN WITHOUT CONSENT"
            raise Broken(f"{what}: {self._name} lets in somebody to whom nobody has agreed")
