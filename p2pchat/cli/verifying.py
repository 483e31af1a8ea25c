"""What `p2pchat verify` does: two people compare digits, and what came of it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from p2pchat.cli import acquaintance, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.errors import BadData, UntrustedPeer
from p2pchat.store import contacts, known
from p2pchat.store.contacts import How, Trust
from p2pchat.ui.verifying import DIGITS, digits_of

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.known import Known


def run(word: str, typed: str | None, common: Common) -> int:
    """Compare what was `typed`, or what a person at a terminal types, with the key that `word` means.

    Returns:
      `DONE` if the contact is verified, by this run or an earlier one, and `NO` otherwise: a script that goes on with
      `&&` goes on with somebody who is verified.

    Raises:
      UntrustedPeer: if it is the fingerprint of another key, or the peer is blocked, or a guest; nothing has changed.
      P2PChatError: if `word` means nobody, or us, or the disk refuses; nothing has changed.
    """
    if typed is not None and not _is_whole(typed):
        raise typer.BadParameter(f"it takes the {DIGITS} digits of a fingerprint", param_hint="'--fingerprint'")
    peer = acquaintance.whom(word, common)
    own = acquaintance.own_id(common)
    with acquaintance.opened(common) as db:
        one = known.of(db, peer)
        acquaintance.refuse_blocked(one.contact, common)
        acquaintance.refuse_guest(one)
        if not common.json:
            say.text("\n".join(_to_compare(own, one)))
        heard = _ask(one) if typed is None and say.can_ask(common) else typed
        if heard:
            _compare(heard, own, one)
            with db.transaction():
                contacts.verify(db, peer, How.FINGERPRINT)
        said = [f"{acquaintance.called(one)} is verified, and let in"] if heard else ["nothing has changed"]
        acquaintance.tell(peer, said, common, db=db, changed=bool(heard), own_fingerprint=own.fingerprint)
    if heard or one.trust is Trust.VERIFIED:
        return ExitCode.DONE
    say.note(f"{acquaintance.name(one)} is not verified; --fingerprint takes the {DIGITS} digits that it reads to you")
    return ExitCode.NO


def _to_compare(own: PeerId, one: Known) -> list[str]:
    return [
        f"talk to {acquaintance.name(one)} by a way on which you know each other, and compare:",
        f"its fingerprint   {one.peer.fingerprint}",
        f"your fingerprint  {own.fingerprint}",
    ]


def _ask(one: Known) -> str:
    """Return what a person has heard, nothing if that is nothing."""
    say.question(f"which {DIGITS} digits does {acquaintance.name(one)} read to you? ")
    try:
        return input().strip()
    except EOFError:
        return ""


def _is_whole(text: str) -> bool:
    return len(digits_of(text) or "") == DIGITS


def _compare(heard: str, own: PeerId, one: Known) -> None:
    """Raise the error for digits that are not those of the key."""
    digits = digits_of(heard)
    if not _is_whole(heard):
        raise BadData(f"a fingerprint has {DIGITS} digits, and this is none", hint="nothing has changed: try again")
    if digits == digits_of(own.fingerprint):
        raise BadData(
            "these are your own digits", hint="nothing has changed: type those that the other side reads to you"
        )
    if digits != digits_of(one.peer.fingerprint):
        raise UntrustedPeer(
            f"this is not the fingerprint of {acquaintance.called(one)}, which is {one.peer.fingerprint}",
            hint="nothing has changed. If every digit was read and typed as it stands there, that key is not theirs:"
            " somebody may be between the two of you, so say nothing to it that matters",
        )
