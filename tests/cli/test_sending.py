"""`send`, on virtual time: what is stored, how far it comes, and the exit code that tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.cli import sending
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.cli.sending import Wish
from p2pchat.cli.settings import Common
from p2pchat.crypto.identity import Identity
from p2pchat.errors import BadData, ConnectFailed, NotLetIn, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.events import State
from p2pchat.node.settings import Accept
from p2pchat.wire.messages import Read, Text
from tests.support.mailbox import ANN, ME, Mailbox, listening
from tests.support.peers import HOME, Network, open_peer

EVE = Identity.from_seed(bytes([2]) * 32).peer_id
HI = Text("hi")
PATIENCE = sending.TIMEOUT


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def box(network: Network, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Mailbox:
    return Mailbox(network, tmp_path / "box", capfd)


# ---- to a peer whose key is known


async def test_what_arrives_is_delivered(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    box.expect()
    async with listening(box.network, tmp_path / "ann") as ann:
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert await ann.wait_heard(1) == ["hi"]
        assert (await ann.wait_for(events.Disconnected)).clean
    assert box.out == f"delivered {box.ids[0]}\n"
    assert box.err == ""
    assert box.waiting() == []


async def test_a_guest_is_told_to_keep_nothing(box: Mailbox, autojump_clock: MockClock) -> None:
    box.expect()
    async with listening(box.network):
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert box.out == f"delivered {box.ids[0]} (a guest, which keeps nothing)\n"
        assert await box.send(Wish(body=HI), common=Common(json=True)) is ExitCode.DONE
        assert '"durable":false' in box.out


async def test_where_nobody_is_it_stays_queued_and_says_how_it_is_withdrawn(
    box: Mailbox, autojump_clock: MockClock
) -> None:
    box.expect()
    assert await box.send(Wish(body=HI)) is ExitCode.STORED
    assert trio.current_time() == pytest.approx(PATIENCE)
    assert len(box.network.dials) > 2
    assert box.waiting() == [box.ids[0].bytes]
    assert box.out == f"queued {box.ids[0]}\n"
    assert "not delivered: cannot reach memory:home within 30 seconds: nobody listens on memory:home" in box.err
    assert f"to withdraw it: p2pchat unsend {box.ids[0]} -F\n" in box.err


async def test_a_program_is_told_why_in_the_state(box: Mailbox, autojump_clock: MockClock) -> None:
    box.expect()
    assert await box.send(Wish(body=HI, timeout=1), common=Common(json=True)) is ExitCode.STORED
    assert box.out.count("\n") == 1
    assert f'"id":"{box.ids[0]}"' in box.out
    assert '"state":"queued","reason":"cannot reach memory:home within 1 second: ' in box.out


async def test_who_comes_in_time_gets_it(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    box.expect()

    async def come_later(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(10)
        async with listening(box.network, tmp_path / "ann") as ann:
            await ann.wait_heard(1)
            await ann.wait_for(events.Disconnected)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come_later)
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert 10 <= trio.current_time() < PATIENCE


async def test_who_refuses_us_ends_it_at_once_and_it_stays_queued(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    async with listening(box.network, tmp_path / "ann", accept=Accept.KNOWN) as ann:
        assert await box.send(Wish(body=HI)) is ExitCode.UNTRUSTED
        assert trio.current_time() < 5
        assert ann.heard == []
    assert "did not let us in" in box.err
    assert f"ask the other side to accept your id: {ME.peer_id}; it goes out when" in box.err
    assert len(box.waiting()) == 1


async def test_another_key_gets_nothing_not_even_our_id(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    async with listening(box.network, tmp_path / "eve", seed=2) as eve:
        assert await box.send(Wish(body=HI)) is ExitCode.UNTRUSTED
        assert trio.current_time() < 5
        await trio.sleep(30)
        assert eve.told == [events.Listening(address=HOME)]
        for word in (
            ANN.fingerprint,
            EVE.fingerprint,
            f"p2pchat trust {EVE} {HOME} -F`",
            f"meets {ANN}, and nobody else; ",
        ):
            assert word in box.err
        box.expect(EVE)  # what that command does
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert eve.heard == ["hi"]  # what was for Ann is for her alone
    assert len(box.waiting()) == 1


@pytest.mark.parametrize(("wait", "word"), [(State.QUEUED, "queued"), (State.SENT, "sent"), (State.READ, "read")])
async def test_it_ends_as_soon_as_it_has_come_that_far(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock, wait: State, word: str
) -> None:
    box.expect()
    async with listening(box.network, tmp_path / "ann") as ann, trio.open_nursery() as nursery:

        async def read() -> None:
            await ann.wait_heard(1)
            await trio.sleep(7)
            heard = await ann.wait_for(events.MessagesReceived)
            await heard.session.post(Read(next(iter(heard.messages)).entry.id))

        if wait is State.READ:
            nursery.start_soon(read)
        assert await box.send(Wish(body=HI, wait=wait)) is ExitCode.DONE
        assert (trio.current_time() >= 7) is (wait is State.READ)
        assert bool(box.network.dials) is (wait is not State.QUEUED)
        nursery.cancel_scope.cancel()
    assert (box.out == f"queued {box.ids[0]}\n") is (wait is State.QUEUED)
    assert ("to withdraw it: p2pchat unsend" in box.err) is (wait is State.QUEUED)


async def test_what_nobody_reads_is_delivered_all_the_same(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    async with listening(box.network, tmp_path / "ann"):
        assert await box.send(Wish(body=HI, wait=State.READ)) is ExitCode.STORED
    assert box.out == f"delivered {box.ids[0]}\n"
    assert box.err == "p2pchat: error: not read: memory:home has not said so within 30 seconds\n"


async def test_links_come_and_go_while_we_wait(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    """Whether it is lost, or the other side says goodbye, or ends: there is a next attempt, and no second message."""
    box.expect()
    heard = []

    async def be_restless() -> None:
        for _ in range(2):
            async with listening(box.network, tmp_path / "ann") as ann:
                (await ann.wait_for(events.Connected)).session.goodbye()
                await ann.wait_for(events.Disconnected)
                await ann.wait_for(events.Connected, count=2)
                box.network.cut()
                await ann.wait_for(events.Connected, count=3)
                heard.extend(ann.heard)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(be_restless)
        assert await box.send(Wish(body=HI, wait=State.READ, timeout=300)) is ExitCode.STORED
        nursery.cancel_scope.cancel()
    assert box.out == f"delivered {box.ids[0]}\n"
    assert heard == ["hi"]


async def test_it_expires_though_nobody_comes_and_its_key_with_it(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    assert await box.send(Wish(body=HI, expires=5, key="k", timeout=60)) is ExitCode.IO
    assert 5 <= trio.current_time() < 6
    assert (box.out, box.waiting()) == (f"failed {box.ids[0]}\n", [])
    assert box.err == "p2pchat: error: not delivered: expired\n"
    first, before = box.ids, trio.current_time()
    assert await box.send(Wish(body=HI, key="k")) is ExitCode.IO
    assert (box.ids, trio.current_time()) == (first, before)
    assert box.err == "p2pchat: error: not delivered: expired\n"
    async with listening(box.network, tmp_path / "ann") as ann:
        assert await box.send(Wish(body=Text("in time"), expires=5)) is ExitCode.DONE
        assert await ann.wait_heard(1) == ["in time"]


async def test_what_expires_in_the_last_moment_of_the_patience_has_expired(
    box: Mailbox, autojump_clock: MockClock
) -> None:
    box.expect()
    assert await box.send(Wish(body=HI, expires=5.1, timeout=5.101)) is ExitCode.IO
    assert box.out == f"failed {box.ids[0]}\n"


# ---- at most once


async def test_the_same_key_is_the_same_message(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    box.expect()
    assert await box.send(Wish(body=HI, key="backup-7", timeout=1)) is ExitCode.STORED
    first = box.ids
    async with listening(box.network, tmp_path / "ann") as ann:
        for _ in range(2):
            assert await box.send(Wish(body=HI, key="backup-7")) is ExitCode.DONE
            assert box.ids == first
        assert await box.send(Wish(body=HI, key="backup-8")) is ExitCode.DONE
        assert box.ids != first
        assert await ann.wait_heard(2) == ["hi", "hi"]


async def test_two_runs_with_one_key_wait_for_one_message(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    wish = Wish(body=HI, key="backup-7")
    async with box.sending(wish) as one, box.sending(wish) as other, trio.open_nursery() as nursery:
        nursery.start_soon(one.run)
        nursery.start_soon(other.run)
        await trio.sleep(5)
        async with listening(box.network, tmp_path / "ann") as ann:
            assert await ann.wait_heard(1) == ["hi"]
            await trio.sleep(5)
            assert ann.heard == ["hi"]
    assert one.ids == other.ids
    assert one.error is other.error is None


# ---- what waits already


async def test_what_waits_is_sent_without_saying_anything_new(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    box.expect()
    for text in "abc":
        await box.send(Wish(body=Text(text), wait=State.QUEUED))
    assert await box.send(Wish(body=None, timeout=0)) is ExitCode.STORED
    assert "3 messages are not delivered: cannot reach memory:home" in box.err
    assert "they go out when any p2pchat of this profile meets that peer: p2pchat queue -F\n" in box.err
    async with listening(box.network, tmp_path / "ann") as ann:
        assert await box.send(Wish(body=None)) is ExitCode.DONE
        assert await ann.wait_heard(3) == ["a", "b", "c"]
        assert box.out.split() == [word for one in box.ids for word in ("delivered", str(one))]
        dials = len(box.network.dials)
        assert await box.send(Wish(body=None)) is ExitCode.DONE
        assert (box.out, box.err) == ("", "p2pchat: nothing waits\n")
        assert len(box.network.dials) == dials


# ---- to an address where nobody has answered yet


async def test_who_answers_first_is_expected_there_from_then_on(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with listening(box.network, tmp_path / "ann") as ann:
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert await ann.wait_heard(1) == ["hi"]
        assert box.target(str(HOME)).peer == ANN
        [notice] = box.notices
        assert notice.text.startswith(f"this key is expected at {HOME} from now on; ")
        assert notice.text.endswith(ANN.fingerprint)
        assert await box.send(Wish(body=HI)) is ExitCode.DONE
        assert box.notices == [notice]  # said once


@pytest.mark.parametrize("wish", [Wish(body=HI), Wish(body=HI, retry=True)])
async def test_where_nobody_answers_nothing_is_stored(box: Mailbox, autojump_clock: MockClock, wish: Wish) -> None:
    with pytest.raises(ConnectFailed, match="nobody listens on memory:home") as told:
        await box.send(wish)
    assert told.value.hint.endswith("nothing was stored")
    assert trio.current_time() == pytest.approx(PATIENCE * wish.retry)
    assert box.waiting() == []


async def test_who_does_not_decide_in_time_is_told_nothing(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with listening(box.network, tmp_path / "ann", accept=Accept.ASK) as ann:
        with pytest.raises(NotLetIn, match="did not let us in within 30 seconds") as told:
            await box.send(Wish(body=HI))
        assert told.value.hint.endswith("nothing was stored")
        assert ann.heard == []
    assert box.waiting() == []
    assert box.target(str(HOME)).peer is None  # a refused attempt pins nothing


async def test_who_refuses_us_is_told_nothing(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with listening(box.network, tmp_path / "ann", accept=Accept.KNOWN):
        with pytest.raises(UntrustedPeer) as told:
            await box.send(Wish(body=HI))
    assert told.value.hint.endswith("nothing was stored")
    assert box.waiting() == []
    assert box.target(str(HOME)).peer is None


async def test_we_do_not_write_to_ourselves(box: Mailbox, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with listening(box.network, tmp_path / "me", seed=9) as me:
        with pytest.raises(BadData, match="this is you"):
            await box.send(Wish(body=HI))
        assert me.told == [events.Listening(address=HOME)]


# ---- by id


async def test_an_id_without_a_place_is_stored_for_whoever_meets_that_peer(
    box: Mailbox, autojump_clock: MockClock
) -> None:
    assert await box.send(Wish(body=HI), word=str(ANN)) is ExitCode.STORED
    assert trio.current_time() < 1
    assert f"no address of {ANN} is known here" in box.err
    assert f"p2pchat trust {ANN} ADDRESS -F`" in box.err
    assert len(box.waiting()) == 1


@pytest.mark.parametrize("word", [str(ANN), str(HOME)])
async def test_another_process_that_has_the_peer_sends_it(
    box: Mailbox, tmp_path: Path, autojump_clock: MockClock, word: str
) -> None:
    box.expect()
    async with (
        listening(box.network, tmp_path / "ann") as ann,
        open_peer(box.network, identity=ME, directory=box.directory) as other,
    ):
        await other.node.dial(HOME, expected=ANN)
        if word == str(ANN):  # without any place
            box.change(lambda db: db.connection.execute("DELETE FROM pins"))
        assert await box.send(Wish(body=HI), word=word) is ExitCode.DONE
        assert await ann.wait_heard(1) == ["hi"]
        assert len(box.network.dials) == 1
        assert other.node.session(ANN).connected
