"""What holds for every test: plain failures, repeatable properties, a place that is short enough for sockets."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.support.plain_failures import pytest_runtest_call
from tests.support.unmeasured import unmeasured

__all__ = ["pytest_runtest_call"]

# No deadline in any profile: time per example says more about the machine than about the code.
settings.register_profile("local", deadline=None)
settings.register_profile(
    "ci",  # the same examples in every run, so that red means "this change did it"
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=None, max_examples=5_000)  # by hand, before a release
settings.load_profile("local")  # nox asks for another one with --hypothesis-profile


# A shell has its background jobs ignore it, and so would all that we start: but how it ends them is what tests are for.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("tests/test_docs_terminals.py", "tests/test_docs_surviving_bot.py", "tests/cli/", "tests/simulation/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: of two who share the work, neither waits for the other at the end."""
    items.sort(key=lambda item: [not item.nodeid.startswith(place) for place in LONGEST])


#: What runs the same lines again and again, or lines that are no part of the package: measured, it takes twice as long.
UNMEASURED = (
    *("tests/node/test_cancel.py", "tests/protocol/test_delivery_histories.py", "tests/testing/test_library_docs.py"),
    *("tests/security/", "tests/test_house.py", "tests/test_benchmarks.py", "tests/mutants/"),
    *("tests/store/test_contacts_in_any_order.py", "tests/store/test_invites_in_any_order.py"),
    *("tests/protocol/test_connection_hostile.py", "tests/ui/test_sanitize.py"),
    *("tests/node/test_crossed.py", "tests/node/test_crowded.py", "tests/simulation/test_repeatable.py"),
)


@pytest.fixture(autouse=True)
def _measured_where_it_tells_something(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure no coverage in what is `UNMEASURED`."""
    with unmeasured() if request.node.nodeid.startswith(UNMEASURED) else nullcontext():
        yield


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A new directory, like pytest's own fixture of this name, but short wherever the checkout and TMPDIR are.

    The path of a Unix socket has 107 bytes at most, and some tests begin one with a whole home directory.
    """
    with TemporaryDirectory(dir="/tmp", prefix="p2pchat-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
