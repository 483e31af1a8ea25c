"""One connection between two peers, from the first byte to the last, without doing any I/O itself.

Bytes in, events out; what the owner wants said in, bytes out; and time is told, not asked for::

    connection = Connection(Role.INITIATOR, identity, entropy=os.urandom, now=now)
    stream.write(connection.send(Begin(), now=now))
    connection.receive_data(stream.read(), now)              # b"" at the end of the stream
    while (event := connection.next_event()) is not NEED_DATA:
        ...                                                  # PeerProved → connection.send(Reveal(), now=now)
    if now >= connection.deadline:
        connection.tick(now)                                 # may tell events too

Who is let in, what is answered and when the stream is shut is the owner's; what may be said and when is decided here.
Three rules hold for every call:

* What the *peer* does never makes a call raise: it becomes an event, and once the peer has ended the connection `send`
  returns no bytes. What *we* may not do raises `LocalProtocolError`, and then nothing was said and nothing has changed.
* All bytes of `send` go on the wire in the order of the calls, or no later ones do.
* After every call there may be events, also after `send` (a message A can be too bad to be answered) and `tick`.

Source: docs/protocol.md, sections 1.1, 2, 3.2, 4 and appendix A.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, final

from p2pchat.crypto import kem
from p2pchat.crypto.noise import Role
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import events
from p2pchat.protocol.budget import Budget
from p2pchat.protocol.channel import Channel
from p2pchat.protocol.events import NEED_DATA, NeedData
from p2pchat.protocol.handshake import HandshakeFailed, Hinted, Initiator, Responder, Secured, Step
from p2pchat.protocol.limits import Limits
from p2pchat.protocol.phases import CLOSED, Act, Phase
from p2pchat.protocol.timers import Timer, Timers
from p2pchat.wire import codec, frames
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.records import RecordReader
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.crypto.identity import Identity, PeerId

Data = bytes | bytearray | memoryview

_DECISIONS: Final = (events.Begin, events.Answer, events.Reject, events.Reveal)
_LATE: Final = {
    Timer.HANDSHAKE: "the handshake was not finished in time",
    Timer.HELLO: "the other side did not say hello in time",
    Timer.RESUME: "the other side did not let us in in time",
    Timer.DEAD: "the other side has been silent for too long",
}


@final
class Connection:
    """The machine of one link."""

    __slots__ = (
        "_awaited_pong",
        "_channel",
        "_deaf",
        "_events",
        "_handshake",
        "_last_words",
        "_mute",
        "_over",
        "_pings",
        "_reader",
        "_timers",
        "_volatile",
        "binding",
        "our_hello",
        "peer",
        "vouched",
    )

    def __init__(  # noqa: PLR0913  (all but two by name, and three of them have defaults)
        self,
        role: Role,
        identity: Identity,
        *,
        entropy: Callable[[int], bytes],
        now: float,
        limits: Limits | None = None,
        jitter: float = 1.0,
        encapsulate: kem.Encapsulate = kem.encapsulate,
    ) -> None:
        """Prepare to speak as `identity`; the time for the handshake begins.

        Args:
          role: INITIATOR if we dialed, RESPONDER if we were reached.
          identity: who we are on this connection: ourselves, or the guest of this run.
          entropy: draws the keys of this connection.
          now: seconds, on the clock of all later calls.
          limits: bounds to hold the peer to; the defaults if None.
          jitter: factor on the time between pings, 0.8 … 1.2.
          encapsulate: tests replay recorded secrets through it.
        """
        limits = limits or Limits()
        self.peer: PeerId | None = None  #: who is there, once proven
        self.vouched: bool = False  #: (responder) the peer is a guest that our own key vouches for
        self.binding: bytes = b""  #: 32 bytes that name this connection on both sides, once the handshake is over
        self.our_hello: frames.Hello | None = None  #: what we offered, once it was said
        self._handshake: Initiator | Responder | None = (
            Initiator(identity, entropy=entropy)
            if role is Role.INITIATOR
            else Responder(identity, entropy=entropy, encapsulate=encapsulate)
        )
        self._channel: Channel | None = None  # once the handshake is over
        self._reader = RecordReader()
        self._events: deque[events.Event] = deque()
        self._volatile = Budget(limits.volatile, window=limits.volatile_window)
        self._timers = Timers(limits, jitter=jitter)
        self._timers.start(Timer.HANDSHAKE, now=now)
        self._pings = 0  # that were due so far
        self._awaited_pong: int | None = None
        self._deaf = False  # nothing more is read: one of us has ended both directions
        self._mute = False  # nothing more is said, but for the last words: the peer has ended the connection
        self._over = False  # the last event was told
        self._last_words = b""

    # --- what the owner says

    @property
    def running(self) -> bool:
        """Whether entries may be sent: both have accepted each other, and we have not said goodbye."""
        return self._channel is not None and self._channel.ours is Phase.OPEN and not self._mute

    def send(self, *said: events.Sendable, now: float) -> bytes:
        """Return the bytes that say one decision of the handshake, or any number of frames.

        After the peer has ended the connection there is nobody to talk to and b"" is returned; only to a `Failed` may
        still be said ``Close(code)``, which returns whatever last words are allowed: a CLOSE, a hint or nothing.

        Raises:
          LocalProtocolError: if that may not be said now, or is out of bounds. Nothing was said, nothing has changed.
          ConfigurationError: if the installed `cryptography` has no ML-KEM (`Begin`, `Answer`).
        """
        if self._mute:
            return self._say_last_words(said)
        batch: list[frames.Frame] = []
        for one in said:
            if not isinstance(one, _DECISIONS):
                batch.append(one)
            elif len(said) == 1:
                return self._decide(one, now)
            else:
                raise LocalProtocolError("a decision is said alone")
        sealed = self._seal(batch)
        for frame in batch:
            if isinstance(frame, frames.Hello):
                self.our_hello = frame
                self._await_resume(now)
        return sealed

    def send_frames(self, batch: Sequence[frames.Frame]) -> bytes:
        """Return the records that carry `batch`, filled to the brim, padded and sealed: the hot path, after HELLO.

        Raises:
          LocalProtocolError: as `send`; also before our HELLO, which starts a timer and so goes by `send`.
        """
        if self._mute:
            return b""
        if self.our_hello is None:
            raise LocalProtocolError("HELLO comes first, by `send`")
        return self._seal(batch)

    def _decide(self, decision: events.Decision, now: float) -> bytes:
        """Go on with the handshake as the owner wants it."""
        match decision, self._handshake:
            case events.Begin(), Initiator() as handshake:
                return handshake.begin()
            case events.Answer(), Responder() as handshake:
                try:
                    return handshake.answer()
                except HandshakeFailed as exc:
                    self._fail_handshake(exc)
                    return b""
            case events.Reject(code), Responder() as handshake:
                hint = handshake.reject(code)
                self._end()
                return hint
            case events.Reveal(voucher_by=voucher_by), Initiator() as handshake:
                message = handshake.reveal(voucher_by=voucher_by)
                self._secure(handshake.secured, now)
                return message
            case _:
                raise LocalProtocolError(f"no {type(decision).__name__} may be said by this side now")

    def _seal(self, batch: Sequence[frames.Frame]) -> bytes:
        """Seal `batch` and note what it ends."""
        if self._channel is None:
            raise LocalProtocolError("no frames may be sent before the handshake is over")
        pings = [frame.n for frame in batch if isinstance(frame, frames.Ping)]
        if pings and (len(pings) > 1 or self._awaited_pong is not None):
            raise LocalProtocolError("at most one PING may be under way")
        sealed = self._channel.seal(batch)
        if pings:
            self._awaited_pong = pings[0]
            self._timers.stop(Timer.PING)
        if self._channel.ours is Phase.ENDED:
            self._end()
        return sealed

    def _say_last_words(self, said: Sequence[events.Sendable]) -> bytes:
        """Return the last words, once, if a CLOSE is what the owner wants to say."""
        if not any(isinstance(one, frames.Close) for one in said):
            return b""
        words, self._last_words = self._last_words, b""
        return words

    # --- what the peer says

    def receive_data(self, data: Data, now: float) -> None:
        """Take what the stream gave, all of it; b"" says that it has ended.

        `data` may be reused after the call: only an incomplete record is copied, at most 65,536 bytes. Nothing that
        comes after the end is looked at.

        Raises:
          LocalProtocolError: if an initiator has not said `Begin` yet.
        """
        if not data:
            self._end_stream()
        elif not self._deaf:
            try:
                if self._handshake is not None:
                    data = self._shake_hands(self._handshake, data, now)
                if self._channel is not None:
                    self._read(self._channel, data, now)
            except HandshakeFailed as exc:
                self._fail_handshake(exc)
            except Violation as exc:
                self._fail(exc.code, str(exc))

    def next_event(self) -> events.Event | NeedData:
        """Return what happened next, or NEED_DATA if that is all."""
        return self._events.popleft() if self._events else NEED_DATA

    def _shake_hands(self, handshake: Initiator | Responder, data: Data, now: float) -> bytes:
        """Go on with the handshake; return what came after its end."""
        match handshake.receive(data), handshake:
            case Step.ASKED, _:
                self._events.append(events.HandshakeAsked())
            case Step.PROVED, Initiator(peer=peer):
                self.peer = peer
                self._events.append(events.PeerProved(peer=peer, vouched=False))
            case Step.SECURED, Responder(secured=secured):
                self._secure(secured, now)
                self._events.append(events.PeerProved(peer=secured.peer, vouched=secured.vouched))
                return secured.early
        return b""

    def _secure(self, secured: Secured, now: float) -> None:
        """Go over from the handshake to records."""
        self.peer, self.vouched, self.binding = secured.peer, secured.vouched, secured.binding
        self._handshake = None
        self._channel = Channel(send=secured.send, receive=secured.receive)
        self._timers.stop(Timer.HANDSHAKE)
        self._timers.start(Timer.HELLO, now=now)
        self._timers.heard(now, pinging=False)

    def _read(self, channel: Channel, data: Data, now: float) -> None:
        """Open the records that `data` completes."""
        for ciphertext in self._reader.records(data):
            plaintext = channel.open(ciphertext)
            self._timers.heard(now, pinging=self._awaited_pong is not None)
            for frame in codec.decode_frames(plaintext):
                channel.hear(frame)
                self._take(frame, channel, now)
                if self._deaf:
                    return

    def _take(self, frame: frames.Frame, channel: Channel, now: float) -> None:
        """Note what a legal `frame` begins or ends, and tell of it."""
        match frame:
            case frames.Msg() | frames.Ack():
                pass
            case frames.Ping():
                self._spend(now)
            case frames.Unknown():
                self._spend(now)
                return
            case frames.Typing():
                self._spend(now)
                if channel.theirs is not Phase.OPEN:
                    return
            case frames.Pong(n):
                if n != self._awaited_pong:
                    return
                self._awaited_pong = None
                self._timers.start(Timer.PING, now=now)
            case frames.Hello():
                self._timers.stop(Timer.HELLO)
                self._await_resume(now)
            case frames.Resume():
                self._timers.stop(Timer.NOTICE, Timer.RESUME)
            case frames.Close() if channel.theirs is Phase.ENDED:
                self._end()
                self._mute = True
        self._events.append(frame)

    def _spend(self, now: float) -> None:
        """Count a frame that costs its sender nothing.

        Raises:
          Violation: if there are too many of them.
        """
        if not self._volatile.spend(now):
            raise Violation(CloseCode.RATE, "too many pings, typing notices and unknown frames")

    def _await_resume(self, now: float) -> None:
        """Start the timers of the peer's RESUME if both have greeted and it is not here yet."""
        if self.our_hello is not None and self._channel is not None and self._channel.theirs is Phase.GREETED:
            self._timers.start(Timer.NOTICE, Timer.RESUME, now=now)

    # --- time

    @property
    def deadline(self) -> float:
        """When `tick` has to be called; every call may move it. Infinity: never."""
        return self._timers.deadline

    def tick(self, now: float) -> None:
        """Let the time be `now`: what should have happened by then and has not becomes an event."""
        for timer in self._timers.expired(now):
            match timer:
                case Timer.NOTICE:
                    self._events.append(events.WaitingToBeLetIn())
                case Timer.PING:
                    self._ask_for_ping(now)
                case late:
                    self._fail(CloseCode.TIMEOUT, _LATE[late])
                    return

    def _ask_for_ping(self, now: float) -> None:
        """Tell that a PING is due, if one may be said yet."""
        if self._channel is not None and self._channel.may_say(Act.PING):
            self._pings += 1
            self._events.append(events.PingDue(self._pings))
        else:
            self._timers.start(Timer.PING, now=now)

    # --- the end

    def _end(self) -> None:
        """Read nothing more and wait for nothing more."""
        self._deaf = True
        self._timers.clear()

    def _end_stream(self) -> None:
        """Tell once that the peer's bytes have ended, unless the connection has failed before."""
        if not self._over:
            self._end()
            self._mute = self._over = True
            clean = self._channel is not None and self._channel.theirs in CLOSED
            self._events.append(events.EndOfStream(clean=clean))

    def _fail_handshake(self, error: HandshakeFailed) -> None:
        """End with what the handshake lets us say, nearly always nothing."""
        if isinstance(error, Hinted):
            self._events.append(events.RejectHint(version=error.version, code=error.claim))
        self._fail(error.code, str(error), hint=error.hint, last_words=error.reply)

    def _fail(self, code: CloseCode, detail: str, *, hint: str = "", last_words: bytes = b"") -> None:
        """End both directions for something that the peer did, or did not do; keep what may be said to it."""
        self._end()
        self._mute = self._over = True
        if self._channel is not None:
            last_words = self._channel.seal((frames.Close(code),))
        self._last_words = last_words
        self._events.append(events.Failed(code=code, detail=detail, hint=hint, silent=not last_words))
