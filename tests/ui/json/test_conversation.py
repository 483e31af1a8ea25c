"""What is remembered of a conversation: each message goes its way once, and memory has an end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.node.events import Ids, State, StatesChanged
from p2pchat.node.session import Session
from p2pchat.ui.json.conversation import REMEMBERED, Conversation, Conversations


@dataclass(frozen=True)
class Kept:
    durable: bool


@dataclass(frozen=True)
class Somebody:
    peer: PeerId
    pair: Kept


def session(seed: int = 1, *, durable: bool = False) -> Session:
    peer = Identity.from_seed(bytes([seed]) * 32).peer_id
    return cast("Session", Somebody(peer, Kept(durable)))


def talk(*numbers: int, durable: bool = False) -> Conversation:
    found = Conversation(session(durable=durable))
    for number in numbers:
        found.queued(UUID(int=number), f"r{number}")
    return found


def steps(*news: tuple[int, State]) -> list[tuple[str, State]]:
    return [(f"r{number}", state) for number, state in news]


def ids(*numbers: int) -> Ids:
    return Ids([UUID(int=number).bytes for number in numbers])


def told(
    conversation: Conversation,
    *,
    sent: tuple[int, ...] = (),
    delivered: tuple[int, ...] = (),
    read: tuple[int, ...] = (),
    failed: tuple[int, ...] = (),
) -> list[tuple[str | None, State]]:
    event = StatesChanged(
        session=conversation.session, sent=ids(*sent), delivered=ids(*delivered), read=ids(*read), failed=ids(*failed)
    )
    return [(mine.ref, state) for mine, state in conversation.reached(event)]


def test_each_message_goes_through_all_states() -> None:
    conversation = talk(1, 2, 4)  # 3 was none of the program's: a name, or a receipt
    assert told(conversation) == []
    assert told(conversation, sent=(1,)) == steps((1, State.SENT))
    assert told(conversation, sent=(2, 3), delivered=(1,)) == steps((2, State.SENT), (1, State.DELIVERED))
    assert told(conversation, delivered=(2, 3, 4)) == steps((2, State.DELIVERED), (4, State.SENT), (4, State.DELIVERED))
    assert told(conversation, sent=(4,), delivered=(4,)) == []


def test_a_message_is_read_once_and_only_if_it_is_ours() -> None:
    conversation = talk(1)
    told(conversation, sent=(1,), delivered=(1,))
    assert told(conversation, read=(7, 1, 1)) == steps((1, State.READ))
    assert told(conversation, read=(1,)) == []


def test_a_receipt_that_overtook_the_acknowledgement_waits_for_it() -> None:
    conversation = talk(1, 2)
    told(conversation, sent=(1,))
    assert told(conversation, read=(1, 2)) == []  # of 2, which has not left, it is a lie
    assert told(conversation, sent=(2,), delivered=(1, 2)) == steps(
        (2, State.SENT), (1, State.DELIVERED), (1, State.READ), (2, State.DELIVERED)
    )


def test_what_fails_has_failed_wherever_it_was() -> None:
    conversation = talk(1, 2)
    assert told(conversation, sent=(1,), failed=(1, 2, 3)) == steps(
        (1, State.SENT), (1, State.FAILED), (2, State.FAILED)
    )


def test_what_is_on_its_way_at_the_end_fails_in_order_unless_it_is_kept() -> None:
    conversation = talk(1, 2, 3)
    told(conversation, sent=(1, 2), delivered=(1,))
    assert [mine.ref for mine in conversation.failed()] == ["r2", "r3"]
    assert conversation.failed() == []
    assert talk(1, durable=True).failed() == []


def test_with_a_store_messages_of_earlier_runs_are_told_too() -> None:
    conversation = talk(durable=True)
    found = told(conversation, sent=(1,), delivered=(1,), read=(1,), failed=(2,))
    assert found == [(None, State.SENT), (None, State.DELIVERED), (None, State.READ), (None, State.FAILED)]


def test_old_messages_are_forgotten() -> None:
    conversation = talk(*range(1, REMEMBERED + 2))
    told(conversation, delivered=tuple(range(1, REMEMBERED + 2)))
    assert told(conversation, read=(1, 2)) == steps((2, State.READ))
    for n in range(REMEMBERED + 1):
        conversation.heard(UUID(int=n))
    assert not conversation.has_heard(UUID(int=0))
    assert conversation.has_heard(UUID(int=1))


def test_a_receipt_goes_once() -> None:
    conversation = talk()
    conversation.heard(UUID(int=1))
    conversation.receipted(UUID(int=1))
    assert not conversation.has_heard(UUID(int=1))


def test_conversations_that_are_over_are_forgotten() -> None:
    one, two, three = session(1), session(2), session(3)
    talks = Conversations()
    kept = talks.of(one)
    assert talks.of(one) is kept
    talks.of(two)
    talks.of(three)
    talks.over(three)
    talks.keep([one])
    assert list(talks) == [kept]
