"""Who is here, as programs are told when they ask: what a person reads in /who, in fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.ui.honesty import SUITE
from p2pchat.ui.json import events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from p2pchat.node.node import Node
    from p2pchat.ui.json.conversation import Conversation
    from p2pchat.ui.json.events import Line


def who(node: Node, talks: Iterable[Conversation], *, ref: str | None) -> Line:
    """Return the line for all peers of `talks`, and for the strangers that wait; `ref` is that of the question."""
    return {
        "event": "who",
        "ref": ref,
        "peers": [_peer(node, talk) for talk in talks],
        "strangers": [str(peer) for peer in node.waiting_room.peers],
    }


def _peer(node: Node, talk: Conversation) -> Line:
    session = talk.session
    contact = node.contacts.of(session.peer)
    runs = session.connected
    address = str(session.address) if runs and session.address is not None else ""
    verified_ms = None if contact is None else contact.verified_ms
    return {
        "peer": talk.peer,
        "name": session.name,
        "petname": None if contact is None else contact.name or None,
        "trust": session.trust.value,
        "verified_at": None if verified_ms is None else events.timestamp(verified_ms),
        "how": None if contact is None or contact.how is None else contact.how.value,
        "me": session.vouched or session.peer == node.id,
        "guest": session.guest,
        "connected": session.reachable,
        "transport": address.partition(":")[0] or None if runs or not session.reachable else events.BY_STORE,
        "address": address or None,
        "user": events.user(session.user) if runs and session.user is not None else None,
        "link": talk.link if session.reachable else None,
        "suite": SUITE if session.reachable else None,
    }
