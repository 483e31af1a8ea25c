"""Making sure whose key it is that answers: by a code that only we two have, or by the digits of its fingerprint.

Nothing here believes what came over the connection: a person has to bring the digits, or the code, some other way.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, final

from p2pchat.crypto.codes import Code
from p2pchat.errors import P2PChatError
from p2pchat.store.contacts import How, Trust

if TYPE_CHECKING:
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.transcript import Transcript
    from p2pchat.ui.words import Words

DIGITS: Final = 30  # of a fingerprint
LIFETIME: Final = 600  # seconds in which a code that is shown here can be claimed

_BETWEEN: Final = re.compile(r"[\s.,_-]+")


@final
class Verifying:
    """The answer to /verify."""

    def __init__(self, *, screen: Transcript, words: Words) -> None:
        """Tell on `screen`, in `words`."""
        self._screen = screen
        self._words = words

    async def verify(self, text: str, session: Session | None, chat: Chat) -> None:
        """Compare the digits in `text` with those of the peer of `session`, or claim the code; or tell what to say."""
        if session is None:
            await self._screen.note(["nobody is here yet, so there is nobody to verify"])
            return
        if self._words.is_me(session):
            await self._screen.note(["this is you, and nobody has to verify that"])
            return
        try:
            if not text:
                await self._screen.note(await self._tell(session, chat))
            elif (digits := digits_of(text)) is not None:
                await self._screen.note(await self._compare(digits, session, chat))
            else:
                chat.node.verify(session, Code.parse(text))
        except P2PChatError as exc:
            await self._screen.note([f"nothing was verified: {exc}", *filter(None, [exc.hint])])

    async def _tell(self, session: Session, chat: Chat) -> list[str]:
        name = self._words.name(session, chat.sessions)
        state = "verified" if session.trust is Trust.VERIFIED else "not verified"
        lines = [
            f"{name} is {state}; to make sure, talk to whom you mean by voice, or meet, and compare:",
            f"  its fingerprint   {session.peer.fingerprint}",
            f"  your fingerprint  {session.own.fingerprint}",
            "if it has the same two: /verify and the 30 digits that it reads to you",
        ]
        if not keeps(chat.node, session):
            return lines
        code = (await chat.node.invite(LIFETIME, for_peer=session.peer)).code
        return [
            *lines,
            f"or say {code} to it, and to nobody else: whoever has this key and types /verify {code}",
            f"within {LIFETIME // 60} minutes is verified, and so are you over there",
        ]

    async def _compare(self, digits: str, session: Session, chat: Chat) -> list[str]:
        name = self._words.name(session, chat.sessions)
        if len(digits) != DIGITS:
            return [f"a fingerprint has {DIGITS} digits, and these are {len(digits)}"]
        if digits == digits_of(session.own.fingerprint):
            return ["these are your own digits: type those that the other side reads to you"]
        if not await compare(chat.node, session, digits):
            return self._words.differs(name)
        return self._words.compared(name, kept=keeps(chat.node, session))


async def compare(node: Node, session: Session, digits: str) -> bool:
    """Verify the peer of `session` if these `digits` are its fingerprint; returns whether they are.

    Raises:
      StoreError: if the disk refuses; nothing has changed.
    """
    if digits != digits_of(session.peer.fingerprint):
        return False
    await node.contacts.verify(session.peer, How.FINGERPRINT, guest=session.guest)
    return True


def keeps(node: Node, session: Session) -> bool:
    """Whether what is found out about the peer of `session` outlives this run."""
    return node.store is not None and not session.guest


def digits_of(text: str) -> str | None:
    """Return the digits of a fingerprint that was typed, however they are grouped; None if it is something else."""
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    return digits if digits.isascii() and digits.isdigit() else None
