"""What the verbs about contacts have in common: whom a word means, where it is written, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from p2pchat.cli import archive, places, profiles, reading, say
from p2pchat.env import system_env
from p2pchat.errors import BadData, UntrustedPeer
from p2pchat.node import failures
from p2pchat.store import known as knowledge
from p2pchat.store.contacts import Trust
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports
from p2pchat.ui import sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from p2pchat.cli.exit_codes import ExitCode
    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.contacts import Contact
    from p2pchat.store.known import Known


def own_id(common: Common) -> PeerId:
    """Return who we are; the key is made if there is none.

    Raises:
      ConfigurationError: if the key cannot be used.
      StoreError: if the disk refuses.
    """
    return profiles.own_id(places.find(common.profile, common.data_dir), system_env(Transports()).urandom)


def whom(word: str, common: Common) -> PeerId:
    """Return whose key `word` means; nothing is made for a word that means nobody.

    Raises:
      NoContact: if that is nobody.
      AddressError: if it cannot be read.
      BadData: if it is our own.
      ConfigurationError: if our own key cannot be used.
      StoreError: if the store cannot be read.
    """
    with archive.opened(common) as db:
        peer = reading.peer_of(word, db)
    if peer == own_id(common):
        raise BadData("this is you, and you are no contact of yours", hint="give the id, or the name, of somebody else")
    return peer


@contextmanager
def opened(common: Common) -> Iterator[Database]:
    """Open the store for somebody who writes; it is made if it is not there.

    Raises:
      ConfigurationError: as `archive.opened`.
      StoreError: if it cannot be opened; in the place of every error of the database in the body, too.
    """
    with archive.opened(common, to_write=True) as db:
        if db is not None:
            yield db
            return
    path = places.find(common.profile, common.data_dir).history
    with closing(Database.open(path, wall=system_env(Transports()).wall)) as db:
        yield db


def refuse_blocked(contact: Contact | None, common: Common) -> None:
    """Raise the error that tells how to unblock a contact, if it is blocked."""
    if contact is not None and contact.trust is Trust.BLOCKED:
        raise failures.blocked(contact.peer, profiles.flags_of(common), name=contact.name)


def refuse_guest(known: Known) -> None:
    """Raise the error for a peer whose key is gone with its process."""
    if known.guest:
        raise UntrustedPeer(
            f"{known.peer} is a guest: its key ends with its process, and nobody else's begins with it",
            hint="whoever that was can use a profile instead: begin without --guest",
        )


def called(known: Known) -> str:
    """Return whom a sentence is about: the name that I gave, and the id."""
    return f"{name(known)} ({known.peer})" if known.name else str(known.peer)


def name(known: Known) -> str:
    """Return how a peer is called in a sentence that names its key elsewhere."""
    return sanitize.clean_line(known.name) or str(known.peer)


def tell(peer: PeerId, said: Sequence[str], common: Common, *, db: Database, **more: object) -> ExitCode:
    """Print what has happened: to a person what is `said`, with --json the contact as it is now, and `more`."""
    if not common.json:
        return say.text("\n".join(said))
    from p2pchat.ui.json import contact, lines  # noqa: PLC0415  (for those who ask for it)

    return say.text(lines.encode(contact.contact(knowledge.of(db, peer)) | more))
