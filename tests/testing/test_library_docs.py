"""The test of a bot that docs/howto/test-a-bot.md shows passes as it is printed, and fails as it says it would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs/howto/test-a-bot.md"
KEY = ', key=f"answer to {said.id.hex()}"'

pytestmark = pytest.mark.slow


def write_down(pytester: pytest.Pytester, *, key: str = KEY) -> None:
    """Save the examples of the page where it says."""
    text = PAGE.read_text(encoding="utf-8")
    bot, conftest, *tests = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert KEY in bot
    pytester.makepyfile(bot=bot.replace(KEY, key), test_bot="\n\n".join(tests))
    pytester.makeini("[pytest]")  # its own root, wherever temporary directories are
    pytester.makeconftest(conftest)
    pytester.syspathinsert()


def test_the_printed_tests_pass(pytester: pytest.Pytester) -> None:
    write_down(pytester)
    pytester.runpytest_inprocess("--simulation-runs=3").assert_outcomes(passed=2)


def test_without_its_key_the_bot_is_found_out_as_the_page_says(pytester: pytest.Pytester) -> None:
    write_down(pytester, key="")
    result = pytester.runpytest_inprocess("-k", "everything")
    result.assert_outcomes(failed=1)
    (report,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    result.stdout.fnmatch_lines([f"E *{line.removeprefix('E').strip()}" for line in report.splitlines()])
