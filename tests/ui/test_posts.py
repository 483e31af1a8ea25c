"""Our messages on their way, as they stand above the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from p2pchat.ui import marks, posts, transcript


@dataclass(eq=False)
class Counted:
    """A session as far as this is concerned."""

    counts: tuple[int, int, int] = (0, 0, 0)


def waiting(session: Any, *texts: str, into: posts.Posts | None = None) -> posts.Posts:
    made = into or posts.Posts(marks.UNICODE)
    for place, text in enumerate(texts, 1):
        made.add(session, place, author="you", text=text, said_at=0)
    return made


def test_the_sign_tells_how_far_it_has_come() -> None:
    assert waiting(Counted((2, 1, 0)), "one", "two").drawn(80) == ["→ #1 you: one", "· #2 you: two"]


def test_what_is_delivered_is_taken_once_and_in_order() -> None:
    session: Any = Counted((3, 3, 2))
    made = waiting(session, "one", "two", "three")
    assert [post.text for post in made.take_delivered(session, 2)] == ["one", "two"]
    assert made.take_delivered(session, 2) == []
    assert made.drawn(80) == ["→ #3 you: three"]
    assert [post.text for post in made.take(session)] == ["three"]
    assert made.drawn(80) == []


def test_numbers_are_one_for_all_conversations() -> None:
    one, other = Counted(), Counted()
    made = waiting(other, "b", into=waiting(one, "a"))
    waiting(one, "c", into=made)
    assert [(post.number, post.text) for post in made.take_all()] == [(1, "a"), (2, "b"), (3, "c")]


def test_a_crowd_is_counted_and_the_newest_are_shown() -> None:
    made = waiting(Counted(), *"abcdefgh")
    assert made.drawn(80)[:2] == ["… 3 more on their way", "· #4 you: d"]
    assert made.drawn(80)[-1] == "· #8 you: h"


def test_only_the_beginning_of_a_long_message_is_shown() -> None:
    assert waiting(Counted(), "one\ntwo").drawn(80) == ["· #1 you: one …"]
    assert waiting(Counted(), "x" * 100).drawn(30) == ["· #1 you: xxxxxxxxxxxxxxxxxx…"]
    assert len(waiting(Counted(), "x" * 100).drawn(1)[0]) == posts.NARROWEST - 1


@pytest.mark.parametrize("text", ["你好" * 20, "e\u0301" * 40, "a" * 40])
@pytest.mark.parametrize("dots", ["…", "..."])
def test_what_is_cut_fits(text: str, dots: str) -> None:
    shown = posts.cut(text, 21, dots)
    assert transcript.columns_of(shown) <= 21
    assert shown.endswith(dots)
    assert posts.cut(text, 100, dots) == text


def test_when_it_was_said_is_told_if_that_was_not_now() -> None:
    (post,) = waiting(Counted(), "one").take_all()
    assert posts.tail(post, "✓", 59) == "  #1 ✓"
    assert posts.tail(post, "✓", 3600).startswith("  #1 ✓, said ")
