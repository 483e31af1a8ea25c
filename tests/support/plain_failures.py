"""Show a failing test as what it is, not as a group of one."""

from __future__ import annotations

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Unwrap the groups of one that pytest-trio puts around each failure; real groups stay whole.

    Without it pytest shows no failing line, and `xfail(raises=...)` and `skip` do not recognise their exception.
    """
    __tracebackhide__ = True
    try:
        return (yield)
    except BaseExceptionGroup as group:
        leaf: BaseException = group
        while isinstance(leaf, BaseExceptionGroup) and len(leaf.exceptions) == 1:
            leaf = leaf.exceptions[0]
    raise leaf  # outside the handler, so that `__cause__` and `__context__` stay as they were
