"""`p2pchat id`: who you are to others."""

from __future__ import annotations

from p2pchat.cli import options, say

HELP = """\
Show your peer id, which others accept, and its fingerprint, which is compared by voice. The first run makes the key.

Example: p2pchat id --profile work
"""

app = options.application()


@app.command(name="id", help=HELP)
def show(
    *,
    profile: options.Profile = "default",
    data_dir: options.DataDir = None,
    verbose: options.Verbose = 0,  # noqa: ARG001  (looked for by `main`: whether to show tracebacks)
) -> int:
    """Print both on standard output."""
    from p2pchat.cli import places, profiles  # noqa: PLC0415  (a wrong option is answered without cryptography)
    from p2pchat.env import system_env  # noqa: PLC0415
    from p2pchat.transports.registry import Transports  # noqa: PLC0415

    entropy = system_env(Transports()).urandom
    identity = profiles.identity(places.find(profile, data_dir), entropy)
    return say.text(f"peer id      {identity.peer_id}\nfingerprint  {identity.peer_id.fingerprint}")
