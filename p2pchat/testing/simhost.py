"""A host of a `Simulation`: it has an address, an identity and a disk, and programs run on it until they are killed.

    async def echo(process: SimProcess) -> None:
        async with process.open_store() as store, open_node(me, env=process.env, store=store) as node:
            ...

    bot = world.host("bot")
    bot.start(echo)
    bot.kill(down=5)        # and five seconds later it starts again, with what is on its disk

A killed process stops in the middle of whatever it does. From that moment nothing it still tries has an effect: not on
the network, not on the disk. Its kernel lives on, sends what it was given, and closes its connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, final

import outcome
import trio

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env, dice
from p2pchat.store.store import Store, open_store
from p2pchat.testing import simlogs
from p2pchat.testing.lanes import on_grid
from p2pchat.testing.simdisk import HAS_POWER, Access, Loss, Mount, Operation, SimDisk

if TYPE_CHECKING:
    from p2pchat.testing.simnet import Machine, Process
    from p2pchat.testing.simulation import Simulation

T = TypeVar("T")

EPOCH: Final = 1_800_000_000.0  # the wall clock when a simulation begins, Unix seconds
PORT: Final = 7272  # of every host's address

Program: TypeAlias = "Callable[[SimProcess], Awaitable[object]]"


@final
class SimProcess:
    """One run of a program, from its start to its end."""

    def __init__(self, host: Host, number: int, program: Program | None) -> None:
        """Use `Host.start`."""
        self.host = host
        self.program = program  # None: the story itself, which sits at this host
        self.alive: bool = True
        self.ended: trio.Event = trio.Event()  # set when nothing of it is left to run
        self._simulation = host.simulation
        self._net: Process = host.machine.start()
        self._net.on_sent = self._sent
        self._dice = dice(self._simulation.seed, host.name, number)
        self._access: Access | None = None
        self._scope = trio.CancelScope()
        self._inside = False  # a transaction is under way at this very moment
        self._sends_left = 0  # until it dies; 0: it does not
        self._writes_left = 0
        self._death: Callable[[], object] = self.kill
        #: All that the code may know of the outside world.
        self.env: Env = Env(
            clock=self._simulation.clock.current_time,
            wall=lambda: EPOCH + host.skew + self._simulation.now,
            rng=self._dice,
            urandom=self._dice.randbytes,
            run_sync=self._run_sync,
            net=self._net,
        )

    @property
    def directory(self) -> Path:
        """Where this process may keep files; what was there when another one of this host died is there again."""
        return self._disk().mount.path

    def open_store(self, name: str = "history.db") -> AbstractAsyncContextManager[Store]:
        """Open a store on the disk of this host; as `p2pchat.store.store.open_store`."""
        access = self._disk()
        return open_store(access.mount.path / name, env=self.env, connect=access.connect)

    def kill(self) -> None:
        """Die: from now on nothing that this process does has any effect. Once is enough."""
        if self.alive:
            self.alive = False
            if self._access is not None:
                self._access.dead = True
            self._net.kill()
            self._scope.cancel()
            if not self._inside:
                self._close()

    def die_when(self, death: Callable[[], object], *, sent: int = 0, written: int = 0) -> None:
        """Let `death` be called, which kills this process, with the `sent`-th send or the `written`-th write from now.

        So it dies where the work is: between a commit and the answer that follows from it, or half-way through one.
        """
        self._death, self._sends_left, self._writes_left = death, sent, written

    async def run(self) -> None:
        """Run the program; what it raises while it is alive ends the simulation. Called by the simulation."""
        assert self.program is not None  # noqa: S101
        simlogs.is_alive.set(lambda: self.alive)
        try:
            with self._scope:
                await self.program(self)
        except Exception as exc:  # noqa: BLE001  (a program may raise anything, and a dead process nothing)
            if self.alive:
                self._simulation.fail(exc)
        finally:
            self.kill()
            self.ended.set()

    def _disk(self) -> Access:
        if self._access is None:
            self._access = self.host.mount.start()
            self._access.before = self._before_operation
            self._access.dead = not self.alive
        return self._access

    def _close(self) -> None:
        if self._access is not None:
            self._access.close()

    async def _run_sync(self, function: Callable[[], T], /) -> T:
        """Do the work of a thread: takes its time before and after, and whoever waits for it cannot be cancelled."""
        with trio.CancelScope(shield=True):
            await self._take_time()
            self._inside = True
            result = outcome.capture(function)
            self._inside = False
            if not self.alive:
                self._close()
            await self._take_time()
        return result.unwrap()

    async def _take_time(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.alive and self.host.work:
            await trio.sleep(on_grid(self.host.work / 2 * self._dice.uniform(0.2, 1.0)))

    def _before_operation(self, kind: Operation, name: str) -> None:  # noqa: ARG002  (as `Access.before` is called)
        if kind == "write" and self._writes_left:
            self._writes_left -= 1
            if not self._writes_left:
                self._death()

    def _sent(self, count: int) -> None:  # noqa: ARG002  (as `Process.on_sent` is called)
        if self._sends_left:
            self._sends_left -= 1
            if not self._sends_left:
                self._death()


@final
class Host:
    """A machine with somebody's identity, one disk, and programs."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        """Use `Simulation.host`."""
        self.simulation = simulation
        self.name = name
        self.machine: Machine = simulation.network.machine(name)
        self.address: Address = Address("tcp", f"{self.machine.host}:{PORT}")
        self.identity: Identity = Identity.from_seed(dice(simulation.seed, name, "key").randbytes(32))
        self.skew: float = 0.0  # seconds by which its wall clock is wrong
        self.work: float = 0.004  # seconds that a transaction takes at the most; with 0 its thread answers at once
        self.processes: list[SimProcess] = []  # those that `start` began, and that live
        self._starts = 0
        self._waiting: list[Program] = []  # what runs again after the next start
        self._story: SimProcess | None = None
        self._disk: SimDisk | None = None
        self._mount: Mount | None = None

    # ---- for the story itself

    @property
    def env(self) -> Env:
        """The outside world for code of the story that sits at this host. Only programs can be killed, it cannot."""
        return self._sitting().env

    def open_store(self, name: str = "history.db") -> AbstractAsyncContextManager[Store]:
        """Open a store on this disk for code of the story."""
        return self._sitting().open_store(name)

    # ---- programs

    def start(self, *programs: Program) -> list[SimProcess]:
        """Start programs, each as a process of its own; without any, those that a death has ended.

        A machine without power is switched on by that.
        """
        again, self._waiting = self._waiting, []
        started = [self._process(program) for program in programs or again]
        self.processes += started
        for process in started:
            self.simulation.start_soon(self._live, process)
        return started

    def kill(self, *, down: float | None = None) -> None:
        """Kill all programs.

        Args:
          down: seconds after which they start again; None: with the next `start`.
        """
        for process in self.processes:
            process.kill()
            if process.program is not None:
                self._waiting.append(process.program)
        self.processes.clear()
        if down is not None:
            self.simulation.at(self.simulation.now + down, self.start)

    def lose_power(self, loss: Loss = Loss.TORN, *, down: float | None = None) -> None:
        """Let everything here stop at once and tell nobody; what was not synced may be lost.

        Args:
          loss: what becomes of that.
          down: seconds after which the programs start again; None: with the next `start`.

        Raises:
          RuntimeError: if the story itself uses this host; or if its disk could not lose anything, without apsw.
        """
        if self._story is not None:
            raise RuntimeError(f"the story sits at {self.name!r}: start a program there instead, which can die")
        if self._mount is not None:
            _check_extra()
            self._mount.lose_power(loss)
            self._mount = None
        self.machine.lose_power()
        self.kill(down=down)

    def kill_when(self, *, sent: int = 0, written: int = 0, down: float | None = None) -> None:
        """Kill all programs as soon as one of them has sent, or written to its disk, so many times from now.

        Args:
          sent: sends to the network; 0: they do not count.
          written: writes to the disk; 0: they do not count. The last of them is lost.
          down: as for `kill`.

        Raises:
          RuntimeError: if writes cannot be counted, without apsw.
        """
        if written:
            _check_extra()
        for process in self.processes:
            process.die_when(lambda: self.kill(down=down), sent=sent, written=written)

    # ---- for processes and the simulation

    @property
    def mount(self) -> Mount:
        """The directory that this boot of the machine sees."""
        if self._disk is None:
            scratch = self.simulation.scratch / self.name
            self._disk = SimDisk(scratch, dice(self.simulation.seed, self.name, "disk"))
        if self._mount is None:
            self._mount = self._disk.mount()
        return self._mount

    def close(self) -> None:
        """Throw the disk away. Called by the simulation."""
        if self._disk is not None:
            self._disk.close()

    async def _live(self, process: SimProcess) -> None:
        await process.run()
        if process in self.processes:  # it has ended by itself
            self.processes.remove(process)

    def _sitting(self) -> SimProcess:
        if self._story is None:
            self._story = self._process(None)
        return self._story

    def _process(self, program: Program | None) -> SimProcess:
        self._starts += 1
        return SimProcess(self, self._starts, program)


def _check_extra() -> None:
    if not HAS_POWER:
        raise RuntimeError("this needs a disk that is watched: pip install 'p2pchat-trio[simulate]'")
