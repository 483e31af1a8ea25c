"""Chat between equals from a terminal, with nobody in the middle.

This is the front door for programs: every public name is here, and resolved when it is first asked for (PEP 562), so
that `import p2pchat` and `p2pchat --help` load nothing. Inside the package modules import each other by full path.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.address import Address as Address
    from p2pchat.address import parse as parse
    from p2pchat.crypto.identity import Identity as Identity
    from p2pchat.crypto.identity import PeerId as PeerId
    from p2pchat.env import Env as Env
    from p2pchat.env import system_env as system_env
    from p2pchat.errors import AddressError as AddressError
    from p2pchat.errors import BadData as BadData
    from p2pchat.errors import CodeFailed as CodeFailed
    from p2pchat.errors import ConfigurationError as ConfigurationError
    from p2pchat.errors import ConnectFailed as ConnectFailed
    from p2pchat.errors import LinkLost as LinkLost
    from p2pchat.errors import ListenFailed as ListenFailed
    from p2pchat.errors import LocalProtocolError as LocalProtocolError
    from p2pchat.errors import NameTaken as NameTaken
    from p2pchat.errors import NotLetIn as NotLetIn
    from p2pchat.errors import P2PChatError as P2PChatError
    from p2pchat.errors import ProtocolError as ProtocolError
    from p2pchat.errors import QuotaExceeded as QuotaExceeded
    from p2pchat.errors import RemoteProtocolError as RemoteProtocolError
    from p2pchat.errors import StoreCorrupt as StoreCorrupt
    from p2pchat.errors import StoreError as StoreError
    from p2pchat.errors import StoreFailed as StoreFailed
    from p2pchat.errors import StoreFull as StoreFull
    from p2pchat.errors import StoreLocked as StoreLocked
    from p2pchat.errors import StoreReadOnly as StoreReadOnly
    from p2pchat.errors import StoreTooNew as StoreTooNew
    from p2pchat.errors import TransportError as TransportError
    from p2pchat.errors import UntrustedPeer as UntrustedPeer
    from p2pchat.errors import WrongPassphrase as WrongPassphrase
    from p2pchat.node.events import ClaimFailed as ClaimFailed
    from p2pchat.node.events import Connected as Connected
    from p2pchat.node.events import DialFailed as DialFailed
    from p2pchat.node.events import Disconnected as Disconnected
    from p2pchat.node.events import Elsewhere as Elsewhere
    from p2pchat.node.events import Event as Event
    from p2pchat.node.events import Ids as Ids
    from p2pchat.node.events import Invited as Invited
    from p2pchat.node.events import Leaving as Leaving
    from p2pchat.node.events import Listening as Listening
    from p2pchat.node.events import MessagesReceived as MessagesReceived
    from p2pchat.node.events import Notice as Notice
    from p2pchat.node.events import PeerTyping as PeerTyping
    from p2pchat.node.events import Renamed as Renamed
    from p2pchat.node.events import SaidElsewhere as SaidElsewhere
    from p2pchat.node.events import State as State
    from p2pchat.node.events import StatesChanged as StatesChanged
    from p2pchat.node.events import Stranger as Stranger
    from p2pchat.node.events import Verified as Verified
    from p2pchat.node.events import WaitingToBeLetIn as WaitingToBeLetIn
    from p2pchat.node.node import Node as Node
    from p2pchat.node.node import open_node as open_node
    from p2pchat.node.session import Session as Session
    from p2pchat.node.settings import Accept as Accept
    from p2pchat.node.settings import NodeSettings as NodeSettings
    from p2pchat.protocol.assembly import Message as Message
    from p2pchat.protocol.assembly import Messages as Messages
    from p2pchat.protocol.limits import Limits as Limits
    from p2pchat.transports.base import Transport as Transport
    from p2pchat.transports.registry import Transports as Transports
    from p2pchat.wire.messages import Data as Data
    from p2pchat.wire.messages import Text as Text

__version__ = "0.1.0"

# The same once more for the interpreter; a test holds the two together.
_HOMES = {
    "Address": "p2pchat.address",
    "parse": "p2pchat.address",
    "Identity": "p2pchat.crypto.identity",
    "PeerId": "p2pchat.crypto.identity",
    "Env": "p2pchat.env",
    "system_env": "p2pchat.env",
    "AddressError": "p2pchat.errors",
    "BadData": "p2pchat.errors",
    "CodeFailed": "p2pchat.errors",
    "ConfigurationError": "p2pchat.errors",
    "ConnectFailed": "p2pchat.errors",
    "LinkLost": "p2pchat.errors",
    "ListenFailed": "p2pchat.errors",
    "LocalProtocolError": "p2pchat.errors",
    "NameTaken": "p2pchat.errors",
    "NotLetIn": "p2pchat.errors",
    "P2PChatError": "p2pchat.errors",
    "ProtocolError": "p2pchat.errors",
    "QuotaExceeded": "p2pchat.errors",
    "RemoteProtocolError": "p2pchat.errors",
    "StoreCorrupt": "p2pchat.errors",
    "StoreError": "p2pchat.errors",
    "StoreFailed": "p2pchat.errors",
    "StoreFull": "p2pchat.errors",
    "StoreLocked": "p2pchat.errors",
    "StoreReadOnly": "p2pchat.errors",
    "StoreTooNew": "p2pchat.errors",
    "TransportError": "p2pchat.errors",
    "UntrustedPeer": "p2pchat.errors",
    "WrongPassphrase": "p2pchat.errors",
    "ClaimFailed": "p2pchat.node.events",
    "Connected": "p2pchat.node.events",
    "DialFailed": "p2pchat.node.events",
    "Disconnected": "p2pchat.node.events",
    "Event": "p2pchat.node.events",
    "Invited": "p2pchat.node.events",
    "Leaving": "p2pchat.node.events",
    "Listening": "p2pchat.node.events",
    "Elsewhere": "p2pchat.node.events",
    "Ids": "p2pchat.node.events",
    "SaidElsewhere": "p2pchat.node.events",
    "PeerTyping": "p2pchat.node.events",
    "Renamed": "p2pchat.node.events",
    "MessagesReceived": "p2pchat.node.events",
    "Notice": "p2pchat.node.events",
    "State": "p2pchat.node.events",
    "StatesChanged": "p2pchat.node.events",
    "Stranger": "p2pchat.node.events",
    "Verified": "p2pchat.node.events",
    "WaitingToBeLetIn": "p2pchat.node.events",
    "Node": "p2pchat.node.node",
    "open_node": "p2pchat.node.node",
    "Session": "p2pchat.node.session",
    "Accept": "p2pchat.node.settings",
    "NodeSettings": "p2pchat.node.settings",
    "Message": "p2pchat.protocol.assembly",
    "Messages": "p2pchat.protocol.assembly",
    "Limits": "p2pchat.protocol.limits",
    "Transport": "p2pchat.transports.base",
    "Transports": "p2pchat.transports.registry",
    "Data": "p2pchat.wire.messages",
    "Text": "p2pchat.wire.messages",
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
