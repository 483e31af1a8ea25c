"""`Simulation`, as others use it for what they build: hosts, programs that die, troubles by name, and a checker."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
import trio

from p2pchat import Accept, Message, MessagesReceived, Node, NodeSettings, Session, Text, open_node
from p2pchat.store import journal
from p2pchat.testing import TROUBLES, Broken, Line, Loss, SimProcess, Simulation, Stuck, simulate, simulate_many

ANYONE = NodeSettings(accept=Accept.ANYONE)


async def keep(process: SimProcess) -> None:
    """Keep what comes, and say it back once."""
    host, place = process.host, 0
    async with (
        process.open_store() as store,
        open_node(host.identity, env=process.env, settings=ANYONE, store=store) as node,
    ):
        await node.listen(host.address)
        async for _ in node.feed:
            while news := await store.read(partial(journal.since, cursor=place)):
                for record in news:
                    place = record.cursor
                    if isinstance(said := record.what, journal.Said) and not said.mine:
                        await node.session(record.peer).post(Text(text_of(said.message)), key=said.id.hex())


async def listen(node: Node, line: Line) -> None:
    async for event in node.feed:
        if isinstance(event, MessagesReceived):
            for message in event.messages:
                line.hear(text_of(message))


def text_of(message: Message) -> str:
    assert isinstance(message.body, Text)
    return message.body.text


async def say(session: Session, line: Line, count: int) -> None:
    for _ in range(count):
        said = line.ask(60)
        said.accept(await session.post(Text(said.text)))
        await trio.sleep(3)


async def trouble(world: Simulation, kinds: Sequence[str] = ()) -> tuple[float, int]:
    """Say ten things to somebody who says them back, while much happens; return when that was over, and the bytes."""
    here, you = world.host("bot"), world.host("you")
    here.start(keep)
    line = world.line("you>bot>you")
    async with open_node(you.identity, env=you.env) as node, trio.open_nursery() as nursery:
        nursery.start_soon(listen, node, line)
        session = await node.dial(here.address, retry=True)
        nursery.start_soon(partial(world.trouble, *kinds, times=6, within=30))
        await say(session, line, 10)
        await world.settle()
        assert line.heard == list(range(1, 11))
        sent = sum(wire.there.passed for wire in world.network.wires)
        nursery.cancel_scope.cancel()
    return world.now, sent


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(TROUBLES))
def test_what_was_accepted_arrives_once_whatever_happens(kind: str) -> None:
    simulate(partial(trouble, kinds=(kind,)), seed=1)


@pytest.mark.slow
def test_one_seed_is_one_world() -> None:
    assert simulate(trouble, seed=4) == simulate(trouble, seed=4)
    assert simulate(trouble, seed=4) != simulate(trouble, seed=5)


def test_hosts_follow_from_the_seed_and_their_names() -> None:
    async def look(world: Simulation) -> list[object]:
        alice = world.host("alice")
        assert world.host("alice") is alice
        return [alice.identity.peer_id, alice.address, alice.env.urandom(8), world.dice("mine").random()]

    assert simulate(look, seed="x") == simulate(look, seed="x")
    assert set(map(str, simulate(look, seed="x"))) & set(map(str, simulate(look, seed="y"))) == {"tcp:10.0.0.1:7272"}


@pytest.mark.parametrize("loss", list(Loss))
def test_what_was_accepted_survives_the_power(loss: Loss) -> None:
    async def accept(process: SimProcess) -> None:
        async with (
            process.open_store() as store,
            open_node(process.host.identity, env=process.env, store=store) as node,
        ):
            peer = process.host.simulation.host("nobody").identity.peer_id
            before = await node.session(peer).unsaid()
            await node.session(peer).post(Text("keep it"))
            counts.append(before)
            await trio.sleep_forever()

    async def story(world: Simulation) -> None:
        host = world.host("alice")
        host.start(accept)
        for starts in range(1, 4):
            await world.until(partial(has_started, starts))
            host.lose_power(loss, down=1)

    def has_started(times: int) -> bool:
        return len(counts) == times

    counts: list[int] = []
    simulate(story)
    assert counts == [0, 1, 2]


def test_a_program_dies_with_the_write_that_was_chosen_for_it() -> None:
    async def write(process: SimProcess) -> None:
        started = process.directory / "started"
        started.write_text((started.read_text() if started.exists() else "") + "x")
        async with process.open_store():
            await trio.sleep(1)
            ended.append(process.directory.name)

    async def story(world: Simulation) -> str:
        host = world.host("alice")
        (process,) = host.start(write)
        host.kill_when(written=1)
        await process.ended.wait()
        assert not process.alive
        assert host.processes == []
        assert ended == []
        await trio.sleep(100)
        (again,) = host.start()
        await again.ended.wait()
        assert ended == [process.directory.name]  # it was killed, and the machine was not
        assert host.start() == []  # for it has ended by itself
        return (again.directory / "started").read_text()

    ended: list[str] = []
    assert simulate(story) == "xx"


def test_what_a_living_program_raises_ends_the_simulation_as_itself() -> None:
    async def fail(process: SimProcess) -> None:
        async with trio.open_nursery():
            raise ValueError(process.host.name)

    async def story(world: Simulation) -> None:
        world.host("alice").start(fail)
        await trio.sleep_forever()

    with pytest.raises(ValueError, match="alice") as caught:
        simulate(story, seed=3)
    assert caught.value.__notes__ == ["simulated with seed=3"]


@pytest.mark.parametrize("propagates", [True, False])
def test_what_a_dead_program_raises_or_logs_is_nothing(
    *, propagates: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = logging.getLogger("p2pchat")
    monkeypatch.setattr(ours, "propagate", propagates)
    monkeypatch.setattr(ours, "handlers", [] if propagates else [caplog.handler])

    async def complain(process: SimProcess) -> None:
        log = logging.getLogger("p2pchat.somewhere")
        log.warning("alive")
        try:
            await trio.sleep_forever()
        finally:
            log.warning("dead")
            raise ValueError

    async def story(world: Simulation) -> None:
        world.host("alice").start(complain)
        await trio.sleep(1)
        world.host("alice").kill()
        await trio.sleep(1)

    simulate(story)
    assert caplog.messages == ["alive"]


def test_where_the_story_sits_no_power_is_lost() -> None:
    async def story(world: Simulation) -> None:
        assert world.host("alice").env.wall() == 1_800_000_000
        world.host("alice").lose_power()

    with pytest.raises(RuntimeError, match="the story sits at 'alice': start a program there"):
        simulate(story)


def test_the_story_itself_may_have_a_store() -> None:
    async def story(world: Simulation) -> int:
        async with world.host("alice").open_store() as store:
            return await store.read(journal.newest)

    assert simulate(story) == 0


def test_what_never_comes_is_told() -> None:
    async def wait(world: Simulation) -> None:
        await world.until(lambda: False, within=5)

    async def for_ever(_: Simulation) -> None:
        await trio.sleep_forever()

    async def settle(world: Simulation) -> None:
        said = world.line("alice>bob").ask(10)
        said.accept(UUID(int=1))
        await world.settle(within=5)

    with pytest.raises(Stuck, match="seed 2: not so after 5 virtual seconds"):
        simulate(wait, seed=2)
    with pytest.raises(Broken, match=r"LOST: 5 seconds after all was healed, \['alice>bob 1'\] have not arrived"):
        simulate(settle)
    with pytest.raises(Stuck, match="not over after 9 virtual seconds"):
        simulate(for_ever, limit=9)


async def go_on(_: SimProcess) -> None:
    """Do what no program should: nothing ends this."""
    with trio.CancelScope(shield=True):
        while True:  # noqa: ASYNC110  (it does not wait for anything)
            await trio.sleep(60)


def test_a_program_that_nothing_ends_is_told() -> None:
    async def story(world: Simulation) -> None:
        world.host("alice").start(go_on)
        await trio.sleep(7)

    with pytest.raises(Stuck, match="a task goes on behind a shield after 7 virtual seconds") as told:
        simulate(story, seed=3)
    assert told.value.__notes__ == ["simulated with seed=3"]


def test_what_went_wrong_is_told_even_if_nothing_ends_a_program() -> None:
    async def story(world: Simulation) -> None:
        world.host("alice").start(go_on)
        await trio.sleep(7)
        raise ValueError("that is it")

    with pytest.raises(ValueError, match="that is it") as told:
        simulate(story, seed=3)
    assert 'raise ValueError("that is it")' in told.value.__notes__[0]


def test_mistakes_of_a_story_are_told() -> None:
    async def no_wire(world: Simulation) -> None:
        world.wire("alice", "bob").reset()

    async def no_host(world: Simulation) -> None:
        world.host("a/../b")

    async def no_trouble(world: Simulation) -> None:
        await world.trouble("rain")

    async def nothing_to_harm(world: Simulation) -> None:
        await world.trouble(times=20)

    with pytest.raises(LookupError, match="there is no connection between 'alice' and 'bob' now"):
        simulate(no_wire)
    with pytest.raises(ValueError, match="no host can be called"):
        simulate(no_host)
    with pytest.raises(ValueError, match=r"no such trouble: \['rain'\]; there is \['cut', 'kill'"):
        simulate(no_trouble)
    simulate(nothing_to_harm)


def test_the_first_seed_that_fails_is_told() -> None:
    async def fail_sometimes(world: Simulation) -> None:
        seen.append(world.seed)
        assert world.dice().random() < 0.8

    seen: list[object] = []
    with pytest.raises(AssertionError) as caught:
        simulate_many(fail_sometimes, seeds=range(100), again="replay {seed}")
    assert seen == list(range(len(seen)))
    assert caught.value.__notes__[-2:] == [f"simulated with seed={seen[-1]}", f"to see it again: replay {seen[-1]}"]
    with pytest.raises(AssertionError) as caught:
        simulate_many(fail_sometimes, seeds=seen)
    assert caught.value.__notes__[-1:] == [f"simulated with seed={seen[-1]}"]
