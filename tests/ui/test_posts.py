"""Our messages on their way, as they stand above the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest

from p2pchat.node.events import State
from p2pchat.node.session import Session
from p2pchat.ui import marks, posts, transcript
from p2pchat.ui.posts import Posts


@dataclass(eq=False)
class Somebody:
    """A session as far as this is concerned."""

    guest: bool = False


def waiting(*texts: str, session: Any = None, into: Posts | None = None) -> Posts:
    made = into or Posts(marks.UNICODE)
    session = session or Somebody()
    for number, text in enumerate(texts, len(made.open()) + 1):
        made.add(session, UUID(int=number), text=text, said_at=0)
    return made


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def test_the_sign_tells_how_far_it_has_come() -> None:
    made = waiting("one", "two", "three", "four", "five")
    made.reached(State.SENT, ids(2))
    made.reached(State.DELIVERED, ids(3))
    made.reached(State.READ, ids(4))
    made.reached(State.FAILED, ids(5), reason="withdrawn")
    assert made.drawn(80) == [
        "· #1 you: one",
        "→ #2 you: two",
        "✓ #3 you: three",
        "✓✓ #4 you: four",
        "✗ #5 you: five",
    ]


def test_at_a_guest_nothing_is_kept_and_the_sign_says_so() -> None:
    made = waiting("one", session=Somebody(guest=True))
    made.reached(State.DELIVERED, ids(1))
    assert made.drawn(80) == ["✓ guest #1 you: one"]


def test_no_message_goes_back_and_what_is_not_ours_is_not_news() -> None:
    made = waiting("one")
    assert [post.number for post in made.reached(State.READ, ids(7, 1, 1))] == [1]
    assert made.reached(State.DELIVERED, ids(1)) == []
    assert made.drawn(80) == ["✓✓ #1 you: one"]


def test_what_has_scrolled_is_drawn_no_more_and_keeps_its_number() -> None:
    made = waiting("one", "two")
    made.scroll(made.open()[:1])
    assert made.drawn(80) == ["· #2 you: two"]
    assert made.news(made.reached(State.DELIVERED, ids(1))) == ["✓ #1: delivered"]
    one, two = made.numbered(1), made.numbered(2)
    assert [post is not None and made.is_open(post) for post in (one, two)] == [False, True]
    assert made.numbered(3) is None


def test_news_of_many_are_short() -> None:
    made = waiting(*"abcdefg")
    news = [*made.reached(State.DELIVERED, ids(1, 2, 3, 5, 7)), *made.reached(State.FAILED, ids(6), reason="expired")]
    assert made.news(news) == ["✓ #1 to #3, #5, #7: delivered", "✗ #6: failed, expired"]


def test_the_numbers_of_old_messages_are_forgotten() -> None:
    made = waiting(*("x" for _ in range(posts.MAX_KNOWN + 2)))
    made.scroll(made.open()[:-1])
    assert made.numbered(1) is None
    assert made.numbered(2) is not None
    assert made.reached(State.SENT, ids(1)) == []


def test_conversations_share_the_numbers() -> None:
    one, other = Somebody(), Somebody()
    made = waiting("b", session=other, into=waiting("a", session=one))
    waiting("c", session=one, into=made)
    assert [(post.number, post.text) for post in made.open()] == [(1, "a"), (2, "b"), (3, "c")]
    assert [(post.number, post.text) for post in made.open(cast("Session", one))] == [(1, "a"), (3, "c")]


def test_a_crowd_is_counted_and_the_newest_are_shown() -> None:
    made = waiting(*"abcdefgh")
    assert made.drawn(80)[:2] == ["… 3 more on their way", "· #4 you: d"]
    assert made.drawn(80)[-1] == "· #8 you: h"


def test_only_the_beginning_of_a_long_message_is_shown() -> None:
    assert waiting("one\ntwo").drawn(80) == ["· #1 you: one …"]
    assert waiting("x" * 100).drawn(30) == ["· #1 you: xxxxxxxxxxxxxxxxxx…"]
    assert len(waiting("x" * 100).drawn(1)[0]) == posts.NARROWEST - 1


@pytest.mark.parametrize("text", ["你好" * 20, "e\u0301" * 40, "a" * 40])
@pytest.mark.parametrize("dots", ["…", "..."])
def test_what_is_cut_fits(text: str, dots: str) -> None:
    shown = posts.cut(text, 21, dots)
    assert transcript.columns_of(shown) <= 21
    assert shown.endswith(dots)
    assert posts.cut(text, 100, dots) == text


def test_when_it_was_said_is_told_if_that_was_not_now() -> None:
    made = waiting("one")
    (post,) = made.open()
    assert made.tail(post, 59) == "  #1 ·"
    assert made.tail(post, 3600).startswith("  #1 ·, said ")
