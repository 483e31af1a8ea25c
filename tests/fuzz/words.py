"""What somebody types, pastes or scans: addresses, peer ids, codes and links.

An input is one byte, which says what it is meant as, and a text.

Promised: no exception but the declared ones, each with a text and a hint that can be shown; what is read has one
spelling, which is read as the same again; and a link leads to nothing but places in the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from p2pchat import address
from p2pchat.cli import links
from p2pchat.crypto import codes
from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, BadData
from tests.fuzz.target import Bytes, Target, must
from tests.support.kat import ALICE

MOST_ASKED: Final = 10  # times the input: what an error may show of it, quoted


def run(data: bytes) -> None:
    """Read the text as what the first byte says."""
    script = Bytes(data)
    read = READERS[script.number() % len(READERS)]
    text = script.rest().decode("utf-8", "surrogateescape")
    try:
        read(text)
    except (AddressError, BadData) as exc:
        must(str(exc), "an error says something")
        must(
            len(str(exc)) + len(exc.hint) <= 400 + MOST_ASKED * len(text), "an error is not much longer than its cause"
        )


def _address(text: str) -> None:
    read = address.parse(text)
    must(address.parse(str(read)) == read, "an address has one spelling")
    must(str(read).isprintable(), "an address can be shown")
    if read.scheme == "tcp":
        host, port = address.host_and_port(read)
        must(address.tcp(host, port) == read, "an address is its host and its port")
        must(0 <= port <= address.MAX_PORT, "a port is one")
        must(len(host) <= address.MAX_HOST, "a host has its bound")


def _peer_id(text: str) -> None:
    peer = PeerId.parse(text)
    must(str(peer) == text.lower(), "a peer id has one spelling")


def _code(text: str) -> None:
    code = codes.Code.parse(text)
    must(codes.Code.parse(str(code)) == code, "a code has one spelling")
    must(0 <= code.slot <= codes.LAST_SLOT, "a slot is one")
    must(code.secret not in repr(code), "a code keeps its secret")


def _link(text: str) -> None:
    link = links.read(text)
    again = links.write(link.peer, link.addresses, code=link.code)
    must(links.is_link(again), "a link looks like one")
    must(links.read(again) == link, "a link has one spelling")
    must(again.isascii() or link.addresses or link.code, "a link is plain")
    must(all(place.scheme == "tcp" for place in link.addresses), "a link leads into the network")
    must(len(link.addresses) <= links.MAX_ADDRESSES, "a link has few addresses")


READERS: Final[tuple[Callable[[str], None], ...]] = (_address, _peer_id, _code, _link)
EXAMPLES: Final[tuple[tuple[str, ...], ...]] = (
    (
        *(
            "localhost",
            "example.org:80",
            "[::1]:7272",
            "*:1",
            "tcp://127.0.0.1/",
            "tcp:[fe80::1%eth0]",
            "unix:/tmp/a.sock",
        ),
        *("unix:///tmp/../b", "~/c", "exec:'ssh host' p2pchat", "memory:demo", "tcp:::1", "tpc:x:1", "a@b", "1.2.3"),
    ),
    (str(ALICE.peer_id), str(ALICE.peer_id).upper(), str(ALICE.peer_id)[:-1]),
    ("7-otter-amber-knife", "7 ott amb kni", "4294967295-zoo-zoo", "0-" + "a" * 26, "1-a-b", "\uff17-Ötter.ü"),
    (
        f"p2pchat:{ALICE.peer_id}",
        f"p2pchat:{ALICE.peer_id}?a=tcp:203.0.113.5:7272&a=tcp:%5B::1%5D:1",
        f"P2PCHAT:{ALICE.peer_id}?c=7-{'a' * 26}&x=1",
        f"p2pchat:{ALICE.peer_id}?a=unix:/etc",
    ),
)


def seeds() -> Iterator[bytes]:
    """Good ones and slips."""
    for kind, examples in enumerate(EXAMPLES):
        yield from (bytes([kind]) + example.encode() for example in examples)


def tokens() -> Iterator[bytes]:
    """What these texts are made of."""
    words = "tcp: unix: exec: memory: // [ ] % * ~ .. ' p2pchat: peer1 ?a= &a= &c= %3A %2F %00 - 65535 4294967295 zoo"
    yield from (word.encode() for word in words.split())
    yield from (
        text.encode() for text in ("é", "İ", "ß", "ﬁ", "\uff11", "²", "\u212a", "\u00a0", "\u200d", "\u202e", "\x1b")
    )
    yield str(ALICE.peer_id).encode()


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=700)
