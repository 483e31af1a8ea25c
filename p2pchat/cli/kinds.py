"""What the value of an option may be, and how it is read: from text (a flag, the environment) or from TOML.

Both ways lead to the same value, or to a `ValueError` that says what would have been right. Text is what somebody
typed, so `5` is a number; in a file a number is a number and a word is in quotes. All text can be written as UTF-8:
names go to peers, and paths into what `config show` prints.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


class Kind(Protocol):
    """One kind of value."""

    @property
    def takes(self) -> str:
        """What would be right, as the end of "it takes …"."""
        ...

    @property
    def example(self) -> str:
        """A right value, in TOML."""
        ...

    @property
    def words(self) -> tuple[str, ...]:
        """All values there are, if they can be counted; what Tab offers."""
        ...

    def from_text(self, text: str) -> object:
        """Return the value that was typed as `text`.

        Raises:
          ValueError: if it is none.
        """
        ...

    def from_toml(self, value: object) -> object:
        """Return the value that a file holds as `value`.

        Raises:
          ValueError: if it is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    takes: str = "true or false"
    example: str = "true"
    words: tuple[str, ...] = ()

    def from_text(self, text: str) -> bool:
        """Return whether `text` means yes."""
        word = text.strip().lower()
        if word not in _YES | _NO:
            raise ValueError("it takes 1 or 0")
        return word in _YES

    def from_toml(self, value: object) -> bool:
        """Return `value` if it is a boolean."""
        if not isinstance(value, bool):
            raise _wrong(self)
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number of 0 or more: seconds, with a fraction if need be, or (`whole`) how many times."""

    takes: str
    example: str
    whole: bool = False
    most: float = math.inf
    words: tuple[str, ...] = ()

    def from_text(self, text: str) -> float:
        """Return the number that `text` spells."""
        try:
            number = int(text) if self.whole else float(text)
        except ValueError:
            raise _wrong(self) from None
        return self._checked(number)

    def from_toml(self, value: object) -> float:
        """Return `value` if it is a number."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise _wrong(self)
        try:
            return self._checked(value if self.whole else float(value))
        except OverflowError:  # a whole number of more than 308 digits
            raise _wrong(self) from None

    def _checked(self, number: float) -> float:
        if not 0 <= number <= self.most:  # so that NaN is refused, too
            raise _wrong(self)
        return number


@dataclass(frozen=True, slots=True)
class Word:
    """Text, `fits` says which."""

    takes: str
    example: str
    fits: Callable[[str], object]
    words: tuple[str, ...] = ()

    def from_text(self, text: str) -> str:
        """Return `text` if it fits."""
        if not self.fits(_encodable(text)):
            raise _wrong(self)
        return text

    def from_toml(self, value: object) -> str:
        """Return `value` if it is text that fits."""
        if not isinstance(value, str):
            raise _wrong(self)
        return self.from_text(value)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    of: type[StrEnum]

    @property
    def words(self) -> tuple[str, ...]:
        """Those words."""
        return tuple(self.of)

    @property
    def takes(self) -> str:
        """Those words, as one says them."""
        *most, last = self.words
        return f"{', '.join(most)} or {last}"

    @property
    def example(self) -> str:
        """The last of them."""
        return f'"{self.words[-1]}"'

    def from_text(self, text: str) -> StrEnum:
        """Return the member called `text`."""
        if text not in self.words:
            raise _wrong(self)
        return self.of(text)

    def from_toml(self, value: object) -> StrEnum:
        """Return the member called `value`."""
        if not isinstance(value, str):
            raise _wrong(self)
        return self.from_text(value)


@dataclass(frozen=True, slots=True)
class Directory:
    """A place on the disk. A file has no current directory, so there it has to be a whole path."""

    takes: str = "a whole path"
    example: str = '"/srv/chat"'
    words: tuple[str, ...] = ()

    def from_text(self, text: str) -> Path:
        """Return the path `text`, which may be relative: it was typed somewhere."""
        if not text:
            raise ValueError("it takes a directory, not nothing")  # an unset variable would mean the current one
        return Path(_encodable(text))

    def from_toml(self, value: object) -> Path:
        """Return the path `value`, if it is absolute or begins at somebody's home."""
        if not isinstance(value, str) or not (value.startswith("~") or Path(value).is_absolute()):
            raise _wrong(self)
        return self.from_text(value)


def _encodable(text: str) -> str:
    """Return `text`, unless it has bytes that were no UTF-8: Python makes lone surrogates of them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it takes text in UTF-8") from None
    return text


def _wrong(kind: Kind) -> ValueError:
    return ValueError(f"it takes {kind.takes}")
