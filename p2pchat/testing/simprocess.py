"""A process of the simulated world: production code, unchanged, with a person at it. It can die at any moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar, final
from uuid import UUID

import outcome
import trio

from p2pchat.env import Env, dice
from p2pchat.errors import LocalProtocolError, P2PChatError, StoreError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.limits import Limits
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store.store import open_store
from p2pchat.testing.judges.bounds import Dials
from p2pchat.testing.judges.checker import Broken, Fate
from p2pchat.testing.judges.watch import Watch
from p2pchat.testing.lanes import on_grid
from p2pchat.testing.simcodes import Call, Meeting, give_codes
from p2pchat.testing.simface import Face
from p2pchat.testing.simnet import frozen
from p2pchat.testing.story.scenario import Say
from p2pchat.wire import messages

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.address import Address
    from p2pchat.node.session import Session
    from p2pchat.store.database import Connection
    from p2pchat.testing.judges.checker import Line, Said
    from p2pchat.testing.simdisk import Access, Operation
    from p2pchat.testing.simnet import Machine
    from p2pchat.testing.simpeer import Peer

T = TypeVar("T")

EPOCH = 1_800_000_000.0  # the wall clock when the world begins, Unix seconds
DIALS_AGAIN = 5.0  # seconds after which somebody dials again who was refused, or did not like who answered
TRIES_AGAIN = 1.0  # seconds after which somebody starts a program again that did not want to


@final
class Running:
    """One process of a peer: a node and a store, and somebody who uses them."""

    def __init__(self, peer: Peer, seat: int, number: int) -> None:
        world = peer.world
        self.peer = peer
        self.seat = seat  # 0 listens; others are more windows on the same profile, and the last one dials
        self.alive: bool = True
        self.talking: int = 0  # messages that were asked for, and have no answer yet
        self.leaving: trio.Event = trio.Event()
        self.restart_after: float = TRIES_AGAIN
        self._reading_takes = 0.0  # seconds for each event, of the person
        self.access: Access = peer.mount.start()
        self.access.before = self._before_operation
        self.watch: Watch = Watch(self.access, self._at, peer.memory)
        self.face: Face = Face(peer)
        self.node: Node | None = None
        self.task: trio.lowlevel.Task | None = None  # in which it lives
        self._net = peer.machine.start()
        self._net.on_sent = self._sent
        self._net.on_dial = self._dials
        self._dialed = Dials(peer.name, len(world.peers) - 1)
        self._dice = dice(world.scenario.seed, peer.name, number)
        self._scope = trio.CancelScope()
        self._inside = False  # the store is at work at this very moment
        self._owes: set[str] = set()  # points that come with the next bytes that leave
        self._nursery: trio.Nursery | None = None
        self._phone: trio.MemorySendChannel[Call] | None = None
        self._meetings: dict[bytes, Meeting] = {}  # by key
        self._lines: dict[int, trio.MemorySendChannel[Say]] = {}

    async def run(self) -> None:
        """Live until killed, stopped, or the end of the world."""
        world = self.peer.world
        self.task = trio.lowlevel.current_task()
        world.note(self.peer.name, "starts", self.seat)
        try:
            with self._scope:
                await self._live()
        except Exception as exc:  # noqa: BLE001  (production code may raise anything, and a dead process nothing)
            if self.alive and not _only_refusals(exc):
                world.fail(exc)
        if self.alive:
            self._net.kill()
            self.access.close()
            self.alive = False
            if self in self.peer.running:
                self.peer.running.remove(self)
            world.start_soon(self.peer.start_later, self.restart_after)

    def kill(self) -> None:
        """Die: from now on nothing that this process does has any effect."""
        if self._owes & {"as an ack leaves"}:
            self.peer.world.mark("died between commit and ack")
        self.alive = False
        self.access.dead = True
        self._net.kill()
        self._scope.cancel()
        if not self._inside:
            self.access.close()

    @property
    def open_wires(self) -> int:
        """How many connections with peers this process holds an end of."""
        return self._wires() - self.open_to_strangers

    @property
    def open_to_strangers(self) -> int:
        """How many connections with nobody's machines it holds, those included that wait to be accepted."""
        return self._wires(lambda machine: all(machine is not peer.machine for peer in self.peer.world.peers))

    def _wires(self, other: Callable[[Machine], bool] = lambda machine: True) -> int:  # noqa: ARG005
        wires = self.peer.world.network.wires
        ends = [(wire.dialer, wire.dialed, wire.listener) for wire in wires]
        ends += [(wire.listener, wire.accepted, wire.dialer) for wire in wires]
        return sum(owner is self._net and not stream.gone and other(far.machine) for owner, stream, far in ends)

    def say(self, say: Say) -> None:
        """Say something, after what was to be said to the same peer before."""
        if say.to in self._lines and not self.leaving.is_set():
            self.talking += 1
            self._lines[say.to].send_nowait(say)

    def call(self, answer: Call) -> bool:
        """Ask the person for a code on the phone; whether somebody is there."""
        if self._phone is None or self.leaving.is_set():
            return False
        self._phone.send_nowait(answer)
        return True

    def move(self, other: Peer) -> None:
        """Dial `other` in the way that is not in use."""
        if self.node is not None and self._nursery is not None and not self.leaving.is_set():
            session = self.node.session_with(other.identity.peer_id, self.peer.identity)
            used = session.address.scheme if session.address else ""
            address = next(address for address in other.addresses if address.scheme != used)
            self._nursery.start_soon(self._dial_once, self.node, other, address)

    def read_slowly(self, seconds: float) -> None:
        """Let the person take so long for each event."""
        self._reading_takes = seconds

    def read_on(self) -> None:
        """Let the person read as fast as ever."""
        self._reading_takes = 0.0

    # ---- the program

    async def _live(self) -> None:
        peer, world = self.peer, self.peer.world
        profile = world.scenario.profile
        env = Env(
            clock=lambda: world.now,
            wall=lambda: EPOCH + peer.skew + world.now,
            rng=self._dice,
            urandom=self._dice.randbytes,
            run_sync=self._run_sync,
            net=self._net,
        )
        limits = Limits(ping=profile.patience / 3, dead=profile.patience, max_unacked=profile.window)
        settings = NodeSettings(
            name=peer.calls_itself, accept=Accept.KNOWN if profile.guarded else Accept.ANYONE, limits=limits
        )
        async with open_store(peer.mount.path / "history.db", env=env, connect=self._connect) as store:
            with peer.look() as connection, world.judging():
                peer.recovered(connection)
                self.face.begin()
            async with (
                open_node(peer.identity, env=env, settings=settings, store=store) as node,
                trio.open_nursery() as nursery,
            ):
                self.node, self._nursery = node, nursery
                nursery.start_soon(self._listen_to_feed, node)
                self._phone, calls = trio.open_memory_channel[Call](100)
                nursery.start_soon(give_codes, node, calls)
                try:
                    await self._meet(node, nursery)
                    await self.leaving.wait()
                finally:
                    self._nursery = None  # nobody begins anything any more while it ends
                nursery.cancel_scope.cancel()

    async def _meet(self, node: Node, nursery: trio.Nursery) -> None:
        """Listen in the first window, dial in the last, and be ready to talk."""
        if self.seat == 0:
            for address in self.peer.addresses:
                await node.listen(address)
        for other in self.peer.world.peers:
            if other is not self.peer:
                send, receive = trio.open_memory_channel[Say](1000)
                self._lines[other.number] = send
                self.talking += 1  # until what is in doubt was said again
                nursery.start_soon(self._talk, node, other, receive)
                if self.seat == self.peer.seats - 1 and self.peer.dials(other):
                    nursery.start_soon(self._dial, node, other)

    async def _dial(self, node: Node, other: Peer) -> None:
        """Dial until it works; then the node goes on by itself, unless somebody else answers there one day."""
        self.peer.consent.dials(other.key)
        if self.peer.world.scenario.profile.guarded:
            meeting = self._meetings[other.key] = Meeting(self.peer, other, self._dice)
            await meeting.dial(node)
            return
        while True:
            try:
                await node.dial(other.addresses[0], retry=True)
            except P2PChatError as exc:
                self._tell_refusal("dial failed", exc)
                await trio.sleep(DIALS_AGAIN)
            else:
                return

    async def _dial_once(self, node: Node, other: Peer, address: Address) -> None:
        self.peer.consent.dials(other.key)
        try:
            await node.dial(address, expected=other.identity.peer_id)
        except P2PChatError as exc:
            self._tell_refusal("move failed", exc)

    def _tell_refusal(self, what: str, error: P2PChatError) -> None:
        self.peer.world.note(self.peer.name, what, type(error).__name__)
        if "somebody else answers" in str(error):
            self.peer.world.mark("another key is refused")

    async def _talk(self, node: Node, other: Peer, says: trio.MemoryReceiveChannel[Say]) -> None:
        line = self.peer.world.line(self.peer, other)
        session = node.session_with(other.identity.peer_id, self.peer.identity)
        async with says, trio.open_nursery() as nursery:
            for said in line.in_doubt(self.seat):
                self.peer.world.mark("said again with its key")
                said.doubted = True
                await self._say(session, line, said)
            self.talking -= 1
            async for say in says:
                session = node.session_with(other.identity.peer_id, self.peer.identity)
                if say.hasty:
                    if session.outgoing.is_unsettled:
                        self.peer.world.mark("said at the same time")
                    nursery.start_soon(self._utter, nursery, session, line, say)
                else:
                    await self._utter(nursery, session, line, say)

    async def _utter(self, nursery: trio.Nursery, session: Session, line: Line, say: Say) -> None:
        """Say something; and take it back later, if that is the plan."""
        voice = None if say.hasty else self.seat
        said = line.ask(say.size, voice=voice, may_expire=say.expires_after is not None, keyed=say.keyed)
        await self._say(session, line, said, say.expires_after)
        self.talking -= 1
        if said.fate is Fate.ACCEPTED and say.withdraw_after is not None:
            nursery.start_soon(self._withdraw, session, line, said, say.withdraw_after)

    async def _say(self, session: Session, line: Line, said: Said, expires_after: float | None = None) -> None:
        world = self.peer.world
        expires_ms = None if expires_after is None else session.now_ms() + round(expires_after * 1000)
        body = messages.Text(said.text, None, False)  # noqa: FBT003  (its fields are an array on the wire)
        try:
            name = await session.post(body, expires_ms=expires_ms, key=said.key)
        except (StoreError, LocalProtocolError) as exc:  # no room on the disk; or the conversation is over
            if self.alive:
                said.fate = Fate.ASKED if said.doubted else Fate.REFUSED  # a refusal says nothing about the first time
                world.mark("refused")
                world.note(line.name, "refused", said.number, type(exc).__name__)
            return
        if self.alive:
            said.accept(name)
            self.face.remember(line, said)
            world.note(line.name, "accepted", said.number)

    async def _withdraw(self, session: Session, line: Line, said: Said, seconds: float) -> None:
        await trio.sleep(on_grid(seconds))
        said.fate = Fate.ASKED if said.fate is Fate.ACCEPTED else said.fate
        try:
            result = await session.unsend(UUID(bytes=said.id))
        except StoreError:
            result = Withdrawal.TOO_LATE
        if self.alive:
            withdrawn = result is Withdrawal.WITHDRAWN
            if withdrawn or said.fate is Fate.ASKED:  # or a backup has made a difference meanwhile
                said.fate = Fate.WITHDRAWN if withdrawn else Fate.ACCEPTED
            self.peer.world.note(line.name, "withdrawn" if withdrawn else "kept", said.number)
            if withdrawn:
                self.peer.world.mark("withdrawn")
                with self.peer.world.judging():
                    if said.number in line.heard:
                        raise Broken(f"WITHDRAWN, and heard before: {line.name} {said.number}")

    # ---- the face

    async def _listen_to_feed(self, node: Node) -> None:
        async for event in node.feed:
            if self._reading_takes:
                await trio.sleep(on_grid(self._reading_takes))
            if self.alive:
                with self.peer.world.judging():
                    self._told(event)

    def _told(self, event: events.Event) -> None:
        """Let the person see it, and do what persons do."""
        self.face.told(event)
        if isinstance(event, events.Verified) and event.by_us:
            self._meetings[event.peer.key].proved()
        if isinstance(event, events.DialFailed) and isinstance(event.error, UntrustedPeer) and event.redial is None:
            self._tell_refusal("dial refused", event.error)
            self._dial_again(event.address)

    def _dial_again(self, address: Address) -> None:
        """Try later, where the conversation has ended because somebody else answers."""
        if self.node is not None and self._nursery is not None:
            other = next(peer for peer in self.peer.world.peers if address in peer.addresses)
            self._nursery.start_soon(self._dial_later, self.node, other)

    async def _dial_later(self, node: Node, other: Peer) -> None:
        await trio.sleep(DIALS_AGAIN)
        await self._dial(node, other)

    # ---- the ground it stands on

    async def _run_sync(self, function: Callable[[], T], /) -> T:
        """Do the work of a thread: takes its time before and after, and whoever waits for it cannot be cancelled."""
        await trio.lowlevel.cancel_shielded_checkpoint()
        await self._take_time()
        self._inside = True
        result = outcome.capture(function)
        self._inside = False
        if not self.alive:
            self.access.close()
        await self._take_time()
        return result.unwrap()

    def _connect(self, path: Path) -> Connection:
        """Open a database, if a descriptor is left for it."""
        try:
            self.peer.machine.check_descriptors()
        except OSError as exc:  # in the words of SQLite
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error from exc
        return self.watch.connect(path)

    async def _take_time(self) -> None:
        await self.peer.machine.wait_until(frozen)
        if self.peer.delay and self.alive:
            seconds = on_grid(self.peer.delay / 2 * self._dice.uniform(0.2, 1.0))
            with trio.CancelScope(shield=True, deadline=self.peer.world.now + seconds):
                await trio.sleep_forever()

    def _before_operation(self, kind: Operation, name: str) -> None:
        self.peer.disk.operate()
        if kind == "write":
            self.peer.write()
        elif name.endswith("-wal"):
            self._reach(f"during {step}" for step in sorted(self.watch.in_commit))

    def _at(self, moment: str, steps: set[str], connection: Connection) -> None:
        world = self.peer.world
        if moment == "after" and self.alive:
            world.note(self.peer.name, "commit", *sorted(steps))
            with world.judging():
                self.peer.committed(connection, by=self)
            self._owes |= {"as entries leave"} if "hand" in steps else set()
            self._owes |= {"as an ack leaves"} if "receive" in steps else set()
            if "renumber" in steps:
                world.mark("rollback detected")
                if all(peer.image is None for peer in world.peers):
                    world.fail(Broken(f"NO BACKUP: {self.peer.name} begins a new log, and nobody lives on an old one"))
        self._reach(f"{moment} {step}" for step in sorted(steps))

    def _dials(self) -> None:
        with self.peer.world.judging():
            self._dialed.note(self.peer.world.now)

    def _sent(self, count: int) -> None:
        self.peer.world.note(self.peer.name, "sends", count)
        owed, self._owes = sorted(self._owes), set()
        self._reach(iter(owed))

    def _reach(self, points: Iterator[str]) -> None:
        for point in points:
            if self.alive:
                self.peer.reached(point)


def _only_refusals(error: BaseException) -> bool:
    """Whether this is what a person is told and starts again for: no bug."""
    if isinstance(error, BaseExceptionGroup):
        return all(_only_refusals(one) for one in error.exceptions)
    return isinstance(error, P2PChatError)
