"""What `p2pchat send` prints in the end: how far each message came, and what becomes of those that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from p2pchat.cli import say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.cli.sending import is_reached
from p2pchat.errors import P2PChatError, UntrustedPeer
from p2pchat.node.events import State
from p2pchat.ui.json import lines, results

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.store.timeline import Timeline

NOTHING_STORED = "nothing was stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How it ended."""

    wait: State
    told: Sequence[Timeline]  # what is stored
    error: P2PChatError | None  # why it is not there, if it is not; None also after an interruption
    flags: str  # the options that lead other commands to this profile

    def tell(self, common: Common) -> ExitCode:
        """Print it, and return the exit code.

        Raises:
          P2PChatError: if nothing was stored; it says why.
        """
        if self.error is not None and not self.told:
            raise _nothing_stored(self.error)
        late = [one for one in self.told if not is_reached(State(one.state), self.wait)]
        queued = [one for one in self.told if one.state == State.QUEUED.value]
        self._print(common)
        if late:
            hint = "; ".join(filter(None, [self.error.hint if self.error else "", self._cure(queued or late)]))
            say.error(f"{self._what(late)}: {self._why(late)}", hint=hint)
        elif queued and not common.quiet:
            say.note(self._cure(queued))
        return self._code(late)

    def _print(self, common: Common) -> None:
        if common.json:
            told = [lines.encode(results.state(one) | self._reason(one)) for one in self.told]
        elif common.quiet:
            return
        else:
            told = [f"{one.state} {_id(one)}{' (a guest, which keeps nothing)' * one.guest}" for one in self.told]
        if told:
            say.text("\n".join(told))
        elif not common.quiet and not common.json:
            say.note("nothing waits")

    def _reason(self, one: Timeline) -> dict[str, object]:
        """Return what a state object says beside the state: why the message is not there."""
        return {} if is_reached(State(one.state), self.wait) else {"reason": self._why([one])}

    def _what(self, late: Sequence[Timeline]) -> str:
        if len(self.told) == 1:
            return f"not {self.wait.value}"
        return f"{'1 message is' if len(late) == 1 else f'{len(late)} messages are'} not {self.wait.value}"

    def _why(self, late: Sequence[Timeline]) -> str:
        failed = [one.reason for one in late if _has_failed(one)]
        if failed:
            return failed[0]
        return "interrupted" if self.error is None else str(self.error)

    def _cure(self, waiting: Sequence[Timeline]) -> str:
        """Return what becomes of what waits, and how it is withdrawn as long as that is possible."""
        first = waiting[0]
        if not first.waits:
            return ""
        peer = "that peer"
        if isinstance(self.error, UntrustedPeer):
            peer = f"{first.named.peer}, and nobody else"  # who answered may be another one
        if len(waiting) > 1:
            return f"they go out when any p2pchat of this profile meets {peer}: p2pchat queue{self.flags}"
        if first.state == State.QUEUED.value:
            return (
                f"it goes out when any p2pchat of this profile meets {peer}; "
                f"to withdraw it: p2pchat unsend {_id(first)}{self.flags}"
            )
        return f"it has left, and may have arrived: p2pchat why {_id(first)}{self.flags}"

    def _code(self, late: Sequence[Timeline]) -> ExitCode:
        if not late:
            return ExitCode.DONE
        if all(map(_has_failed, late)):
            return ExitCode.IO  # withdrawn, or out of date: nothing of it is kept for later
        return ExitCode.UNTRUSTED if isinstance(self.error, UntrustedPeer) else ExitCode.STORED


def _has_failed(one: Timeline) -> bool:
    return one.state == State.FAILED.value


def _id(one: Timeline) -> UUID:
    return UUID(bytes=one.named.id)


def _nothing_stored(error: P2PChatError) -> P2PChatError:
    """Return `error` with a hint that says so."""
    return type(error)(str(error), hint="; ".join(filter(None, [error.hint, NOTHING_STORED])))
