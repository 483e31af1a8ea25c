"""The contract of transports finds the faults that transports have: each of these breaks one promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing

from p2pchat.address import Address
from p2pchat.env import Net
from p2pchat.errors import AddressError, ConnectFailed, ListenFailed
from p2pchat.testing import contract
from p2pchat.testing import listen_promises as listens
from p2pchat.testing import stream_promises as streams
from p2pchat.transports import memory
from p2pchat.transports.memory import MemoryListener, MemoryStream, MemoryTransport

HERE = Address("memory", "here")


class Shouting(MemoryTransport):
    """Does not speak to people."""

    async def connect(self, address: Address) -> MemoryStream:
        try:
            return await super().connect(address)
        except ConnectFailed as exc:
            raise ConnectFailed(f"ERROR on {address}.", hint="Panic!") from exc


class Nameless(MemoryTransport):
    """Does not say whom it talks about."""

    async def connect(self, address: Address) -> MemoryStream:
        try:
            return await super().connect(address)
        except ConnectFailed as exc:
            raise ConnectFailed("failed", hint="try harder") from exc


class Generous(MemoryTransport):
    """Lets the second take an address from the first."""

    async def listen(self, address: Address) -> Sequence[MemoryListener]:
        self._listeners.pop(address.rest, None)
        return await super().listen(address)


class Clinging(MemoryTransport):
    """Never gives an address back."""

    async def listen(self, address: Address) -> Sequence[MemoryListener]:
        listeners = await super().listen(address)
        for listener in listeners:
            listener._names = dict(listener._names)
        return listeners


class Hasty(MemoryTransport):
    """Never looks whether it was cancelled."""

    async def connect(self, address: Address) -> MemoryStream:
        ours, theirs = memory._stream_pair(address)
        self._listeners[address.rest]._queue.send_nowait(theirs)
        return ours


class Misleading(MemoryTransport):
    """Tells an address that nobody can dial."""

    async def connect(self, address: Address) -> MemoryStream:
        stream = await super().connect(address)
        stream.remote = Address("memory", "")
        return stream


class Deaf(MemoryTransport):
    """Never answers."""

    async def connect(self, address: Address) -> MemoryStream:
        await trio.sleep_forever()
        return await super().connect(address)


class Altered(MemoryTransport):
    """Has streams of the given kind instead of its own."""

    def __init__(self, kind: type[MemoryStream]) -> None:
        super().__init__()
        self._kind = kind

    async def connect(self, address: Address) -> MemoryStream:
        stream = await super().connect(address)
        stream.__class__ = self._kind
        return stream


class Interrupting(MemoryStream):
    """Sends at once into the middle of what is being sent."""

    def send_nowait(self, data: Any) -> int:
        return self._outgoing.put(data)


class Careless(MemoryStream):
    """Puts what it receives in the wrong place."""

    async def receive_into(self, buffer: memoryview) -> int:
        count = await super().receive_into(buffer)
        buffer[-count:] = bytes(buffer[:count])
        return count


class Greedy(MemoryStream):
    """Takes whatever it is given, and remembers it all."""

    async def send_all(self, data: Any) -> None:
        await trio.lowlevel.checkpoint()
        self._check_may_send()


@pytest.mark.parametrize(
    ("net", "promise", "complaint"),
    [
        (Shouting(), listens.nobody_there_is_told, "not one sentence without a full stop: 'ERROR on memory:here.'"),
        (Nameless(), listens.nobody_there_is_told, "the address is not named: failed"),
        (Generous(), listens.one_address_has_one_owner, "ListenFailed was not raised"),
        (Hasty(), listens.a_cancelled_connect_leaves_nothing, "connect has to be a checkpoint"),
        (Altered(Interrupting), streams.sending_at_once_never_waits, "send_nowait did not raise BusyResourceError"),
        (Altered(Careless), streams.buffers_are_filled_in_place, "instead of b'abc--'"),
        (Altered(Greedy), streams.unread_bytes_are_bounded, "bytes that nobody reads pile up"),
    ],
    ids=["shouting", "nameless", "generous", "hasty", "interrupting", "careless", "greedy"],
)
async def test_a_broken_promise_is_told(net: Net, promise: contract.Promise, complaint: str) -> None:
    with pytest.RaisesGroup(
        pytest.RaisesExc(AssertionError, match=complaint), allow_unwrapped=True, flatten_subgroups=True
    ):
        await contract.check_promise(promise, net, HERE)


async def test_an_address_that_is_not_given_back_is_told() -> None:
    with pytest.raises(ListenFailed):
        await contract.check_promise(listens.an_address_is_free_again_at_once, Clinging(), HERE)


async def test_an_address_that_nobody_can_read_is_told() -> None:
    with pytest.raises(AddressError):
        await contract.check_promise(listens.addresses_read_back, Misleading(), HERE)


async def test_a_transport_that_hangs_is_told(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(trio.TooSlowError):
        await contract.check_transport(Deaf(), HERE)


@pytest.mark.slow
async def test_the_whole_contract_is_kept_by_a_good_transport() -> None:
    await contract.check_transport(MemoryTransport(), HERE)
