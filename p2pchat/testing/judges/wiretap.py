"""All bytes on all wires of a simulated world, and what an eavesdropper must not find there.

* nothing that a person says, no name, and no key that names anybody, in the clear
* no share of a key agreement twice, and no ciphertext twice: a key or a nonce that repeats gives both

Source: docs/protocol.md, sections 1.1 and 2.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, final

from p2pchat.testing.judges.checker import Broken

PREFACE: Final = b"p2pchat"  # of who dials; then a version, a length, and the share
SHARE: Final = 32  # bytes
WHOLE: Final = 64  # bytes: a shorter piece may be the end of a word that is said twice in the clear, like the preface
PRINT: Final = 32  # bytes at the end of a piece that tell it from all others

#: What texts of the world are made of, whatever they are about: the middle of a long one has nothing else in it.
FILLER: Final = b"ghijklmnopqr"


@final
class Wiretap:
    """Somebody who hears everything."""

    def __init__(self, secrets: Mapping[bytes, str]) -> None:
        """Listen for `secrets`: what each is, by its bytes; eight at the least, or chance would say them."""
        self._secrets = dict(secrets)
        self._longest = max(map(len, secrets), default=1)
        self._tails: dict[Hashable, bytes] = {}  # by lane: its newest bytes
        self._heads: dict[Hashable, bytes] = {}  # by lane: its first bytes, until the share is among them
        self._shares: set[bytes] = set()
        self._prints: set[bytes] = set()

    def hear(self, lane: Hashable, data: bytes) -> None:
        """Take what was put on a lane.

        Raises:
          Broken: if nobody should ever have seen that.
        """
        heard = self._tails.get(lane, b"") + data
        self._tails[lane] = heard[-self._longest + 1 :]
        for secret, what in self._secrets.items():
            if secret in heard:
                raise Broken(f"IN THE CLEAR: {what} is on a wire")
        if len(data) >= WHOLE:
            self._note(self._prints, data[-PRINT:], "CIPHERTEXT REPEATED: the same bytes travel twice")
        self._hear_share(lane, data)

    def _hear_share(self, lane: Hashable, data: bytes) -> None:
        head = self._heads.get(lane, b"")
        if head is _HEARD:
            return
        head += data
        start = len(PREFACE) + 3 if head.startswith(PREFACE[:1]) else 2
        if len(head) < start + SHARE:
            self._heads[lane] = head
            return
        self._heads[lane] = _HEARD
        self._note(self._shares, head[start : start + SHARE], "SHARE REPEATED: two handshakes begin alike")

    def _note(self, seen: set[bytes], what: bytes, complaint: str) -> None:
        if what in seen:
            raise Broken(complaint)
        seen.add(what)


_HEARD: Final = b"heard already"
