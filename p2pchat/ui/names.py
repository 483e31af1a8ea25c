"""What to call a peer: one rule for every face, list and log.

The name that I gave it (its *petname*); else what it calls itself, if nobody could take that for somebody or something
else; else its id, shortened. So a claim never looks like a contact of mine, like another peer, like me, or like a word
of this program; and what is shown for a peer without a petname is as good as its claim, and no better.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias, final

from p2pchat.errors import BadData
from p2pchat.store import contacts
from p2pchat.store import names as rules
from p2pchat.ui import sanitize

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.contacts import Contact
    from p2pchat.store.database import Database
    from p2pchat.ui.marks import Marks

Petnames: TypeAlias = Mapping["PeerId", str]

SHOWN_START: Final = 13  # characters of an id that people see, and at its end:
SHOWN_END: Final = 4  # enough to tell two apart, not to trust one
#: Words that only this program says, of whomever: a claim that has one of them is not shown.
OURS: Final = ("you", "me", "p2pchat", "stranger", "guest", "verified", "known", "blocked", "connected")
#: A claim is a few words: no sign in it can end a name, begin a line of ours, or look like a mark of ours.
_PLAIN: Final = re.compile(r"[^\W\d_](?:[\w.'&@+-]| (?! ))*")
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")
_MEMORY: Final = 4096  # claims and petnames whose shape is remembered: the same few come with each message


def shortened(peer: PeerId, marks: Marks) -> str:
    """Return an id as people see it."""
    text = str(peer)
    return f"{text[:SHOWN_START]}{marks.dots}{text[-SHOWN_END:]}"


def petnames(known: Iterable[Contact]) -> dict[PeerId, str]:
    """Return the names that I gave, by peer."""
    return {contact.peer: contact.name for contact in known if contact.name}


@final
class Names:
    """What to call everybody, with the signs that one terminal can draw."""

    def __init__(self, marks: Marks, petnames: Callable[[], Petnames] = dict) -> None:
        """Call peers by the `petnames` of the moment, as `know` has it."""
        self._marks = marks
        self._petnames = petnames
        self._counted: Petnames = {}
        self._taken: Mapping[str, str] = {}

    @classmethod
    def kept(cls, marks: Marks, db: Database) -> Names:
        """Return what to call everybody by the contacts that `db` holds now.

        Raises:
          StoreError: if they cannot be read.
        """
        found = petnames(contacts.everyone(db))
        return cls(marks, lambda: found)

    def know(self, petnames: Callable[[], Petnames]) -> None:
        """Call peers by these `petnames` from now on: the same object for as long as none of them changes."""
        self._petnames = petnames

    def short(self, peer: PeerId) -> str:
        """Return an id as people see it."""
        return shortened(peer, self._marks)

    def petname(self, peer: PeerId) -> str:
        """Return how I call `peer`, an empty string if I gave it no name."""
        return sanitize.clean_line(self._petnames().get(peer, ""))

    def of(self, peer: PeerId, claim: str, others: Iterable[tuple[PeerId, str]] = ()) -> str:
        """Return what to call `peer`, which calls itself `claim`.

        Args:
          peer: who it is.
          claim: its own words.
          others: who else is to be told apart from it, and what they call themselves.
        """
        taken = frozenset[str]().union(*(shapes(theirs) for other, theirs in others if other != peer))
        return self.petname(peer) or self._claimed(claim, taken) or self.short(peer)

    def everyone(self, claims: Mapping[PeerId, str]) -> dict[PeerId, str]:
        """Return what to call each peer where all of them, who have these `claims`, are to be told apart."""
        how_many = Counter(chain.from_iterable(map(shapes, claims.values())))
        taken = frozenset(one for one, count in how_many.items() if count > 1)
        return {
            peer: self.petname(peer) or self._claimed(claim, taken) or self.short(peer)
            for peer, claim in claims.items()
        }

    def claimed(self, claim: str) -> str:
        """Return `claim` as it may stand beside an id; an empty string if somebody could be misled by it."""
        return self._claimed(claim, frozenset())

    def imitated(self, peer: PeerId, claim: str) -> str:
        """Return the petname, of somebody else than `peer`, that its `claim` looks like; empty if there is none."""
        petnames = self._by_shape()
        name = next((petnames[shape] for shape in shapes(claim) if shape in petnames), "")
        return "" if name == self.petname(peer) else name

    def _claimed(self, claim: str, taken: frozenset[str]) -> str:
        """Return `claim` if nobody can take it for anything else, else nothing; `taken` are shapes of others."""
        mine = self._by_shape()
        if not is_harmless(claim) or any(shape in mine or shape in taken for shape in shapes(claim)):
            return ""
        return sanitize.clean_line(claim)

    def _by_shape(self) -> Mapping[str, str]:
        """Return all petnames, by what they look like."""
        names = self._petnames()
        if names is not self._counted:
            self._counted = names
            self._taken = {shape: sanitize.clean_line(name) for name in names.values() for shape in shapes(name)}
        return self._taken


@lru_cache(_MEMORY)
def shapes(name: str) -> frozenset[str]:
    """Return what `name` looks like: two that a person may take for one have something of it in common.

    What stands between letters, or cannot be seen, makes no difference: *bob.* and *b ob* look like *bob*. Else it is
    as with petnames: who is alike there is alike here.
    """
    letters = {_BETWEEN_WORDS.sub("", shape) for shape in rules.shapes(name)}
    return frozenset({*letters, rules.folded(sanitize.clean_line(name))} - {""})


@lru_cache(_MEMORY)
def is_harmless(claim: str) -> bool:
    """Whether a claimed name, standing alone, can be taken for a name and nothing else.

    It could be a petname, is written in one script, and has no word that only we say of others or of ourselves.
    """
    shown = sanitize.clean_line(claim)
    if shown != unicodedata.normalize("NFC", claim).strip(" ") or not _PLAIN.fullmatch(shown):
        return False
    pieces = _BETWEEN_WORDS.split(shown)
    words = frozenset().union(*map(rules.shapes, (*pieces, "".join(pieces))))
    if not words.isdisjoint(_RESERVED) or any(word.startswith(_ID) for word in words):
        return False
    try:
        rules.check_petname(shown)
    except BadData:
        return False
    return rules.is_single_script(shown)


_RESERVED: Final = frozenset(map(rules.skeleton, OURS))
_ID: Final = rules.skeleton("peer1")  # how what looks like an id begins
