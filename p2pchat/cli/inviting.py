"""What `invite` and `listen --invite` do: make codes that let one person in and make us know each other.

There are two each time, in slots of their own: one of a few words, to be said, and one that nobody could guess or say,
in a link. The first success with either ends both. They are kept in the store, so whichever process of the profile is
reached honours them.

Source: docs/protocol.md, section 5, "Invites".
"""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import trio

from p2pchat import address as addresses
from p2pchat.cli import links, local_socket, places, profiles, reach, say
from p2pchat.crypto import codes
from p2pchat.env import system_env
from p2pchat.node.events import Invited
from p2pchat.store import invites
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports
from p2pchat.ui import marks, qr, stdio
from p2pchat.ui.json import events as tell
from p2pchat.ui.json import lines as json_lines
from p2pchat.ui.transcript import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from p2pchat.address import Address
    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.invites import Invite

SPOKEN_MS: Final = 10 * 60_000  # that a spoken code lives: three guesses at 33 bits, and no more of them than that
LINK_MS: Final = 24 * 3_600_000
ANYWHERE: Final = "HOST"  # stands for where we listen, if that is not known

Made = tuple["Invite", "Invite"]  # the spoken one, and that of the link


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody who is to be invited gets."""

    picture: bool  # a QR code of the link, too
    is_result: bool = False  # a program gets the codes as the first line, as the result of a verb


def invite(word: str | None, common: Common, *, picture: bool) -> int:
    """Make codes, print them, and listen at the address `word` if no process of the profile does; the exit code.

    Raises:
      AddressError: if that is no address.
      StoreError: or any other error of `listen`.
    """
    where = places.find(common.profile, common.data_dir)
    transports = Transports()
    wanted = addresses.parse(word, schemes=transports.schemes) if word else None
    found = trio.run(local_socket.addresses, where.socket)
    if found is None or not (wanted is None or any(reach.is_within(wanted, bound) for bound in found)):
        from p2pchat.cli import chat  # noqa: PLC0415  (for those who have nobody listening)

        return chat.listen([word] if word else [], common, invite=Asked(picture=picture, is_result=common.json))
    env = system_env(transports)
    me = profiles.own_id(where, env.urandom)
    with closing(Database.open(where.history, wall=env.wall)) as db:
        made = make(db, env.urandom)
    told = describe(made, me, found, picture=picture)
    if common.json:
        return say.text(result(told))
    return say.text(
        "\n".join([*told.lines, "whoever comes with it meets the p2pchat of this profile that listens already"])
    )


def make(db: Database, entropy: Callable[[int], bytes]) -> Made:
    """Put a spoken code and one for a link into the store, and return both.

    Raises:
      StoreError: if the disk refuses.
    """
    with db.transaction():
        spoken = invites.create(db, codes.draw_words(entropy), lifetime_ms=SPOKEN_MS)
        return spoken, invites.create(db, codes.draw_token(entropy), lifetime_ms=LINK_MS, twin=spoken.slot)


def describe(made: Made, me: PeerId, bound: Sequence[Address], *, picture: bool) -> Invited:
    """Return the event that tells what was `made`.

    Args:
      made: the codes.
      me: who gives them out.
      bound: where we listen.
      picture: whether the link is drawn, too.
    """
    spoken, token = made
    host = reach.own_host()
    ways = list(dict.fromkeys(way for address in bound for way in reach.ways(address, own_host=host)))
    far = [way.place for way in ways if way.place and way.whence == reach.THERE]
    near = [way.place for way in ways if way.place]
    link = links.write(me, far or near, code=token.code) if near else ""
    code = str(spoken.code)
    lines = [f"say this code:    {code}"]
    lines += [f"{way.whence} p2pchat dial {way.word} --code" for way in ways]
    lines += [] if ways else [f"{reach.THERE} p2pchat dial {ANYWHERE} --code"]
    lines += [f"or, with a link:  p2pchat dial {shlex.quote(link)}"] if link else []
    lines.append(f"the code dies at {_clock(spoken.expires_ms)}, and at its first use or third wrong try")
    tomorrow = f"tomorrow, at {_clock(token.expires_ms)}"
    lines += [f"the link does so {tomorrow}; once one of both was used, the other is dead"] if link else []
    return Invited(
        code=code,
        link=link,
        expires_ms=spoken.expires_ms,
        link_expires_ms=token.expires_ms,
        lines=(*(_picture(link) if picture else []), *lines),  # what is said stays on the screen below it
    )


def result(told: Invited) -> str:
    """Return what a program gets that asked for an invite."""
    return json_lines.encode(tell.invited(told))


def _picture(link: str) -> list[str]:
    if not link:
        return ["no QR code: nobody in the network can reach us here, so there is no link to draw"]
    columns = os.get_terminal_size(1).columns - len(OURS) if stdio.is_terminal(1) else 0
    return qr.drawn(link, marks.choose(os.environ), columns=columns)


def _clock(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, tz=UTC).astimezone().strftime("%H:%M")
