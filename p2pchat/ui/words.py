"""What happens, in sentences: one place for the wording of all faces. Nothing here writes anything.

Short and kind, lower case, no full stop, and what to do where there is something to do. Everything that a peer chose
(names, reasons, addresses) has passed the sanitiser when it leaves this module.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from p2pchat.node import events
from p2pchat.store.contacts import Trust
from p2pchat.ui import clocks, endings, sanitize
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.ui.marks import Marks

FOR_NOW: Final = " for this run"
OURS_FAILED: Final = (
    "if it was a slip: type it once more, carefully, when you are connected again. A code bears three tries, and only"
    " who gave it to you can know how many are left; after that ask for a new one by voice. If that fails, too,"
    " somebody may sit between the two of you on this way: take another one"
)
ASK_WHOM: Final = "ask whom you gave the code to whether that was them"
BEWARE: Final = "if not, somebody is guessing, or sits in between"


class Words:
    """Sentences about one node."""

    def __init__(
        self,
        *,
        me: PeerId,
        marks: Marks,
        reach: Callable[[Address], list[str]],
        let_in: Callable[[PeerId], str],
        options: str = "",
    ) -> None:
        """Begin to talk about the node `me`.

        Args:
          me: our own id.
          marks: what the terminal can draw.
          reach: returns what to type elsewhere to reach an address of ours.
          let_in: returns the command that lets a refused peer in next time.
          options: what leads another command to our profile, each word with a blank before it.
        """
        self.marks = marks
        self.names: Names = Names(marks)
        self._me = me
        self._reach = reach
        self._let_in = let_in
        self._options = options
        self._trust: Callable[[PeerId], Trust] = lambda _: Trust.NEW

    def meet(self, node: Node) -> None:
        """Call peers by the names that they have among the contacts of `node`."""
        self.names.know(lambda: node.contacts.names)
        self._trust = node.contacts.trust

    def peer(self, peer: PeerId) -> str:
        """Return what to call somebody of whom only the id counts: the name that I gave it, or the id, shortened."""
        return self.names.of(peer, "")

    def name(self, session: Session, others: Iterable[Session] = ()) -> str:
        """Return what to call the peer of `session`, told apart from all `others`."""
        if session.vouched:
            return "you (guest)"
        if session.peer == self._me:
            return "you (over there)"
        return self.names.of(session.peer, session.name, ((other.peer, other.name) for other in others))

    def with_id(self, session: Session, others: Iterable[Session] = ()) -> str:
        """Return the same, and the id, shortened: the two of them tell whom I mean."""
        return self._and_id(self.name(session, others), session.peer)

    def is_me(self, session: Session) -> bool:
        """Whether the peer of `session` has our own key, or one for which ours vouches."""
        return session.vouched or session.peer == self._me

    def command(self, verb: str, peer: PeerId) -> str:
        """Return what to type in a shell to do something about `peer`."""
        petname = self.names.petname(peer)
        return f"`p2pchat {verb} {shlex.quote(petname) if petname else peer}{self._options}`"

    def tell(self, event: events.Event, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines for `event`; none for what is not news, or is shown otherwise."""
        lines: list[str] = []
        match event:
            case events.Listening(address=address):
                lines = self._reach(address)
            case events.Invited(lines=told):
                lines = list(told)
            case events.Connected(session=session):
                lines = self._connected(event, self.name(session, sessions))
            case events.Elsewhere(session=session):
                lines = [
                    f"another p2pchat of yours has the connection to {self.name(session, sessions)}",
                    "what you say here goes by way of it",
                ]
            case events.Leaving(session=session, going_away=going_away, reason=reason):
                name = self.name(session, sessions)
                lines = [_because(f"{name} went away" if going_away else f"goodbye from {name}", reason)]
            case events.Disconnected(session=session):
                lines = self._disconnected(event, self.name(session, sessions))
            case events.WaitingToBeLetIn(peer=peer):
                lines = [f"reached {self.peer(peer)}; waiting to be let in"]
            case events.DialFailed(error=error, redial=redial):
                lines = [f"{sanitize.clean_line(str(error))}{_again(redial)}"]
            case events.Notice(text=text, hint=hint):
                lines = [sanitize.clean_line(line) for line in (text, hint) if line]
            case events.Stranger() | events.Verified() | events.ClaimFailed() | events.Renamed():
                lines = self._about_trust(event, sessions)
            case _:
                pass
        return lines

    def _disconnected(self, event: events.Disconnected, name: str) -> list[str]:
        if event.session.trust is Trust.BLOCKED:
            return [f"{name} is blocked, and the connection is closed"]
        if event.clean:
            return []  # the goodbye was told
        if event.claim:  # which was told, too
            return [f"that ended the connection to {name}{_again(event.redial)}"]
        return [_because(f"connection lost: {name}", event.reason) + _again(event.redial)]

    def _about_trust(
        self,
        event: events.Stranger | events.Verified | events.ClaimFailed | events.Renamed,
        sessions: Iterable[Session],
    ) -> list[str]:
        match event:
            case events.Stranger(waiting=True):
                return []  # the face asks: see `question`
            case events.Stranger():
                cure = f"to let it in next time: {self._let_in(event.peer)}"
                return [*self._stranger(event, "was refused"), cure]
            case events.Renamed(session=session):
                return self._renamed(session, event.before)
            case events.Verified(peer=peer):
                return self._verified(event, self._whom(peer, sessions))
            case events.ClaimFailed():
                return self._claim_failed(event, sessions)

    def unsaid(self, session: Session, count: int, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about `count` messages that the peer of `session` has not got when we leave."""
        if not session.pair.durable:
            return [f"{self.marks.failed} {endings.not_kept(count)}"]
        return [f"{self.marks.queued} {endings.kept(count, self.name(session, sessions))}"]

    def unshown(self, session: Session, count: int, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about `count` messages that came to an earlier process and were not written by it."""
        if not count:
            return []
        name, are = self.name(session, sessions), "messages" if count > 1 else "message"
        command = f"p2pchat history {session.peer}{self._options}"
        came = f"{count} {are} of {name} came earlier and {'were' if count > 1 else 'was'} not shown"
        return [f"{came} (the last of what was shown may be among them): `{command}` has them"]

    def compared(self, name: str, *, kept: bool) -> list[str]:
        """Return the line about the peer called `name`, whose digits are the right ones; `kept` for longer than now."""
        return [f"{name} is verified{'' if kept else FOR_NOW}: these are the digits of its key"]

    def differs(self, name: str) -> list[str]:
        """Return the warning about digits that are not those of the peer called `name`."""
        return [
            f"{self.marks.failed} these are not the digits of {name}, and nothing was verified",
            "a digit misheard? read them once more; if they still differ, this is not whom you mean, or somebody is in",
            "the middle and reads what you say: end this chat, say nothing here that is not for others",
        ]

    def clock(self, session: Session, ahead: float, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about a clock that is so many seconds ahead of ours, or behind."""
        where = "ahead of" if ahead > 0 else "behind"
        name, length = self.name(session, sessions), clocks.length(abs(ahead))
        return [f"the clock of {name} is about {length} {where} yours; the times shown are yours"]

    def question(self, event: events.Stranger, number: int) -> list[str]:
        """Return the lines that ask whether to let a stranger in; nothing is the default."""
        return [
            *self._stranger(event, "asks to be let in"),
            f"/accept {number} lets it in, /reject {number} refuses, /block {number} for good",
        ]

    def _stranger(self, event: events.Stranger, what: str) -> list[str]:
        claimed = self.names.claimed(event.name)
        imitated = self.names.imitated(event.peer, event.name)
        misleads = f": it calls itself {imitated}, is not your {imitated}" if imitated else ""
        return [
            f"a stranger {what}" + (f", calling itself {claimed}" if claimed else misleads),
            f"  id           {event.peer}",
            f"  fingerprint  {event.peer.fingerprint}",
            f"  address      {event.address or 'unknown'}" + (f", by {event.user}" if event.user else ""),
        ]

    def _connected(self, event: events.Connected, name: str) -> list[str]:
        session = event.session
        if self.is_me(session):
            return [f"connected again: {name}" if event.resumed else f"connected: {name}"]
        misleads = self.misleads(session.peer, session.name)
        if event.resumed:
            return [f"connected again: {name}", *misleads]
        verified = "verified" if session.trust is Trust.VERIFIED else "not verified"
        guest = ", a guest: it keeps nothing" if session.guest else ""
        return [f"connected: {self._and_id(name, session.peer)}, {verified}{guest}", *misleads]

    def _whom(self, peer: PeerId, sessions: Iterable[Session]) -> str:
        """Return what to call `peer`, and its id."""
        sessions = list(sessions)
        session = next((one for one in sessions if one.peer == peer), None)
        return self._and_id(self.peer(peer), peer) if session is None else self.with_id(session, sessions)

    def _and_id(self, name: str, peer: PeerId) -> str:
        short = self.names.short(peer)
        return name if name == short else f"{name} ({short})"

    def _verified(self, event: events.Verified, whom: str) -> list[str]:
        proof = "the code that it gave you was right" if event.by_us else "it knew the code that you gave out"
        return [f"{whom} is verified{'' if event.kept else FOR_NOW}: {proof}, and nobody is in between"]

    def _claim_failed(self, event: events.ClaimFailed, sessions: Iterable[Session]) -> list[str]:
        """Return the lines about a code that verified nobody: what happened, how well it is known, what to do."""
        sessions = list(sessions)
        whom = self._whom(event.peer, sessions)
        at = f" at {sanitize.clean_line(str(event.address))}" if event.address is not None else ""
        reason = sanitize.clean_line(event.reason)
        session = next((one for one in sessions if one.peer == event.peer), None)
        trust = self._trust(event.peer) if session is None else session.trust
        if event.ours:
            return [
                f"{self.marks.failed} warning: this try to verify {whom}{at} has failed: {reason}",
                f"it is {_as_before(trust)}",
                OURS_FAILED,
            ]
        state = "it is not verified, and the code did not let it in"
        if session is not None or trust is not Trust.NEW:
            state = f"it is {_as_before(trust)}"
        return [f"{self.marks.failed} warning: {whom}{at}: {reason}", state, _what_of_the_code(event.tries_left)]

    def _renamed(self, session: Session, before: str) -> list[str]:
        """Return the lines about another name that a peer gives itself; which I call it stays."""
        now = self.names.claimed(session.name) or ("nothing" if not session.name else "something that is not shown")
        who = self.names.of(session.peer, before)
        misleads = self.misleads(session.peer, session.name)
        return misleads or [f"{who} now calls itself {now}", f"it is {session.peer}"]

    def misleads(self, peer: PeerId, claim: str) -> list[str]:
        """Return the line about a peer that calls itself as I call somebody else."""
        imitated = self.names.imitated(peer, claim)
        return [f"{self.peer(peer)} calls itself {imitated}, is not your {imitated}"] if imitated else []


def _as_before(trust: Trust) -> str:
    """Return how well a key is known, of which a code that failed has shown nothing."""
    match trust:
        case Trust.VERIFIED:
            return "still verified, as before"
        case Trust.KNOWN:
            return "known and not verified, as before"
        case _:
            return "not verified, as before"


def _what_of_the_code(left: int | None) -> str:
    """Return what to do about a code of ours that was claimed in vain, and bears `left` more tries."""
    if left is None:
        return f"{ASK_WHOM}; if so, they need a new one; {BEWARE}"
    if left == 0:
        return (
            f"it was tried three times, and is dead; {ASK_WHOM}; if so, give them a new one; {BEWARE}: take another way"
        )
    tries = "one more try" if left == 1 else f"{left} more tries"
    return f"{ASK_WHOM}: then they can type it again, carefully, for it bears {tries}; {BEWARE}: nobody should use it"


def _because(sentence: str, reason: str) -> str:
    reason = sanitize.clean_line(reason)
    return f"{sentence} ({reason})" if reason and reason not in sentence else sentence


def _again(delay: float | None) -> str:
    if delay is None:
        return ""
    return f"; trying again in {delay:.0f} s" if delay >= 0.5 else "; trying again now"
