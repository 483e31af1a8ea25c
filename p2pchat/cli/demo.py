"""`p2pchat demo`: two peers in one process, over a transport of memory."""

from __future__ import annotations

from p2pchat.cli import options

HELP = """\
Chat with an echo at once: two peers in this one program, the whole protocol between them, no network, no files.
Without a terminal it plays a short chat and ends.

Example: p2pchat demo
"""

app = options.application()


@app.command(help=HELP)
def demo(
    *,
    plain: options.Plain = False,
    no_input: options.NoInput = False,
    verbose: options.Verbose = 0,
) -> int:
    """Gather what was asked for, and chat."""
    from p2pchat.cli import echo  # noqa: PLC0415  (a wrong option is answered without Trio)

    return echo.run(options.Common(guest=True, plain=plain, no_input=no_input, verbose=verbose))
