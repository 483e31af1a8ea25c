"""One link: the two RESUMEs, the fence between links, and peers that lie."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import chain, outbox
from p2pchat.protocol.delivery import LinkDelivery
from p2pchat.protocol.fence import Fenced
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import LAST_SEQ, MAX_BODY, Entry, Hello, Msg, Resume
from p2pchat.wire.messages import Kind
from p2pchat.wire.violation import Violation
from tests.support import delivery_hostile as hostile
from tests.support import vectors
from tests.support.delivery_moves import Moves
from tests.support.delivery_pair import HELLO, Half, connect, deliver, entry, pair
from tests.support.delivery_world import End

STEPS = vectors.own("p2pchat-1-kat.json")["steps"]
SENT_MS = 1_700_000_000_000


# ---- the fence


def test_a_link_knows_whether_it_still_stands() -> None:
    a, b = pair()
    old = a.link
    assert old.stands(a.ledger)
    connect(a, b)
    assert not old.stands(a.ledger)
    assert a.link.stands(a.ledger)


def believe(half: Half) -> None:
    half.acked(1)


def commit(half: Half) -> None:
    half.link.receive(half.ledger)


def let_arrive(half: Half) -> None:
    half.link.arrive(Msg(1, [entry(1)]))


@pytest.mark.parametrize("act", [Half.hand, believe, commit, Half.ack])
def test_a_fenced_session_does_not(act: Callable[[Half], object]) -> None:
    a, b = pair()
    for half in (a, b):
        half.say()
    batches = [half.hand().batches[0] for half in (a, b)]
    a.link.arrive(batches[1])
    a.say()
    old = a.link
    a.claim()
    a.link = old
    before = deepcopy(vars(a.ledger))
    with pytest.raises(Fenced):
        act(a)
    assert vars(a.ledger) == before


def test_a_fenced_session_takes_no_resume() -> None:
    a, b = Half(1), Half(2)
    theirs = b.claim()
    a.claim()
    old = a.link
    a.claim()
    before = deepcopy(vars(a.ledger))
    with pytest.raises(Fenced):
        old.resume(a.ledger, theirs, window=HELLO, entropy=a.entropy)
    assert vars(a.ledger) == before


def test_of_two_simultaneous_links_the_refused_one_changes_nothing() -> None:
    half = Half()
    half.claim()
    before = deepcopy(vars(half.ledger))
    late = LinkDelivery(offered=HELLO, dialed_by_smaller=False)
    with pytest.raises(Fenced):
        late.claim(half.ledger, holder_lives=True, now=5.0)
    assert vars(half.ledger) == before
    late.claim(half.ledger, holder_lives=False, now=5.0)


def test_an_orderly_end_lets_the_next_link_in() -> None:
    half = Half()
    half.claim()
    half.link.release(half.ledger)
    late = LinkDelivery(offered=HELLO, dialed_by_smaller=False)
    late.claim(half.ledger, holder_lives=True, now=5.0)
    assert half.ledger.fence.gen == 2


# ---- the gate


@pytest.mark.parametrize("act", [Half.hand, believe, let_arrive, Half.ack])
def test_before_both_resumes_nothing_flows(act: Callable[[Half], object]) -> None:
    half = Half()
    half.say()
    half.claim()
    with pytest.raises(LocalProtocolError):
        act(half)


def test_the_peers_resume_waits_for_our_own() -> None:
    a, b = Half(1), Half(2)
    with pytest.raises(LocalProtocolError):
        a.resume(b.claim())


def test_a_store_that_is_an_old_backup_begins_a_new_log() -> None:
    a, b = pair()
    a.say(b"before")
    deliver(a, b)
    kept = a.say(b"kept")
    backup = deepcopy(a.ledger)
    a.say(b"lost")
    deliver(a, b)
    a.ledger = backup
    theirs = b.claim()
    a.claim()
    epoch = a.ledger.log.epoch
    assert a.link.resume(a.ledger, theirs, window=HELLO, entropy=lambda size: b"n" * size).rolled_back
    assert a.ledger.log.epoch == b"n" * 8
    log = a.ledger.log
    assert log.epoch != epoch
    assert (log.base, log.base_state, log.handed, a.ledger.next) == (1, chain.EMPTY, 1, 2)
    assert outbox.void(a.ledger, kept.id) is Withdrawal.TOO_LATE, "the lost past may have sent it"
    with pytest.raises(LocalProtocolError):
        a.hand()
    a.say(b"after")
    _, theirs_now = connect(a, b)
    assert not theirs_now.gap
    assert deliver(a, b) == [b"after"]


def test_a_receiver_that_is_an_old_backup_is_told_that_messages_may_be_missing() -> None:
    a, b = pair()
    a.say(b"one")
    backup = deepcopy(b.ledger)
    deliver(a, b)
    a.say(b"two")
    b.ledger = backup
    _, theirs = connect(a, b)
    assert theirs.gap
    assert deliver(a, b) == [b"two"]


# ---- hostile peers


@pytest.mark.parametrize("lie", hostile.LIES, ids=lambda lie: str(lie.__name__))
def test_a_lie_changes_nothing_and_ends_the_link(lie: Callable[[End], None]) -> None:
    moves = Moves(durable=(True, True))
    moves.send(0, 20, 3)
    moves.send(1, MAX_BODY + 1, 1)
    moves.link(0)
    moves.converse(0, 2**20)
    end = moves.end(0)
    assert end is not None
    assert hostile.tell(end, lie) in hostile.LIES[lie]


def test_the_last_number_that_can_be_can_be() -> None:
    a, b = Half(1), Half(2)
    a.claim()
    first_ids = bytes(16 * (1 + (LAST_SEQ - 1) % 64))
    a.resume(Resume(b"theirlog", LAST_SEQ, first_ids, LAST_SEQ, b"", 0, bytes(16)))
    a.link.arrive(Msg(LAST_SEQ, [entry(1)]))
    with pytest.raises(Violation) as caught:
        a.link.arrive(Msg(LAST_SEQ, [entry(1), entry(2)]))
    assert caught.value.code == CloseCode.SEQUENCE
    assert a.link.waiting == 1
    assert b.ledger.seen.seq == 0


def test_a_lying_first_resume_restarts_our_log_and_loses_nothing() -> None:
    """The price of a lie is the liar's: what is queued comes again, under another name."""
    a, b = Half(1), Half(2)
    a.say(b"one")
    a.claim()
    lie = Resume(b"theirlog", 1, chain.EMPTY, 1, a.ledger.log.epoch, 77, bytes(16))
    assert a.resume(lie).rolled_back
    connect(a, b)
    assert deliver(a, b) == [b"one"]


# ---- the recorded conversation


def frames(step: int) -> bytes:
    return bytes.fromhex(STEPS[step]["frames"])


def recorded_ledgers() -> tuple[MemoryLedger, MemoryLedger]:
    """Return what the two knew before: I has said nothing yet, R has had 65 entries acknowledged."""
    i, r = MemoryLedger(b"A" * 8), MemoryLedger(b"B" * 8)
    r.append([entry(number) for number in range(1, 66)])
    r.hand(65)
    outbox.acknowledged(r, 65)
    return i, r


def recorded(number: int, kind: Kind, body: str, sent_ms: int) -> Entry:
    return Entry(number.to_bytes(16), kind, SENT_MS + sent_ms, b"", bytes.fromhex(body))


def test_the_recorded_conversation_is_said_frame_by_frame() -> None:
    (i, r), hellos = recorded_ledgers(), [Hello("kat/1", ["x"], 4096, 2**20, "I"), Hello("kat/1", [], 4096, 2**20, "")]
    i.append(
        [
            recorded(1, Kind.TEXT, "93a568656c6c6fc0c2", 0),
            recorded(2, Kind.TEXT, "93adc5be6c75c5a56f75c48d6bc3bdc0c2", 1),
        ]
    )
    r.append([recorded(66, Kind.TEXT, "93a26869c0c2", 2)])
    links = [LinkDelivery(offered=hello, dialed_by_smaller=True) for hello in hellos]
    resumes = [link.claim(ledger, holder_lives=False, now=0.0) for link, ledger in zip(links, (i, r), strict=True)]
    for step, hello, resume in zip((3, 4), hellos, resumes, strict=True):
        assert b"".join(codec.encode_frames([hello, resume])) == frames(step)
    links[0].resume(i, resumes[1], window=hellos[1], entropy=bytes)
    links[1].resume(r, resumes[0], window=hellos[0], entropy=bytes)
    first = links[0].hand(i, max_cost=2**20, now_ms=SENT_MS).batches
    assert b"".join(codec.encode_frames(first)) == frames(5)
    links[1].arrive(first[0])
    r.confirm(links[1].receive(r).mark)
    answer = [links[1].ack(r), *links[1].hand(r, max_cost=2**20, now_ms=SENT_MS).batches]
    assert b"".join(codec.encode_frames([frame for frame in answer if frame])) == frames(6)
