"""One pair inside a transaction: its ledger, and what is noted in the log beside it.

Source: docs/protocol.md, section 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import LocalProtocolError
from p2pchat.store import contacts, events, pins
from p2pchat.store.events import Event

if TYPE_CHECKING:
    from p2pchat.protocol.ledger import Ledger
    from p2pchat.store.database import Database
    from p2pchat.store.ledger import SqlLedger


@final
class SqlTransaction:
    """A `store.base.Transaction` in a database, for one job after the other."""

    def __init__(self, database: Database, ledger: SqlLedger) -> None:
        self._database = database
        self._ledger = ledger

    @property
    def ledger(self) -> Ledger:
        """The delivery state of the pair."""
        return self._ledger

    @property
    def cursor(self) -> int:
        """The cursor of the newest event, those that this job has made so far included."""
        self._ledger.flush_events()
        return self._database.cursor

    @property
    def name(self) -> str:
        """What the peer calls itself; empty if that is not known."""
        return self._ledger.head.name

    @property
    def guest(self) -> bool:
        """Whether the peer was a guest on its newest link."""
        return self._ledger.head.guest

    def connected(self, address: str, *, name: str, guest: bool) -> None:
        """Note a link by way of `address` to the peer, which calls itself `name` and may be a guest."""
        head = self._ledger.change()
        head.name = name or head.name  # a peer tells its name only to those it has accepted, so later
        head.guest = guest
        head.met_ms = self._database.now_ms()
        self._note("connected", detail=address)

    def disconnected(self, reason: str, *, clean: bool) -> None:
        """Note the end of the newest link."""
        self._ledger.change().met_ms = self._database.now_ms()
        self._note("disconnected", last=int(clean), detail=reason)

    def gap(self) -> None:
        """Note that messages of the peer may be missing before what comes next."""
        self._note("gap")

    def rolled_back(self) -> None:
        """Note that this store turned out to be an old backup."""
        self._note("rolled_back")

    def failed(self, ids: Sequence[bytes], reason: str) -> None:
        """Note that these messages of mine will never arrive, and why."""
        for message_id in ids:
            row = self._database.connection.execute(
                "UPDATE messages SET failed = ? WHERE pair = ? AND mine = 1 AND id = ? AND failed IS NULL"
                " RETURNING cursor",
                (reason, self._ledger.head.pair, message_id),
            ).fetchone()
            if row is not None:
                (cursor,) = row
                self._note("failed", first=cursor, last=cursor, detail=reason)

    def pin(self, address: str) -> bool:
        """Expect the peer at `address` from now on, and know it; False if somebody was expected there already.

        Nothing is done about a guest, nor about who is blocked.
        """
        peer = PeerId(self._ledger.place.peer)
        contact = contacts.find(self._database, peer)
        if self.guest or (contact is not None and contact.blocked):
            return False
        is_new = pins.pin(self._database, address, peer)
        if is_new or pins.peer_at(self._database, address) == peer:
            contacts.know(self._database, peer)
        return is_new

    def tag(self, message_id: bytes, *, key: str | None, ref: str | None) -> None:
        """Remember what a program calls a message of mine.

        Raises:
          LocalProtocolError: if another one has this key, or what it is called is not Unicode.
        """
        _check_unicode(key, ref)
        if key is not None and self.keyed(key) not in {None, message_id}:
            raise LocalProtocolError("another message to this peer has the same key")
        self._database.connection.execute(
            "UPDATE messages SET key = ?, ref = ? WHERE pair = ? AND mine = 1 AND id = ?",
            (key, ref, self._ledger.head.pair, message_id),
        )

    def keyed(self, key: str) -> bytes | None:
        """Return the id of my message with this key.

        Raises:
          LocalProtocolError: if it is not Unicode.
        """
        _check_unicode(key)
        sql = "SELECT id FROM messages WHERE pair = ? AND key = ?"
        row = self._database.connection.execute(sql, (self._ledger.head.pair, key)).fetchone()
        return None if row is None else bytes(row[0])

    def unsaid(self) -> int:
        """Return how many of my messages the peer has not acknowledged."""
        return self._ledger.head.waiting

    def _note(self, kind: str, *, first: int = 0, last: int = 0, detail: str = "") -> None:
        head = self._ledger.head
        detail = detail.encode(errors="replace").decode()  # what the system says may hold anything
        event = Event(kind, head.pair, head.fence.gen, first=first, last=last, detail=detail)
        events.write(self._database, event)


def _check_unicode(*texts: str | None) -> None:
    try:
        "".join(text for text in texts if text is not None).encode()
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"a name that cannot be encoded: {exc}") from exc
