"""Running a recorded Noise conversation, in the format that cacophony, snow and noise-c share."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.crypto.noise import HandshakeState, Keys, Protocol, Role
from tests.support.entropy import scripted

#: How the format names the two sides.
SIDES = {Role.INITIATOR: "init", Role.RESPONDER: "resp"}


def converse(protocol: Protocol, vector: dict[str, Any]) -> tuple[list[str], str]:
    """Let both sides say the payloads of `vector` to each other, under its keys.

    Returns:
      What went over the wire, message by message, and the handshake hash; all in hex.
    """
    states = {role: open_state(protocol, role, vector) for role in Role}
    payloads = [bytes.fromhex(message["payload"]) for message in vector["messages"]]
    handshake, later = payloads[: len(protocol.messages)], payloads[len(protocol.messages) :]
    wire = []
    writer = Role.INITIATOR
    for payload in handshake:
        wire.append(states[writer].write_message(lambda _, payload=payload: payload))  # type: ignore[misc]
        assert states[writer.other].read_message(wire[-1])[0] == payload
        writer = writer.other
    transports = {role: states[role].split() for role in Role}
    for payload in later:
        wire.append(transports[writer].send.encrypt(payload))
        assert transports[writer.other].receive.decrypt(wire[-1]) == payload
        writer = writer.other
    first, second = (transports[role].hash for role in Role)
    assert first == second
    return [message.hex() for message in wire], first.hex()


def open_state(protocol: Protocol, role: Role, vector: dict[str, Any]) -> HandshakeState:
    """Return the state of one side as `vector` wants it to begin."""

    def key(name: str) -> bytes | None:
        text = vector.get(f"{SIDES[role]}_{name}")
        return None if text is None else bytes.fromhex(text)

    static = key("static")
    keys = Keys(
        entropy=scripted(key("ephemeral") or b""),
        static=None if static is None else X25519PrivateKey.from_private_bytes(static),
        remote_static=key("remote_static"),
        psks=tuple(map(bytes.fromhex, vector.get(f"{SIDES[role]}_psks", []))),
    )
    return HandshakeState(protocol, role, keys, prologue=key("prologue") or b"")
