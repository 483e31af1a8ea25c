"""Every failure that a table knows is one sentence and a hint; those that it does not are told all the same."""

from __future__ import annotations

import errno
import os

import pytest

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.listen_promises import check_wording
from p2pchat.transports import failures, tcp, unix

BOX = Address("tcp", "box:7272")
FILE = Address("unix", "/run/{braces}/chat")


@pytest.mark.parametrize(
    ("reasons", "address"),
    [(tcp._CONNECT, BOX), (tcp._LISTEN, BOX), (unix._CONNECT, FILE), (unix._LISTEN, FILE), (failures._ANY, FILE)],
    ids=["tcp-connect", "tcp-listen", "unix-connect", "unix-listen", "any"],
)
def test_every_known_failure_is_a_sentence_and_a_hint(reasons: failures.Reasons, address: Address) -> None:
    for number in reasons:
        check_wording(failures.explain(ConnectFailed, OSError(number, "raw"), address, reasons), address)


def test_an_unknown_failure_is_told_in_the_words_of_the_system() -> None:
    failure = failures.explain(ListenFailed, OSError(errno.EIO, os.strerror(errno.EIO)), FILE, unix._LISTEN)
    assert isinstance(failure, ListenFailed)
    assert str(failure) == "cannot use unix:/run/{braces}/chat: input/output error"
    assert str(failures.explain(ConnectFailed, OSError("Odd"), BOX, {})) == "cannot use tcp:box:7272: odd"


def test_a_transport_knows_better_than_we_what_a_failure_means() -> None:
    for number in set(tcp._LISTEN) & set(failures._ANY):
        assert failures.explain(ListenFailed, OSError(number, "raw"), BOX, tcp._LISTEN).hint == tcp._LISTEN[number][1]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([errno.ENETUNREACH, errno.ECONNREFUSED], "nobody listens on tcp:box:7272"),
        ([errno.ENETUNREACH, errno.ETIMEDOUT], "tcp:box:7272 does not answer"),
        ([errno.ENETUNREACH, errno.ENETUNREACH], "there is no route to tcp:box:7272"),
        ([errno.EIO, errno.EHOSTUNREACH], "there is no route to tcp:box:7272"),
    ],
)
def test_of_several_attempts_the_most_telling_is_told(numbers: list[int], told: str) -> None:
    summary = OSError("all attempts to connect failed")
    summary.__cause__ = ExceptionGroup("attempts", [OSError(number, "raw") for number in numbers])
    assert str(failures.explain(ConnectFailed, summary, BOX, tcp._CONNECT)) == told
