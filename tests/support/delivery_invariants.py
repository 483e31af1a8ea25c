"""What holds in every history of the small world: I1 … I9 of docs/protocol.md, section 6.5.

I3, I4 and I8 are asserted in `delivery_world.py`, where each frame is sent and each transaction is made.

One thing nobody can tell when both sides live on backups: a message that was withdrawn in one past and handed over in
another has the same numbers and ids in both. One side may count as seen what the other still has to say, or may have
seen its empty entries up to the middle of it. So there, and only there, a message that was ever withdrawn may be
missing or come without its head.
"""

from __future__ import annotations

from p2pchat.wire.messages import Kind
from tests.support.delivery_world import End, Side, World
from tests.support.stored import Kept

ATTEMPTS = 5  # connections until both sides agree: each may find out that a store is an old backup


def check(world: World) -> None:
    """Assert what holds at any time."""
    for side in world.sides:
        _check_inbox(side)
        _check_no_id_is_shown_twice(side)
        _check_log(side)
        if isinstance(side.disk.ledger, Kept):
            side.disk.ledger.check()


def _check_log(side: Side) -> None:
    """Up to the mark an entry never changes; a withdrawn message is empty from its first entry to its last."""
    ledger = side.disk.ledger
    log = ledger.log
    assert log.base - 1 <= log.handed <= ledger.next - 1, "the mark is out of bounds"
    kept = dict(enumerate(ledger.entries(log.base, ledger.next), log.base))
    for seq, entry in kept.items():
        if seq <= log.handed:
            assert side.handed.get((log.epoch, seq), entry) == entry, "an entry changed after it was handed over"
        if entry.kind == Kind.VOID:
            assert seq == log.base or kept[seq - 1].kind != Kind.PART, "half of a message was withdrawn"


def _check_inbox(receiver: Side) -> None:
    """I1: a prefix of what was enqueued, and whole. After backups at least nothing torn, invented or withdrawn."""
    sender = receiver.peer
    inbox = receiver.disk.inbox
    for message_id, body in inbox:
        said = sender.ever_said[message_id]
        if receiver.life and sender.life and message_id in sender.ever_withdrawn:
            assert said.endswith(body), "I6: torn"
        else:
            assert said == body, "I6: torn"
    if not sender.life and not receiver.life:
        kept = [said for said in sender.disk.said if said[0] not in sender.disk.withdrawn]
        assert inbox == kept[: len(inbox)], "I1: not a prefix of what was said"
    _check_order(receiver)


def _check_order(receiver: Side) -> None:
    """I1, I6: what is there is in order; only what was withdrawn and came back with a backup may be late."""
    sender = receiver.peer
    if receiver.life and sender.life:
        return
    order = {message_id: number for number, (message_id, _) in enumerate(sender.disk.said)}
    numbers = [
        order[message_id]
        for message_id, _ in receiver.disk.inbox
        if message_id in order and message_id not in sender.ever_withdrawn
    ]
    assert numbers == sorted(numbers), "I6: reordered"


def _check_no_id_is_shown_twice(side: Side) -> None:
    ids = [message_id for message_id, _ in side.disk.inbox]
    assert len(ids) == len(set(ids)), "I2: shown twice"


def heal(world: World) -> None:
    """End all trouble: every old link breaks, everything is confirmed, and a new link stays up until nothing moves."""
    for side in world.sides:
        for end in side.ends:
            end.close()
    for _ in range(ATTEMPTS):
        world.now += 60
        world.dial(world.sides[0])
        link = [side.ends[-1] for side in world.sides]
        for end in link:
            world.claim(end)
        while any(end.incoming for end in link):
            for end in link:
                _move(world, end)
        check(world)
        if all(end.running and end.open for end in link):
            break


def _move(world: World, end: End) -> None:
    """Let one end of a link do all that it can."""
    while end.incoming:
        world.read(end)
    if end.running and end.open:
        world.hand(end, 2**20)
        while end.delivery.waiting:
            world.commit(end)
        while end.side.unconfirmed:
            end.side.confirm()
        world.ack(end)


def check_healed(world: World) -> None:
    """Assert what holds once a link stayed up."""
    for sender in world.sides:
        ledger = sender.disk.ledger
        assert ledger.log.base == ledger.next, "I5: the outbox did not drain"
        _check_nothing_is_missing(sender)
        _check_withdrawn_is_not_shown(sender)


def _check_nothing_is_missing(sender: Side) -> None:
    """I6: with one old backup everything arrives that a store still held; what does not was announced."""
    receiver = sender.peer
    shown = {message_id for message_id, _ in receiver.disk.inbox}
    missing = {message_id for message_id, _ in sender.disk.said} - sender.disk.withdrawn - shown
    if not receiver.life:
        assert not missing, "I6: lost, though the receiver's store was never restored"
    elif not sender.life:
        assert missing <= receiver.lost, "I6: lost, though the sender still had it"
        assert not missing or receiver.disk.told_gap, "I6: missing, and nobody was told"
    elif missing - sender.ever_withdrawn:
        assert receiver.disk.told_gap or sender.disk.told_rollback, "I6: missing, and nobody was told"


def _check_withdrawn_is_not_shown(sender: Side) -> None:
    """I9: withdrawn means never shown; on an older backup it means so, or that the user was told.

    Three witnesses cannot tell: a guest that had shown the message and not yet confirmed it says nothing of it, a peer
    that has met a later log of ours does not speak of the one that an even older backup holds, and one that lives on
    a backup itself may know of the message again after its emptied entry was handed over.
    """
    shown = {message_id for message_id, _ in sender.peer.disk.inbox}
    both = sender.disk.withdrawn & shown
    if not sender.life:
        assert not both, "I9: withdrawn and shown"
    elif sender.peer.durable and not sender.changed_logs and not sender.peer.life:
        assert both <= sender.disk.excused, "I9: withdrawn and shown, and nobody was told"
