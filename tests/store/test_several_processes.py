"""Several processes of a profile write into one file at once: nothing is lost, no cursor or number is given twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.store.database import Database
from tests.support.stored import ledger

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 4
EACH = 50

PROGRAM = """
import sys
from pathlib import Path
from random import Random
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.database import Database
from tests.support.stored import ledger

number, path = int(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
database = Database.open(path, wall=lambda: 0.0)
kept = ledger(database, epoch=bytes([number]) * 8)
ids = EntryIds(Random(number).randbytes)
for count, _ in enumerate(sys.stdin):
    with database.transaction():
        outbox.enqueue(kept, ids, (1, b"%d %d" % (number, count)), now_ms=0)
        if count % 10 == number:
            kept.hand(kept.next - 1)
        kept.flush()
    print("said", flush=True)
database.close()
"""


class Writer:
    """A process that says something at each nod."""

    def __init__(self, number: int, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(number), str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def expect(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{word}\n"

    def nod(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that several processes made, and into which they have written, always at the same time."""
    path = tmp_path / "history.db"
    writers = [Writer(number, path) for number in range(PROCESSES)]
    for writer in writers:
        writer.expect("ready")
    for writer in writers:
        writer.nod()
    for _ in range(EACH):
        for writer in writers:
            writer.nod()
        for writer in writers:
            writer.expect("said")
    for writer in writers:
        writer.process.communicate()
        assert writer.process.returncode == 0
    return path


@pytest.mark.slow
def test_what_several_processes_say_at_once_is_one_log(path: Path) -> None:
    database = Database.open(path, wall=lambda: 0.0)
    kept = ledger(database)
    assert kept.next == PROCESSES * EACH + 1
    bodies = [entry.body for entry in kept.entries(1, kept.next)]
    for number in range(PROCESSES):
        mine = [body for body in bodies if body.startswith(b"%d " % number)]
        assert mine == [b"%d %d" % (number, count) for count in range(EACH)], "each in its own order"
    rows = database.connection.execute("SELECT cursor, seq, body FROM messages ORDER BY cursor").fetchall()
    assert [body for _, _, body in rows] == bodies
    assert [seq for _, seq, _ in rows] == list(range(1, kept.next))
    events = database.connection.execute("SELECT cursor, count, kind FROM events").fetchall()
    taken = [cursor for cursor, _, _ in rows]
    for cursor, covered, _ in events:
        taken += range(cursor - covered + 1, cursor + 1)
    assert sorted(taken) == list(range(1, len(taken) + 1)), "each cursor is taken once"
    assert sum(covered for _, covered, _ in events) == kept.log.handed
    database.close()
