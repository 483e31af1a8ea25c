"""A peer of the simulated world: an identity, a machine with a disk, and what has to hold of what is on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import trio

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.env import dice
from p2pchat.protocol.assembly import VOID
from p2pchat.testing.impostor import Impostor
from p2pchat.testing.judges.checker import Broken, check_acknowledged, check_survived
from p2pchat.testing.judges.consent import Consent
from p2pchat.testing.judges.halves import check_whole
from p2pchat.testing.judges.sessions import Fences
from p2pchat.testing.judges.watch import Memory, Snapshot, Standing, Standings, snapshot
from p2pchat.testing.judges.wiretap import FILLER
from p2pchat.testing.lanes import on_grid
from p2pchat.testing.simdisk import Loss, SimDisk, disk_full
from p2pchat.testing.simprocess import TRIES_AGAIN, Running
from p2pchat.wire import messages
from p2pchat.wire.frames import MAX_BODY

if TYPE_CHECKING:
    from p2pchat.store.database import Connection
    from p2pchat.testing.simdisk import Mount
    from p2pchat.testing.simnet import Machine
    from p2pchat.testing.story.faults import CrashAt
    from p2pchat.testing.world import World

SURNAME = " of the simulated world"  # so long that it is on no wire by chance
HEARD = "SELECT cursor, pairs.peer, kind, body FROM messages JOIN pairs USING (pair) WHERE NOT mine AND cursor > ?"
QUEUED = "SELECT outbox.id FROM outbox JOIN pairs USING (pair) WHERE pairs.peer = ?"
MINE = "SELECT messages.id FROM messages JOIN pairs USING (pair) WHERE mine AND pairs.peer = ?"
FAILED = "SELECT messages.id FROM messages JOIN pairs USING (pair) WHERE failed IS NOT NULL AND pairs.peer = ?"
LOG = "SELECT pairs.peer, mine, failed, kind, body FROM messages JOIN pairs USING (pair) ORDER BY cursor"
VOIDS = f"SELECT seq FROM outbox WHERE pair = ? AND seq BETWEEN ? AND ? AND kind = {VOID}"  # noqa: S608  (a constant)
GAPS = "SELECT count(*) FROM events WHERE kind = 'gap'"
GAPS_OF = "SELECT count(*) FROM events JOIN pairs USING (pair) WHERE kind = 'gap' AND pairs.peer = ?"


@dataclass(frozen=True, slots=True)
class Log:
    """All messages in the log of a peer, by the key of whom it talks to."""

    sent: dict[bytes, dict[str, str | None]]  # why it failed, by text
    heard: dict[bytes, list[str]]


@final
class Peer:
    """Who somebody is, what they have on disk, and what runs there now."""

    def __init__(self, world: World, number: int, name: str) -> None:
        profile = world.scenario.profile
        self.world = world
        self.number = number
        self.name = name
        self.calls_itself: str = f"{name}{SURNAME}"
        self.identity: Identity = Identity.from_seed(dice(world.scenario.seed, name, "key").randbytes(32))
        self.machine: Machine = world.network.machine(name)
        self.addresses: tuple[Address, Address] = (
            Address("tcp", f"{self.machine.host}:7272"),
            Address("unix", f"/run/{name}"),
        )
        self.disk: SimDisk = SimDisk(world.scratch / name, dice(world.scenario.seed, name, "disk"))
        self.skew: float = dice(world.scenario.seed, name, "skew").uniform(-1, 1) * profile.skew
        self.seats: int = profile.seats(number)  # processes
        self.running: list[Running] = []
        self.starts: int = 0
        self.delay: float = profile.disk  # seconds for a transaction
        self.ambushes: list[list[int | CrashAt]] = []
        self.image: dict[str, bytes] | None = None  # the backup
        self.writes_left: float | None = None  # until the disk is full
        self.standings: Standings = {}  # as last committed
        self.memory: Memory = Memory()
        self.voids: set[tuple[bytes, bytes, int]] = set()  # entries in whose place nothing left: peer, epoch, number
        self.fences: Fences = Fences(name)
        self.consent: Consent = Consent(name, world.owners)
        self.impostor: Impostor | None = None  # who answers at the addresses instead
        self.seen: dict[bytes, dict[bytes, int]] = {}  # by peer and epoch: how far its log was ever committed here
        self._mount: Mount | None = None
        self._read_to = 0  # cursor up to which the checker knows what was heard
        self._slow_until = 0.0

    @property
    def key(self) -> bytes:
        """Who this is, as databases name it."""
        return self.identity.peer_id.key

    @property
    def mount(self) -> Mount:
        """The directory that this boot of the machine sees."""
        if self._mount is None:
            self._mount = self.disk.mount()
        return self._mount

    # ---- life and death

    def start(self) -> None:
        """Start the programs of this peer that do not run already. Whoever took its place has to leave."""
        self._drive_out()
        if not self.world.over:
            for seat in sorted(set(range(self.seats)) - {process.seat for process in self.running}):
                self.starts += 1
                process = Running(self, seat, self.starts)
                self.running.append(process)
                self.world.start_soon(process.run)

    def crash(self, loss: Loss | None, *, down: float) -> None:
        """Kill what runs; with a `loss` the power goes. It all starts again after `down` seconds."""
        self.world.note(self.name, "crash", loss and loss.name)
        self.world.mark("power lost" if loss else "killed")
        if loss:
            self.mount.lose_power(loss)
            self._mount = None
            self.machine.lose_power()
        self.end()
        self.world.start_soon(self.start_later, down)

    def close_window(self, seat: int, *, orderly: bool, down: float) -> None:
        """End one process, which is back later; the others of this peer go on."""
        for process in [process for process in self.running if process.seat == seat]:
            self.world.mark("a window closes")
            process.restart_after = down
            if orderly:
                process.leaving.set()
            else:
                process.kill()
                self.running.remove(process)
                self.world.start_soon(self.start_later, down)

    def end(self) -> None:
        """Kill what runs."""
        for process in self.running:
            process.kill()
        self.running.clear()
        self.memory.committed = None  # they may have died in the middle of a commit
        self._drive_out()

    def be_replaced(self, *, seconds: float) -> None:
        """Be away for so long, while somebody else answers: only where everybody who may dial has met us before.

        There is one of them at a time: two would let each other in.
        """
        others = [other for other in self.world.peers if other is not self]
        all_know_us = all(other.expects(self) or not other.dials(self) for other in others)
        if not all_know_us or any(peer.impostor for peer in self.world.peers):
            self.world.miss()
            return
        self.crash(None, down=seconds)
        self.starts += 1
        self.impostor = Impostor(self, self.starts)
        self.world.note(self.name, "replaced")
        self.world.mark("another key answers")
        self.world.start_soon(self.impostor.run)

    def expects(self, other: Peer) -> bool:
        """Whether a key is pinned where `other` is dialed, for good: no backup can take the pin away again."""
        return self.image is None and str(other.addresses[0]) in self.consent.now.pins

    def dials(self, other: Peer) -> bool:
        """Whether this peer dials `other` by itself."""
        return self.world.scenario.profile.everybody_dials or self.number < other.number

    def _drive_out(self) -> None:
        if self.impostor is not None:
            self.impostor.leave()
            self.impostor = None

    def stop(self, *, down: float) -> None:
        """End what runs in an orderly way; it starts again afterwards."""
        self.world.note(self.name, "stop")
        self.world.mark("stopped")
        for process in self.running:
            process.restart_after = down
            process.leaving.set()

    async def start_later(self, seconds: float) -> None:
        """Start in a while."""
        await trio.sleep(on_grid(seconds))
        self.start()

    def reached(self, point: str) -> None:
        """Note that a process comes to `point`, and let whoever lies in wait there strike."""
        self.world.points[point] += 1
        for ambush in self.ambushes:
            left, fault = ambush
            assert isinstance(left, int)  # noqa: S101
            assert not isinstance(fault, int)  # noqa: S101
            if fault.point == point:
                ambush[0] = left - 1
                if left == 1:
                    self.world.kills[point] += 1
                    self.world.faults[type(fault).__name__] += 1
                    self.crash(fault.loss, down=fault.down)
        self.ambushes = [ambush for ambush in self.ambushes if ambush[0]]

    # ---- the disk

    def fill_disk(self, *, after: int, until: float) -> None:
        """Let the disk be full `after` more writes, and have room again at `until`."""
        self.writes_left = after
        self.world.at(until, self.empty_disk)

    def empty_disk(self) -> None:
        """Have room again."""
        self.writes_left = None

    def slow_disk(self, delay: float, *, until: float) -> None:
        """Let transactions take long until then."""
        self.delay = delay
        self.world.at(until, self.hurry_disk)

    def hurry_disk(self) -> None:
        """Let transactions take as long as ever."""
        self.delay = self.world.scenario.profile.disk

    def write(self) -> None:
        """Count one write; raises if there is no room for it."""
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                self.world.mark("disk full")
                raise disk_full()

    def back_up(self) -> None:
        """Copy the files, and keep the copy."""
        self.image = self.disk.image() if self._mount and self.standings else None
        self.world.note(self.name, "backup")

    def restore(self) -> None:
        """Go back to the copy, if there is one."""
        if self.image is None or self._mount is None:
            self.world.miss()
            return
        self.crash(None, down=TRIES_AGAIN)
        self.disk.restore(self.image)
        self._mount = self.disk.mount()
        with self.look() as connection:
            now = snapshot(connection) or Snapshot()
            self.standings = now.pairs
            self.consent.went_back(now.trust)
            heard = rows(connection, HEARD + " ORDER BY cursor", 0)
            said = {other.number: [row[0] for row in rows(connection, MINE, other.key)] for other in self.world.peers}
        self._read_to = max((cursor for cursor, *_ in heard if isinstance(cursor, int)), default=0)
        for other in self.world.peers:
            if other is not self:
                texts = [text_of(kind, body) for _, peer, kind, body in heard if peer == other.key]
                self.world.went_back(self, other, texts=texts, said=said[other.number])
        self.world.mark("backup restored")

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Open the database to see what is in it."""
        access = self.running[0].access if self.running else self.mount.start()
        connection = access.connect(self.mount.path / "history.db")
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, sql: str, *parameters: bytes | int) -> list[tuple[object, ...]]:
        """Return the rows that the database has now; none if it has no tables yet."""
        with self.look() as connection:
            return rows(connection, sql, *parameters)

    def final_log(self) -> Log:
        """Return all that the log has, after a look whether it is whole."""
        log = Log({}, {})
        with self.look() as connection:
            check_whole(self.name, connection)
            found = rows(connection, LOG)
        for key, mine, failed, kind, body in found:
            assert isinstance(key, bytes)  # noqa: S101
            if mine:
                log.sent.setdefault(key, {})[text_of(kind, body)] = None if failed is None else str(failed)
            else:
                log.heard.setdefault(key, []).append(text_of(kind, body))
        return log

    # ---- what is judged

    def committed(self, connection: Connection, *, by: object = None) -> None:
        """Judge what a transaction has changed; `by` a process, or by nobody who runs."""
        now = self.memory.committed or snapshot(connection) or Snapshot()
        if now.trust.burnt - self.consent.now.burnt:
            self.world.mark("a code was burnt")
        self.consent.judge(now.trust)
        old, self.standings = self.standings, now.pairs
        if by is not None:
            self.fences.judge(by, old, now.pairs)
        for (own, peer), new in now.pairs.items():
            if own != self.key:
                continue
            before = old.get((own, peer))
            if new != before:
                self._moved(connection, self.world.by_key[peer], before, new)
        if now.pairs:
            self.hear(connection)

    def _moved(self, connection: Connection, other: Peer, old: Standing | None, new: Standing) -> None:
        """Judge what was done about one peer."""
        if new.peer_epoch:
            seen = self.seen.setdefault(other.key, {})
            seen[new.peer_epoch] = max(seen.get(new.peer_epoch, 0), new.peer_seen)
            self._mark_received(other, new)
        if old is None or old.epoch != new.epoch:
            return
        if old.base < new.base:
            check_acknowledged(self.world.line(self, other).name, new, other.seen.get(self.key, {}))
        if old.handed < new.handed:
            self._mark_handed(connection, other, old, new)

    def _mark_handed(self, connection: Connection, other: Peer, old: Standing, new: Standing) -> None:
        for (seq,) in connection.execute(VOIDS, (new.pair, old.handed + 1, new.handed)):
            self.world.mark("VOID sent")
            self.voids.add((other.key, new.epoch, seq))
        if new.handed + 1 - new.base >= self.world.scenario.profile.window and new.next > new.handed + 1:
            self.world.mark("window full")

    def _mark_received(self, other: Peer, new: Standing) -> None:
        for void in [void for void in other.voids if void[:2] == (self.key, new.peer_epoch)]:
            if void[2] <= new.peer_seen:
                self.world.mark("VOID received")
                other.voids.remove(void)

    def hear(self, connection: Connection) -> None:
        """Judge what has come since the last time."""
        for cursor, peer, kind, body in list(connection.execute(HEARD + " ORDER BY cursor", (self._read_to,))):
            assert isinstance(cursor, int)  # noqa: S101
            assert isinstance(peer, bytes)  # noqa: S101
            self._read_to = cursor
            is_guarded = self.world.scenario.profile.guarded
            if peer not in (self.consent.now.known if is_guarded else self.world.by_key):
                raise Broken(f"HEARD A STRANGER: {self.name} has a message of somebody whom it does not know")
            line = self.world.line(self.world.by_key[peer], self)
            text = text_of(kind, body)
            number = line.hear(text)
            if len(text) > MAX_BODY:
                self.world.mark("long message")
            self.world.note(line.name, "heard", number)

    def recovered(self, connection: Connection) -> None:
        """Judge what is there after a start."""
        check_survived(self.name, self.standings, (snapshot(connection) or Snapshot()).pairs)
        check_whole(self.name, connection)
        counts = {other.number: 0 for other in self.world.peers}
        for cursor, peer, *_ in rows(connection, HEARD, 0):
            if isinstance(cursor, int) and cursor <= self._read_to and isinstance(peer, bytes):
                counts[self.world.by_key[peer].number] += 1
        for other in self.world.peers:
            if other is not self and counts[other.number] != len(self.world.line(other, self).heard):
                raise Broken(f"LOST: {self.name} no longer has all that it heard of {other.name}")
        self.committed(connection)

    def untold(self) -> list[str]:
        """Return what people at this peer should have been told of, in the window that has dialed."""
        return [what for process in self.running if process.seat == self.seats - 1 for what in process.face.untold()]

    @property
    def drained(self) -> bool:
        """Whether nothing waits to be said."""
        return all(process.talking == 0 for process in self.running) and not any(
            standing.waiting for standing in self.standings.values()
        )

    def move(self, other: Peer) -> None:
        """Dial `other` in the way that is not in use."""
        for process in self.running[:1]:
            process.move(other)


def rows(connection: Connection, sql: str, *parameters: bytes | int) -> list[tuple[object, ...]]:
    """Return what a query finds; nothing in a database without tables."""
    found = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'pairs'").fetchone()
    return list(connection.execute(sql, parameters)) if found and found[0] else []


def text_of(kind: object, body: object) -> str:
    """Return the text of a stored message, or what it is instead."""
    decoded = messages.decode_body(kind, body) if isinstance(kind, int) and isinstance(body, bytes) else None
    return decoded.text if isinstance(decoded, messages.Text) else f"({kind}: {decoded!r:.40})"


def secrets(peers: Sequence[Peer]) -> dict[bytes, str]:
    """Return what must never be on a wire, and what each of it is."""
    found = {SURNAME.encode(): "a name", FILLER: "a part of a message"}
    for peer in peers:
        found[peer.key] = found[str(peer.identity.peer_id).encode()] = f"the key of {peer.name}"
        found |= {f"{peer.name}>{other.name} ".encode(): "a message" for other in peers if other is not peer}
    return found
