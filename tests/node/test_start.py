"""What a node needs before it begins."""

from __future__ import annotations

import sys

import pytest
from cryptography.hazmat.primitives import asymmetric

from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError
from p2pchat.node.node import open_node
from tests.support.peers import Network, virtual_env


async def test_without_ml_kem_a_node_says_so_and_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(asymmetric, "mlkem", raising=False)  # an earlier test may have loaded it
    monkeypatch.delattr(asymmetric, "mlkem", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mlkem", None)
    with pytest.raises(ConfigurationError, match="ML-KEM") as missing:
        async with open_node(Identity.generate(bytes), env=virtual_env(Network())):
            pass
    assert missing.value.hint
