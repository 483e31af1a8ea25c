"""How safe it is to talk to a peer, a sentence for each question, and nothing that is not so at this moment.

What a connection gives is claimed of one that runs, and of nothing else. A sentence that promises names its bound.
Nothing of a peer stands in here but addresses, which have passed the sanitiser when they leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from p2pchat.crypto.noise import XXHFS
from p2pchat.store.contacts import How, Trust
from p2pchat.ui import sanitize, transcript

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.contacts import Contact

SUITE: Final = XXHFS.name.decode()
MARGIN: Final = "  "
WIDTH: Final = 15  # columns of what a sentence is about

INDENT: Final = MARGIN + " " * WIDTH

#: How a key was verified, and what that means.
VERIFIED: Final = {
    How.CODE: "a code that only the two of you had",
    How.FINGERPRINT: "its fingerprint, which you compared",
    How.LINK: "a link that its owner gave you",
}
_SECRECY: Final = "secrecy yes, by ML-KEM-768 beside X25519: a quantum computer of later cannot read a recording"
_SIGNATURES: Final = "signatures no, Ed25519 alone: who had one at this moment could pretend to be somebody"
_OVER: Final = {
    "tcp": "over the network",
    "unix": "over a socket on this machine",
    "exec": "through a command that was started here",
    "memory": "inside of one process",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A connection that runs, or the last one that did."""

    address: str = ""  # where it leads; empty if nobody knows
    user: str = ""  # who has the other end of a socket on this machine, by the word of the kernel
    is_ours: bool = True  # this process has it; otherwise another p2pchat of the profile
    until_ms: int | None = None  # when it ended; None if it runs

    @property
    def runs(self) -> bool:
        """Whether messages can flow over it now."""
        return self.until_ms is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """What a peer can know of us."""

    name: str = ""  # what we call ourselves to those whom we let in
    guest: bool = False  # we have a key of this run, and keep nothing
    receipts: bool = False  # we tell it which of its messages were read


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a peer at this moment."""

    peer: PeerId
    contact: Contact | None  # what the profile has noted of it; None: nothing
    verify: str  # the command that verifies it
    path: Path | None = None  # the connection that runs, or the last one; None: there was none
    me: Me | None = None  # None where only a chat knows that
    guest: bool = False  # it has a key of one run, and keeps nothing
    is_me: bool = False  # it has our own key, or ours vouches for it

    @property
    def runs(self) -> bool:
        """Whether there is a connection now."""
        return self.path is not None and self.path.runs


def lines(standing: Standing, *, width: int = 0) -> list[str]:
    """Return all that is to be said, the answer to each question in a column; `width` is that of the screen, if any."""
    told = [
        ("id", str(standing.peer)),
        ("fingerprint", standing.peer.fingerprint),
        *claims(standing),
    ]
    answers = []
    for label, sentence in told:
        first, *rest = transcript.fold(sentence, width - len(INDENT))
        answers += [f"{MARGIN}{label:<{WIDTH}}{first}", *(INDENT + piece for piece in rest)]
    return answers


def claims(standing: Standing) -> list[tuple[str, str]]:
    """Return what is claimed, each with the question that it answers."""
    return [
        ("trust", trust(standing)),
        *channel(standing),
        ("path", path(standing)),
        *([] if standing.me is None else [("it sees", sight(standing, standing.me))]),
        *([("guest", "its key lasts for one run, and it keeps nothing: delivered means shown")] * standing.guest),
        *([("you", "a guest too: this program keeps nothing")] * (standing.me is not None and standing.me.guest)),
    ]


def trust(standing: Standing) -> str:
    """Return how well the key is known."""
    contact = standing.contact
    if contact is not None and contact.trust is Trust.BLOCKED:
        return "blocked: it is not let in, and not dialed"
    if standing.is_me:
        return "this is you: it has your key, or your key vouches for it"
    if contact is not None and contact.verified_ms is not None and contact.how is not None:
        return f"verified on {_day(contact.verified_ms)}, by {VERIFIED[contact.how]}"
    known = f"let in since {_day(contact.since_ms)}, " if contact is not None and contact.accepted else ""
    return f"{known}not verified: nobody has checked whose key this is; {standing.verify} does"


def channel(standing: Standing) -> list[tuple[str, str]]:
    """Return what the connection that runs gives; of none that does, nothing but that there is none."""
    if not standing.runs:
        return [("encrypted", "there is no connection now; each one is encrypted end to end, or does not begin")]
    return [
        ("encrypted", f"end to end, by {SUITE}"),
        ("forward secret", "its keys are made for it alone: who steals an identity key later cannot read a recording"),
        ("post-quantum", f"{_SECRECY}; {_SIGNATURES}"),
    ]


def path(standing: Standing) -> str:
    """Return what the connection runs over, or the last one did."""
    way = standing.path
    if way is None:
        return "none: there was no connection yet"
    if way.runs and not way.is_ours:
        return "another p2pchat of this profile has the connection"
    where = _where(way)
    return where if way.until_ms is None else f"none now; the last one, until {_moment(way.until_ms)}, was {where}"


def sight(standing: Standing, me: Me) -> str:
    """Return what the peer learns of us."""
    scheme = standing.path.address.partition(":")[0] if standing.path is not None else ""
    seen = [
        "an id of this run" if me.guest else "your id",
        f"the name {sanitize.clean_line(me.name)}" if me.name else "no name",
        "the version of this program",
        *{"tcp": ["the address that you come from"], "unix": ["your user and process"]}.get(scheme, []),
    ]
    unseen = ["when you type"]
    (seen if me.receipts else unseen).append("what you have read")
    (seen if standing.runs else unseen).append("that you are here")
    return f"{_list(seen, 'and')}; not {_list(unseen, 'or')}"


def _where(way: Path) -> str:
    scheme, _, rest = way.address.partition(":")
    if not rest:
        return "of an unknown kind: its transport tells no address"
    over = _OVER.get(scheme, f"by the transport {sanitize.clean_line(scheme)}")
    user = f", by {sanitize.clean_line(way.user)}" if way.user else ""
    return f"{over}, {sanitize.isolate(sanitize.clean_line(way.address))}{user}"


def _list(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _day(unix_ms: int) -> str:
    return _moment(unix_ms).partition(" ")[0]


def _moment(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
