"""Signs for the states of a message, and their twins for terminals that have no more than ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What to draw, and how to encode it and everything around it."""

    queued: str
    sent: str
    delivered: str
    read: str
    failed: str
    dots: str
    encoding: str

    def encode(self, text: str) -> bytes:
        """Return `text` in bytes that the terminal shows; what it cannot show becomes a visible escape."""
        return text.encode(self.encoding, "backslashreplace")


UNICODE = Marks(queued="·", sent="→", delivered="✓", read="✓✓", failed="✗", dots="…", encoding="utf-8")
ASCII = Marks(queued=".", sent=">", delivered="+", read="++", failed="x", dots="...", encoding="ascii")


def choose(environ: Mapping[str, str]) -> Marks:
    """Return the marks that the locale in `environ` can show."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return UNICODE if "UTF8" in locale.upper().replace("-", "") else ASCII
