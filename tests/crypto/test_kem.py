from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import asymmetric

from p2pchat.crypto import kem
from p2pchat.errors import ConfigurationError, RemoteProtocolError
from tests.support.entropy import scripted

MODULE = "cryptography.hazmat.primitives.asymmetric.mlkem"
Q = 3329  # coefficients are 12 bits wide, and less than this (FIPS 203, section 7.2)


def unsupported(_: bytes) -> None:
    raise UnsupportedAlgorithm("built on an OpenSSL before 3.5")


@pytest.fixture(params=["the module is missing", "the build cannot do it"])
def no_ml_kem(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a `cryptography` without ML-KEM looks like: too old, or built on too old an OpenSSL."""
    if request.param == "the module is missing":
        monkeypatch.delattr(asymmetric, "mlkem", raising=False)
        monkeypatch.setitem(sys.modules, MODULE, None)
    else:
        unable = SimpleNamespace(
            MLKEM768PrivateKey=SimpleNamespace(from_seed_bytes=unsupported),
            MLKEM768PublicKey=SimpleNamespace(from_public_bytes=unsupported),
        )
        monkeypatch.setattr(asymmetric, "mlkem", unable)
        monkeypatch.setitem(sys.modules, MODULE, unable)


def test_both_sides_get_one_secret() -> None:
    kem.require()
    private = kem.generate(scripted(bytes(range(64))))
    public = private.public_key().public_bytes_raw()
    secret, ciphertext = kem.encapsulate(public)
    assert private.decapsulate(ciphertext) == secret
    assert (len(public), len(ciphertext)) == (kem.PUBLIC_KEY_LENGTH, kem.CIPHERTEXT_LENGTH)


@pytest.mark.usefixtures("no_ml_kem")
def test_without_ml_kem_one_error_says_so_and_what_to_do() -> None:
    for use in (kem.require, lambda: kem.generate(bytes), lambda: kem.encapsulate(bytes(kem.PUBLIC_KEY_LENGTH))):
        with pytest.raises(ConfigurationError, match="has no ML-KEM-768") as caught:
            use()
        assert "pip install" in caught.value.hint


@pytest.mark.parametrize("coefficient", [Q, Q + 1, 0xFFF])
@pytest.mark.parametrize("place", [0, 383])  # of 768 coefficients, two in three bytes
def test_a_key_with_a_coefficient_out_of_range_is_refused(coefficient: int, place: int) -> None:
    key = bytearray(kem.generate(bytes).public_key().public_bytes_raw())
    pair = int.from_bytes(key[3 * place : 3 * place + 3], "little") & 0xFFF | coefficient << 12
    key[3 * place : 3 * place + 3] = pair.to_bytes(3, "little")
    with pytest.raises(RemoteProtocolError, match="ML-KEM key"):
        kem.encapsulate(bytes(key))


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="ML-KEM key"):
        kem.encapsulate(bytes(kem.PUBLIC_KEY_LENGTH - 1))
