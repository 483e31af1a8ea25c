from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto import kem
from p2pchat.crypto.noise import XXHFS, HandshakeState, Keys, Protocol, Role
from p2pchat.errors import LocalProtocolError, RemoteProtocolError
from tests.support import noise_patterns
from tests.support.entropy import scripted, seeded

XX = noise_patterns.protocol("Noise_XX_25519_ChaChaPoly_SHA256")
#: Every u-coordinate whose multiple by a clamped scalar is zero, or written so: RFC 7748, section 7 and its errata.
SMALL_ORDER = [
    0,
    1,
    2**255 - 20,
    2**255 - 19,
    2**255 - 18,
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
]


def pair(protocol: Protocol = XXHFS) -> dict[Role, HandshakeState]:
    return {role: HandshakeState(protocol, role, keys(seed)) for seed, role in enumerate(Role)}


def keys(seed: int) -> Keys:
    entropy = seeded(seed)
    return Keys(entropy=entropy, static=X25519PrivateKey.from_private_bytes(entropy(32)))


def saying(payload: bytes) -> Callable[[bytes], bytes]:
    return lambda _: payload


def messages(states: dict[Role, HandshakeState], protocol: Protocol = XXHFS) -> list[bytes]:
    said = []
    writer = Role.INITIATOR
    for _ in protocol.messages:
        said.append(states[writer].write_message(saying(b"payload")))
        assert states[writer.other].read_message(said[-1])[0] == b"payload"
        writer = writer.other
    return said


def test_both_sides_see_the_same_hash_before_each_payload() -> None:
    states = pair()
    seen: list[bytes] = []

    def note(channel: bytes) -> bytes:
        seen.append(channel)
        return b""

    for writer in (Role.INITIATOR, Role.RESPONDER, Role.INITIATOR):
        _, channel = states[writer.other].read_message(states[writer].write_message(note))
        assert channel == seen[-1]
    assert len(set(seen)) == 3
    assert states[Role.INITIATOR].remote_static == states[Role.RESPONDER].static
    assert states[Role.RESPONDER].remote_static == states[Role.INITIATOR].static


def test_what_one_side_sends_the_other_receives_under_keys_of_their_own() -> None:
    states = pair()
    messages(states)
    ours, theirs = states[Role.INITIATOR].split(), states[Role.RESPONDER].split()
    there, back = ours.send.encrypt(b"x"), theirs.send.encrypt(b"x")
    assert there != back
    assert theirs.receive.decrypt(there) == ours.receive.decrypt(back) == b"x"
    assert ours.hash == theirs.hash


def test_out_of_turn_nothing_is_written_read_or_split() -> None:
    states = pair()
    initiator, responder = states[Role.INITIATOR], states[Role.RESPONDER]
    for wrong in (lambda: responder.write_message(saying(b"")), lambda: initiator.read_message(b""), initiator.split):
        with pytest.raises(LocalProtocolError):
            wrong()
    messages(states)  # and nothing has changed
    for wrong in (lambda: initiator.write_message(saying(b"")), lambda: responder.read_message(b"")):
        with pytest.raises(LocalProtocolError):
            wrong()


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (0, "e:"),
        (31, "e:"),
        (32, "ekem1:"),
        (1135, "ekem1:"),
        (1136, "s:"),
        (1183, "s:"),
        (1184, "payload:"),
        (1199, "payload:"),
    ],
)
def test_a_message_that_ends_too_early_names_the_part_that_is_missing(place: int, part: str) -> None:
    states = pair()
    states[Role.RESPONDER].read_message(states[Role.INITIATOR].write_message(saying(b"")))
    message_b = states[Role.RESPONDER].write_message(saying(b""))
    with pytest.raises(RemoteProtocolError, match=f"^{part}"):
        states[Role.INITIATOR].read_message(message_b[:place])


@given(st.integers(0, 2), st.data())
def test_one_flipped_bit_is_always_found(which: int, data: st.DataObject) -> None:
    states = pair()
    writer = Role.INITIATOR
    for i in range(3):
        try:
            message = bytearray(states[writer].write_message(saying(b"payload")))
            if i == which:
                message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
            states[writer.other].read_message(bytes(message))
        except RemoteProtocolError:
            return
        writer = writer.other
    raise AssertionError("nobody noticed")  # message A is in the clear: what changes it shows at the first tag


@pytest.mark.parametrize("protocol", [XX, XXHFS], ids=lambda protocol: protocol.pattern)
@pytest.mark.parametrize("u", SMALL_ORDER)
def test_a_key_that_makes_the_secret_zero_is_refused(protocol: Protocol, u: int) -> None:
    """The planted bug "all-zero DH": with it an outsider knows the keys."""
    states = pair(protocol)
    message_a = states[Role.INITIATOR].write_message(saying(b""))
    states[Role.RESPONDER].read_message(u.to_bytes(32, "little") + message_a[32:])
    with pytest.raises(RemoteProtocolError, match="zero"):
        states[Role.RESPONDER].write_message(saying(b""))


def test_a_static_that_makes_the_secret_zero_is_refused() -> None:
    """In message B the zero comes at `es`, under keys that the responder has made already."""
    states = pair(XX)
    dishonest = states[Role.RESPONDER]
    dishonest._ours["s"] = ZeroKey()  # type: ignore[assignment]
    dishonest.read_message(states[Role.INITIATOR].write_message(saying(b"")))
    with pytest.raises(RemoteProtocolError, match=r"es: .* zero"):
        states[Role.INITIATOR].read_message(dishonest.write_message(saying(b"")))


class ZeroKey:
    """A static "key" whose public half is zero, as are all its secrets."""

    def public_key(self) -> ZeroKey:
        return self

    def public_bytes_raw(self) -> bytes:
        return bytes(32)

    def exchange(self, _: object) -> bytes:
        return bytes(32)


def test_an_ml_kem_key_that_is_not_one_is_refused() -> None:
    states = pair()
    message_a = states[Role.INITIATOR].write_message(saying(b""))
    states[Role.RESPONDER].read_message(message_a[:32] + b"\xff" * kem.PUBLIC_KEY_LENGTH)
    with pytest.raises(RemoteProtocolError, match="ML-KEM"):
        states[Role.RESPONDER].write_message(saying(b""))


@pytest.mark.parametrize("ours", Role, ids=lambda role: role.name.lower())
def test_plain_xx_agrees_with_another_implementation(ours: Role) -> None:
    partner = pytest.importorskip("noise.connection", reason="noiseprotocol, the test partner, is not installed")
    theirs = partner.NoiseConnection.from_name(XX.name)
    (theirs.set_as_initiator if ours is Role.RESPONDER else theirs.set_as_responder)()
    theirs.set_prologue(b"p2pchat")
    theirs.set_keypair_from_private_bytes(partner.Keypair.STATIC, bytes([2]) * 32)
    theirs.start_handshake()
    state = HandshakeState(XX, ours, keys(1), prologue=b"p2pchat")

    assert converse(state, theirs, ours) == [b"0", b"1", b"2"]
    transport = state.split()
    assert transport.hash == theirs.get_handshake_hash()
    for n in range(3):
        assert theirs.decrypt(transport.send.encrypt(bytes([n]))) == bytes([n])
        assert transport.receive.decrypt(bytes(theirs.encrypt(bytes([n])))) == bytes([n])


def converse(state: HandshakeState, theirs: Any, ours: Role) -> list[bytes]:
    """Return what was understood of three messages that say their number."""
    heard = []
    writer = Role.INITIATOR
    for n in range(3):
        payload = b"%d" % n
        if writer is ours:
            heard.append(bytes(theirs.read_message(state.write_message(saying(payload)))))
        else:
            heard.append(state.read_message(bytes(theirs.write_message(payload)))[0])
        writer = writer.other
    return heard


def test_nothing_is_drawn_that_is_not_used() -> None:
    entropy = scripted(bytes([3]) * 32, bytes([5]) * 64)
    state = HandshakeState(XXHFS, Role.INITIATOR, Keys(entropy=entropy, static=keys(0).static))
    state.write_message(saying(b""))
    with pytest.raises(IndexError):
        entropy(1)
