"""Two programs of a profile decide about its peers in any order, and both know what was decided."""

# ruff: noqa: RUF001  (lookalikes)

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import BadData, NameTaken
from p2pchat.store import contacts, pins
from p2pchat.store.contacts import How
from p2pchat.store.database import Database
from tests.support.decided import ANN, BOB, CID, HERE, dial, found, ticking


@dataclass(frozen=True)
class Model:
    """What should be kept of one peer."""

    name: str = ""
    accepted: bool = False
    blocked: bool = False
    how: How | None = None


class Decisions(RuleBasedStateMachine):
    """Two programs of a profile decide about three peers, in any order; against a dictionary."""

    programs = st.sampled_from([0, 1])
    peers = st.sampled_from([ANN, BOB, CID])
    names = st.sampled_from(["bob", "Bob", "b0b", "bоb", "mary", "rnary", "", "me", "12"])
    places = st.sampled_from([HERE, "unix:/run/s", "exec:ssh box"])

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, "history.db")
        self.dbs = [Database.open(self.path, wall=ticking()) for _ in range(2)]
        self.expected: dict[PeerId, Model] = {}
        self.pinned: dict[str, PeerId] = {}

    def teardown(self) -> None:
        for db in self.dbs:
            db.close()
        self.directory.cleanup()

    def of(self, peer: PeerId) -> Model:
        return self.expected.get(peer, Model())

    def expect(self, peer: PeerId, model: Model) -> None:
        self.expected[peer] = model
        if model == Model():
            del self.expected[peer]

    @rule(program=programs, peer=peers)
    def know(self, program: int, peer: PeerId) -> None:
        before = self.of(peer)
        with self.dbs[program].transaction():
            assert contacts.know(self.dbs[program], peer) is not (before.accepted or before.blocked)
        self.expect(peer, replace(before, accepted=before.accepted or not before.blocked))

    @rule(program=programs, peer=peers, how=st.sampled_from(How))
    def verify(self, program: int, peer: PeerId, how: How) -> None:
        with self.dbs[program].transaction():
            contacts.verify(self.dbs[program], peer, how)
        self.expect(peer, replace(self.of(peer), accepted=True, how=how))

    @rule(program=programs, peer=peers)
    def block(self, program: int, peer: PeerId) -> None:
        with self.dbs[program].transaction():
            assert contacts.block(self.dbs[program], peer) is not self.of(peer).blocked
        self.expect(peer, replace(self.of(peer), blocked=True))

    @rule(program=programs, peer=peers)
    def unblock(self, program: int, peer: PeerId) -> None:
        with self.dbs[program].transaction():
            assert contacts.unblock(self.dbs[program], peer) is self.of(peer).blocked
        self.expect(peer, replace(self.of(peer), blocked=False))

    @rule(program=programs, peer=peers, name=names)
    def rename(self, program: int, peer: PeerId, name: str) -> None:
        alike = {"": "", "mary": "m", "rnary": "m"}
        others = {alike.get(model.name, "b") for other, model in self.expected.items() if other != peer and model.name}
        try:
            with self.dbs[program].transaction():
                contacts.rename(self.dbs[program], peer, name)
        except NameTaken:
            assert alike.get(name, "b") in others
        except BadData:
            assert name in {"me", "12"}
        else:
            assert name not in {"me", "12"}
            assert alike.get(name, "b") not in others
            self.expect(peer, replace(self.of(peer), name=name))

    @rule(program=programs, peer=peers)
    def remove(self, program: int, peer: PeerId) -> None:
        is_known = peer in self.expected or peer in self.pinned.values()
        with self.dbs[program].transaction():
            assert contacts.remove(self.dbs[program], peer) is is_known
        self.expect(peer, Model())
        self.pinned = {place: pinned for place, pinned in self.pinned.items() if pinned != peer}

    @rule(program=programs, peer=peers, place=places, guest=st.booleans())
    def dial(self, program: int, peer: PeerId, place: str, *, guest: bool) -> None:
        is_let = not guest and not self.of(peer).blocked
        is_new = dial(self.dbs[program], peer, place, guest=guest)
        assert is_new is (is_let and place not in self.pinned)
        if is_let and self.pinned.setdefault(place, peer) == peer:
            self.expect(peer, replace(self.of(peer), accepted=True))

    @rule(program=programs)
    def begin_again(self, program: int) -> None:
        self.dbs[program].close()
        self.dbs[program] = Database.open(self.path, wall=ticking())

    @invariant()
    def both_see_what_was_decided(self) -> None:
        for db in self.dbs:
            kept = {
                each.peer: Model(each.name, each.accepted, each.blocked, each.how) for each in contacts.everyone(db)
            }
            assert kept == self.expected
            assert {str(place): peer for place, peer in pins.everywhere(db).items()} == self.pinned
            for peer, model in self.expected.items():
                if model.name:
                    assert found(db, peer) == contacts.named(db, model.name.upper())


TestDecisions = pytest.mark.slow(Decisions.TestCase)  # the disk is asked to keep each change
TestDecisions.settings = settings(max_examples=max(1, settings().max_examples // 4), stateful_step_count=30)
