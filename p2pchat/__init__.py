"""Chat between equals from a terminal, with nobody in the middle.

This is the front door for programs: every public name is here, and resolved when it is first asked for (PEP 562), so
that `import p2pchat` and `p2pchat --help` load nothing. Inside the package modules import each other by full path.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.address import Address as Address
    from p2pchat.crypto.identity import Identity as Identity
    from p2pchat.crypto.identity import PeerId as PeerId
    from p2pchat.env import Env as Env
    from p2pchat.env import system_env as system_env
    from p2pchat.errors import P2PChatError as P2PChatError
    from p2pchat.node.node import Node as Node
    from p2pchat.node.node import open_node as open_node
    from p2pchat.node.session import Session as Session
    from p2pchat.node.settings import Accept as Accept
    from p2pchat.node.settings import NodeSettings as NodeSettings
    from p2pchat.transports.registry import Transports as Transports

__version__ = "0.1.0"

# The same once more for the interpreter; a test holds the two together.
_HOMES = {
    "Address": "p2pchat.address",
    "Identity": "p2pchat.crypto.identity",
    "PeerId": "p2pchat.crypto.identity",
    "Env": "p2pchat.env",
    "system_env": "p2pchat.env",
    "P2PChatError": "p2pchat.errors",
    "Node": "p2pchat.node.node",
    "open_node": "p2pchat.node.node",
    "Session": "p2pchat.node.session",
    "Accept": "p2pchat.node.settings",
    "NodeSettings": "p2pchat.node.settings",
    "Transports": "p2pchat.transports.registry",
}

if not TYPE_CHECKING:  # a checker that saw this would take every misspelt name for granted

    def __getattr__(name: str) -> object:
        """Return the public `name`, imported now."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        """List what is public, loaded or not."""
        return sorted({*globals(), *_HOMES})
