"""What the verbs print that look at messages: one object for each message that waits, or for the one asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from p2pchat.node.events import State
from p2pchat.ui.json import events
from p2pchat.ui.json.conversation import Mine

if TYPE_CHECKING:
    from p2pchat.store.queue import Waiting
    from p2pchat.store.timeline import OnLink, Step, Timeline
    from p2pchat.ui.json.events import Line


def waiting(one: Waiting) -> Line:
    """Return the line for a message that waits. Whoever meets the peer first sends it, so nobody knows when that is."""
    return {
        "id": str(UUID(bytes=one.id)),
        "ref": one.ref,
        "peer": str(one.peer),
        "name": one.name,
        "state": (State.SENT if one.is_sent else State.QUEUED).value,
        "queued_at": events.timestamp(one.since_ms),
        "size": one.size,
        "expires_at": _maybe(one.expires_ms),
        "next_attempt": None,
        "durable": not one.guest,
        "cursor": events.cursor_text(one.cursor),
    }


def story(told: Timeline) -> Line:
    """Return the object that tells what became of a message."""
    return {
        "id": str(UUID(bytes=told.named.id)),
        "ref": told.ref,
        "peer": str(told.named.peer),
        "name": told.name,
        "direction": "out" if told.named.mine else "in",
        "state": told.state,
        "reason": told.reason or None,
        "expires_at": _maybe(told.expires_ms),
        "next_attempt": None,
        "durable": not told.guest if told.named.mine else True,
        "deleted": told.deleted,
        "cursor": events.cursor_text(told.named.cursor),
        "steps": [_step(step) for step in told.steps],
        "newest_link": link(told.newest),
    }


def state(told: Timeline) -> Line:
    """Return the `state` object of a message of mine as it is now."""
    mine = Mine(UUID(bytes=told.named.id), told.ref)
    reached = State(told.state)
    return events.reached_state(str(told.named.peer), mine, reached, reason=told.reason or None, durable=not told.guest)


def _step(step: Step) -> Line:
    return {
        "step": step.what,
        "at": events.timestamp(step.at_ms),
        "reason": step.reason or None,
        "link": link(step.link),
    }


def link(one: OnLink | None) -> Line | None:
    """Return the object for a link, null if there was none."""
    if one is None:
        return None
    return {
        "link": one.number,
        "address": one.address or None,
        "began_at": events.timestamp(one.since_ms),
        "ended_at": _maybe(one.until_ms),
        "reason": one.reason or None,
    }


def _maybe(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else events.timestamp(unix_ms)
