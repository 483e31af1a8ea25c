"""Each row about links turns red when that very thing is broken, and is skipped where it is not there."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from p2pchat.address import Address
from p2pchat.crypto import kem, noise, proof
from p2pchat.protocol import invites
from p2pchat.store import invites as kept_invites
from p2pchat.testing.soundness.finding import Subject
from p2pchat.transports import registry
from p2pchat.transports.base import Transport
from p2pchat.transports.memory import MemoryTransport
from p2pchat.transports.registry import Transports
from tests.support.soundness import red, skipped, subject_in, told

TOY_PLUGIN = Path(__file__).parent.parent / "transports" / "toy_plugin"
LOSSY = """
from p2pchat.transports.memory import MemoryTransport


class Lossy(MemoryTransport):
    scheme = "lossy"
    loopback = "selftest"

    async def connect(self, address):
        stream = await super().connect(address)
        send_all = stream.send_all
        stream.send_all = lambda data: send_all(data[:-1])
        return stream
"""


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return subject_in(tmp_path)


class Losing:
    """A transport that serves a scheme and loses the last byte of whatever is sent."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self._inner = MemoryTransport()

    async def connect(self, address: Address) -> trio.abc.Stream:
        stream = await self._inner.connect(address)
        send_all = stream.send_all
        stream.send_all = lambda data: send_all(data[:-1])  # type: ignore[method-assign]
        return stream

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        return await self._inner.listen(address)


def with_transport(subject: Subject, transport: Transport) -> Subject:
    def make_net() -> Transports:
        net = Transports()
        net.use(transport)
        return net

    return replace(subject, make_net=make_net)


# ---- transports


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tcp IPv4", "unix", "exec", "memory"])
def test_here_transports_work(subject: Subject, name: str) -> None:
    assert "MiB" in told(name, subject)


@pytest.mark.parametrize("name", ["tcp IPv4", "tcp IPv6", "unix", "memory"])
def test_bytes_that_get_lost(subject: Subject, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if name == "tcp IPv6":
        monkeypatch.setattr("p2pchat.testing.soundness.links._has_ipv6", lambda: True)
    what, cure = red(name, with_transport(subject, Losing(name.partition(" ")[0])))
    assert what == "got b'' instead of b'0'"
    assert cure


def test_no_ipv6(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)
    assert skipped("tcp IPv6", subject) == "this machine has no IPv6"


def test_no_address_of_ipv6(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(socket, "socket", Without)
    assert skipped("tcp IPv6", subject) == "this machine has no IPv6"


def test_no_unix_sockets(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pchat.testing.soundness.links.socket", SimpleNamespace())
    assert skipped("unix", subject) == "this system has no Unix sockets"


def test_a_path_that_is_too_long(subject: Subject) -> None:
    long = subject.scratch / ("x" * 120)
    long.mkdir()
    what, cure = red("unix", replace(subject, scratch=long))
    assert "too long" in what
    assert cure


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/true"])
def test_no_command_can_be_started_or_it_swallows_everything(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    what, cure = red("exec", subject)
    assert what
    assert cure


def test_a_python_that_does_not_know_where_it_is(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    for name in ("exec", "kill and resume"):
        assert "none to start" in skipped(name, subject)


def test_a_plug_in_that_does_not_say_where_it_can_be_tried(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOY_PLUGIN)
    assert "`loopback`" in skipped("toy:", subject)


def test_a_plug_in_that_works(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOY_PLUGIN)
    import p2pchat_toy  # type: ignore[import-not-found]  # noqa: PLC0415  (is there from here on)

    monkeypatch.setattr(p2pchat_toy.ToyTransport, "loopback", "garden", raising=False)
    assert "MiB" in told("toy:", subject)


@pytest.mark.parametrize(
    ("source", "says"),
    [(LOSSY, "got b'' instead of b'0'"), ("import nothing_of_the_kind", "does not load")],
    ids=["it loses bytes", "it does not load"],
)
def test_a_plug_in_that_is_broken(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, says: str
) -> None:
    info = tmp_path / "lossy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lossy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nlossy = lossy:Lossy\n")
    (tmp_path / "lossy.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lossy", raising=False)
    what, cure = red("lossy:", subject)
    assert says in what
    assert "uninstall" in cure
    sys.modules.pop("lossy", None)


# ---- meetings


class Careless:
    """Opens whatever comes, genuine or not."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._real = ChaCha20Poly1305(key)

    def encrypt(self, nonce: bytes, data: bytes, ad: bytes | None) -> bytes:
        return self._real.encrypt(nonce, data, ad)

    def decrypt(self, nonce: bytes, data: bytes, ad: bytes | None) -> bytes:
        stream = Cipher(ChaCha20(self._key, b"\x01\0\0\0" + nonce), mode=None).decryptor()
        return stream.update(bytes(data)[:-16])


class NoSecret:
    """A public key of ML-KEM with which everybody gets the same secret."""

    @classmethod
    def from_public_bytes(cls, data: bytes) -> NoSecret:
        return cls()

    def encapsulate(self) -> tuple[bytes, bytes]:
        return bytes(32), bytes(kem.CIPHERTEXT_LENGTH)


class NoSecretEither:
    """The private one."""

    def __init__(self, entropy: object) -> None:
        pass

    def public_key(self) -> NoSecretEither:
        return self

    def public_bytes_raw(self) -> bytes:
        return bytes(kem.PUBLIC_KEY_LENGTH)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        return bytes(32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["handshake", "tampering", "invite"])
def test_here_two_meet(subject: Subject, name: str) -> None:
    assert told(name, subject)


def test_a_library_that_computes_something_else(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlkem, "MLKEM768PublicKey", NoSecret)
    what, cure = red("handshake", subject)
    assert what
    assert cure


@pytest.mark.slow
def test_a_cipher_that_opens_whatever_comes(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "ChaCha20Poly1305", Careless)
    what, cure = red("tampering", subject)
    assert what == "a message was delivered although a bit of it was changed"
    assert "let nobody in" in cure


def test_a_handshake_that_accepts_what_was_changed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its middle, the key of the KEM, counts for nothing; nor do tags, nor what was signed."""
    monkeypatch.setattr(noise, "ChaCha20Poly1305", Careless)
    monkeypatch.setattr(mlkem, "MLKEM768PublicKey", NoSecret)
    monkeypatch.setattr(kem, "generate", NoSecretEither)
    monkeypatch.setattr(proof, "_identity_statement", lambda bond: b"it is me")
    what, cure = red("tampering", subject)
    assert what == "a handshake was accepted although a bit of it was changed"
    assert "let nobody in" in cure


@pytest.mark.slow
def test_any_code_is_right(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    pake = invites._Run.pake
    monkeypatch.setattr(
        invites._Run, "pake", lambda run, slot, secret, entropy: pake(run, slot, "as you like it", entropy)
    )
    what, cure = red("invite", subject)
    assert what == "a wrong code was accepted"
    assert cure


@pytest.mark.slow
def test_a_code_that_works_twice(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_invites, "_BURN", "SELECT 1 WHERE ? || ? IS NOT NULL")
    what, cure = red("invite", subject)
    assert what == "a code was accepted a second time"
    assert cure
