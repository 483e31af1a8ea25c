"""The Noise machine against recorded bytes: everybody's, and our own for where those are not at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.crypto.noise import XXHFS, HandshakeState, Keys, Role
from tests.support import golden, noise_patterns, vectors
from tests.support.entropy import scripted
from tests.support.kem import overhear
from tests.support.noise_vectors import converse

OFFICIAL = {"cacophony.json": 62, "snow.json": 20, "noise-c-basic.json": 24}


@pytest.mark.parametrize(("name", "count"), OFFICIAL.items(), ids=OFFICIAL)
def test_no_official_vector_is_missing(name: str, count: int) -> None:
    found = vectors.foreign(name)
    if found[0].values == (None,):
        pytest.skip(f"no {name} in {vectors.FOREIGN}")
    assert len(found) == count


@pytest.mark.parametrize("vector", [vector for name in OFFICIAL for vector in vectors.foreign(name)])
def test_official_vectors_hold_in_both_roles(vector: dict[str, Any]) -> None:
    check(vector.get("protocol_name") or vector["name"], vector)


@pytest.mark.parametrize("vector", vectors.own("noise.json")["vectors"], ids=lambda vector: vector["protocol_name"])
def test_our_own_vectors_hold_in_both_roles(vector: dict[str, Any]) -> None:
    check(vector["protocol_name"], vector)


@pytest.mark.parametrize("vector", vectors.foreign("xxhfs-mlkem768.json"))
def test_the_shipped_suite_agrees_with_others_in_both_roles(vector: dict[str, str]) -> None:
    given = {name: bytes.fromhex(value) for name, value in vector.items() if name not in {"vector_index", "prologue"}}
    opening = scripted(given["ephemeral_dh_i_private"], given["ephemeral_kem_i_seed"])
    initiator = state(Role.INITIATOR, given["static_i_private"], Keys(entropy=opening))
    message_a = initiator.write_message(silence)
    secrets = overhear(initiator)
    initiator.read_message(given["msg_b"])
    assert initiator.write_message(silence) == given["msg_c"]

    answering = Keys(entropy=scripted(given["ephemeral_dh_r_private"]), encapsulate=lambda _: secrets[0])
    responder = state(Role.RESPONDER, given["static_r_private"], answering)
    responder.read_message(message_a)
    assert responder.write_message(silence) == given["msg_b"]
    responder.read_message(given["msg_c"])

    ours, theirs = initiator.split(), responder.split()
    assert ours.hash == theirs.hash == given["handshake_hash"]
    for cipher, key in ((ours.send, "cs1_k"), (theirs.send, "cs2_k")):
        assert cipher.encrypt(b"") == ChaCha20Poly1305(given[key]).encrypt(bytes(12), b"", None)


def state(role: Role, static: bytes, keys: Keys) -> HandshakeState:
    return HandshakeState(XXHFS, role, replace(keys, static=X25519PrivateKey.from_private_bytes(static)))


def silence(_: bytes) -> bytes:
    return b""


def check(name: str, vector: dict[str, Any]) -> None:
    protocol = noise_patterns.protocol(name)
    assert protocol.name == name.encode()
    wire, channel = converse(protocol, vector)
    assert wire == [message["ciphertext"] for message in vector["messages"]]
    assert channel == vector.get("handshake_hash", channel)  # snow's do not say


def test_the_files_of_ours_are_what_their_writer_writes() -> None:
    assert golden.noise_vectors() == vectors.own("noise.json")


def test_the_one_protocol_that_is_shipped_has_the_name_that_is_hashed() -> None:
    assert XXHFS.name == b"Noise_XXhfs_25519+MLKEM768_ChaChaPoly_SHA256"
