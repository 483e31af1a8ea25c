"""Planted bugs in delivery: chain, outbox, inbox, fence, links, the ledger of a guest, pipes."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CHAIN = "p2pchat/protocol/chain.py"
ASSEMBLY = "p2pchat/protocol/assembly.py"
OUTBOX = "p2pchat/protocol/outbox.py"
INBOX = "p2pchat/protocol/inbox.py"
FENCE = "p2pchat/protocol/fence.py"
DELIVERY = "p2pchat/protocol/delivery.py"
PIPES = "p2pchat/protocol/pipes.py"
MEMORY = "p2pchat/store/memory.py"
