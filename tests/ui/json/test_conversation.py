"""What is remembered of a conversation: each message goes its way once, and memory has an end."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from p2pchat.crypto.identity import Identity
from p2pchat.node.events import State
from p2pchat.node.session import Posted, Session
from p2pchat.ui.json.conversation import REMEMBERED, Conversation, Conversations


class Somebody:
    def __init__(self, seed: int = 1) -> None:
        self.peer = Identity.from_seed(bytes([seed]) * 32).peer_id


def session(seed: int = 1) -> Session:
    return cast("Session", Somebody(seed))


def talk(*numbers: int) -> Conversation:
    found = Conversation(session())
    for number in numbers:
        found.queued(Posted(number, UUID(int=number)), f"r{number}")
    return found


def steps(*news: tuple[int, State]) -> list[tuple[str, State]]:
    return [(f"r{number}", state) for number, state in news]


def told(conversation: Conversation, *, sent: int, delivered: int) -> list[tuple[str | None, State]]:
    return [(mine.ref, state) for mine, state in conversation.counted(sent=sent, delivered=delivered)]


def test_counts_of_all_become_states_of_each() -> None:
    conversation = talk(1, 2, 4)  # 3 was none of the program's: a name, or a receipt
    assert told(conversation, sent=0, delivered=0) == []
    assert told(conversation, sent=1, delivered=0) == steps((1, State.SENT))
    assert told(conversation, sent=3, delivered=1) == steps((2, State.SENT), (1, State.DELIVERED))
    assert told(conversation, sent=4, delivered=4) == steps((4, State.SENT), (2, State.DELIVERED), (4, State.DELIVERED))
    assert told(conversation, sent=4, delivered=4) == []


def test_a_message_is_read_once_and_only_if_it_is_ours() -> None:
    conversation = talk(1)
    told(conversation, sent=1, delivered=1)
    assert [mine.ref for mine, _ in conversation.read([UUID(int=7), UUID(int=1), UUID(int=1)])] == ["r1"]
    assert list(conversation.read([UUID(int=1)])) == []


def test_a_receipt_that_overtook_the_acknowledgement_waits_for_it() -> None:
    conversation = talk(1, 2)
    told(conversation, sent=1, delivered=0)
    assert list(conversation.read([UUID(int=1), UUID(int=2)])) == []  # of 2, which has not left, it is a lie
    assert told(conversation, sent=2, delivered=2) == steps(
        (2, State.SENT), (1, State.DELIVERED), (1, State.READ), (2, State.DELIVERED)
    )


def test_what_is_on_its_way_at_the_end_fails_in_order() -> None:
    conversation = talk(1, 2, 3)
    told(conversation, sent=2, delivered=1)
    assert [mine.ref for mine in conversation.failed()] == ["r2", "r3"]
    assert conversation.failed() == []


def test_old_messages_are_forgotten() -> None:
    conversation = talk(*range(1, REMEMBERED + 2))
    told(conversation, sent=REMEMBERED + 1, delivered=REMEMBERED + 1)
    read = conversation.read([UUID(int=1), UUID(int=2)])
    assert [mine.ref for mine, _ in read] == ["r2"]
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
