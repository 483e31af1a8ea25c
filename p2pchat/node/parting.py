"""Goodbyes, which need both sides: what is said when, and when a link is over (`docs/protocol.md` 4.2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from p2pchat.node import failures
from p2pchat.node.events import Leaving
from p2pchat.node.link import LinkEnd
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.node.exchange import Exchange


@final
class Parting:
    """How far the two sides of one link are with their goodbyes."""

    def __init__(self, exchange: Exchange) -> None:
        self.deadline: float = math.inf  # until when we linger for their goodbye, seconds of the env's clock
        self._exchange = exchange
        self._session = exchange.session
        self._link = exchange.link
        self._leaving: CloseCode | None = None  # the goodbye that we shall say once all is acknowledged
        self._said: CloseCode | None = None
        self._heard: CloseCode | None = None

    @property
    def may_send(self) -> bool:
        """Whether messages may still leave: not after our goodbye."""
        return self._said is None

    def goodbye(self, code: CloseCode) -> None:
        """Say `code` (NORMAL or GOING_AWAY) once everything of ours is acknowledged."""
        self._leaving = code
        self.go_on()

    def go_on(self) -> None:
        """Say the goodbye that is planned, if nothing of ours is on its way any more."""
        if self._leaving is None or self._said is not None or not self._exchange.running:
            return
        if not self._session.has_unsaid:
            self._say(self._leaving)

    def go_away(self) -> None:
        """Say GOING_AWAY and end the link as soon as that is out; what is not acknowledged stays ours."""
        if self._said is None:
            self._say(CloseCode.GOING_AWAY)
        self._link.finish(LinkEnd(reason="this program ends", code=CloseCode.GOING_AWAY))

    def heard(self, code: CloseCode, reason: str) -> None:
        """Note the CLOSE of the peer."""
        if not code.is_goodbye:
            self._link.finish(LinkEnd(reason=failures.said_by_peer(code, reason), code=code, by_peer=True))
            return
        self._heard = code
        self._session.feed.put(Leaving(session=self._session, going_away=code is CloseCode.GOING_AWAY, reason=reason))
        if self._said is not None:
            self._part()
        elif code is CloseCode.GOING_AWAY:
            self.goodbye(code)

    def end_of_stream(self) -> None:
        """Note that the peer will say nothing more."""
        if self._heard is None:
            self._link.finish(LinkEnd(reason="connection lost"))
        else:
            self._said = self._said or self._heard
            self._part()

    def entries_came(self) -> None:
        """Begin the patience anew: a peer that still talks is not cut off."""
        if self.deadline < math.inf:
            self._linger()

    def tick(self, now: float) -> None:
        """Wait no longer for a goodbye that does not come."""
        if now >= self.deadline:
            self._link.finish(LinkEnd(reason="said goodbye", code=CloseCode.NORMAL, clean=True))

    def _say(self, code: CloseCode) -> None:
        self._leaving = None  # said now, and not once more by the step that brings the last frames
        self._link.say(*self._exchange.last_frames())
        self._said = code
        self._link.close(code)
        if self._heard is not None:
            self._part()
        else:
            self._linger()

    def _linger(self) -> None:
        self.deadline = self._session.env.clock() + self._session.limits.linger
        self._link.wake_at(self.deadline)

    def _part(self) -> None:
        """Both have said goodbye: the link is over, and so is the session unless one of them will be back."""
        clean = CloseCode.GOING_AWAY not in {self._said, self._heard}
        reason = "said goodbye" if clean else "went away"
        self._link.finish(
            LinkEnd(reason=reason, code=max(self._said or 0, self._heard or 0), clean=clean, by_peer=True)
        )
