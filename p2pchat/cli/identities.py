"""What `p2pchat id` does: tell who we are, guard the key with a passphrase, make another one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from p2pchat.cli import archive, links, passphrase, places, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.env import system_env
from p2pchat.errors import ConfigurationError
from p2pchat.store import keyfile, queue, usage
from p2pchat.store.keyformat import Locked
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Who we are now."""

    peer: PeerId
    is_locked: bool  # whether the key has a passphrase
    aside: Path | None = None  # where the key is kept that we had before


def show(common: Common, *, draw: bool) -> int:
    """Print who we are; no passphrase is needed for that."""
    entropy = system_env(Transports()).urandom
    found = keyfile.look(_where(common).key, entropy=entropy)
    return _tell(Own(peer=found.peer_id, is_locked=isinstance(found, Locked)), common, draw=draw)


def protect(common: Common, *, draw: bool) -> int:
    """Put the key under another passphrase, or under none; returns the exit code.

    Raises:
      P2PChatError: if that cannot be done; the key is as it was then.
    """
    entropy = system_env(Transports()).urandom
    where, ask = _where(common), say.can_ask(common)
    if not os.path.lexists(where.key):
        return renew(common, protect=True, draw=draw, ask=False)  # a key that was never on the disk in clear
    found = keyfile.look(where.key, entropy=entropy)
    was_locked = isinstance(found, Locked)
    identity = passphrase.unlock(found, ask=ask) if isinstance(found, Locked) else found
    chosen = passphrase.choose(ask=ask)
    keyfile.protect(where.key, identity, chosen, entropy=entropy)
    if not common.json:
        say.note(_news(was_locked=was_locked, is_locked=bool(chosen)))
    return _tell(Own(peer=identity.peer_id, is_locked=bool(chosen)), common, draw=draw)


def _news(*, was_locked: bool, is_locked: bool) -> str:
    if not is_locked:
        return "the key has no passphrase any more" if was_locked else "the key has no passphrase, as before"
    return "the key has another passphrase now" if was_locked else "the key has a passphrase; older copies have none"


def renew(common: Common, *, protect: bool, draw: bool, ask: bool) -> int:
    """Make a new key, and keep the old one aside; returns the exit code.

    Args:
      common: which profile.
      protect: give the new key a passphrase. Where the old one has one, that is asked for anyway.
      draw: print a QR code, too.
      ask: make sure that a person means it.

    Raises:
      P2PChatError: if that cannot be done; we are who we were then.
    """
    can_ask = say.can_ask(common)
    if ask and not can_ask:
        return say.fatal(ExitCode.USAGE, "there is no terminal to ask at", hint="--yes", as_json=common.json)
    env = system_env(Transports())
    where = _where(common)
    _check_free(where)
    old = keyfile.look(where.key, entropy=env.urandom) if os.path.lexists(where.key) else None
    if ask and old is not None and not say.is_confirmed(_question(_waiting(old.peer_id, common))):
        say.note("nothing was changed")
        return ExitCode.NO
    chosen = passphrase.choose(ask=can_ask) if protect or isinstance(old, Locked) else ""
    _check_free(where)  # a person takes their time
    stamp = f"{datetime.fromtimestamp(env.wall(), UTC):%Y%m%dT%H%M%SZ}"
    identity, aside = keyfile.renew(where.key, entropy=env.urandom, passphrase=chosen, stamp=stamp)
    if aside and not common.json:
        say.note(f"your old key is kept in {aside}; who knows you has to let the new one in")
    return _tell(Own(peer=identity.peer_id, is_locked=bool(chosen), aside=aside), common, draw=draw)


def _check_free(where: places.Places) -> None:
    """Raise if a program of the profile runs: it would go on as who we were."""
    if usage.is_in_use(where.history):
        raise ConfigurationError(
            "another p2pchat of this profile runs, and would go on with the old key", hint="end it, and try again"
        )


def _waiting(own: PeerId, common: Common) -> int:
    """Return how many messages wait that were said as `own`."""
    with archive.opened(common) as db:
        return 0 if db is None else sum(one.own == own for one in queue.waiting(db))


def _question(waiting: int) -> str:
    lost = {0: "", 1: ", and the message that still waits to be sent is not sent any more"}.get(
        waiting, f", and the {waiting} messages that still wait to be sent are not sent any more"
    )
    return (
        "who knows you will refuse the new key until they let it in. Your contacts and your history stay; the old key "
        f"is kept aside{lost}. Become somebody else? [y/N] "
    )


def _where(common: Common) -> places.Places:
    return places.find(common.profile, common.data_dir)


def _tell(own: Own, common: Common, *, draw: bool) -> ExitCode:
    link = links.write(own.peer)
    if common.json:
        from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)

        told = {"peer": str(own.peer), "fingerprint": own.peer.fingerprint, "link": link, "passphrase": own.is_locked}
        return say.text(lines.encode(told | ({"old_key": str(own.aside)} if own.aside else {})))
    code = say.text(f"peer id      {own.peer}\nfingerprint  {own.peer.fingerprint}")
    if draw:
        from p2pchat.ui import marks, qr  # noqa: PLC0415  (for those who ask for it)

        columns = os.get_terminal_size(1).columns if os.isatty(1) else 0
        say.text("\n".join([link, *qr.drawn(link, marks.choose(os.environ), columns=columns)]))
    return code
