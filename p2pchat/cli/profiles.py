"""What a profile is made of: who we are, and whom we let in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from p2pchat.cli import passphrase, places
from p2pchat.cli.settings import Common
from p2pchat.store import keyfile
from p2pchat.store.keyformat import Locked

if TYPE_CHECKING:
    from p2pchat.cli.places import Places
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.env import Env
    from p2pchat.store.contacts import Contact
    from p2pchat.store.store import Store


def identity(where: Places, entropy: Callable[[int], bytes], *, ask: bool = False) -> Identity:
    """Return who the profile is; its key is made at the first call. Blocks; with a passphrase for tenths of a second.

    Args:
      where: the profile.
      entropy: draws the key.
      ask: whether a person may be asked for the passphrase, if the key has one and the environment does not tell it.

    Raises:
      ConfigurationError: if the key is not ours alone, or is none, or its passphrase is not to be had.
      StoreError: if the disk refuses.
      Interrupted: if the person who was asked pressed Ctrl-C.
    """
    found = keyfile.look(where.key, entropy=entropy)
    return passphrase.unlock(found, ask=ask) if isinstance(found, Locked) else found


def own_id(where: Places, entropy: Callable[[int], bytes]) -> PeerId:
    """Return who the profile is to others, for whom no passphrase is needed; its key is made at the first call.

    Raises:
      ConfigurationError: if the key is not ours alone, or is none.
      StoreError: if the disk refuses.
    """
    return keyfile.look(where.key, entropy=entropy).peer_id


def let_in(where: Places | None) -> Callable[[PeerId], str]:
    """Return what tells how a refused peer is let in next time; None for a guest, who keeps no list."""
    if where is None:
        return lambda _: "begin again with --accept anyone"
    options = flags(where)
    return lambda peer: f"p2pchat trust {peer}{options}"


def flags(where: Places) -> str:
    """Return the options, each with a blank before it, that lead another command to the profile at `where`."""
    name = where.socket.stem
    words = ["--profile", name] if name != Common().profile else []
    if where.data != places.find(name).data:
        words += ["--data-dir", str(where.data)]
    return "".join(f" {quote(word)}" for word in words)


def flags_of(common: Common) -> str:
    """Return the options that lead another command to the profile which `common` means, as `flags` does."""
    return flags(places.find(common.profile, common.data_dir))


@asynccontextmanager
async def kept(where: Places | None, env: Env) -> AsyncIterator[Store | None]:
    """Open what the profile keeps of its conversations; None for a guest, who keeps nothing.

    A list of who may come in, as older versions had it, becomes contacts.

    Raises:
      ConfigurationError: if there is such a list, and it cannot be understood, or trusted.
      StoreError: if that cannot be opened.
    """
    if where is None:
        yield None
        return
    from p2pchat.store.accepted import import_file  # noqa: PLC0415
    from p2pchat.store.store import open_store  # noqa: PLC0415  (a database for those who keep something)

    async with open_store(where.history, env=env) as store:
        await store.read(partial(import_file, path=where.accepted))
        yield store


def blocked(common: Common) -> tuple[Contact, ...]:
    """Return whom the profile has blocked: a guest of it, who keeps nothing, keeps them out, too.

    Raises:
      StoreError: if it cannot be read.
    """
    from p2pchat.cli import archive  # noqa: PLC0415  (a database for those who keep something)
    from p2pchat.store import contacts  # noqa: PLC0415

    with archive.opened(common) as db:
        return tuple(contact for contact in contacts.everyone(db) if contact.blocked) if db else ()
