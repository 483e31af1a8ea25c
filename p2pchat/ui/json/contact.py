"""What the verbs print that are about contacts: one object for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.ui.json import events, results

if TYPE_CHECKING:
    from p2pchat.store.known import Known
    from p2pchat.ui.json.events import Line


def contact(known: Known) -> Line:
    """Return the object that tells all that is known of a peer."""
    kept = known.contact
    return {
        "peer": str(known.peer),
        "name": known.claim,
        "petname": known.name or None,
        "trust": known.trust.value,
        "fingerprint": known.peer.fingerprint,
        "since": None if kept is None else events.timestamp(kept.since_ms),
        "verified_at": None if kept is None or kept.verified_ms is None else events.timestamp(kept.verified_ms),
        "how": None if kept is None or kept.how is None else kept.how.value,
        "guest": known.guest,
        "addresses": [str(address) for address in known.addresses],
        "waiting": known.waiting,
        "newest_link": results.link(known.link),
    }
