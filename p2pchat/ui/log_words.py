"""The log, what waits, and the story of a message, in sentences for people: the wording for verbs and faces alike.

Each record is one line, however many lines a message has, and what does not fit the screen is indented below it: so
nothing that a peer wrote can look like a line of the log. All that a peer chose has passed the sanitiser when it leaves
this module. Times are local.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, assert_never
from uuid import UUID

from p2pchat.store import journal
from p2pchat.ui import sanitize, transcript
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.journal import Became, Record, Said
    from p2pchat.store.queue import Waiting
    from p2pchat.store.timeline import Step, Timeline
    from p2pchat.ui.marks import Marks

MARGIN: Final = "  "
INDENT: Final = MARGIN * 2  # of what did not fit: deeper than any line begins
LAST_MS: Final = 253_402_200_000_000  # Unix milliseconds; a day before the year 10000, wherever we are
GUEST: Final = " to a guest, who keeps nothing"
#: Nobody knows more of the next attempt: whichever process is there first makes it.
WHEN: Final = "when any p2pchat of this profile meets"


class LogWords:
    """Sentences with the signs that a terminal can draw."""

    def __init__(self, marks: Marks, *, names: Names | None = None, width: int = 0) -> None:
        """Begin to tell.

        Args:
          marks: what the terminal can draw.
          names: what to call peers.
          width: the number of its columns, 0 for no bound.
        """
        self._marks = marks
        self._names = names or Names(marks)
        self._width = width
        self._states = {
            "queued": marks.queued,
            "sent": marks.sent,
            "delivered": marks.delivered,
            "read": marks.read,
            "failed": marks.failed,
        }

    def peer(self, peer: PeerId, claim: str) -> str:
        """Return whom a line is about: the name that I gave it and the id, or the id and, in quotes, its own claim."""
        short = self._names.short(peer)
        if petname := self._names.petname(peer):
            return f"{petname} ({short})"
        claimed = sanitize.isolate(self._names.claimed(claim))
        return f'{short} "{claimed}"' if claimed else short

    # ---- the log

    def record(self, record: Record) -> list[str]:
        """Return the line, or lines, for something that happened."""
        return self._fit(
            f"{_moment(record.at_ms)}{MARGIN}{self.peer(record.peer, record.name)}{MARGIN}{self._what(record)}"
        )

    def _what(self, record: Record) -> str:
        match record.what:
            case journal.Said() as said:
                verb = f"{self._marks.queued} queued" if said.mine else "said"
                return f"{verb} {UUID(bytes=said.id)}: {_in_short(said)}"
            case journal.Became() as became:
                return self._became(became, guest=record.guest)
            case journal.LinkUp(address=address, link=link):
                return f"connected, {_link(link, address)}"
            case journal.LinkDown(reason=reason, clean=clean):
                return f"{'disconnected' if clean else 'connection lost'}: {_reason(reason)}"
            case journal.Gap():
                return "messages may be missing before what comes next"
            case journal.RolledBack():
                return "our history turned out to be an old backup; what was said since may be missing"
            case never:
                assert_never(never)

    def _became(self, became: Became, *, guest: bool) -> str:
        ids = [str(UUID(bytes=one)) for one in became.ids[-1:]]
        which = "".join(ids) if len(became.ids) <= 1 else f"{len(became.ids)} messages, up to {ids[0]}"
        more = (
            GUEST if guest and became.state == "delivered" else f": {_reason(became.reason)}" if became.reason else ""
        )
        return f"{self._states[became.state]} {became.state} {which}{more}"

    # ---- what waits

    def waiting(self, one: Waiting) -> list[str]:
        """Return the line, or lines, for a message that waits."""
        state = "sent" if one.is_sent else "queued"
        expires = f", until {_moment(one.expires_ms)}" if one.expires_ms is not None and not one.is_sent else ""
        columns = [
            _moment(one.since_ms),
            self.peer(one.peer, one.name),
            f"{self._states[state]} {state} {UUID(bytes=one.id)}",
            f"{one.size} bytes{expires}",
        ]
        return self._fit(MARGIN.join(columns))

    # ---- one message

    def summary(self, told: Timeline) -> list[str]:
        """Return the line, or lines, for what a message is now."""
        mark = f"{self._states[told.state]} " if told.named.mine else ""
        way = "to" if told.named.mine else "from"
        who = self.peer(told.named.peer, told.name)
        return self._fit(f"{UUID(bytes=told.named.id)} {way} {who}: {mark}{told.state}")

    def story(self, told: Timeline, *, withdraw: str) -> list[str]:
        """Return the lines that tell what became of a message; as long as it can be, `withdraw` says how to do that."""
        lines = [f"{_exact(step.at_ms)}{MARGIN}{_step(step, told)}" for step in told.steps]
        lines += _outlook(told, self.peer(told.named.peer, told.name), withdraw)
        lines += ["what it said was deleted here"] if told.deleted else []
        return [*self.summary(told), *(piece for line in lines for piece in self._fit(MARGIN + line))]

    def _fit(self, line: str) -> list[str]:
        first, *rest = transcript.fold(line, self._width - len(INDENT))
        return [first, *(INDENT + sanitize.isolate(piece) for piece in rest)]


def _step(step: Step, told: Timeline) -> str:
    link = f" on {_link(step.link.number, step.link.address)}" if step.link else ""
    match step.what:
        case "composed":
            return "composed" if told.named.mine else "composed, says its sender"
        case "stored":
            return "stored on this disk"
        case "delivered":
            return f"acknowledged{link}: " + ("shown" + GUEST if told.guest else "it is on the disk over there")
        case "receipt":
            return "a receipt for it was queued"
        case "failed":
            return f"failed: {_reason(step.reason)}"
        case what:
            return what + link


def _outlook(told: Timeline, who: str, withdraw: str) -> list[str]:
    """Return why a message is not there yet, and what will happen."""
    if not told.waits:
        return []
    link = told.newest
    again = f"{'it is sent again' if told.state == 'sent' else 'it goes out'} {WHEN} that peer"
    if link is None:
        lines = [f"it waits: there was no link to {who} yet", again]
    elif link.until_ms is not None:
        lines = [f"it waits: no link since {_moment(link.until_ms)} ({_reason(link.reason)})", again]
    else:
        what = "acknowledgement" if told.state == "sent" else "turn"
        lines = [f"it waits for its {what} on {_link(link.number, link.address)}", f"should that link be gone, {again}"]
    if told.expires_ms is not None:
        lines.append(f"if it has not left by {_moment(told.expires_ms)}, it is withdrawn")
    if told.state == "queued":
        lines.append(f"to withdraw it: {withdraw}")
    return lines


def _link(number: int, address: str) -> str:
    where = sanitize.clean_line(address)
    return f"link {number} ({where})" if where else f"link {number}"


def _reason(reason: str) -> str:
    return sanitize.clean_line(reason) or "nobody knows why"


def _in_short(said: Said) -> str:
    if said.body is None:
        return "(deleted here)"
    return sanitize.isolate(sanitize.clean_line(transcript.readable(said.message)))


def _moment(unix_ms: int) -> str:
    return _exact(unix_ms).partition(".")[0]


def _exact(unix_ms: int) -> str:
    if not 0 <= unix_ms <= LAST_MS:
        return "at no time of any calendar"  # a peer may claim whatever fits in the field
    seconds, rest = divmod(unix_ms, 1000)
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime(f"%Y-%m-%d %H:%M:%S.{rest:03}")
