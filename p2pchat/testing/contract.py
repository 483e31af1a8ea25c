"""What every transport must do, tried on a living one. For the authors of transports, ours and yours.

The test of a plug-in is three lines, under pytest-trio or inside `trio.run`:

    async def test_my_transport_keeps_the_contract() -> None:
        transports = Transports()  # finds the plug-in by its entry point
        await check_transport(transports, Address("mine", "somewhere"))

`docs/howto/transport-plugin.md` shows a whole transport with its test. Each promise has a function of its own, so that
a failure names the one that was broken. The rules in words are in `p2pchat.transports.base`; those of streams are
Trio's, and so are their checks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.address import Address
from p2pchat.env import Net
from p2pchat.testing import listen_promises, stream_promises

TOO_SLOW = 30  # seconds for one promise: a transport that hangs has to fail, one on a busy machine has not

Promise = Callable[[Net, Address], Awaitable[None]]

PROMISES: Sequence[Promise] = (
    stream_promises.streams_are_streams,
    stream_promises.connections_are_apart,
    stream_promises.bulk_arrives_both_ways,
    stream_promises.unread_bytes_are_bounded,
    listen_promises.nobody_there_is_told,
    listen_promises.one_address_has_one_owner,
    listen_promises.an_address_is_free_again_at_once,
    listen_promises.closed_listeners_stay_closed,
    listen_promises.a_cancelled_accept_takes_nothing,
    listen_promises.a_cancelled_connect_leaves_nothing,
    listen_promises.addresses_read_back,
    stream_promises.buffers_are_filled_in_place,
    stream_promises.sending_at_once_never_waits,
    stream_promises.nothing_is_sent_after_the_end,
)


async def check_transport(net: Net, address: Address) -> None:
    """Try all that p2pchat relies on in a transport.

    Args:
      net: a registry that finds the transport, or the transport itself.
      address: can be listened on, again and again; port 0 is fine if the listener tells which one it got.

    Raises:
      AssertionError: if a promise is broken.
      trio.TooSlowError: if something hangs.
    """
    for promise in PROMISES:
        await check_promise(promise, net, address)


async def check_promise(promise: Promise, net: Net, address: Address) -> None:
    """Try one of `PROMISES`, for a report that has a line for each."""
    with trio.fail_after(TOO_SLOW):
        await promise(net, address)
