"""To wait for one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import trio

if TYPE_CHECKING:
    from outcome import Outcome

    from p2pchat.store.base import Pair, Transaction

T = TypeVar("T")


async def transact(pair: Pair, job: Callable[[Transaction], T]) -> T:
    """Return what `job` returns in a transaction of `pair`, or raise what it raises.

    A cancellation has to wait for the disk, as in `Saying.wait`: whoever is cancelled knows that it has happened.

    Raises:
      StoreError: if the disk refuses; nothing has changed.
    """
    results: list[Outcome[T]] = []
    done = trio.Event()

    def note(result: Outcome[T]) -> None:
        results.append(result)
        done.set()

    pair.submit(lambda: job, note)
    with trio.CancelScope(shield=True):  # one transaction, and the disk bounds that
        await done.wait()
    return results[0].unwrap()
