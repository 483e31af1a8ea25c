"""`python -m p2pchat` is the command."""

from __future__ import annotations

import sys

from p2pchat.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
