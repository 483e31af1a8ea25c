"""`p2pchat selftest`: is it sound here."""

from __future__ import annotations

from p2pchat.cli import options, settings

HELP = """\
Find out in a few seconds whether p2pchat is sound on this machine: links and keys, what is kept and who may read it,
your own profile, the port, the terminal. Each thing that is tried is a row: ok, FAILED with a cure, or skipped, where
there is nothing to try. Nothing leaves this machine, and your profile is read and not changed. The exit code is 1 if
something failed. With --quiet only that is shown, with --verbose how long each took.

Example: p2pchat selftest
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("selftest")
def selftest(*, common: settings.Common) -> int:
    """Try everything, and print what was found."""
    from p2pchat.cli import checkup  # noqa: PLC0415  (a wrong option is answered without Trio)

    return checkup.run(common)
