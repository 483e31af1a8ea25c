"""What a profile is made of: who we are, and whom we let in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from shlex import quote
from typing import TYPE_CHECKING

from p2pchat.cli import places
from p2pchat.cli.settings import Common
from p2pchat.errors import P2PChatError
from p2pchat.store import keyfile
from p2pchat.store.accepted import AcceptedFile

if TYPE_CHECKING:
    from p2pchat.cli.places import Places
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.env import Env
    from p2pchat.store.store import Store


def identity(where: Places, entropy: Callable[[int], bytes]) -> Identity:
    """Return who the profile is; its key is made at the first call.

    Raises:
      ConfigurationError: if the key is not ours alone, or is none.
      StoreError: if the disk refuses.
    """
    return keyfile.load_or_create(where.key, entropy=entropy)


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

    Raises:
      StoreError: if that cannot be opened.
    """
    if where is None:
        yield None
        return
    from p2pchat.store.store import open_store  # noqa: PLC0415  (a database for those who keep something)

    async with open_store(where.history, env=env) as store:
        yield store


class Guests:
    """Whom the profile lets in, as its file says at each knock. A file that was spoilt meanwhile lets nobody in."""

    def __init__(self, where: Places) -> None:
        """Read the file for the first time.

        Raises:
          ConfigurationError: if it cannot be trusted, or understood.
          StoreError: if the disk refuses.
        """
        self._file = AcceptedFile(where.accepted)
        self._file.peers()
        self._complained = ""
        self.complain: Callable[[P2PChatError], None] = _say_nothing

    def peers(self) -> frozenset[PeerId]:
        """Return who may come in now. Each new trouble with the file is complained about once."""
        try:
            peers = self._file.peers()
        except P2PChatError as exc:
            if str(exc) != self._complained:
                self._complained = str(exc)
                self.complain(exc)
            return frozenset()
        self._complained = ""
        return peers


def _say_nothing(error: P2PChatError) -> None:
    """Be the complaint of somebody whom nobody hears."""
