"""Bech32m: bytes as text with a checksum (BIP-350), for peer ids.

Up to four wrong characters are always found, and nearly all worse slips. No letters that look alike, and one case: a
QR code may carry the text in capitals. Only what peer ids need: whole bytes, the constant of BIP-350.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM = 0x2BC830A3  # tells bech32m from the older bech32, whose constant is 1
CHECKSUM_LENGTH = 6  # characters
MAX_LENGTH = 90  # characters; in longer texts the code no longer finds every four errors


def encode(prefix: str, data: bytes) -> str:
    """Return `data` as ``prefix1…``, in lower case.

    Source: BIP-350; BIP-173, "Bech32".
    """
    bits = int.from_bytes(data) << (-len(data) * 8 % 5)  # zero bits fill the last group
    groups = [bits >> shift & 31 for shift in _shifts(len(data) * 8)]
    checksum = _polymod((*_expand(prefix), *groups, *[0] * CHECKSUM_LENGTH)) ^ CHECKSUM
    groups += [checksum >> shift & 31 for shift in _shifts(5 * CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(ALPHABET[group] for group in groups)


def decode(prefix: str, text: str) -> bytes:
    """Return the bytes that `encode(prefix, …)` wrote as `text`.

    Raises:
      ValueError: if `text` is anything else; the message names the first thing that is wrong.

    Source: BIP-350; BIP-173, "Decoding".
    """
    if text not in {text.lower(), text.upper()}:
        raise ValueError("it mixes capitals and small letters")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    found, _, rest = text.lower().rpartition("1")
    if found != prefix or not text.isascii():  # "K", the Kelvin sign, would become a "k"
        raise ValueError(f"it does not begin with {prefix}1, or is not plain ASCII")
    groups = []
    for character in rest:
        if character not in ALPHABET:
            raise ValueError(f"it holds {character!a}, which is never used")
        groups.append(ALPHABET.index(character))
    if len(groups) < CHECKSUM_LENGTH or _polymod((*_expand(prefix), *groups)) != CHECKSUM:
        raise ValueError("its checksum does not fit, so a character is wrong, or missing")
    return _joined(groups[:-CHECKSUM_LENGTH])


def _joined(groups: list[int]) -> bytes:
    """Return groups of five bits as bytes; the bits that only fill the last group must be few and zero."""
    bits = 0
    for group in groups:
        bits = bits << 5 | group
    length, filling = divmod(5 * len(groups), 8)
    if filling >= 5 or bits & (1 << filling) - 1:
        raise ValueError("it does not end at a whole byte")
    return (bits >> filling).to_bytes(length)


def _shifts(bits: int) -> Iterator[int]:
    """Yield how far each group of five is shifted, the most significant first."""
    return reversed(range(0, bits, 5))


def _expand(prefix: str) -> Iterator[int]:
    """Yield the groups that stand for `prefix` in the checksum."""
    yield from (ord(character) >> 5 for character in prefix)
    yield 0
    yield from (ord(character) & 31 for character in prefix)


def _polymod(groups: Iterable[int]) -> int:
    """Return the remainder of the polynomial `groups` by the generator of the code."""
    checksum = 1
    for group in groups:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ group
        for bit, term in enumerate(GENERATOR):
            checksum ^= term if top >> bit & 1 else 0
    return checksum
