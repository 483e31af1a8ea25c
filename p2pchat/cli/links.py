"""Links: who somebody is and where, as one word to paste: ``p2pchat:peer1…?a=tcp:203.0.113.5:7272``.

A link comes from elsewhere, so it may name places in the network and nothing on this machine: only `tcp:` is read, and
no command, path or plug-in is ever run or opened because a link says so. The link of an invite has its code, too:
``…&c=7-<26 letters and digits>``.

Source: docs/protocol.md, section 5, "Invites".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from p2pchat import address as addresses
from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, BadData

if TYPE_CHECKING:
    from p2pchat.address import Address

SCHEME = "p2pchat:"
ADDRESS = "a"  # the name of an address behind the question mark; other names are for other versions
CODE = "c"  # that of the code
MAX_ADDRESSES = 16  # in one link: each may be dialled


class Link(NamedTuple):
    """What a link says."""

    peer: PeerId
    addresses: tuple[Address, ...]
    code: Code | None = None


def is_link(word: str) -> bool:
    """Return whether `word` is meant as a link."""
    return word[: len(SCHEME)].lower() == SCHEME


def write(peer: PeerId, where: Sequence[Address] = (), *, code: Code | None = None) -> str:
    """Return the link to `peer`, who can be reached at the tcp addresses `where`, and has given out `code`."""
    parts = [f"{ADDRESS}={quote(str(address), safe=':[]')}" for address in where]
    query = "&".join([*parts, f"{CODE}={code}"] if code else parts)
    return f"{SCHEME}{peer}?{query}" if query else f"{SCHEME}{peer}"


def read(text: str) -> Link:
    """Return what the link `text` says; each address once, in the order of the link.

    Raises:
      AddressError: if it is no link, names a place that a link must not name, or its code is damaged.
    """
    who, _, query = text[len(SCHEME) :].partition("?")
    peer = PeerId.parse(who)
    pairs = [part.partition("=") for part in query.split("&")]
    where = dict.fromkeys(_tcp(unquote(value)) for name, _, value in pairs if name == ADDRESS)
    codes = {_code(unquote(value)) for name, _, value in pairs if name == CODE}
    if len(where) > MAX_ADDRESSES:
        raise AddressError(f"the link has {len(where)} addresses, and {MAX_ADDRESSES} are the most", hint=_HINT)
    if len(codes) > 1:
        raise AddressError("the link has several codes", hint=_HINT)
    return Link(peer, tuple(where), next(iter(codes), None))


_HINT = "ask for a link as `p2pchat listen` or `p2pchat invite` prints it"


def _tcp(text: str) -> Address:
    if text[:4].lower() != "tcp:":
        raise AddressError(f"a link may name tcp: addresses only, and this one names {text[:80]!a}", hint=_HINT)
    return addresses.parse(text)


def _code(text: str) -> Code:
    try:
        return Code.parse(text)
    except BadData:
        raise AddressError("the code at the end of the link cannot be read", hint="copy the link as a whole") from None
