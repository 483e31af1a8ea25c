"""Claims: two sides prove to each other over one link that they know the same code, and remember it.

    claimant   CLAIM → REPLY: its proof holds, so remember whose key this is, then CONFIRM → RESULT: we are accepted
    issuer     CLAIM: count the attempt, then REPLY → CONFIRM: its proof holds, so burn the code and accept, then RESULT

Each side may claim once a connection: in the greeting, where it decides who is let in, or later, to verify who is
there already. Handlers are synchronous; what has to be durable before the next frame leaves is done by a task of the
node, and whoever is cancelled in between has said nothing that is not so.

Source: docs/protocol.md, section 5, "Invites".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, final

from p2pchat.errors import LocalProtocolError, StoreError
from p2pchat.node.events import ClaimFailed, Verified
from p2pchat.node.failures import CODE_FAILED
from p2pchat.protocol.invites import Claimant, Issuer, Step
from p2pchat.store import contacts, invites
from p2pchat.store.contacts import How
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.link import Link
    from p2pchat.node.node import Node
    from p2pchat.store.database import Database

CURE: Final = (
    "if it was a slip, type it again, carefully: a code bears three tries, and only who gave it to you can know how "
    "many are left; after that ask for a new one by a way on which you know the voice; if this one has worked before, "
    "and you were cut off, dial without it"
)
THEIRS_WRONG: Final = "it claimed a code of yours and did not know it: a slip, a guess, or somebody in the middle"
THEIRS_DEAD: Final = "it claimed a code that is not there: used, withdrawn, out of time, or for somebody else"
THEIRS_SPENT: Final = "it claimed a code that is dead, because it was tried three times"
THEIRS_LEFT: Final = "it claimed a code of yours and left before it had proven that it knows it"
THEIRS_LATE: Final = "it knew a code of yours that somebody else was faster with, or that was withdrawn"


def how(secret: str) -> How:
    """Return what knowing `secret` says: it was told in words, or came with a link."""
    return How.CODE if "-" in secret else How.LINK


def do_nothing() -> None:
    """Be what nobody waits for."""


@final
class Claims:
    """The claims over one link: at most one of ours, and one of the peer's."""

    def __init__(self, node: Node, link: Link, own: PeerId) -> None:
        """Wait for what comes over `link`, on which we are `own`."""
        self.guest: bool = False  # the peer keeps nothing, and neither is it kept
        self.succeeded: Callable[[], None] = do_nothing  # called once either side has proven itself, and that is kept
        self.deadline: float = math.inf  # when our patience with either claim ends, seconds of the env's clock
        self._deadlines = {True: math.inf, False: math.inf}  # of our own claim, and of theirs
        self.node = node
        self.link = link
        self.own = own
        self._ours: Claiming | None = None
        self._theirs: Honouring | None = None

    @property
    def peer(self) -> PeerId:
        """Who is there."""
        peer = self.link.connection.peer
        assert peer is not None  # noqa: S101  (frames come after the handshake)
        return peer

    def claim(self, code: Code, *, at: str | None = None, tell: bool = True) -> None:
        """Begin to prove that we know `code`, after our HELLO.

        Args:
          code: as it was typed.
          at: the canonical address at which the peer is to be expected once it has proven itself.
          tell: a failure becomes an event; otherwise the end of the link is all that tells it.

        Raises:
          LocalProtocolError: if we have claimed one over this link already, or have said goodbye.
        """
        if not self.link.speaks:
            raise LocalProtocolError("this connection is about to end")
        if self._ours is not None:
            raise LocalProtocolError("this connection has had its code: the next one takes another")
        self._ours = Claiming(self, code, at=at, tell=tell)
        self._ours.begin()

    def handle(self, frame: frames.Pake) -> None:
        """Take a frame of the peer; one that is out of order ends the link."""
        try:
            self._take(frame)
        except Violation as violation:
            self.link.close(violation.code, str(violation))

    def _take(self, frame: frames.Pake) -> None:
        match frame:
            case frames.PakeClaim():
                self._theirs = self._theirs or Honouring(self)
                self._theirs.claimed(frame)
            case frames.PakeConfirm() if self._theirs is not None:
                self._theirs.confirmed(frame)
            case frames.PakeReply() if self._ours is not None:
                self._ours.replied(frame)
            case frames.PakeResult() if self._ours is not None:
                self._ours.resulted(frame)
            case _:
                raise Violation(CloseCode.PROTOCOL, "a frame of a claim that nobody has made")

    def wait(self, *, ours: bool) -> None:
        """Give the peer its time for the next frame of our claim, or of its own, from now."""
        self._deadlines[ours] = self.node.env.clock() + self.node.settings.limits.claim
        self.deadline = min(self._deadlines.values())
        self.link.wake_at(self.deadline)

    def rest(self, *, ours: bool) -> None:
        """Wait for nothing in our claim, or in the peer's: it is our turn, or it is over."""
        self._deadlines[ours] = math.inf
        self.deadline = min(self._deadlines.values())

    def tick(self, now: float) -> None:
        """Give up a claim in which the peer has said nothing for too long."""
        if now >= self.deadline:
            self.link.close(CloseCode.TIMEOUT, "the other side did not go on with the code in time")

    def ended(self) -> None:
        """Note that the link is gone."""
        if self._theirs is not None:
            self._theirs.ended()

    def store_failed(self, error: StoreError) -> None:
        """End the link: what would have to be kept is not, so nothing more is said."""
        self.link.close(CloseCode.STORE_FAILED, str(error), cure=error.hint)

    def done(self, how: How, *, by_us: bool) -> None:
        """Tell that the peer is verified, and go on."""
        self.node.feed.put(Verified(peer=self.peer, how=how, by_us=by_us, kept=self.keeps))
        if self.link.speaks:
            self.succeeded()

    @property
    def keeps(self) -> bool:
        """Whether what is proven outlives this run."""
        return self.node.store is not None and not self.guest

    def failed(self, reason: str, *, ours: bool, left: int | None = None) -> None:
        """Tell that a claim has failed; a code of ours bears `left` more."""
        address = self.link.remote
        self.node.feed.put(ClaimFailed(peer=self.peer, address=address, ours=ours, reason=reason, tries_left=left))


@final
class Claiming:
    """Our claim."""

    def __init__(self, claims: Claims, code: Code, *, at: str | None, tell: bool) -> None:
        self._claims = claims
        self._how = how(code.secret)
        self._at = at
        self._tell = tell
        self._said_confirm = False
        self._machine = Claimant(
            code,
            binding=claims.link.connection.binding,
            own=claims.own,
            peer=claims.peer,
            entropy=claims.node.env.urandom,
        )

    def begin(self) -> None:
        """Say which code we claim."""
        self._claims.link.say(self._machine.claim())
        self._claims.wait(ours=True)

    def replied(self, reply: frames.PakeReply) -> None:
        """Remember whose key it is if it has proven that it knows the code; only then does it learn that we do."""
        confirm = self._machine.replied(reply)
        self._claims.rest(ours=True)
        if self._machine.holds:
            self._claims.node.start_soon(self._remember, confirm)
        else:
            self._claims.link.say(confirm)
            self._fail()

    async def _remember(self, confirm: frames.PakeConfirm) -> None:
        claims = self._claims
        at = self._at if claims.keeps else None
        try:
            await claims.node.contacts.verify(claims.peer, self._how, guest=claims.guest, at=at)
        except StoreError as error:
            claims.store_failed(error)
            return
        if claims.link.speaks:
            self._said_confirm = True
            claims.link.say(confirm)
            claims.wait(ours=True)

    def resulted(self, result: frames.PakeResult) -> None:
        """Go on as somebody who is accepted, or end."""
        if not self._said_confirm:
            raise Violation(CloseCode.PROTOCOL, "the result of a claim came before its proof")
        self._claims.rest(ours=True)
        if self._machine.resulted(result):
            self._claims.done(self._how, by_us=True)
        else:
            self._fail()

    def _fail(self) -> None:
        if self._tell:
            self._claims.failed(CODE_FAILED, ours=True)
        self._claims.link.close(CloseCode.NOT_AUTHORIZED, CODE_FAILED, cure=CURE, claim=True)


@final
class Honouring:
    """The claim of the peer: a code of ours, or a guess."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._slot = 0
        self._secret: str | None = None  # of the slot; None: nothing is there that the peer may claim
        self._left: int | None = None  # how often that code can be tried after this one; 0 if this is one too many, too
        self._told = False
        self._machine = Issuer(
            binding=claims.link.connection.binding,
            own=claims.own,
            peer=claims.peer,
            entropy=claims.node.env.urandom,
        )

    def claimed(self, claim: frames.PakeClaim) -> None:
        """Count the attempt, then answer: the answer shows whether a guess was right."""
        self._slot = self._machine.claimed(claim)
        self._claims.rest(ours=False)
        self._claims.node.start_soon(self._count)

    async def _count(self) -> None:
        claims = self._claims
        try:
            if claims.node.store is not None:
                attempt = partial(_attempt, slot=self._slot, peer=claims.peer)
                self._secret, self._left = await claims.node.contacts.write(attempt)
            if claims.link.speaks:
                claims.link.say(self._machine.reply(self._secret))
                claims.wait(ours=False)
            else:
                self._tell(THEIRS_LEFT)
        except StoreError as error:
            claims.store_failed(error)
        except Violation as violation:
            claims.link.close(violation.code, str(violation))

    def confirmed(self, confirm: frames.PakeConfirm) -> None:
        """Let the code do its work, once, if the peer has proven that it knows it."""
        is_right = self._machine.confirmed(confirm)
        self._claims.rest(ours=False)
        if is_right:
            self._claims.node.start_soon(self._redeem)
        else:
            self._refuse(THEIRS_WRONG if self._secret is not None else self._dead)

    async def _redeem(self) -> None:
        claims, secret = self._claims, self._secret
        assert secret is not None  # noqa: S101  (nobody has proven to know nothing)
        redeem = partial(_redeem, slot=self._slot, secret=secret, peer=claims.peer, guest=claims.guest)
        try:
            counts = await claims.node.contacts.write(redeem)
            if counts and claims.guest:
                await claims.node.contacts.verify(claims.peer, how(secret), guest=True)
        except StoreError as error:
            claims.store_failed(error)
            return
        if not counts:
            self._left = None
            self._refuse(THEIRS_LATE)
            return
        if claims.link.speaks:
            claims.link.say(self._machine.result(ok=True))
        claims.done(how(secret), by_us=False)

    def _refuse(self, reason: str) -> None:
        self._tell(reason)
        if self._claims.link.speaks:
            self._claims.link.say(self._machine.result(ok=False))
            self._claims.link.close(CloseCode.NOT_AUTHORIZED, reason, claim=True)

    def ended(self) -> None:
        """Tell of somebody who has learned from our answer whether its guess was right, and left."""
        if self._machine.step is Step.REPLIED:
            self._tell(THEIRS_LEFT if self._secret is not None else self._dead)

    @property
    def _dead(self) -> str:
        """Why a code does not work that nobody may claim."""
        return THEIRS_SPENT if self._left == 0 else THEIRS_DEAD

    def _tell(self, reason: str) -> None:
        """Tell that it has failed: always if a code was there, which bears few attempts; else now and then."""
        claims = self._claims
        may_tell = self._secret is not None or claims.node.waiting_room.may_warn(claims.node.env.clock())
        if may_tell and not self._told:
            self._told = True
            claims.failed(reason, ours=False, left=self._left)


def _attempt(db: Database, *, slot: int, peer: PeerId) -> tuple[str | None, int | None]:
    """Count an attempt; return the secret if `peer` may claim it, and how often that, or one that is spent, can be."""
    secret, left = invites.attempt(db, slot, peer), invites.tries_left(db, slot)
    return secret, left if secret is not None or left == 0 else None


def _redeem(db: Database, *, slot: int, secret: str, peer: PeerId, guest: bool) -> bool:
    """Burn the code and accept `peer`, both or none of it; False if it does not count any more."""
    contact = contacts.find(db, peer)
    if (contact is not None and contact.blocked) or not invites.burn(db, slot, secret):
        return False
    if not guest:
        contacts.verify(db, peer, how(secret))
    return True
