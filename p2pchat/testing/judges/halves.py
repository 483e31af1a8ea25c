"""What no store may hold, whenever its process died and whatever its disk refused: something that is half done.

Each look is a query for what is wrong. They are asked of every store that is opened, and of all of them in the end.

Source: p2pchat/store/schema.py; docs/protocol.md, section 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from p2pchat.testing.judges.checker import Broken

if TYPE_CHECKING:
    from p2pchat.store.database import Connection

#: Queries for what is wrong, by what that is.
WRONG: Final[Mapping[str, str]] = {
    "an entry between the first and the last that wait is missing": """
        SELECT 1 FROM pairs WHERE next - base != (SELECT count(*) FROM outbox WHERE outbox.pair = pairs.pair)""",
    "an entry waits that was acknowledged, or has a number that was not given out yet": """
        SELECT 1 FROM outbox JOIN pairs USING (pair) WHERE seq NOT BETWEEN base AND next - 1""",
    "the numbers of a log are not in order": """
        SELECT 1 FROM pairs WHERE NOT (1 <= base AND base <= handed + 1 AND handed < next)""",
    "not so many messages wait as are counted": """
        SELECT 1 FROM pairs
        WHERE waiting != (SELECT count(*) FROM outbox WHERE outbox.pair = pairs.pair AND cursor IS NOT NULL)""",
    "an entry waits whose message is not in the log, or has failed": """
        SELECT 1 FROM outbox
        LEFT JOIN messages AS m ON m.cursor = outbox.cursor AND m.pair = outbox.pair AND m.mine
        WHERE outbox.cursor IS NOT NULL AND (m.id IS NULL OR m.id != outbox.id OR m.failed IS NOT NULL)""",
    "not so many parts of a message are there as are counted": """
        SELECT 1 FROM pairs WHERE parts != (SELECT count(*) FROM parts WHERE parts.pair = pairs.pair)""",
    "a message was delivered that was never sent": """
        SELECT 1 FROM pairs WHERE delivered_through > sent_through""",
    "two things have the same place in the log": """
        SELECT 1 FROM messages JOIN events USING (cursor)""",
}


def check_whole(name: str, connection: Connection) -> None:
    """Check that nothing in a store is half done; `name` is whose it is.

    Raises:
      Broken: if something is.
    """
    for wrong, query in WRONG.items():
        if connection.execute(f"{query} LIMIT 1").fetchone():
            raise Broken(f"HALF DONE: in the store of {name}, {wrong}")
