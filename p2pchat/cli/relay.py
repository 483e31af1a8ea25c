"""Two streams joined to one: what comes from either goes to the other, and so does its end."""

from __future__ import annotations

import trio

PIECE = 65536  # bytes carried at once; what the streams hold beyond it makes the sender wait
LAST_WORDS = 1.0  # seconds for what is still under way when one side is gone


async def relay(one: trio.abc.HalfCloseableStream, other: trio.abc.HalfCloseableStream) -> None:
    """Carry bytes both ways until both have ended, or one of them is gone. Both are closed then, cancelled or not."""
    async with one, other, trio.open_nursery() as nursery:
        nursery.start_soon(_carry, one, other, nursery.cancel_scope)
        nursery.start_soon(_carry, other, one, nursery.cancel_scope)


async def _carry(source: trio.abc.ReceiveStream, sink: trio.abc.HalfCloseableStream, both: trio.CancelScope) -> None:
    """Carry one way; if that is no longer possible, give the other way a moment and end `both`."""
    try:
        while data := await source.receive_some(PIECE):
            await sink.send_all(data)
        await sink.send_eof()
    except trio.BrokenResourceError:
        await trio.sleep(LAST_WORDS)
        both.cancel()
