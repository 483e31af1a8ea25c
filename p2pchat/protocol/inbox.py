"""The peer's log: what of it is new, what is to be shown, and where it begins after a change of log.

Each function is one rule over a `Ledger`; none knows links, `delivery.py` does. A batch is taken whole or not at all.

Source: docs/protocol.md, sections 3.4 and 6.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.protocol import assembly, chain
from p2pchat.protocol.assembly import Messages
from p2pchat.protocol.ledger import Seen

if TYPE_CHECKING:
    from p2pchat.protocol.ledger import Ledger
    from p2pchat.wire.frames import Msg, Resume


def receive(ledger: Ledger, batch: Msg) -> tuple[Messages, int]:
    """Take what is new in `batch`, which leaves no gap; return the messages to show, and the mark of `Ledger.take`.

    Entries that were taken before are skipped, whatever they hold. An id that was shown counts, but is not shown again.

    Raises:
      Violation: if the parts of a message break the rules; nothing of the batch was taken.
    """
    seen = ledger.seen
    overlap = seen.seq + 1 - batch.first
    entries = batch.entries[overlap:] if overlap else batch.entries
    parts, messages = assembly.assemble(seen.parts, seen.seq + 1, entries)
    state = chain.extend(seen.epoch, seen.state, b"".join([entry.id for entry in entries]))
    new = _not_shown_before(ledger, messages)
    mark = ledger.take(Seen(epoch=seen.epoch, seq=seen.seq + len(entries), state=state, parts=parts), new)
    return new, mark


def _not_shown_before(ledger: Ledger, messages: Messages) -> Messages:
    ids = [entry.id for entry in messages.entries]
    new = ledger.enter(ids)
    if len(new) == len(ids):
        return messages
    left = set(new)
    seqs, entries = [], []
    for seq, entry in zip(messages.seqs, messages.entries, strict=True):
        if entry.id in left:
            left.remove(entry.id)  # a second one of the same batch is not shown either
            seqs.append(seq)
            entries.append(entry)
    return Messages(seqs, entries)


def meet(ledger: Ledger, resume: Resume) -> bool:
    """Compare what was seen with the log that the peer has now; return whether messages may be missing.

    Another log, or one that begins after what was seen, is followed from its beginning. The parts of an unfinished
    message are forgotten then: its tail is not in there.
    """
    seen = ledger.seen
    if resume.epoch == seen.epoch and resume.base <= seen.seq + 1:
        return False
    ledger.begin(Seen(epoch=resume.epoch, seq=resume.base - 1, state=resume.base_state))
    return resume.base > 1
