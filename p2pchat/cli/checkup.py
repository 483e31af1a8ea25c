"""What `p2pchat selftest` does: every check of `p2pchat.testing.soundness`, as rows for people or one object."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, final

import trio

import p2pchat
from p2pchat.cli import places, say, signals
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.env import system_env
from p2pchat.errors import StoreError
from p2pchat.testing.soundness import checks as soundness_checks
from p2pchat.testing.soundness import finding as soundness
from p2pchat.testing.soundness.finding import Finding, Verdict
from p2pchat.transports.registry import Transports
from p2pchat.ui import sanitize, stdio
from p2pchat.ui.json import lines

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common

NARROW: Final = 18  # columns; a sentence that has fewer is broken by the terminal, and not here
UNBROKEN: Final = 1_000_000  # columns of what is no terminal
WORDS: Final = {Verdict.OK: "ok", Verdict.FAILED: "FAILED", Verdict.SKIPPED: "skipped"}


def run(common: Common) -> int:
    """Try everything and print what was found; returns the exit code.

    Raises:
      ConfigurationError: if there can be no such profile.
      StoreError: if there is no place to try things in.
      StdioFailed: if the rows cannot be printed.
    """
    where = places.find(common.profile, common.data_dir)
    profile = soundness.Profile(data=where.data, key=where.key, history=where.history, log=where.log)
    try:
        scratch = TemporaryDirectory(prefix="p2pchat-selftest-", ignore_cleanup_errors=True)
    except OSError as exc:
        raise StoreError(
            f"there is no place to try things in: {exc.strerror}", hint="let TMPDIR be a directory that you can write"
        ) from exc
    is_seen = stdio.is_terminal(0) and stdio.is_terminal(1) and not common.plain
    with scratch as name:
        subject = soundness.Subject(
            profile=profile, scratch=Path(name), environ=os.environ, screen=1 if is_seen else None
        )
        return _examine(subject, common)


def _examine(subject: soundness.Subject, common: Common) -> int:
    net = Transports()
    checks = soundness_checks.checks(net)
    table = Table(max(len(check.name) for check in checks), common)
    found: list[Finding] = []
    seconds = 0.0

    async def examine() -> None:
        nonlocal seconds
        clock = system_env(net).clock
        began = clock()
        found.extend(await soundness.examine(checks, subject, table.show))
        seconds = clock() - began

    if code := trio.run(partial(signals.run, examine)):
        return code
    if common.json:
        say.text(lines.encode(result(found, seconds)))
    elif not common.quiet:
        say.text(summary(found, seconds))
    return ExitCode.NO if any(one.verdict is Verdict.FAILED for one in found) else ExitCode.DONE


@final
class Table:
    """Rows for people, printed as they come."""

    def __init__(self, width: int, common: Common) -> None:
        """Make room for names of `width` characters."""
        self._width = width
        self._common = common

    def show(self, finding: Finding) -> None:
        """Print the row of `finding`, and the cure below it.

        Raises:
          StdioFailed: if it cannot be printed.
        """
        if self._common.json or (self._common.quiet and finding.verdict is not Verdict.FAILED):
            return
        took = f" ({finding.seconds:.2f} s)" if self._common.verbose else ""
        say.text("\n".join(self._rows(finding, took)))

    def _rows(self, finding: Finding, took: str) -> Iterator[str]:
        head = f"{WORDS[finding.verdict]:<8} {finding.name:<{self._width}}  "
        yield from _wrapped(finding.what + took, head)
        if finding.cure:
            yield from _wrapped(finding.cure, f"{'':<8} {'':<{self._width}}  cure: ")


def _wrapped(text: str, head: str) -> list[str]:
    columns = os.get_terminal_size(1).columns if stdio.is_terminal(1) else 0
    width = columns if columns >= len(head) + NARROW else UNBROKEN
    clean = sanitize.clean(text).replace("\n", " ")
    return textwrap.wrap(
        clean,
        width=width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(found: Sequence[Finding], seconds: float) -> str:
    """Return the last line."""
    count = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    skipped = f", {count[Verdict.SKIPPED]} skipped" if count[Verdict.SKIPPED] else ""
    took = f"in {seconds:.1f} s"
    if failed := count[Verdict.FAILED]:
        return f"not sound: {failed} FAILED, {count[Verdict.OK]} ok{skipped}, {took}"
    return f"sound: {count[Verdict.OK]} ok{skipped}, {took}"


def result(found: Sequence[Finding], seconds: float) -> dict[str, object]:
    """Return the object for programs; docs/reference/json.md."""
    return {
        "version": p2pchat.__version__,
        "sound": all(one.verdict is not Verdict.FAILED for one in found),
        "seconds": round(seconds, 3),
        "rows": [
            {
                "name": one.name,
                "verdict": one.verdict.value,
                "what": one.what,
                "cure": one.cure or None,
                "seconds": one.seconds,
            }
            for one in found
        ],
    }
