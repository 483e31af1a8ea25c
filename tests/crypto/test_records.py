from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto.noise import LAST_NONCE, CipherState
from p2pchat.crypto.records import OVERHEAD, REKEY_INTERVAL, RecordCipher
from p2pchat.errors import LocalProtocolError, RemoteProtocolError

KEY = bytes(range(32))


def ciphers(nonce: int = 0) -> tuple[RecordCipher, RecordCipher]:
    states = CipherState(KEY), CipherState(KEY)
    for state in states:
        state.nonce = nonce
    return RecordCipher(states[0]), RecordCipher(states[1])


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_records_are_opened_in_the_order_in_which_they_were_sealed(plaintexts: list[bytes]) -> None:
    send, receive = ciphers()
    sealed = [send.seal(plaintext) for plaintext in plaintexts]
    assert [len(record) for record in sealed] == [len(plaintext) + OVERHEAD for plaintext in plaintexts]
    assert [receive.open(memoryview(record)) for record in sealed] == plaintexts


def test_a_record_replayed_left_out_or_changed_does_not_open_and_the_right_one_still_does() -> None:
    send, receive = ciphers()
    first, second, third = (send.seal(bytes([n])) for n in range(3))
    assert receive.open(first) == b"\0"
    for wrong in (first, third, second[:-1], second + b"\0", bytes(16), b""):
        with pytest.raises(RemoteProtocolError, match="tag"):
            receive.open(wrong)
    assert receive.open(second) == b"\1"


def test_the_key_changes_after_every_4096th_record_and_the_count_goes_on() -> None:
    send, _ = ciphers()
    sealed = [send.seal(b"") for _ in range(REKEY_INTERVAL + 1)]

    def alone(key: bytes, nonce: int, plaintext: bytes = b"") -> bytes:
        return ChaCha20Poly1305(key).encrypt(bytes(4) + nonce.to_bytes(8, "little"), plaintext, None)

    assert sealed[-2] == alone(KEY, REKEY_INTERVAL - 1)
    assert sealed[-1] == alone(alone(KEY, LAST_NONCE, bytes(32))[:32], REKEY_INTERVAL)


def test_the_last_nonce_is_never_used() -> None:
    send, receive = ciphers(LAST_NONCE - 1)
    assert receive.open(send.seal(b"the last one")) == b"the last one"
    with pytest.raises(LocalProtocolError, match="spent"):
        send.seal(b"")
    with pytest.raises(RemoteProtocolError, match="spent"):
        receive.open(bytes(16))
