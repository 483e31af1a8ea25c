"""What `listen` and `dial` have in common: one node, one face, one chat."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from p2pchat import address as addresses
from p2pchat.cli import archive, exit_codes, hosting, log, peers, places, profiles, reach, sharing, signals
from p2pchat.cli.claiming import Claim
from p2pchat.cli.settings import AcceptChoice, Common
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env, system_env
from p2pchat.errors import BadData, ConfigurationError, NoContact
from p2pchat.node.node import open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.limits import Limits
from p2pchat.store.draft import DraftFile
from p2pchat.transports.registry import Transports
from p2pchat.ui import chat as chats
from p2pchat.ui import marks, stdio
from p2pchat.ui.outlets import CleanLines, ExactBytes, Outlet
from p2pchat.ui.pipe import PipeFace
from p2pchat.ui.plain import PlainFace
from p2pchat.ui.reader import Manner
from p2pchat.ui.transcript import Transcript
from p2pchat.ui.words import Words

if TYPE_CHECKING:
    from p2pchat.cli.claiming import Said
    from p2pchat.cli.inviting import Asked
    from p2pchat.cli.peers import Target
    from p2pchat.ui.chat import Face, Plan
    from p2pchat.ui.json.face import JsonFace

PATIENCE = 60.0  # seconds for reaching a peer, and for a lost link, where nobody sits in front of it


@dataclass(frozen=True, slots=True)
class Terminals:
    """Which of the three standard descriptors a person has in front of it."""

    keys: bool
    screen: bool
    errors: bool

    @property
    def can_draw(self) -> bool:
        """Whether a line can be edited below what scrolls by."""
        return self.keys and self.screen and os.environ.get("TERM", "") not in {"", "dumb"}

    @property
    def can_ask(self) -> bool:
        """Whether somebody can see a question and answer it."""
        return self.keys and self.errors


def listen(words: Sequence[str], common: Common, *, invite: Asked | None = None, users: Sequence[str] = ()) -> int:
    """Wait for peers at the addresses `words`, `invite` one if that was asked for, and chat; returns the exit code.

    Args:
      words: addresses, as they were typed.
      common: the options.
      invite: what code to give out, if any.
      users: of this machine, who may knock at the Unix sockets among the addresses, too.
    """
    transports = Transports()
    where = tuple(addresses.parse(word, schemes=transports.schemes) for word in words) or (addresses.EVERYWHERE,)
    sharing.share(transports, where, users)
    terminals = look_around(common)
    lost = common.timeout if common.timeout is not None else PATIENCE
    plan = chats.Plan(listen=where, once=common.once, patience=lost if common.once else math.inf)
    return _run(transports, plan, common, terminals, invite)


def dial(word: str, common: Common, *, retry: bool, said: Said | None = None) -> int:
    """Reach the peer that `word` means and chat; returns the exit code. A code is asked for, unless it was `said`."""
    transports = Transports()
    target = _whom(word, common, transports)
    if said is not None and target.code is not None:
        raise BadData("this link has a code of its own", hint="dial it without --code, and without P2PCHAT_CODE")
    terminals = look_around(common)
    claim = None if said is None else Claim(said, terminals, draws=draws(common, terminals), reads=not common.no_input)
    usual = math.inf if terminals.keys else PATIENCE
    plan = chats.Plan(
        dial=target.addresses[0],
        others=target.addresses[1:],
        # Who is pinned at an address is asked for at each attempt, for that may change; a guest has no store to ask.
        expected=target.peer if common.guest or not target.typed else None,
        code=target.code,
        retry=retry,
        timeout=common.timeout if common.timeout is not None else math.inf if retry else usual,
        patience=math.inf if terminals.keys else common.timeout if common.timeout is not None else PATIENCE,
    )
    return _run(transports, plan, common, terminals, claim)


def _whom(word: str, common: Common, transports: Transports) -> Target:
    """Return whom `word` means; there is an address of them.

    Raises:
      AddressError: if it cannot be read.
      NoContact: if it is an id, and nobody knows where to reach that peer.
    """
    with archive.opened(common) as db:
        target = peers.resolve(word, db, schemes=transports.schemes, hosts=True)
    if not target.addresses:
        raise NoContact(
            f"no address of {word} is known here",
            hint=f"`p2pchat trust {target.peer} ADDRESS{profiles.flags_of(common)}` says where to reach that peer; "
            "or dial an address of it",
        )
    return target


def look_around(common: Common) -> Terminals:
    """Return where a person is: with `--no-input` nobody types, with `--json` nobody is there at all."""
    if common.json:
        return Terminals(keys=False, screen=False, errors=False)
    return Terminals(
        keys=stdio.is_terminal(0) and not common.no_input, screen=stdio.is_terminal(1), errors=stdio.is_terminal(2)
    )


def accept(common: Common, terminals: Terminals) -> Accept:
    """Return who may come in.

    Raises:
      ConfigurationError: if a person is to be asked and there is none.
    """
    if common.accept is None:
        return Accept.ASK if terminals.can_ask else Accept.KNOWN
    if common.accept is AcceptChoice.ASK and not terminals.can_ask and not common.json:
        raise ConfigurationError("there is no terminal to ask at", hint="--accept known or --accept anyone")
    return Accept(common.accept.value)


def start(main: Callable[[], Awaitable[int]], common: Common, terminals: Terminals) -> int:
    """Run `main` under Trio, beside asyncio if its face has to draw, and return the exit code."""
    if not draws(common, terminals):
        return trio.run(main)
    from p2pchat.ui import bridge  # noqa: PLC0415  (a second event loop for those who need it)

    return bridge.run(main)


def draws(common: Common, terminals: Terminals) -> bool:
    """Whether the face is the one with a line to edit."""
    return terminals.can_draw and not common.plain


def line_face(manner: Manner, env: Env, draft: DraftFile | None) -> Face:
    """Return the face that draws."""
    from p2pchat.ui.line import LineFace  # noqa: PLC0415  (a toolkit of 130 modules, for those who need it)
    from p2pchat.ui.terminal import Printer, Terminal  # noqa: PLC0415

    terminal = Terminal.on(sys.stdout)
    printer = Printer(terminal, encoding=manner.words.marks.encoding)
    if stdio.is_terminal(2):
        log.move(printer)
    return LineFace(terminal, printer, manner, wall=env.wall, draft=draft)


def face(common: Common, terminals: Terminals, manner: Manner, env: Env, draft: DraftFile | None = None) -> Face:
    """Return the face for whatever the three descriptors are; `draft` is where one can be kept."""
    if draws(common, terminals):
        return line_face(manner, env, draft)
    words = manner.words
    out, errors = stdio.Output(1), stdio.Output(2)
    outlet: Outlet
    if terminals.screen:
        outlet = screen = Transcript(out, marks=words.marks, wall=env.wall)
    else:
        outlet = CleanLines(out, marks=words.marks) if common.safe else ExactBytes(out)
        screen = Transcript(errors, marks=words.marks, wall=env.wall)
    if terminals.keys:
        return PlainFace(manner, source=stdio.Input(0), outlet=outlet, screen=screen)
    source = None if common.no_input else stdio.Input(0)
    return PipeFace(manner, source=source, outlet=outlet, status=errors)


def json_face(common: Common, manner: Manner) -> JsonFace:
    """Return the face for a program, whatever the three descriptors are."""
    from p2pchat.ui.json.face import JsonFace  # noqa: PLC0415  (for those who ask for it)
    from p2pchat.ui.json.lines import Lines  # noqa: PLC0415

    return JsonFace(
        source=None if common.no_input else stdio.Input(0),
        lines=Lines(stdio.Output(1)),
        status=None if common.quiet else stdio.Output(2),
        manner=manner,
        code_of=lambda error: exit_codes.word(exit_codes.of(error)),
    )


def limits(common: Common) -> Limits:
    """Return the bounds of the node; a program has `--linger` seconds to answer a goodbye, a pipe answers by itself."""
    usual = Limits()
    return replace(usual, linger=common.linger, pipe_quiet=common.linger if common.json else usual.pipe_quiet)


def _run(transports: Transports, plan: Plan, common: Common, terminals: Terminals, code: Claim | Asked | None) -> int:
    env = system_env(transports)
    where = places.find(common.profile, common.data_dir)
    log.begin(None if common.guest else where.log, verbose=common.verbose)
    settings = NodeSettings(
        name=common.name,
        accept=accept(common, terminals),
        contacts=profiles.blocked(common) if common.guest else (),
        one_peer=common.once,
        flags=profiles.flags(where),
        limits=limits(common),
    )
    identity = (
        Identity.generate(env.urandom) if common.guest else profiles.identity(where, env.urandom, ask=terminals.can_ask)
    )
    draft = None if common.guest else DraftFile(where.draft)
    words = Words(
        me=identity.peer_id,
        marks=marks.choose(os.environ),
        reach=partial(reach.lines, me=identity.peer_id, own_host=reach.own_host()),
        let_in=profiles.let_in(None if common.guest else where),
        options=profiles.flags(where),
    )

    async def chat() -> int:
        if isinstance(code, Claim) and (ended := await signals.run(code.obtain)):
            return ended
        async with (
            profiles.kept(None if common.guest else where, env) as store,
            open_node(identity, env=env, settings=settings, store=store) as node,
            hosting.prepared(plan, node, None if common.guest else where.socket, code) as prepared,
        ):
            words.meet(node)
            manner = Manner(words=words, store=store, quiet=common.quiet, receipts=not common.no_receipts)
            if common.json:
                return await signals.run(partial(json_face(common, manner).run, node, prepared))
            return await signals.run(partial(chats.run, node, face(common, terminals, manner, env, draft), prepared))

    return start(chat, common, terminals)
