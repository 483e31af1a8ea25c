"""The accounts of a simulated world: everything that was asked for has one end, and what has none is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p2pchat.testing.judges.accounts import Accounts, check_accounts, settle
from p2pchat.testing.judges.checker import Broken, Fate, Line, Said


def said(line: Line, fate: Fate = Fate.ACCEPTED, *, may_expire: bool = False, doubted: bool = False) -> Said:
    one = line.ask(40, may_expire=may_expire)
    one.fate, one.doubted = fate, doubted
    if fate is not Fate.ASKED and fate is not Fate.REFUSED:
        one.id = b"%d" % one.number
    return one


def ends(one: Line, *, sent: dict[str, str | None] | None = None, heard: tuple[str, ...] = ()) -> dict[str, int]:
    counts = settle(one, sent or {}, heard).counts()
    return {name: count for name, count in counts.items() if count}


def test_what_was_accepted_is_delivered_withdrawn_expired_forgotten_or_lost() -> None:
    line = Line("a>b")
    here, withdrawn, mortal, forgotten = said(line), said(line, Fate.WITHDRAWN), said(line, may_expire=True), said(line)
    forgotten.fate = Fate.FORGOTTEN
    sent = {here.text: None, withdrawn.text: "withdrawn", mortal.text: "expired"}
    everything = {"asked": 4, "accepted": 4, "delivered": 1, "withdrawn": 1, "expired": 1, "forgotten": 1}
    assert ends(line, sent=sent, heard=(here.text,)) == everything
    said(line)
    assert ends(line, sent=sent, heard=(here.text,)) == everything | {"asked": 5, "accepted": 5, "lost": 1}


def test_what_nobody_knew_was_said_or_was_not() -> None:
    line = Line("a>b")
    never, arrived, waited = (said(line, Fate.ASKED) for _ in range(3))
    again = said(line, doubted=True)
    refused_again = said(line, Fate.ASKED, doubted=True)
    found = ends(line, sent={waited.text: "expired"}, heard=(arrived.text, again.text))
    assert found == {"asked": 5, "unknown": 5, "recovered": 3, "never": 2, "delivered": 2, "lost": 1}
    waited.may_expire = True
    assert ends(line, sent={waited.text: "expired"}, heard=(arrived.text, again.text))["expired"] == 1
    assert {never.text, refused_again.text}.isdisjoint({arrived.text, again.text})


def test_what_is_said_in_a_log_and_never_arrives_is_lost_even_if_nobody_was_told() -> None:
    line = Line("a>b")
    asked = said(line, Fate.ASKED)
    assert ends(line, sent={asked.text: None}) == {"asked": 1, "unknown": 1, "recovered": 1, "lost": 1}


def test_who_dies_while_taking_back_may_have_taken_back() -> None:
    line = Line("a>b")
    one = said(line)
    one.fate = Fate.ASKED
    assert ends(line, sent={one.text: "withdrawn"}) == {"asked": 1, "accepted": 1, "withdrawn": 1}


@pytest.mark.parametrize(
    ("fate", "heard", "complaint"),
    [
        (Fate.ACCEPTED, 0, "1 lost"),
        (Fate.ACCEPTED, 2, "1 duplicated"),
        (Fate.REFUSED, 1, "1 unexpected"),
        (Fate.WITHDRAWN, 1, "1 unexpected"),
    ],
)
def test_what_must_not_be_in_an_account_is_told(fate: Fate, heard: int, complaint: str) -> None:
    line = Line("a>b")
    one = said(line, fate)
    with pytest.raises(Broken, match=f"MISCOUNTED MESSAGES: a>b: {complaint}"):
        check_accounts("a>b", settle(line, {}, [one.text] * heard))


def test_what_nobody_said_is_told() -> None:
    with pytest.raises(Broken, match="MISCOUNTED MESSAGES: a>b: 1 unexpected"):
        check_accounts("a>b", settle(Line("a>b"), {}, ["who says that?"]))


def test_sums_that_do_not_add_up_are_told() -> None:
    sound = Accounts(asked=4, accepted=2, refused=1, unknown=1, never=1, delivered=2)
    assert not sound.complaint
    assert (sound + sound).counts() == {name: 2 * count for name, count in sound.counts().items()}
    assert not (sound + sound).complaint
    for wrong in (replace(sound, asked=5), replace(sound, recovered=1), replace(sound, delivered=1)):
        with pytest.raises(Broken, match="MISCOUNTED MESSAGES: all: "):
            check_accounts("all", wrong)
