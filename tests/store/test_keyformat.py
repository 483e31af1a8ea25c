"""What is in a key file: PKCS#8, or OpenSSH's format, which ssh-keygen reads as well."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from p2pchat.crypto.identity import Identity
from p2pchat.errors import BadData, ConfigurationError, WrongPassphrase
from p2pchat.store import keyformat
from p2pchat.store.keyformat import Locked, decode, encode

ME = Identity.from_seed(bytes(range(32)))
PASSPHRASE = "correct horse, naïve 🐎"
OPENSSH = serialization.PrivateFormat.OpenSSH

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds: what is tested is not how long they take."""
    monkeypatch.setattr(keyformat, "ROUNDS", 1)


def fields(content: bytes) -> list[bytes]:
    """Return the first strings of OpenSSH's format: cipher, KDF, its options."""
    data = base64.b64decode(b"".join(content.splitlines()[1:-1])).removeprefix(b"openssh-key-v1\0")
    found = []
    for _ in range(3):
        size = int.from_bytes(data[:4])
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def test_what_is_written_without_a_passphrase_is_read_again() -> None:
    read = decode(encode(ME))
    assert isinstance(read, Identity)
    assert read.seed == ME.seed


def test_a_passphrase_protects_the_key_with_bcrypt_of_24_rounds() -> None:
    content = encode(ME, PASSPHRASE)
    cipher, kdf, options = fields(content)
    assert (cipher, kdf, int.from_bytes(options[-4:])) == (b"aes256-ctr", b"bcrypt", 24)
    assert ME.seed not in base64.b64decode(b"".join(content.splitlines()[1:-1]))
    locked = decode(content)
    assert isinstance(locked, Locked)
    assert locked.peer_id == ME.peer_id
    assert locked.open(PASSPHRASE).seed == ME.seed


@pytest.mark.parametrize("wrong", ["", "correct horse", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_another_passphrase_does_not_open_it(quick: None, wrong: str) -> None:
    locked = decode(encode(ME, PASSPHRASE))
    assert isinstance(locked, Locked)
    with pytest.raises(WrongPassphrase, match="does not open"):
        locked.open(wrong)


def test_bytes_of_the_environment_that_are_no_text_are_a_passphrase_too(quick: None) -> None:
    locked = decode(encode(ME, "\udcff\udcfe"))
    assert isinstance(locked, Locked)
    assert locked.open("\udcff\udcfe").seed == ME.seed


def test_a_passphrase_has_an_end(quick: None) -> None:
    locked = decode(encode(ME, "x" * keyformat.MAX_PASSPHRASE))
    assert isinstance(locked, Locked)
    assert locked.open("x" * keyformat.MAX_PASSPHRASE).seed == ME.seed
    with pytest.raises(BadData, match="1023 bytes, and this one has 1024"):
        encode(ME, "x" * (keyformat.MAX_PASSPHRASE + 1))


def test_a_locked_key_does_not_show_what_is_in_the_file(quick: None) -> None:
    assert "BEGIN" not in repr(decode(encode(ME, PASSPHRASE)))


def test_openssh_without_a_passphrase_is_read_too() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(ME.seed)
    read = decode(key.private_bytes(serialization.Encoding.PEM, OPENSSH, serialization.NoEncryption()))
    assert isinstance(read, Identity)
    assert read.seed == ME.seed


@needs_ssh
def test_ssh_keygen_opens_what_we_write_and_we_what_it_writes(quick: None, tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    path.touch(mode=0o600)
    path.write_bytes(encode(ME, "first"))
    shown = subprocess.run(["ssh-keygen", "-y", "-P", "first", "-f", path], check=True, capture_output=True).stdout
    assert base64.b64decode(shown.split()[1]).endswith(ME.peer_id.key)
    words = ["ssh-keygen", "-p", "-q", "-a", "4", "-P", "first", "-N", "second", "-f", str(path)]
    subprocess.run(words, check=True, capture_output=True)
    locked = decode(path.read_bytes())
    assert isinstance(locked, Locked)
    assert locked.open("second").seed == ME.seed


# ---- what is no key


def ssh_key_of_another_kind() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, OPENSSH, serialization.NoEncryption())


def armoured(data: bytes) -> bytes:
    return b"-----BEGIN OPENSSH PRIVATE KEY-----\n%b\n-----END OPENSSH PRIVATE KEY-----\n" % base64.b64encode(data)


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        armoured(b""),
        armoured(b"openssh-key-v2\0"),
        armoured(b"openssh-key-v1\0\0\0"),
        armoured(b"openssh-key-v1\0\0\0\0\x09none"),
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n=\n-----END OPENSSH PRIVATE KEY-----\n",
        ssh_key_of_another_kind(),
    ],
    ids=["cut short", "empty", "another version", "half a length", "half a string", "no base64", "another kind"],
)
def test_what_only_looks_like_one_is_no_key(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(content)


def test_a_key_of_another_length_is_no_key(quick: None) -> None:
    data = base64.b64decode(b"".join(encode(ME, PASSPHRASE).splitlines()[1:-1]))
    at = data.index(ME.peer_id.key) - 4
    shorter = data[:at] + (31).to_bytes(4) + data[at + 4 : at + 35] + data[at + 36 :]
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        decode(armoured(shorter))


def test_a_cipher_that_nobody_knows_is_told_when_it_is_opened(quick: None) -> None:
    data = base64.b64decode(b"".join(encode(ME, PASSPHRASE).splitlines()[1:-1]))
    locked = decode(armoured(data.replace(b"aes256-ctr", b"rot13-trip")))
    assert isinstance(locked, Locked)
    with pytest.raises(ConfigurationError, match="cannot be used here: unsupported cipher"):
        locked.open(PASSPHRASE)


WITHOUT_BCRYPT = """
import sys
sys.modules["bcrypt"] = None
from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError
from p2pchat.store.keyformat import decode, encode
assert decode(encode(Identity.from_seed(bytes(32)))).seed == bytes(32)
for use in (lambda: encode(Identity.from_seed(bytes(32)), "x"), lambda: decode(sys.stdin.buffer.read()).open("x")):
    try:
        use()
    except ConfigurationError as exc:
        print(exc, "|", exc.hint)
"""


@pytest.mark.slow
def test_without_bcrypt_only_a_passphrase_is_missed_and_the_cure_is_told(quick: None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BCRYPT], input=encode(ME, "x"), check=True, capture_output=True
    )
    lines = done.stdout.decode().splitlines()
    assert ["bcrypt" in line and "pip install bcrypt" in line for line in lines] == [True] * 2
