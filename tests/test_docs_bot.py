"""The echo bot of the documents is a program that works, as it is printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import trio

import p2pchat

ROOT = Path(__file__).parent.parent
PATIENCE = 30  # seconds, for a process on a busy machine
MAX_LINES = 15  # that hold something


def program() -> str:
    """Return the first example of the page."""
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/howto/bot.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_bot_is_short() -> None:
    assert len([line for line in program().splitlines() if line]) <= MAX_LINES


@pytest.mark.slow
async def test_the_bot_says_back_what_it_hears_and_stays(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(program(), encoding="utf-8")
    address = f"unix:{tmp_path}/s"
    process = await trio.lowlevel.open_process([sys.executable, str(tmp_path / "echo.py"), address], cwd=tmp_path)
    try:
        with trio.fail_after(PATIENCE):
            for text in ("hello", "again, and as somebody else"):
                assert await answers_to(text, p2pchat.parse(address)) == [text]
        assert process.returncode is None
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def answers_to(text: str, address: p2pchat.Address) -> list[str]:
    """Say `text` to whoever listens at `address`, and goodbye after the first answer."""
    env = p2pchat.system_env(p2pchat.Transports())
    answers: list[str] = []
    async with p2pchat.open_node(p2pchat.Identity.generate(env.urandom), env=env) as node:
        session = await node.dial(address, retry=True)
        await session.send(text)
        async for event in node.feed:
            match event:
                case p2pchat.MessagesReceived(messages=messages):
                    answers += [said.body.text for said in messages if isinstance(said.body, p2pchat.Text)]
                    session.goodbye()
                case p2pchat.Disconnected(clean=clean):
                    assert clean
                    break
    return answers
