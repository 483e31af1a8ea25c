"""The interactive patterns of the Noise specification, as data, and the psk modifier: what official vectors ask for."""

from __future__ import annotations

import re

from p2pchat.crypto.noise import Hash, Protocol, Role, Token, Tokens

INITIATOR, RESPONDER = Role

#: Source: Noise, sections 7.5 and 18.1 (XX1). Who is known beforehand, then the messages.
PATTERNS: dict[str, tuple[tuple[Role, ...], tuple[Tokens, ...]]] = {
    "NN": ((), (("e",), ("e", "ee"))),
    "KN": ((INITIATOR,), (("e",), ("e", "ee", "se"))),
    "NK": ((RESPONDER,), (("e", "es"), ("e", "ee"))),
    "KK": ((INITIATOR, RESPONDER), (("e", "es", "ss"), ("e", "ee", "se"))),
    "NX": ((), (("e",), ("e", "ee", "s", "es"))),
    "KX": ((INITIATOR,), (("e",), ("e", "ee", "se", "s", "es"))),
    "XN": ((), (("e",), ("e", "ee"), ("s", "se"))),
    "IN": ((), (("e", "s"), ("e", "ee", "se"))),
    "XK": ((RESPONDER,), (("e", "es"), ("e", "ee"), ("s", "se"))),
    "IK": ((RESPONDER,), (("e", "es", "s", "ss"), ("e", "ee", "se"))),
    "XX": ((), (("e",), ("e", "ee", "s", "es"), ("s", "se"))),
    "IX": ((), (("e", "s"), ("e", "ee", "se", "s", "es"))),
    "XX1": ((), (("e",), ("e", "ee", "s"), ("es", "s", "se"))),
}


def protocol(name: str) -> Protocol:
    """Return what a name as ``Noise_IKpsk1_25519_ChaChaPoly_BLAKE2s`` stands for.

    psk0 stands before the first message, psk*n* at the end of the *n*-th (section 9.4).
    """
    _, pattern, _, _, hash_name = name.split("_")
    base, psks = re.fullmatch(r"([A-Z]{2}1?)((?:psk\d\+?)*)", pattern).groups()  # type: ignore[union-attr]
    known, messages = PATTERNS[base]
    tokens: list[list[Token]] = [list(message) for message in messages]
    for place in map(int, re.findall(r"\d", psks)):
        if place == 0:
            tokens[0].insert(0, "psk")
        else:
            tokens[place - 1].append("psk")
    hashes: dict[str, Hash] = {"SHA256": "SHA256", "BLAKE2s": "BLAKE2s"}
    return Protocol(pattern=pattern, known=known, messages=tuple(map(tuple, tokens)), hash=hashes[hash_name])
