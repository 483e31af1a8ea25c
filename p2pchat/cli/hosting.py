"""What comes between a plan and its chat: a code that was asked for goes into it, and who listens is a host.

A host owns the local socket of its profile if no other process does, notes where it listens for those who ask, and
invites somebody once it is known where that is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from p2pchat.cli import inviting, local_socket, say
from p2pchat.cli.claiming import Claim

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.address import Address
    from p2pchat.cli.inviting import Asked
    from p2pchat.node.events import Invited
    from p2pchat.node.node import Node
    from p2pchat.ui.chat import Plan


@asynccontextmanager
async def prepared(plan: Plan, node: Node, socket: Path | None, code: Claim | Asked | None) -> AsyncIterator[Plan]:
    """Yield `plan` as it is to be carried out; what it leaves on the disk is gone when the block is left.

    Args:
      plan: what was asked for.
      node: who does it.
      socket: where the local socket of the profile belongs; None for a guest.
      code: what is to be claimed, or given out.

    Raises:
      ListenFailed: if an address cannot be bound; only for programs that get the codes before anything else.
      StoreError: if the codes cannot be kept; as above.
    """
    if isinstance(code, Claim):
        plan = replace(plan, code=code.code)
    if not plan.listen or socket is None:
        yield plan
        return
    with local_socket.noting(socket) as note:
        is_owner = await local_socket.own(socket, node)
        asked = None if isinstance(code, Claim) else code

        async def listening(bound: Sequence[Address]) -> None:
            if is_owner:
                note(bound)
            if asked is not None:
                node.feed.put(await _invited(node, bound, asked))

        if asked is None or not asked.is_result:
            yield replace(plan, listening=listening)
            return
        bound = [place for address in plan.listen for place in await node.listen(address)]
        if is_owner:
            note(bound)
        say.text(inviting.result(await _invited(node, bound, asked)))
        yield replace(plan, listen=())


async def _invited(node: Node, bound: Sequence[Address], asked: Asked) -> Invited:
    """Make codes, and return what to tell about them.

    Raises:
      StoreError: if they cannot be kept.
    """
    if node.store is None:
        raise TypeError("a guest keeps nothing, so it can invite nobody")
    made = await node.store.read(partial(inviting.make, entropy=node.env.urandom))
    return inviting.describe(made, node.id, bound, picture=asked.picture)
