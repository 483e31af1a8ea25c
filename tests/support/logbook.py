"""A log written by hand, row by row, for those who read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.store import journal
from p2pchat.store.database import Database
from p2pchat.wire import messages
from p2pchat.wire.messages import Kind

ME = Identity.from_seed(b"m" * 32).peer_id
ANN = Identity.from_seed(b"a" * 32).peer_id
BOB = Identity.from_seed(b"b" * 32).peer_id
OPENING = 7  # of the store
START = 1_795_348_800_000  # Unix milliseconds: 2026-11-22, noon; every row is a second later than the one before


class Logbook:
    """What happened between us and some peers, in the order of the calls."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._pairs: dict[tuple[PeerId, PeerId], int] = {}
        self._seqs: dict[tuple[int, bool], int] = {}
        self._rows = 0

    def pair(self, peer: PeerId, *, own: PeerId = ME, name: str = "", guest: bool = False) -> int:
        """Return the number of the pair with `peer`."""
        if (own, peer) not in self._pairs:
            row = (own.key, peer.key, name, guest, b"e" * 8, bytes(16), bytes(16))
            sql = (
                "INSERT INTO pairs (own, peer, name, guest, epoch, base_state, peer_state) VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            self._run(sql, row)
            (self._pairs[own, peer],) = self.db.one("SELECT max(pair) FROM pairs")
        return self._pairs[own, peer]

    def say(self, peer: PeerId, text: str, *, ref: str | None = None, expires_ms: int | None = None) -> int:
        """Queue a message; returns its cursor."""
        kind, body = messages.encode_body(messages.Text(text))
        cursor = self._message(self.pair(peer), kind, body, mine=True, ref=ref)
        row = (self.pair(peer), self.seq(cursor), self.id(cursor), kind, START, b"", body, cursor, expires_ms)
        columns = "pair, seq, id, kind, sent_ms, conv, body, cursor, expires_ms"
        self._run(f"INSERT INTO outbox ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return cursor

    def hear(self, peer: PeerId, body: messages.Readable, *, kind: int | None = None) -> int:
        """Receive a message; returns its cursor."""
        real, encoded = messages.encode_body(body)
        return self._message(self.pair(peer), real if kind is None else kind, encoded, mine=False)

    def sent(self, peer: PeerId, first: int, last: int, *, link: int = 1) -> int:
        """Hand over what lies between these cursors; returns the cursor of the event."""
        return self._covers("sent", peer, first, last, link)

    def delivered(self, peer: PeerId, first: int, last: int, *, link: int = 1) -> int:
        """Have it acknowledged."""
        self._run("DELETE FROM outbox WHERE pair = ? AND cursor <= ?", (self.pair(peer), last))
        return self._covers("delivered", peer, first, last, link)

    def read(self, peer: PeerId, cursor: int) -> int:
        """Have it read."""
        self._run("UPDATE messages SET read_ms = ? WHERE cursor = ?", (self._now(), cursor))
        return self.event(peer, "read", first=cursor, last=cursor)

    def failed(self, peer: PeerId, cursor: int, reason: str) -> int:
        """Give it up."""
        self._run("UPDATE messages SET failed = ? WHERE cursor = ?", (reason, cursor))
        self._run("UPDATE outbox SET cursor = NULL WHERE cursor = ?", (cursor,))
        return self.event(peer, "failed", first=cursor, last=cursor, detail=reason)

    def connected(self, peer: PeerId, address: str = "tcp:box:7272", *, link: int = 1) -> int:
        """Begin a link."""
        return self.event(peer, "connected", link=link, detail=address)

    def disconnected(self, peer: PeerId, reason: str = "connection lost", *, clean: bool = False, link: int = 1) -> int:
        """End a link."""
        return self.event(peer, "disconnected", link=link, last=int(clean), detail=reason)

    def event(
        self, peer: PeerId, kind: str, *, count: int = 1, link: int = 0, first: int = 0, last: int = 0, detail: str = ""
    ) -> int:
        """Add a row to the events; returns its cursor."""
        cursor = self.newest() + count
        row = (cursor, count, self._now(), kind, self.pair(peer), link, first, last, detail)
        self._run("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return cursor

    def waits(self) -> None:
        """Note what the rows say of the whole outbox."""
        for pair in self._pairs.values():
            sql = "SELECT count(*), ifnull(max(seq), 0) + 1, ifnull(min(seq), 1) FROM outbox WHERE pair = ?"
            waiting, after, base = self.db.one(sql, (pair,))
            sql = "SELECT max(seq) FROM outbox JOIN pairs USING (pair) WHERE pair = ? AND cursor <= sent_through"
            handed = max(base - 1, self.db.one(sql, (pair,))[0] or 0)
            sql = "UPDATE pairs SET waiting = ?, next = ?, base = ?, handed = ? WHERE pair = ?"
            self._run(sql, (waiting, after, base, handed, pair))

    def newest(self) -> int:
        """Return the newest cursor."""
        return journal.newest(self.db)

    def id(self, cursor: int) -> bytes:
        """Return the id of the message at `cursor`."""
        return bytes.fromhex(f"019ab0c4{cursor:04x}7000900000000000{cursor:04x}")

    def seq(self, cursor: int) -> int:
        """Return the number of its entry."""
        return int(self.db.one("SELECT seq FROM messages WHERE cursor = ?", (cursor,))[0])

    def _message(self, pair: int, kind: int | Kind, body: bytes, *, mine: bool, ref: str | None = None) -> int:
        cursor = self.newest() + 1
        seq = self._seqs[pair, mine] = self._seqs.get((pair, mine), 0) + 1
        row = (cursor, pair, mine, self.id(cursor), seq, int(kind), START, self._now(), ref, body)
        columns = "cursor, pair, mine, id, seq, kind, sent_ms, at_ms, ref, body, opening"
        self._run(f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {OPENING})", row)
        return cursor

    def _covers(self, kind: str, peer: PeerId, first: int, last: int, link: int) -> int:
        pair = self.pair(peer)
        sql = "SELECT count(*) FROM messages WHERE pair = ? AND mine AND failed IS NULL AND cursor BETWEEN ? AND ?"
        (count,) = self.db.one(sql, (pair, first, last))
        self._run(f"UPDATE pairs SET {kind}_through = ? WHERE pair = ?", (last, pair))
        return self.event(peer, kind, count=count, link=link, first=first, last=last)

    def _now(self) -> int:
        self._rows += 1
        return START + 1000 * self._rows

    def _run(self, sql: str, row: tuple[object, ...]) -> None:
        self.db.connection.execute(sql, row)


@contextmanager
def open_logbook(path: Path) -> Iterator[Logbook]:
    """A log in a file of its own."""
    db = Database.open(path / "history.db", wall=lambda: START / 1000)
    try:
        yield Logbook(db)
    finally:
        db.close()
