"""What our codec makes of every kind of frame, written down after the recorded conversation had passed.

``python -m tests.support.golden_wire`` writes it anew. It only ever changes together with the wire version.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from p2pchat.wire import codec, padding
from p2pchat.wire.frames import Frame
from tests.support.framing import EXAMPLES, msg
from tests.support.vectors import OWN

NAME = "wire.json"
TO_SEND: list[Frame] = [msg(1 + 100 * n, count=100, body=bytes(64)) for n in range(20)]


def wire_vector() -> dict[str, Any]:
    """Return the plaintexts of all examples, each in a record of its own, and of a long queue that fills some."""
    return {
        "note": "plaintexts before padding; long ones by length and SHA-256. 'queue': 20 batches of 100 entries",
        "frames": {name: _short(codec.encode_frames([frame])[0]) for name, frame in EXAMPLES.items()},
        "queue": [
            {**_digest(plaintext), "padded": padding.padded_length(len(plaintext))}
            for plaintext in codec.encode_frames(TO_SEND)
        ],
    }


def _short(plaintext: bytearray) -> str | dict[str, Any]:
    return plaintext.hex() if len(plaintext) <= 200 else _digest(plaintext)


def _digest(plaintext: bytearray) -> dict[str, Any]:
    return {"bytes": len(plaintext), "sha256": hashlib.sha256(plaintext).hexdigest()}


def main() -> None:
    """Write the file."""
    (OWN / NAME).write_text(json.dumps(wire_vector(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
