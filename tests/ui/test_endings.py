"""What is an error at the end of a chat, and which one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from p2pchat import errors
from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.node.events import Disconnected
from p2pchat.ui import endings
from p2pchat.wire.close_codes import CloseCode

BOB = Identity.from_seed(bytes([2]) * 32).peer_id


@dataclass
class Kept:
    durable: bool


@dataclass
class Somebody:
    """A session as far as this is concerned."""

    pair: Kept
    peer: PeerId = BOB


def ended(code: int | None, reason: str = "because", *, durable: bool = True, by_peer: bool = False) -> Disconnected:
    session: Any = Somebody(Kept(durable))
    return Disconnected(session=session, reason=reason, code=code, clean=False, redial=None, by_peer=by_peer)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (CloseCode.NOT_AUTHORIZED, errors.UntrustedPeer),
        (CloseCode.DUPLICATE, errors.LinkLost),
        (CloseCode.UNSUPPORTED, errors.RemoteProtocolError),
        (CloseCode.SEQUENCE, errors.LinkLost),
        (None, errors.LinkLost),
    ],
)
def test_the_code_of_the_end_decides(code: int | None, kind: type[errors.P2PChatError]) -> None:
    assert type(endings.lost_for_good(ended(code), unsaid=0)) is kind


def test_who_let_nobody_in_any_more_is_told() -> None:
    ours, theirs = (ended(CloseCode.NOT_AUTHORIZED, by_peer=by_peer) for by_peer in (False, True))
    assert str(endings.lost_for_good(ours, unsaid=0)) == "because"
    assert str(endings.lost_for_good(theirs, unsaid=0)) == "the other side does not let us in any more"


def test_what_is_kept_is_not_lost() -> None:
    error = endings.lost_for_good(ended(None), unsaid=2)
    assert isinstance(error, errors.StillQueued)
    assert error.hint == f"2 messages stay queued; p2pchat sends them when it meets {BOB} again"


def test_what_nothing_keeps_is_counted() -> None:
    error = endings.lost_for_good(ended(None, durable=False), unsaid=2)
    assert isinstance(error, errors.LinkLost)
    assert error.hint == "messages that were not delivered, and that nothing keeps: 2"


def test_the_reason_of_a_peer_drives_no_terminal() -> None:
    assert "\x1b" not in str(endings.lost_for_good(ended(None, "\x1b[2J"), unsaid=0))


@pytest.mark.parametrize(("reached", "kind"), [(True, errors.NotLetIn), (False, errors.ConnectFailed)])
def test_who_was_reached_did_not_let_us_in(*, reached: bool, kind: type[errors.P2PChatError]) -> None:
    assert type(endings.too_late(Address("memory", "home"), 3, reached=reached)) is kind
