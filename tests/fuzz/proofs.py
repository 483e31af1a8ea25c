"""Somebody who can shake hands says who it is, and lies.

An input is one byte and then an identity payload as it stands inside message B or C, decrypted. The signature of an
honest one holds here, and covers nothing of what may follow it.

Promised: no exception but `RemoteProtocolError`; nobody is proven but those whose signature is in the seeds; nobody is
vouched for by another than the owner; and extensions that are read are written the same again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from p2pchat.crypto import proof
from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.errors import RemoteProtocolError
from tests.fuzz.target import Bytes, Target, must

OWNER, GUEST = (Identity.from_seed(bytes([number]) * 32) for number in (7, 9))
BOND: Final = proof.Bond(role=Role.INITIATOR, hash=bytes([1]) * 32, static=bytes([2]) * 32)


def run(data: bytes) -> None:
    """Verify what `data` claims, where vouchers count or where they do not."""
    script = Bytes(data)
    owner = OWNER.peer_id if script.number() & 1 else None
    payload = script.rest()
    try:
        proven = proof.verify(payload, BOND, owner=owner)
    except RemoteProtocolError:
        return
    must(proven.peer in {OWNER.peer_id, GUEST.peer_id}, "nobody is proven who has not signed")
    if proven.vouched:
        must(owner is not None and proven.peer == GUEST.peer_id, "nobody is vouched for but whom the owner vouches for")
    extensions = payload[len(proof.prove(GUEST, BOND)) :]
    must(proof.encode_extensions(proof.decode_extensions(extensions)) == extensions, "extensions have one spelling")


def seeds() -> Iterator[bytes]:
    """Honest payloads, with extensions that are known and not."""
    vouched = proof.prove(GUEST, BOND, voucher_by=OWNER)
    for owner in (b"\0", b"\1"):
        yield owner + proof.prove(OWNER, BOND)
        yield owner + vouched
        yield owner + proof.prove(OWNER, BOND, voucher_by=GUEST)
        for more in ({2: b""}, {2: b"new", 200: bytes(100)}, {255: bytes(1021)}, {255: bytes(1022)}):
            yield owner + proof.prove(GUEST, BOND) + proof.encode_extensions(more)
        yield owner + vouched + proof.encode_extensions({2: b"new"})
        yield owner + vouched + proof.encode_extensions({1: b"again"})


def tokens() -> Iterator[bytes]:
    """Heads of extensions."""
    yield from (bytes([kind]) + length.to_bytes(2) for kind in (0, 1, 2, 255) for length in (0, 1, 64, 1021, 65535))


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=1300)
