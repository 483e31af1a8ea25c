"""The mother of processes that find out in seconds what p2pchat finds out in minutes: nothing else differs.

The command line has no setting for its patience, on purpose, so its defaults are changed before any process is forked.
The proportions stay: each patience with a link that was made is shorter by the same factor.
"""

from __future__ import annotations

import sys
from dataclasses import fields

from p2pchat.protocol.limits import Limits
from tests.support import zygote

FASTER = 15
USUAL = Limits()
IMPATIENT = Limits(
    ping=USUAL.ping / FASTER, dead=USUAL.dead / FASTER, write_stall=USUAL.write_stall / FASTER, redial_cap=2.0
)


if __name__ == "__main__":
    defaults = Limits.__init__.__kwdefaults__
    assert defaults is not None
    assert defaults.keys() == {field.name for field in fields(Limits)}
    defaults.update({field.name: getattr(IMPATIENT, field.name) for field in fields(Limits)})
    assert Limits() == IMPATIENT
    zygote.begin(int(sys.argv[1]))
