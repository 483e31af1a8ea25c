"""What a guest keeps: everything in memory, gone with the process.

An ACK of a guest means *shown*, so what was taken waits here until it is confirmed; everything else is lists. Nothing
in here decides anything: the rules are in `p2pchat/protocol/`.

Source: docs/protocol.md, sections 1.3 and 6.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar, final

import outcome
from msgspec import Struct
from msgspec.structs import replace

from p2pchat.errors import P2PChatError
from p2pchat.protocol import chain
from p2pchat.protocol.ledger import Fence, Log, Seen
from p2pchat.store.base import UNSAID

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Messages
    from p2pchat.store.base import Transaction
    from p2pchat.wire.frames import Entry

T = TypeVar("T")

# How many ids of messages are remembered at the least, so that none is shown twice; twice as many at the most. A
# message comes again in two cases: it was taken and not confirmed when a link broke, which is one window at the most
# (4096), or the peer lives on an old backup and sends what was queued then. Four windows cover the first with room for
# the second, at about 3 MiB for a peer that has said 32768 things.
KNOWN_IDS: Final = 16384


class _Take(Struct, gc=False):
    """What was handed out to be shown and is not confirmed yet."""

    mark: int
    seen: Seen | None  # where we are once it is; None: that was undone


class MemoryLedger:
    """A `Ledger` in memory. It needs no transactions: rules check before they change, and nothing runs between."""

    def __init__(self, epoch: bytes, *, known_ids: int = KNOWN_IDS) -> None:
        """Begin an empty log named `epoch`, 8 random bytes."""
        self.fence: Fence = Fence()
        self._log = Log(epoch=epoch)
        self._entries: list[Entry] = []  # numbered from `_log.base`
        self._expiries: dict[int, int] = {}  # number of a final entry above `_log.handed` -> Unix milliseconds
        self._seen = Seen()
        self._confirmed = self._seen
        self._takes: deque[_Take] = deque()
        self._last_mark = 0
        # Two generations of ids: when the recent one is full it becomes the older one, which is forgotten.
        self._known_ids = known_ids
        self._recent: set[bytes] = set()
        self._older: set[bytes] = set()

    # ---- my log

    @property
    def log(self) -> Log:
        """My log, but for its entries."""
        return self._log

    @property
    def next(self) -> int:
        """The number of the entry that will be appended next."""
        return self._log.base + len(self._entries)

    def entries(
        self,
        first: int,
        last: int,
        *,
        enough: int | None = None,  # noqa: ARG002 (all are at hand)
        bodies: bool = True,  # noqa: ARG002
    ) -> Sequence[Entry]:
        """Return the entries numbered `first` … `last`, as far as there are any."""
        base = self._log.base
        return self._entries[first - base : last + 1 - base] if last >= first else []

    def find(self, entry_id: bytes) -> int | None:
        """Return the number of the kept entry with this id; a walk through all of them."""
        for seq, entry in enumerate(self._entries, self._log.base):
            if entry.id == entry_id:
                return seq
        return None

    def append(self, entries: Sequence[Entry], *, expires_ms: int | None = None) -> int:
        """Append entries; return the number of the first."""
        first = self._log.base + len(self._entries)
        self._entries += entries
        if expires_ms is not None:
            self._expiries[first + len(entries) - 1] = expires_ms
        return first

    def replace(self, first: int, entries: Sequence[Entry]) -> None:
        """Put `entries` in the place of those numbered `first` and up."""
        start = first - self._log.base
        self._entries[start : start + len(entries)] = entries
        self._expiries.pop(first + len(entries) - 1, None)

    def expired(self, now_ms: int) -> Sequence[int]:
        """Return the numbers of final entries, never handed, whose time was up by `now_ms`."""
        if not self._expiries:
            return ()
        return [last for last, expires_ms in self._expiries.items() if expires_ms <= now_ms]

    def hand(self, through: int) -> None:
        """Raise `log.handed` to `through`."""
        self._log = replace(self._log, handed=through)
        if self._expiries:
            self._expiries = {last: expires for last, expires in self._expiries.items() if last > through}

    def drop(self, base: int, base_state: bytes) -> None:
        """Forget the entries below `base`."""
        del self._entries[: base - self._log.base]
        self._log = replace(self._log, base=base, base_state=base_state)

    def renumber(self, epoch: bytes) -> None:
        """Begin a new log with what is kept."""
        self._log = Log(epoch=epoch, base=1, base_state=chain.EMPTY, handed=len(self._entries))
        self._expiries.clear()

    # ---- the peer's log

    @property
    def seen(self) -> Seen:
        """How far the peer's log was taken."""
        return self._seen

    @property
    def confirmed(self) -> int:
        """The number up to which what was taken was also shown."""
        return self._confirmed.seq

    def enter(self, ids: Sequence[bytes]) -> Sequence[bytes]:
        """Remember `ids`; return those that were not known before, each once."""
        if len(self._recent) >= self._known_ids:
            self._older, self._recent = self._recent, set()
        if self._recent.isdisjoint(ids) and self._older.isdisjoint(ids):
            before = len(self._recent)
            self._recent.update(ids)
            return ids if len(self._recent) - before == len(ids) else list(set(ids))
        new = set(ids) - self._recent - self._older
        self._recent |= new
        return list(new)

    def take(self, seen: Seen, messages: Messages) -> int:
        """Move on to `seen`; return the mark that confirms that `messages` were shown."""
        self._seen = seen
        if messages:
            self._last_mark += 1
            self._takes.append(_Take(self._last_mark, seen))
        elif self._takes:
            self._takes[-1].seen = seen
        else:
            self._confirmed = seen
        return self._last_mark

    def confirm(self, mark: int) -> None:
        """Note that everything up to `mark` was shown."""
        while self._takes and self._takes[0].mark <= mark:
            seen = self._takes.popleft().seen
            if seen is not None:
                self._confirmed = seen

    def rewind(self) -> None:
        """Undo what was taken and not confirmed; the ids stay known."""
        self.begin(self._confirmed)

    def begin(self, seen: Seen) -> None:
        """Follow the peer's log from `seen` on."""
        self._seen = self._confirmed = seen
        for take in self._takes:
            take.seen = None


@final
class MemoryPair:
    """A `store.base.Pair` in memory, and its one `Transaction`, which never has to be undone.

    There is no log of what happened: whoever was there has seen it.
    """

    durable = False
    cursor = 0

    def __init__(self, epoch: bytes) -> None:
        """Begin an empty log named `epoch`, 8 random bytes."""
        self.ledger: MemoryLedger = MemoryLedger(epoch)
        self._keys: dict[str, bytes] = {}

    def submit(
        self, gather: Callable[[], Callable[[Transaction], T]], done: Callable[[outcome.Outcome[T]], None]
    ) -> None:
        """Run a job here and now; only what it reports as a failure is passed on, a bug comes out."""
        try:
            result = gather()(self)
        except P2PChatError as error:
            done(outcome.Error(error))
        else:
            done(outcome.Value(result))

    @property
    def name(self) -> str:
        """Nothing: it is not kept."""
        return ""

    @property
    def guest(self) -> bool:
        """Whether the peer was a guest is not kept."""
        return False

    def connected(self, address: str, *, name: str, guest: bool) -> None:
        """Keep nothing."""

    def disconnected(self, reason: str, *, clean: bool) -> None:
        """Keep nothing."""

    def gap(self) -> None:
        """Keep nothing."""

    def rolled_back(self) -> None:
        """Keep nothing."""

    def failed(self, ids: Sequence[bytes], reason: str) -> None:
        """Keep nothing."""

    def pin(self, address: str) -> bool:  # noqa: ARG002  (it is the same for all)
        """Keep nothing: a guest pins nobody."""
        return False

    def tag(self, message_id: bytes, *, key: str | None, ref: str | None) -> None:  # noqa: ARG002  (a ref is for logs)
        """Remember the key for this run."""
        if key is not None:
            self._keys[key] = message_id

    def keyed(self, key: str) -> bytes | None:
        """Return the id of my message with this key."""
        return self._keys.get(key)

    def unsaid(self) -> int:
        """Return how many of my messages the peer has not acknowledged."""
        base, last = self.ledger.log.base, self.ledger.next - 1
        return sum(entry.kind not in UNSAID for entry in self.ledger.entries(base, last))
