"""The outside world as one small record, made at the top and handed down.

Nothing else in the package reads clocks, dice, threads or the network (a lint rule holds it): production fills the
record with Trio and the system, a test or a simulation with virtual time and a seed. The code that runs is the same.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import trio

if TYPE_CHECKING:
    from p2pchat.address import Address

T = TypeVar("T")


class Net(Protocol):
    """Ways to reach and to be reached, by address."""

    async def connect(self, address: Address) -> trio.abc.Stream:
        """Return a live stream to `address`.

        Raises:
          ConnectFailed: if nobody can be reached there.
        """
        ...

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        """Return bound listeners for `address`; the caller closes them.

        Raises:
          ListenFailed: if the address cannot be bound.
        """
        ...


class RunSync(Protocol):
    """Run a blocking function without blocking the loop; like `trio.to_thread.run_sync`."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Return the result of `function()`, once it is awaited."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """Time, randomness, threads and network, as the code may use them."""

    clock: Callable[[], float]  # seconds, monotonic, comparable with Trio deadlines
    wall: Callable[[], float]  # seconds since 1970 (Unix), for people only: it may jump
    rng: random.Random  # jitter and other harmless dice
    urandom: Callable[[int], bytes]  # n bytes fit for keys
    run_sync: RunSync
    net: Net


def system_env(net: Net) -> Env:
    """Return the real world, with `net` as its network."""
    return Env(
        clock=trio.current_time,
        wall=time.time,
        rng=random.Random(os.urandom(16)),  # noqa: S311  (jitter, not keys)
        urandom=os.urandom,
        run_sync=trio.to_thread.run_sync,
        net=net,
    )


def unix_ms(seconds: float) -> int:
    """Return a time of the wall clock in Unix milliseconds, as it is kept and sent: never before 1970.

    A clock that nobody has set may say so all the same, and there is no way to send what it says.
    """
    return max(0, int(seconds * 1000))


def dice(*names: object) -> random.Random:
    """Return dice whose throws depend on `names` alone: a simulation gives each of its parts dice of its own."""
    return random.Random("/".join(map(str, names)))  # noqa: S311  (of a text: the hash seed has no say)
