"""Two streams joined to one: what comes from either goes to the other, and so does its end."""

from __future__ import annotations

import trio

PIECE = 65536  # bytes carried at once; what the streams hold beyond it makes the sender wait
LAST_WORDS = 1.0  # seconds for what is still under way when one side is gone
AFTER_END = 10.0  # seconds for the other way once one way has ended: twice what a peer takes for its last words
STALL = 60.0  # seconds for one piece; a link gives up a write that stalls for half of that, and pings would break it


async def relay(one: trio.abc.HalfCloseableStream, other: trio.abc.HalfCloseableStream) -> None:
    """Carry bytes both ways until both have ended, or one of them is gone. Both are closed then, cancelled or not.

    A side that stands still (a stopped process, say) does not keep us: neither when it takes nothing any more, nor when
    it does not answer the end of the other side.
    """
    async with one, other, trio.open_nursery() as nursery:
        ended = trio.Event()
        nursery.start_soon(_carry, one, other, ended, nursery.cancel_scope)
        nursery.start_soon(_carry, other, one, ended, nursery.cancel_scope)


async def _carry(
    source: trio.abc.ReceiveStream, sink: trio.abc.HalfCloseableStream, ended: trio.Event, both: trio.CancelScope
) -> None:
    """Carry one way; when it has `ended` the other gets some time, and if it broke, a moment. Then end `both`."""
    try:
        while data := await source.receive_some(PIECE):
            with trio.fail_after(STALL):
                await sink.send_all(data)
        await sink.send_eof()
        if not ended.is_set():
            ended.set()
            await trio.sleep(AFTER_END)
    except (trio.BrokenResourceError, trio.TooSlowError):
        await trio.sleep(LAST_WORDS)
    both.cancel()
