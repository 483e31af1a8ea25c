"""Why the simulated world is not asked about a bug: everybody in there is honest, has a disk, and runs the same code.

What is not met there dies by tests that play a liar, a guest, a screen, or a side that was written down as bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mutants.mutant import Mutant

ALIKE: Final = "both sides run the same code and agree on the mistake: only recorded bytes tell"
BYTES: Final = "what comes in there was made by the same code; bytes that nobody should send are those of other tests"
HONEST: Final = "no honest peer sends what would do harm"
NO_HARM: Final = (
    "what it does wrong costs time or is made good by another rule, so that no promise of the world is broken"
)
NO_SCREEN: Final = "nobody looks at names, words or screens there"
OTHER_FILES: Final = "the only file there is the database: no keys, no sockets, no copies"
ONE_WAY: Final = "people there dial one address at a time, and block nobody"

#: By the beginning of the name, or of the path where a name has no beginning.
REASONS: Final[Mapping[str, str]] = {
    "ack": HONEST,
    "admission": "nobody is a guest or blocked there, and strangers that knock there do not know the protocol",
    "chain": ALIKE,
    "claim": HONEST,
    "claims": "nobody leaves or lies in the middle of a claim there, but for what cuts the link",
    "code": ALIKE,
    "connection": HONEST,
    "cpace": ALIKE,
    "dial": ONE_WAY,
    "expiry": "a message that may expire may also arrive there: who says when a link had it?",
    "extensions": HONEST,
    "faces": NO_SCREEN,
    "fence": NO_HARM,
    "guest": "nobody is a guest there: everybody has a disk",
    "handshake": HONEST,
    "id --new": OTHER_FILES,
    "identity": HONEST,
    "inbox": HONEST,
    "key file": OTHER_FILES,
    "mark": NO_HARM,
    "names": NO_SCREEN,
    "node": "a key is used again there only after a death; and what stands still is made good by the next link",
    "noise": ALIKE,
    "parts": HONEST,
    "passphrase": OTHER_FILES,
    "pin": ONE_WAY,
    "pipes": NO_SCREEN,
    "race": ONE_WAY,
    "rare": "the world meets it in one story of a thousand; that story is kept, as a test",
    "records": ALIKE,
    "resume": NO_HARM,
    "trust": NO_SCREEN,
    "unix": OTHER_FILES,
    "verify": NO_SCREEN,
    "void": NO_HARM,
    "voucher": "nobody is a guest there: everybody has a disk",
    "window": NO_HARM,
    "wire": BYTES,
    "p2pchat/cli": NO_SCREEN,
    "p2pchat/crypto": ALIKE,
    "p2pchat/node": NO_HARM,
    "p2pchat/store": "it takes damage, other tables, or a rule that no story breaks; tests of the store do it by hand",
    "p2pchat/ui": NO_SCREEN,
}


def reason(mutant: Mutant) -> str:
    """Return why the world is not asked about `mutant`; nothing, if nobody has said."""
    part, colon, _ = mutant.name.partition(": ")
    if colon and part in REASONS:
        return REASONS[part]
    return next((why for start, why in REASONS.items() if mutant.path.startswith(f"{start}/")), "")
