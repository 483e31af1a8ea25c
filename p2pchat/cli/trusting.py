"""What `p2pchat trust` does: a line in the list of who may come in, and a pin."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from p2pchat import address as addresses
from p2pchat.cli import places, profiles, say
from p2pchat.crypto.identity import PeerId
from p2pchat.env import system_env
from p2pchat.errors import BadData
from p2pchat.store import pins, queue
from p2pchat.store.accepted import AcceptedFile
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.cli.places import Places
    from p2pchat.cli.settings import Common
    from p2pchat.env import Env


def run(word: str, place: str | None, common: Common) -> int:
    """Let the peer with the id `word` in, expect it at `place` if there is one, and print what has changed.

    Raises:
      AddressError: if either cannot be read; then nothing has changed.
      BadData: if it is our own id.
      ConfigurationError: if the list of who may come in does not count; then nothing has changed.
      StoreError: if the disk refuses.
    """
    transports = Transports()
    env = system_env(transports)
    peer = PeerId.parse(word)
    address = None if place is None else addresses.parse(place, schemes=transports.schemes)
    where = places.find(common.profile, common.data_dir)
    if peer == profiles.own_id(where, env.urandom):
        raise BadData("this is you, whom you trust anyway", hint="it is the other side that has to trust this id")
    accepted = AcceptedFile(where.accepted)
    accepted.peers()  # what is wrong with the list is told before anything is changed
    moved = [] if address is None else _expect(peer, address, where, env)
    news = "comes in from now on" if accepted.add(peer) else "was let in already"
    return say.text("\n".join([f"{peer} {news}", f"fingerprint  {peer.fingerprint}", *moved]))


def _expect(peer: PeerId, address: Address, where: Places, env: Env) -> list[str]:
    """Pin `peer` at `address`; return what to say about that."""
    place = pins.canonical(address)
    with closing(Database.open(where.history, wall=env.wall)) as db, db.transaction():
        before = pins.move(db, place, peer)
        waiting = sum(1 for _ in queue.waiting(db, before)) if before else 0
    if before == peer:
        return [f"it was expected at {place} already"]
    if before is None:
        return [f"it is expected at {place} from now on"]
    told = [f"it is expected at {place} from now on, instead of {before}", f"fingerprint  {before.fingerprint}"]
    if waiting:
        flags = profiles.flags(where)
        many = "1 message still waits" if waiting == 1 else f"{waiting} messages still wait"
        told += [
            f"{many} for the old key, and nobody else gets what was said to it",
            f"to see that: p2pchat queue {before}{flags}; to withdraw a message: p2pchat unsend ID{flags}",
        ]
    return told
