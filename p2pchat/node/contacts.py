"""Whom the node knows: the contacts of its store as they are now, and those of this run alone.

Decisions about links are synchronous, so what is asked for here is a copy, which `refresh` renews: before each link,
and whenever another process has written. A guest keeps nothing, and no guest is ever kept: both are in memory only.

What cannot be read counts for nobody: while there is `trouble`, nobody is let in.

Source: docs/protocol.md, section 5, "Admission".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar, final

import trio
from msgspec.structs import replace

from p2pchat.env import unix_ms
from p2pchat.errors import StoreError
from p2pchat.store import contacts, pins
from p2pchat.store.contacts import Contact, Trust
from p2pchat.store.names import check_petname

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.env import Env
    from p2pchat.store.contacts import How
    from p2pchat.store.database import Database
    from p2pchat.store.store import Store

T = TypeVar("T")
State = tuple[int, int]  # another one means that rows may have changed


@final
class Contacts:
    """The contacts of one node."""

    def __init__(self, store: Store | None, given: Iterable[Contact], *, env: Env) -> None:
        """Know those who are `given` for this run; `refresh` adds those of `store`."""
        self.trouble: StoreError | None = None  # why they cannot be read
        self._store = store
        self._env = env
        self._kept: dict[PeerId, Contact] = {}
        self._here: dict[PeerId, Contact] = {contact.peer: contact for contact in given}
        self._names: dict[PeerId, str] | None = None  # of all of them; None: to be gathered anew
        self._state: State | None = None  # of the store, when it was read
        self._asked = self._answered = 0
        self._turn = trio.Lock()

    # ---- what is known, as of the newest `refresh`

    def of(self, peer: PeerId) -> Contact | None:
        """Return what is known of `peer`; None if nothing is."""
        kept, here = self._kept.get(peer), self._here.get(peer)
        if kept is None or here is None:
            return kept or here
        return replace(kept, accepted=kept.accepted or here.accepted, blocked=kept.blocked or here.blocked)

    def keeps(self, peer: PeerId) -> bool:
        """Whether what is known of `peer` outlives this run."""
        return peer in self._kept

    def everyone(self) -> list[Contact]:
        """Return all of them, those of this run last."""
        return [*self._kept.values(), *self._here.values()]

    @property
    def names(self) -> Mapping[PeerId, str]:
        """The names that I gave, by peer; the same object for as long as nobody has changed anything."""
        if self._names is None:
            self._names = {contact.peer: contact.name for contact in self.everyone() if contact.name}
        return self._names

    def trust(self, peer: PeerId) -> Trust:
        """Return how well `peer` is known."""
        contact = self.of(peer)
        return Trust.NEW if contact is None else contact.trust

    def lets_in(self, peer: PeerId) -> bool:
        """Whether `peer` comes in without a question."""
        return self.trouble is None and self.trust(peer) in {Trust.KNOWN, Trust.VERIFIED}

    # ---- reading

    async def refresh(self) -> None:
        """Learn what was decided up to this call, by whichever process; what cannot be read becomes `trouble`.

        Many may ask at a time: two reads are enough for all of them.
        """
        await trio.lowlevel.checkpoint()
        if self._store is None:
            return
        self._asked += 1
        wanted = self._asked
        async with self._turn:
            if self._answered < wanted:
                upto = self._asked
                try:
                    self._take(await self._store.read(partial(_changed, before=self._state)))
                except StoreError as error:
                    self._fail(error)
                self._answered = upto

    def _take(self, found: tuple[State, list[Contact] | None]) -> None:
        self._state, rows = found
        if rows is not None:
            self._kept, self._names = {contact.peer: contact for contact in rows}, None
        self.trouble = None

    def _fail(self, error: StoreError) -> None:
        self.trouble, self._state, self._kept, self._names = error, None, {}, None

    # ---- deciding; each of these returns once it is durable, and counts from then on

    async def know(self, peer: PeerId, *, guest: bool = False) -> None:
        """Let `peer` in from now on, a `guest` that is no contact for this run. Who is blocked stays blocked.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        if self._store is None or (guest and not self.keeps(peer)):
            self._note(replace(self._fresh(peer), accepted=True))
        else:
            await self.write(partial(contacts.know, peer=peer))

    async def verify(self, peer: PeerId, how: How, *, guest: bool = False, at: str | None = None) -> None:
        """Note that the key of `peer` is whose it should be, and lets it in; of a `guest` for this run.

        Args:
          peer: whose key.
          how: what has shown it.
          guest: nothing of it is kept.
          at: the canonical address at which it is expected from now on, unless somebody is expected there already.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        if self._store is None or guest:
            now_ms = unix_ms(self._env.wall())
            self._note(replace(self._fresh(peer), accepted=True, verified_ms=now_ms, how=how))
        else:
            await self.write(partial(_verify, peer=peer, how=how, at=at))

    async def block(self, peer: PeerId, *, guest: bool = False) -> None:
        """Have no link with `peer` any more, with a `guest` that is no contact in this run; `unblock` takes it back.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        if self._store is None or (guest and not self.keeps(peer)):
            self._note(replace(self._fresh(peer), blocked=True))
        else:
            await self.write(partial(contacts.block, peer=peer))

    async def unblock(self, peer: PeerId) -> None:
        """Let `peer` be what it was before it was blocked.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        if self._store is not None:
            await self.write(partial(contacts.unblock, peer=peer))
        if self._store is None or peer in self._here:
            self._note(replace(self._fresh(peer), blocked=False))

    async def rename(self, peer: PeerId, name: str) -> None:
        """Call `peer` `name` from now on, or nothing if that is empty. It trusts nobody.

        Raises:
          BadData: if no contact may be called that, or another one is; nothing has changed.
          StoreError: if the disk refuses; nothing has changed.
        """
        if self._store is None:
            self._note(replace(self._fresh(peer), name=check_petname(name) if name else ""))
        else:
            await self.write(partial(contacts.rename, peer=peer, name=name))

    async def write(self, change: Callable[[Database], T]) -> T:
        """Return what `change` returns, in a transaction of its own in the store, and know what it has changed.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        assert self._store is not None  # noqa: S101  (who keeps nothing has nothing to write)
        async with self._turn:
            result, found = await self._store.read(partial(_written, change=change))
            self._take(found)
        return result

    def _note(self, contact: Contact) -> None:
        self._here[contact.peer], self._names = contact, None

    def _fresh(self, peer: PeerId) -> Contact:
        """Return what is known of `peer` in this run, or somebody new."""
        return self._here.get(peer) or someone(peer, now_ms=unix_ms(self._env.wall()))


def someone(peer: PeerId, *, now_ms: int = 0, accepted: bool = False, blocked: bool = False) -> Contact:
    """Return a contact of which no more is known than that."""
    return Contact(peer=peer, name="", accepted=accepted, blocked=blocked, verified_ms=None, how=None, since_ms=now_ms)


def _state_of(db: Database) -> State:
    """Return a pair that is another one after each commit of others, and after each change of our own."""
    db.look()
    return db.stamp, int(db.one("SELECT total_changes()")[0])


def _changed(db: Database, *, before: State | None) -> tuple[State, list[Contact] | None]:
    state = _state_of(db)
    return state, None if state == before else contacts.everyone(db)


def _written(db: Database, *, change: Callable[[Database], T]) -> tuple[T, tuple[State, list[Contact] | None]]:
    with db.transaction():
        result = change(db)
    return result, _changed(db, before=None)


def _verify(db: Database, *, peer: PeerId, how: How, at: str | None) -> None:
    contacts.verify(db, peer, how)
    if at is not None:
        pins.pin(db, at, peer)
