"""Who may have a link with us: the half of a node that people and contacts decide about.

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import trio

from p2pchat.crypto.codes import draw_words
from p2pchat.errors import LocalProtocolError
from p2pchat.node import failures
from p2pchat.node.complaints import Complaints
from p2pchat.node.contacts import Contacts
from p2pchat.node.feed import Feed
from p2pchat.node.strangers import WaitingRoom
from p2pchat.store import invites
from p2pchat.store.contacts import Trust

if TYPE_CHECKING:
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import PeerId
    from p2pchat.env import Env
    from p2pchat.errors import P2PChatError
    from p2pchat.node.link import Link
    from p2pchat.node.session import Session
    from p2pchat.node.settings import NodeSettings
    from p2pchat.store.invites import Invite
    from p2pchat.store.store import Store


class Admission:
    """The verbs of a `Node` about whom it trusts."""

    def __init__(self, *, env: Env, settings: NodeSettings, store: Store | None) -> None:
        """Know those whom `settings` name; `know_who_is_who` adds the contacts of `store`."""
        self.env = env
        self.settings: NodeSettings = settings
        self.store = store
        self.feed: Feed = Feed()
        self.contacts: Contacts = Contacts(store, settings.contacts, env=env)
        self.waiting_room: WaitingRoom = WaitingRoom(settings.limits.strangers)
        self._sessions: dict[tuple[PeerId, PeerId], Session] = {}  # by (who we are to it, peer); oldest use first
        self._links: set[Link] = set()
        self._others_wrote = trio.Event()
        self._complaints = Complaints(self.feed, clock=env.clock, prefix="nobody is let in: ")

    # ---- verbs

    async def accept(self, peer: PeerId) -> bool:
        """Let `peer` in, now and from now on; a guest, who lasts no longer, for the rest of this run.

        Returns:
          Whether it was waiting. Otherwise it may still come back.

        Raises:
          UntrustedPeer: if it is blocked.
          StoreError: if the disk refuses; it goes on waiting.
        """
        if (why := self.keeps_out(peer)) is not None:
            raise why
        await self.contacts.know(peer, guest=self._is_guest(peer))
        waiting = self.waiting_room.call(peer)
        for visitor in waiting:
            visitor.let_in()
        return bool(waiting)

    def reject(self, peer: PeerId) -> bool:
        """Send a waiting stranger away; False if it is not waiting."""
        waiting = self.waiting_room.call(peer)
        for visitor in waiting:
            visitor.refuse()
        return bool(waiting)

    async def invite(self, lifetime: float, *, for_peer: PeerId | None = None) -> Invite:
        """Return a new invite of three words: who proves to know its code, once, is let in and verified.

        Args:
          lifetime: seconds until it dies by itself.
          for_peer: the only one that may claim it; None: whoever knows it.

        Raises:
          LocalProtocolError: if nothing is kept here: we are a guest.
          StoreError: if the disk refuses.
        """
        if self.store is None:
            raise LocalProtocolError("a guest gives out no codes: nothing would keep count of the attempts")
        secret = draw_words(self.env.urandom)
        create = partial(invites.create, secret=secret, lifetime_ms=round(lifetime * 1000), for_peer=for_peer)
        return await self.contacts.write(create)

    def verify(self, session: Session, code: Code) -> None:
        """Begin to prove to the peer of `session`, over the link that runs, that we know a code of its.

        What comes of it is an event: `Verified`, or `ClaimFailed` and the end of the link.

        Raises:
          LocalProtocolError: if no link of this process runs, or it has had its code; nothing was said.
        """
        session.claim(code)

    async def block(self, peer: PeerId) -> None:
        """Let `peer` in no more, and end whatever link there is with it. It learns that it was refused, and no more.

        A guest, who lasts no longer, is kept out for the rest of this run.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        await self.contacts.block(peer, guest=self._is_guest(peer))
        self._part_from_blocked()

    async def unblock(self, peer: PeerId) -> None:
        """Let `peer` be what it was before it was blocked.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """
        await self.contacts.unblock(peer)

    # ---- for the node's own parts

    def accepts(self, peer: PeerId) -> bool:
        """Whether `peer` may come in without a question."""
        return self.contacts.lets_in(peer)

    def keeps_out(self, peer: PeerId) -> P2PChatError | None:
        """Return why there is to be no link with `peer`, whoever asks for one: it is blocked, or nobody can tell."""
        if self.contacts.trouble is not None:
            return self.contacts.trouble
        contact = self.contacts.of(peer)
        if contact is None or contact.trust is not Trust.BLOCKED:
            return None
        return failures.blocked(peer, self.settings.flags, name=contact.name)

    def others_wrote(self) -> None:
        """Note that another process may have decided about somebody."""
        self._others_wrote.set()

    async def heed_others(self) -> None:
        """Part from those whom another process has blocked, for as long as the node runs."""
        while True:
            await self._others_wrote.wait()
            self._others_wrote = trio.Event()
            await self.know_who_is_who()
            self._part_from_blocked()

    async def know_who_is_who(self) -> None:
        """Learn whom the profile knows by now; what cannot be read is told, and lets nobody in."""
        await self.contacts.refresh()
        if self.contacts.trouble is None:
            self._complaints.settled()
        else:
            self._complaints.tell(self.contacts.trouble)

    def _is_guest(self, peer: PeerId) -> bool:
        """Return whether `peer` said that its key dies with it, when it was here last, whether it is or not."""
        met = any(session.guest for session in self._sessions.values() if session.peer == peer)
        return met or self.waiting_room.is_guest(peer)

    def _part_from_blocked(self) -> None:
        for link in list(self._links):
            peer = link.connection.peer
            if peer is not None and self.contacts.trust(peer) is Trust.BLOCKED:
                link.refuse(failures.YOU_BLOCKED)
        for session in self._sessions.values():
            if self.contacts.trust(session.peer) is Trust.BLOCKED:
                session.finish()  # nobody dials it again
