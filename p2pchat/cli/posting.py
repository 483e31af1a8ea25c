"""What `p2pchat send` does, from its words to its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio
import typer

from p2pchat.cli import acquaintance, archive, log, peers, places, profiles, said, say, signals
from p2pchat.cli.send_report import Report
from p2pchat.cli.sending import TIMEOUT, Sending, Wish
from p2pchat.env import system_env
from p2pchat.errors import BadData
from p2pchat.node.events import State
from p2pchat.node.node import open_node
from p2pchat.node.settings import NodeSettings
from p2pchat.store import contacts
from p2pchat.store.store import open_store
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.node.events import Notice
    from p2pchat.wire import messages

MAX_KEY: Final = 256  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, as it was typed."""

    text: str | None
    wait: str
    expires: float | None  # seconds
    key: str | None
    flush: bool


def run(word: str, asked: Asked, common: Common) -> int:
    """Send to the peer that `word` means what was `asked` for, print what came of it, and return the exit code.

    Raises:
      P2PChatError: if nothing was stored; it says why.
    """
    body = _body(asked)
    transports = Transports()
    env = system_env(transports)
    where = places.find(common.profile, common.data_dir)
    identity = profiles.identity(where, env.urandom, ask=say.can_ask(common))
    with archive.opened(common) as db:
        target = peers.resolve(word, db, schemes=transports.schemes)
        if db is not None and target.peer is not None:
            acquaintance.refuse_blocked(contacts.find(db, target.peer), common)
    if target.peer == identity.peer_id:
        raise BadData("this is you")
    if asked.flush and target.peer is None:
        raise BadData(f"nothing waits for {word}: nobody has answered there yet")
    log.begin(where.log, verbose=common.verbose)
    wish = Wish(
        body=body,
        wait=State(asked.wait),
        timeout=TIMEOUT if common.timeout is None else common.timeout,
        expires=asked.expires,
        key=asked.key,
        retry=common.retry,
    )

    flags = profiles.flags(where)
    settings = NodeSettings(name=common.name, own_guest=False, flags=flags)

    async def main() -> int:
        async with (
            open_store(where.history, env=env) as store,
            open_node(identity, env=env, settings=settings, store=store) as node,
        ):
            sending = Sending(node, store, target, wish, notice=_say_nothing if common.quiet else _tell)
            caught = await signals.run(sending.run)
            told = await sending.told()
            if caught and not told:
                return caught
            code = Report(wait=wish.wait, told=told, error=sending.error, flags=flags).tell(common)
            await sending.part()
            return caught or code

    return trio.run(main)


def _body(asked: Asked) -> messages.Text | messages.Data | None:
    """Return what to say, None if that is nothing new."""
    if asked.flush:
        if asked.text is not None or asked.key is not None or asked.expires is not None:
            raise typer.BadParameter("it sends what waits, and takes no message", param_hint="'--flush'")
        return None
    if asked.key is not None and not 0 < len(asked.key) <= MAX_KEY:
        raise typer.BadParameter(f"it takes 1 to {MAX_KEY} characters", param_hint="'--key'")
    return said.body(asked.text)


def _tell(notice: Notice) -> None:
    say.note("; ".join(filter(None, [notice.text, notice.hint])))


def _say_nothing(notice: Notice) -> None:
    """Be the notice of somebody who asked for none."""
