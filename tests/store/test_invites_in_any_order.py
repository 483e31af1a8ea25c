"""Two programs of a profile give out codes, and count who tries them, while time goes by."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from p2pchat.crypto.identity import PeerId
from p2pchat.store import invites
from p2pchat.store.database import Database
from p2pchat.store.invites import LAST_ATTEMPT, MAX_ATTEMPTS
from tests.support.coded import ANN, BOB, MINUTES, Clock, attempt, burn, create


@dataclass
class Code:
    """What should be kept of one code."""

    secret: str
    expires_ms: int
    for_peer: PeerId | None
    invitation: int  # the number of the first code that was made for that person
    attempts: int = 0
    tried_ms: int = 0

    def is_dead(self, now_ms: int) -> bool:
        is_spent = self.attempts >= MAX_ATTEMPTS and self.tried_ms + LAST_ATTEMPT <= now_ms
        return self.expires_ms <= now_ms or is_spent


class Codes(RuleBasedStateMachine):
    """Two programs of a profile give out codes and count who tries them, while time goes by; against a dictionary."""

    programs = st.sampled_from([0, 1])
    peers = st.sampled_from([ANN, BOB])
    slots = st.integers(1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, "history.db")
        self.clock = Clock()
        self.dbs = [Database.open(self.path, wall=self.clock) for _ in range(2)]
        self.codes: dict[int, Code] = {}
        self.said: list[tuple[int, str]] = []  # all codes that there ever were
        self.told: dict[str, int] = {}  # how often somebody got a reply that depends on this secret
        self.burnt: set[str] = set()

    def teardown(self) -> None:
        for db in self.dbs:
            db.close()
        self.directory.cleanup()

    def bury(self) -> None:
        self.codes = {slot: code for slot, code in self.codes.items() if not code.is_dead(self.clock.ms)}

    @rule(
        program=programs,
        lifetime_ms=st.sampled_from([MINUTES, 24 * 3_600_000]),
        for_peer=st.none() | peers,
        twin=st.none() | slots,
    )
    def create(self, program: int, lifetime_ms: int, for_peer: PeerId | None, twin: int | None) -> None:
        self.bury()
        secret = f"secret-{len(self.said)}"
        slot = create(self.dbs[program], secret, lifetime_ms=lifetime_ms, for_peer=for_peer, twin=twin)
        assert slot == min({*range(1, len(self.codes) + 2)} - set(self.codes))
        sibling = None if twin is None else self.codes.get(twin)
        invitation = len(self.said) if sibling is None else sibling.invitation
        self.codes[slot] = Code(secret, self.clock.ms + lifetime_ms, for_peer, invitation)
        self.said.append((slot, secret))

    @rule(program=programs, slot=slots, peer=peers, times=st.integers(1, 4))
    def attempt(self, program: int, slot: int, peer: PeerId, times: int) -> None:
        self.bury()
        for _ in range(times):
            found = attempt(self.dbs[program], slot, peer)
            code = self.codes.get(slot)
            if code is None or code.attempts >= MAX_ATTEMPTS or code.for_peer not in {None, peer}:
                assert found is None
            else:
                assert found == code.secret
                code.attempts, code.tried_ms = code.attempts + 1, self.clock.ms
                self.told[found] = self.told.get(found, 0) + 1

    @rule(program=programs, data=st.data())
    def burn(self, program: int, data: st.DataObject) -> None:
        if self.said:
            slot, secret = data.draw(st.sampled_from(self.said[-4:]))
            code = self.codes.get(slot)
            is_there = code is not None and code.secret == secret
            assert burn(self.dbs[program], slot, secret) is is_there
            if code is not None and is_there:
                assert secret not in self.burnt
                self.burnt.add(secret)
                self.codes = {at: one for at, one in self.codes.items() if one.invitation != code.invitation}

    @rule(ms=st.sampled_from([1, LAST_ATTEMPT, MINUTES]))
    def time_goes_by(self, ms: int) -> None:
        self.clock.ms += ms

    @rule(program=programs)
    def look_after(self, program: int) -> None:
        invites.expire(self.dbs[program])
        self.bury()

    @rule(program=programs)
    def begin_again(self, program: int) -> None:
        self.dbs[program].close()
        self.dbs[program] = Database.open(self.path, wall=self.clock)

    @invariant()
    def both_see_the_codes_that_work(self) -> None:
        now_ms = self.clock.ms
        expected = {
            slot: (code.secret, code.attempts)
            for slot, code in self.codes.items()
            if code.attempts < MAX_ATTEMPTS and code.expires_ms > now_ms
        }
        for db in self.dbs:
            assert {each.slot: (each.secret, each.attempts) for each in invites.live(db)} == expected
        assert all(count <= MAX_ATTEMPTS for count in self.told.values())


TestCodes = pytest.mark.slow(Codes.TestCase)  # the disk is asked to keep each change
TestCodes.settings = settings(max_examples=max(1, settings().max_examples // 2), stateful_step_count=30)
