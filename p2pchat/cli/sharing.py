"""What `listen --allow-user` does: a path of ours is for other users of this machine, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from p2pchat.errors import ConfigurationError
from p2pchat.transports import credentials
from p2pchat.transports.unix import UnixTransport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from p2pchat.address import Address
    from p2pchat.transports.registry import Transports


def share(transports: Transports, where: Iterable[Address], names: Sequence[str]) -> None:
    """Let `transports` admit the users called `names` at the Unix sockets among `where`, and nowhere else.

    Raises:
      BadParameter: if there is no Unix socket among them.
      ConfigurationError: if somebody is no user of this machine.
    """
    if not names:
        return
    paths = [address.rest for address in where if address.scheme == UnixTransport.scheme]
    if not paths:
        raise typer.BadParameter(
            "it is about Unix sockets: give a path to listen on, such as /tmp/meet", param_hint="'--allow-user'"
        )
    users = frozenset(_user(name) for name in names)
    transports.use(UnixTransport(shared=dict.fromkeys(paths, users)))


def _user(name: str) -> int:
    uid = credentials.uid_of(name)
    if uid is None:
        raise ConfigurationError(
            f"there is no user {name[:80]!a} on this machine",
            hint="`getent passwd` lists them; `id -un` tells who you are",
        )
    return uid
