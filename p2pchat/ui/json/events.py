"""What a program is told: one function for each event, all that it says in one place. Nothing here decides anything.

Names, reasons and texts are the peer's own, unfiltered: JSON keeps them apart from everything else. The schema in
docs/reference/json.md is the contract; fields and events are only ever added.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import p2pchat
from p2pchat.node.events import Connected, Invited, Listening, State, Verified
from p2pchat.store.contacts import How
from p2pchat.wire import messages

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node import events
    from p2pchat.protocol.assembly import Message
    from p2pchat.store.history import Unread
    from p2pchat.transports.credentials import LocalUser
    from p2pchat.ui.json.conversation import Conversation, Mine

Line: TypeAlias = dict[str, object]

PROTOCOL: Final = 1  # of these lines; what a program knows today it will find again under the same number
CURSOR_DIGITS: Final = 16
BY_STORE: Final = "store"  # the transport, where another process of ours has the link
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_999  # Unix milliseconds at the end of the year 9999, the last that RFC 3339 can write


def ready(me: PeerId) -> Line:
    """Return the first line of all."""
    return {"event": "ready", "protocol": PROTOCOL, "version": p2pchat.__version__, "peer": str(me)}


def news(event: events.Listening | events.Invited | events.Verified | events.ClaimFailed) -> Line:
    """Return the line for what is about no conversation."""
    match event:
        case Listening():
            return {"event": "listening", "address": str(event.address)}
        case Invited():
            return invite(event)
        case Verified():
            return verified(event)
        case _:
            return claim_failed(event)


def invite(event: events.Invited) -> Line:
    """Return the line for codes that let somebody in."""
    return {"event": "invite", **invited(event)}


def invited(event: events.Invited) -> Line:
    """Return the same for a program that asked for nothing else."""
    return {
        "code": event.code,
        "link": event.link or None,
        "expires_at": timestamp(event.expires_ms),
        "link_expires_at": timestamp(event.link_expires_ms),
    }


def stranger(event: events.Stranger, *, imitated: str) -> Line:
    """Return the line for somebody who is not accepted here; `imitated` is whose name it looks like."""
    return {
        "event": "stranger",
        "peer": str(event.peer),
        "name": event.name,
        "fingerprint": event.peer.fingerprint,
        "address": None if event.address is None else str(event.address),
        "waiting": event.waiting,
        **imitates(imitated),
        **whose(event.user),
    }


def connected(talk: Conversation, event: events.Connected | events.Elsewhere, *, petname: str, link: int) -> Line:
    """Return the line for a peer that can be reached now, for the `link`-th time; `petname` is what I call it."""
    session = talk.session
    address = str(event.address) if isinstance(event, Connected) and event.address is not None else ""
    line = link_up(talk.peer, session.name, address, trust=session.trust.value, petname=petname, link=link)
    return line | whose(session.user) if isinstance(event, Connected) else line | {"transport": BY_STORE}


def link_up(  # noqa: PLR0913  (the fields)
    peer: str, name: str, address: str, *, trust: str | None, petname: str = "", link: int
) -> Line:
    """Return the line for a link by way of `address`, empty if nobody knows it."""
    return {
        "event": "connected",
        "peer": peer,
        "name": name,
        "petname": petname or None,
        "trust": trust,
        "transport": address.partition(":")[0] or None,
        "address": address or None,
        "link": link,
    }


def whose(process: LocalUser | None) -> Line:
    """Return the field for the user of this machine at the other end of a link; none if there is none to be known."""
    return {} if process is None else {"user": user(process)}


def user(process: LocalUser) -> Line:
    """Return what is known of a user of this machine, by a `process` of theirs."""
    return {"uid": process.uid, "name": process.name or None, "pid": process.pid or None}


def imitates(petname: str) -> Line:
    """Return the field for a name that looks like how I call somebody else; none if it looks like nobody's."""
    return {"imitates": petname} if petname else {}


def verified(event: events.Verified) -> Line:
    """Return the line for a key that is known to be whose it should be."""
    return {
        "event": "verified",
        "peer": str(event.peer),
        "how": event.how.value,
        "by_us": event.by_us,
        "durable": event.kept,
    }


def compared(talk: Conversation, *, durable: bool) -> Line:
    """Return the same for a key whose fingerprint we have compared."""
    line = {"event": "verified", "peer": talk.peer, "how": How.FINGERPRINT.value, "by_us": True}
    return line | {"durable": durable}


def claim_failed(event: events.ClaimFailed) -> Line:
    """Return the line for a code that has verified nobody."""
    return {
        "event": "claim_failed",
        "peer": str(event.peer),
        "address": None if event.address is None else str(event.address),
        "ours": event.ours,
        "reason": event.reason,
        "tries_left": event.tries_left,
    }


def unshown(left: Unread) -> Line:
    """Return the fields of `connected` for messages that came to an earlier process, which has not told them."""
    return {"unshown": left.count, "since": cursor_text(left.first - 1)}


def message(talk: Conversation, received: Message, *, received_ms: int, cursor: int) -> Line:
    """Return the line for a message of the peer that came at `received_ms`."""
    return heard(talk.peer, talk.session.name, received, received_ms=received_ms, cursor=cursor)


def heard(peer: str, name: str, received: Message, *, received_ms: int, cursor: int) -> Line:
    """Return the line for a message of `peer`."""
    return {
        "event": "message",
        "peer": peer,
        "name": name,
        "id": str(received.id),
        "seq": received.seq,
        **_content(received),
        "sent_at": timestamp(received.entry.sent_ms),
        "received_at": timestamp(received_ms),
        "cursor": cursor_text(cursor),
    }


def state(talk: Conversation, mine: Mine, reached: State, *, reason: str | None = None) -> Line:
    """Return the line for a state that a message of ours has reached, and why, where that is not what was hoped."""
    line = reached_state(talk.peer, mine, reached, reason=reason, durable=not talk.session.guest)
    if reached is State.QUEUED and talk.next_attempt is not None:
        line["next_attempt"] = timestamp(int(talk.next_attempt * 1000))
    return line


def reached_state(peer: str, mine: Mine, reached: State, *, reason: str | None, durable: bool) -> Line:
    """Return the line for a state of a message to `peer`, where nobody is known to dial."""
    return {
        "event": "state",
        "id": str(mine.id),
        "ref": mine.ref,
        "peer": peer,
        "state": reached.value,
        "reason": reason,
        "next_attempt": None,
        "durable": durable,
    }


def typing(talk: Conversation, event: events.PeerTyping) -> Line:
    """Return the line for a peer that types, or has stopped."""
    return {"event": "typing", "peer": talk.peer, "on": event.on}


def leaving(talk: Conversation, event: events.Leaving) -> Line:
    """Return the line for a peer's goodbye."""
    return {"event": "leaving", "peer": talk.peer, "reason": event.reason or "said goodbye"}


def disconnected(talk: Conversation, event: events.Disconnected) -> Line:
    """Return the line for the end of a link."""
    return link_down(talk.peer, event.reason, clean=event.clean, redial=event.redial)


def link_down(peer: str, reason: str, *, clean: bool, redial: float | None) -> Line:
    """Return the line for a link to `peer` that ended."""
    return {"event": "disconnected", "peer": peer, "reason": reason, "clean": clean, "redial": redial}


def gap(peer: str) -> Line:
    """Return the line for messages of `peer` that may be missing before its next one."""
    return {"event": "gap", "peer": peer}


def rolled_back(peer: str) -> Line:
    """Return the line for the news, had from `peer`, that our store is an old backup."""
    return {"event": "rolled_back", "peer": peer}


def error(code: str, text: str, *, hint: str = "") -> Line:
    """Return the line for something that went wrong: `code` for programs, `text` and `hint` for people."""
    return {"event": "error", "code": code, "message": text, "hint": hint or None}


def cursor_text(cursor: int) -> str:
    """Return a cursor as programs get it: longer numbers never come, so strings rise as numbers do."""
    return f"{cursor:0{CURSOR_DIGITS}}"


def timestamp(unix_ms: int) -> str | None:
    """Return Unix milliseconds as RFC 3339 in UTC; None for a time that it cannot write."""
    if not 0 <= unix_ms <= _LAST_MS:
        return None
    moment = _EPOCH + timedelta(milliseconds=unix_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _content(received: Message) -> Line:
    match received.body:
        case messages.Text(text=text, more=more):
            return {"text": text, "more": True} if more else {"text": text}
        case messages.Data(data=data, more=more):
            encoded = b64encode(data).decode("ascii")
            return {"data": encoded, "more": True} if more else {"data": encoded}
        case _:
            return {"unreadable": received.entry.kind}
