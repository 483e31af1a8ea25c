"""Runs of CPace and whole claims that our code wrote, after the draft's vectors had passed and the partner had agreed.

``python -m tests.support.golden_claim`` writes them anew. They only ever change together with the wire version.
"""

from __future__ import annotations

import json
from typing import Any

from p2pchat.crypto.codes import Code
from p2pchat.crypto.pake import Pake, generator
from p2pchat.protocol.invites import Claimant, Issuer
from p2pchat.wire import codec
from tests.support.entropy import scripted
from tests.support.kat import ALICE, BOB
from tests.support.vectors import OWN

NAME = "claim.json"
CLAIMANT_DRAW, ISSUER_DRAWS = bytes([10]) * 32, (bytes([11]) * 16, bytes([12]) * 32)
BINDING = bytes([13]) * 32

#: Secrets around all lengths that matter: none, the draft's, the first block just filled, one byte over, LEB128's two
#: bytes.
SECRETS = [b"", b"Password", b"x" * 116, b"x" * 117, b"x" * 118, b"x" * 127, b"x" * 128, "žluťoučký".encode()]


def claim_vector() -> dict[str, Any]:
    """Return a run for each of some secrets, and claims of a right, a wrong and an unknown code."""
    return {
        "note": "scalars: A 0a…, B 0c…; keys of A and B as I and R in p2pchat-1-kat.json; binding 0d…",
        "runs": [run(secret) for secret in SECRETS],
        "claims": {
            "right": claim("7-otter-amber-knife", "otter-amber-knife"),
            "wrong": claim("7-otter-amber-knife", "otter-amber-knight"),
            "unknown slot": claim("4294967295-mfrggzdfmztwq2lknnwg23tpoa", None),
        },
    }


def run(secret: bytes) -> dict[str, str]:
    """Return what CPace makes of `secret`."""
    ci, sid = b"p2pchat test", BINDING
    a = Pake(secret, ci=ci, sid=sid, entropy=scripted(CLAIMANT_DRAW))
    b = Pake(secret, ci=ci, sid=sid, entropy=scripted(ISSUER_DRAWS[1]))
    keys = a.finish(b.share, b"ADa", b"ADb", first=True)
    assert keys == b.finish(a.share, b"ADa", b"ADb", first=False)
    values = {"PRS": secret, "g": generator(secret, ci, sid), "Ya": a.share, "Yb": b.share}
    values |= {"ISK": keys.isk, "Ta": keys.tag_a, "Tb": keys.tag_b}
    return {name: value.hex() for name, value in values.items()}


def claim(code: str, secret: str | None) -> dict[str, Any]:
    """Return the four frames of the claim of `code` where `secret` is right."""
    claimant = Claimant(
        Code.parse(code), binding=BINDING, own=ALICE.peer_id, peer=BOB.peer_id, entropy=scripted(CLAIMANT_DRAW)
    )
    issuer = Issuer(binding=BINDING, own=BOB.peer_id, peer=ALICE.peer_id, entropy=scripted(*ISSUER_DRAWS))
    said = claimant.claim()
    issuer.claimed(said)
    reply = issuer.reply(secret)
    confirm = claimant.replied(reply)
    right = issuer.confirmed(confirm)
    result = issuer.result(ok=right)
    assert claimant.resulted(result) is right
    frames = [codec.encode_frames([frame])[0].hex() for frame in (said, reply, confirm, result)]
    return {"code": code, "secret": secret, "right": right, "frames": frames}


def main() -> None:
    """Write the file."""
    (OWN / NAME).write_text(json.dumps(claim_vector(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
