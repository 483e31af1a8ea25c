"""`p2pchat demo`: two peers in one process, over a transport of memory."""

from __future__ import annotations

from dataclasses import replace

from p2pchat.cli import options, settings

HELP = """\
Chat with an echo at once: two peers in this one program, the whole protocol between them, no network, no files.
Without a terminal it plays a short chat and ends.

Example: p2pchat demo
"""

app: options.Application = options.application()


@app.command(help=HELP)
@options.gathered("demo")
def demo(*, common: settings.Common) -> int:
    """Chat as was asked for."""
    from p2pchat.cli import echo  # noqa: PLC0415  (a wrong option is answered without Trio)

    return echo.run(replace(common, guest=True))
