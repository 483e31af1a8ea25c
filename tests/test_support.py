"""The test harness is tested like everything else."""

from __future__ import annotations

import pytest

SAMPLE = """
import pytest
import trio

async def test_one():
    raise ValueError("alone")

async def test_many():
    async with trio.open_nursery() as nursery:
        for text in ("first", "second"):
            nursery.start_soon(fail, text)

async def fail(text):
    raise ValueError(text)

@pytest.mark.xfail(raises=ValueError)
async def test_expected():
    raise ValueError

async def test_skipped():
    async with trio.open_nursery():
        pytest.skip("not here")

async def test_cause():
    raise ValueError("outer") from KeyError("inner")
"""


def test_failures_are_shown_as_themselves(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.support.plain_failures import pytest_runtest_call")
    pytester.makepyfile(SAMPLE)
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-o", "trio_mode=true", "-ra")
    result.assert_outcomes(failed=3, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines(['>*raise ValueError("alone")', "E*ValueError: alone"])
    result.stdout.fnmatch_lines(["*ExceptionGroup:*(2 sub-exceptions)*"])
    result.stdout.fnmatch_lines(["KeyError: 'inner'", "*was the direct cause of*"])
