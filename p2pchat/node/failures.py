"""How a dial that came to nothing is told: which error, what happened in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Final

from p2pchat.errors import (
    BadData,
    CodeFailed,
    ConnectFailed,
    LinkLost,
    NotLetIn,
    P2PChatError,
    RemoteProtocolError,
    UntrustedPeer,
)
from p2pchat.wire.close_codes import CloseCode, close_code

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.link import LinkEnd
    from p2pchat.protocol.events import RejectHint

FEW: Final = 4  # of several addresses, how many are named

#: What to check where something answers that is no p2pchat, by scheme.
_NO_PEER = {"exec": "only `p2pchat stdio` may print to its standard output: login scripts have to be silent there"}


#: What the other side means by a code that it sends without a word.
_MEANT = {
    CloseCode.PROTOCOL: "the other side says that we broke a rule",
    CloseCode.TOO_BIG: "the other side says that a message was too long",
    CloseCode.UNSUPPORTED: "the other side does not know something that we said",
    CloseCode.NOT_AUTHORIZED: "the other side does not let us in",
    CloseCode.DUPLICATE: "another connection took over",
    CloseCode.SEQUENCE: "the two sides remember different pasts, and begin anew",
    CloseCode.STORE_FAILED: "the other side cannot store what we say",
    CloseCode.TIMEOUT: "the other side has not heard from us for too long",
    CloseCode.RATE: "the other side finds that we do too much",
    CloseCode.SELF: "both sides have the same key",
}


CODE_FAILED = "the code was wrong, or is spent, or somebody is in the middle"
YOU_BLOCKED = "you have blocked this peer"


def said_by_peer(code: CloseCode, reason: str) -> str:
    """Return why the other side ended the link: in its own words, unfiltered, or in ours if it has said none."""
    return reason or _MEANT.get(code, "the other side met a bug of its own")


def no_answer(address: Address, seconds: float) -> ConnectFailed:
    """Return the error for an address that answers nothing at all."""
    return ConnectFailed(
        f"cannot reach {address}: no answer within {seconds:.0f} seconds",
        hint="check the address, and whether a firewall is in between",
    )


def also_failed(error: P2PChatError, others: Sequence[Address]) -> None:
    """Let `error`, of one address, tell that the `others` of that peer were tried in vain, too."""
    if others:
        named = ", ".join(map(str, others[:FEW]))
        more = f" and {len(others) - FEW} more" if len(others) > FEW else ""
        error.hint = "; ".join(filter(None, [error.hint, f"nor did it work at {named}{more}"]))


def another_key(
    address: Address, *, expected: PeerId, found: PeerId | None, name: str = "", flags: str | None
) -> UntrustedPeer:
    """Return the error for somebody else than we expect at `address`; we have not said who we are.

    Args:
      address: where we dialed.
      expected: whose key has to be there.
      found: whose is.
      name: how I call whom we expect; empty if I gave it no name.
      flags: options that lead the command in the hint to the profile which expects that; None: there is none.
    """
    cure = "ask them by another way whether they have a new key"
    if flags is not None:
        command = f"p2pchat trust {found} {quote(str(address))}{flags}"
        cure = f"if they tell you by another way that this is their new key: `{command}`"
    return UntrustedPeer(
        f"somebody else answers at {address}{f', and not {name}' if name else ''}: "
        f"fingerprint {found.fingerprint if found else 'unknown'}, and not {expected.fingerprint}",
        hint=f"nothing was sent; {cure}",
    )


def blocked(peer: PeerId, flags: str, *, name: str = "") -> UntrustedPeer:
    """Return the error for whoever wants something of a peer that is blocked; the rest as for `another_key`."""
    return UntrustedPeer(f"you have blocked {name or peer}", hint=f"to undo that: `p2pchat unblock {peer}{flags}`")


def of_dial(  # noqa: PLR0911, PLR0912  (one return for each way to fail; a table would hide the conditions)
    address: Address, own: PeerId, end: LinkEnd, *, proved: bool, ending: str = ""
) -> P2PChatError:
    """Return the error for a link to `address` that ended before its session ran.

    `own` is who we said we are; `proved` tells whether the other side had proven who it is; `ending` is how the program
    in between ended, if there was one and it went by itself.
    """
    if end.hint and end.code is not None and close_code(end.code) is CloseCode.RATE:
        return ConnectFailed(f"{address}: {end.reason}", hint="try again in a moment; --retry keeps trying")
    if end.hint:
        return RemoteProtocolError(f"{address}: {end.reason}", hint="nobody vouches for this message; try again later")
    if end.silent:
        return RemoteProtocolError(
            f"{address} does not speak p2pchat: {end.reason}",
            hint=_NO_PEER.get(address.scheme, "check the address and the port"),
        )
    match None if end.code is None else close_code(end.code):
        case None if ending and not proved:
            return ConnectFailed(f"{address} was not reached: {ending}", hint="run the command by hand to see why")
        case None if not proved:
            return RemoteProtocolError(
                f"{address} hung up in the middle of the handshake", hint="check the address: is it a p2pchat?"
            )
        case None:
            return LinkLost(f"the connection to {address} was lost before it let us in", hint="try again")
        case CloseCode.NOT_AUTHORIZED if end.by_peer:
            return UntrustedPeer(f"{address} did not let us in", hint=f"ask the other side to accept your id: {own}")
        case CloseCode.NOT_AUTHORIZED if end.claim:
            return CodeFailed(f"{address}: {end.reason}", hint=end.cure)
        case CloseCode.NOT_AUTHORIZED:
            return UntrustedPeer(f"{address}: {end.reason}", hint=end.cure)
        case CloseCode.SELF:
            return BadData(f"this is you: your own key answers at {address}")
        case CloseCode.TIMEOUT:
            return NotLetIn(f"{address} did not let us in in time", hint="ask the other side to accept you")
        case CloseCode.DUPLICATE:
            return LinkLost(f"{address} already talks to this identity over another connection")
        case CloseCode.UNSUPPORTED | CloseCode.PROTOCOL:
            return RemoteProtocolError(
                f"{address} and this p2pchat do not understand each other: {end.reason}",
                hint="use the same version on both sides",
            )
        case _:
            who = f"{address} ended the connection" if end.by_peer else f"{address}"
            return LinkLost(f"{who}: {end.reason}", hint="try again")


def hint_in_words(hint: RejectHint) -> str:
    """Return one sentence about a reject hint, which is not authenticated: for people, never for decisions."""
    match close_code(hint.code):
        case CloseCode.UNSUPPORTED:
            return f"it seems to speak version {hint.version} of the protocol, and this is another"
        case CloseCode.RATE:
            return "it seems to be busy with too many visitors"
        case code:
            return f"it would not begin ({code.name})"
