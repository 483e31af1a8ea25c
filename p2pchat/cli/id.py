"""`p2pchat id`: who you are to others."""

from __future__ import annotations

from p2pchat.cli import options, say, settings

HELP = """\
Show your peer id, which others accept, and its fingerprint, which is compared by voice. The first run makes the key.

Example: p2pchat id --profile work
"""

app: options.Application = options.application()


@app.command(name="id", help=HELP)
@options.gathered("id")
def show(*, common: settings.Common) -> int:
    """Print both on standard output."""
    from p2pchat.cli import places, profiles  # noqa: PLC0415  (a wrong option is answered without cryptography)
    from p2pchat.env import system_env  # noqa: PLC0415
    from p2pchat.transports.registry import Transports  # noqa: PLC0415

    entropy = system_env(Transports()).urandom
    identity = profiles.identity(places.find(common.profile, common.data_dir), entropy)
    if common.json:
        from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)

        return say.text(lines.encode({"peer": str(identity.peer_id), "fingerprint": identity.peer_id.fingerprint}))
    return say.text(f"peer id      {identity.peer_id}\nfingerprint  {identity.peer_id.fingerprint}")
