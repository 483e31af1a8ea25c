"""What every transport promises about addresses, listeners and failures; `contract` runs this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
import trio.testing

from p2pchat import address as addresses
from p2pchat.errors import ConnectFailed, ListenFailed, TransportError
from p2pchat.testing.door import expect, expect_same, failure_of, open_door, receive_exactly
from p2pchat.transports import base

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.env import Net


async def nobody_there_is_told(net: Net, address: Address) -> None:
    """Where nobody listens any more, `connect` says so in words for a person."""
    async with open_door(net, address) as door:
        gone = door.address
    check_wording(await failure_of(ConnectFailed, net.connect(gone)), gone)


async def one_address_has_one_owner(net: Net, address: Address) -> None:
    """Listening where somebody does already is told in words, and takes nothing from the first."""
    async with open_door(net, address) as door:
        check_wording(await failure_of(ListenFailed, net.listen(door.address)), door.address)
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            await dialed.send_all(b"x")
            expect_same(await accepted.receive_some(), b"x")


async def an_address_is_free_again_at_once(net: Net, address: Address) -> None:
    """Closed listeners leave nothing behind that stands in the way; connections that they made live on."""
    async with open_door(net, address) as door:
        dialed, accepted = await door.pair()
        # Who closes first keeps a memory of the connection, in TCP; it must not block the port.
        ended, other = await door.pair()
        await trio.aclose_forcefully(other)
        await trio.aclose_forcefully(ended)
    async with open_door(net, door.address) as again:
        async with dialed, accepted:
            await accepted.send_all(b"still here")
            expect_same(await receive_exactly(dialed, 10), b"still here")
        dialed, accepted = await again.pair()
        async with dialed, accepted:
            pass


async def closed_listeners_stay_closed(net: Net, address: Address) -> None:
    """Closing wakes who waits in `accept`, can be done twice, and ends in `ClosedResourceError` for good."""
    async with open_door(net, address) as door:
        for listener in door.listeners:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(failure_of, trio.ClosedResourceError, listener.accept())
                await trio.testing.wait_all_tasks_blocked()
                await listener.aclose()
            await listener.aclose()
            await failure_of(trio.ClosedResourceError, listener.accept())


async def a_cancelled_accept_takes_nothing(net: Net, address: Address) -> None:
    """Who connects while nobody accepts is not lost, however many times accepting was given up before."""
    async with open_door(net, address) as door:
        with trio.CancelScope() as before:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(door.accept)
                await trio.testing.wait_all_tasks_blocked()
                before.cancel()
        with trio.CancelScope() as at_once:
            at_once.cancel()
            await door.accept()
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            await dialed.send_all(b"x")
            expect_same(await accepted.receive_some(), b"x")


async def a_cancelled_connect_leaves_nothing(net: Net, address: Address) -> None:
    """Giving up to connect raises nothing but the cancellation, and the next connection is a good one."""
    async with open_door(net, address) as door:
        with trio.CancelScope() as scope:
            scope.cancel()
            await door.connect()
        expect(scope.cancelled_caught, "connect has to be a checkpoint")
        with trio.CancelScope() as scope:
            scope.cancel()
            await net.listen(address)
        expect(scope.cancelled_caught, "listen has to be a checkpoint")
        dialed = await door.connect()
        async with dialed:
            await dialed.send_all(b"good")
            while True:  # a connection that was given up half way may come first, and says nothing
                async with await door.accept() as accepted:
                    if await accepted.receive_some() == b"good":
                        return


async def addresses_read_back(net: Net, address: Address) -> None:
    """What listeners and streams tell about themselves is an address that `parse` reads as the same."""
    async with open_door(net, address) as door:
        told = {base.bound_address(listener, address) for listener in door.listeners}
        dialed, accepted = await door.pair()
        async with dialed, accepted:
            told |= {remote for remote in map(base.remote_of, (dialed, accepted)) if remote}
    for one in told:
        expect_same(addresses.parse(str(one), schemes={address.scheme}), one)


def check_wording(failure: TransportError, address: Address) -> None:
    """Check that a failure can be printed: one sentence that names the address, and what to do about it."""
    sentence = str(failure)
    expect(str(address) in sentence, f"the address is not named: {sentence}")
    for text in (sentence, failure.hint):
        expect(
            text and text.isprintable() and not text.endswith("."), f"not one sentence without a full stop: {text!r}"
        )
        expect(text[0] == text[0].lower(), f"begins with a capital: {text}")
