"""How a peer got in, as far as is known without a list of contacts."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat


class Trust(Enum):
    """Why we talk to a peer."""

    #: Its key is ours, or ours vouches for it.
    YOU = "you"
    #: It is in the list of those who may come in, or was accepted in this run.
    ACCEPTED = "accepted"
    #: We dialed it, and nobody has checked who answered.
    DIALED = "dialed"
    #: Anybody may come in.
    NONE = "none"


def trust_in(session: Session, chat: Chat) -> Trust:
    """Return why `chat` talks to the peer of `session`."""
    if session.vouched or session.peer == chat.node.id:
        return Trust.YOU
    if chat.node.accepts(session.peer):
        return Trust.ACCEPTED
    return Trust.DIALED if chat.dials else Trust.NONE
