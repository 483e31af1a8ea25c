"""What Tab offers."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from p2pchat.ui.completion import Choices, Tab

TAB = Tab(Choices(peers=lambda: ["bob", "Ann Other", "anna"], strangers=lambda: [1, 12, 3]))


def offered(line: str) -> list[str]:
    """What the line may become."""
    return [
        line[: len(line) + found.start_position] + found.text
        for found in TAB.get_completions(Document(line), CompleteEvent(completion_requested=True))
    ]


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("/acc", ["/accept "]),
        ("/re", ["/reject ", "/reconnect "]),
        ("/RECO", ["/reconnect "]),
        ("/xyzzy", []),
        ("/accept ", ["/accept 1", "/accept 12", "/accept 3"]),
        ("/rej 1", ["/rej 1", "/rej 12"]),
        ("/switch an", ["/switch Ann Other", "/switch anna"]),
        ("/sw ann o", ["/sw Ann Other"]),
        ("/who b", ["/who bob"]),
        ("/block ", ["/block 1", "/block 12", "/block 3", "/block bob", "/block Ann Other", "/block anna"]),
        ("/verify 7-ot", ["/verify 7-other"]),
        ("/verify 12 otter amb", []),
        ("/verify 7", []),
        ("/verify ot", []),
        ("/me an", []),
        ("/xyzzy an", []),
        ("//acc", []),
        ("hello", []),
        ("", []),
        ("see /acc ", []),
        ("/ac\nc", []),
    ],
)
def test_commands_and_what_they_are_about(line: str, becomes: list[str]) -> None:
    assert offered(line) == becomes


def test_paths_in_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").touch()
    (tmp_path / "re\x1b[2J").touch()  # not offered: it cannot be shown as it is
    assert offered(f"see {tmp_path}/rep") == [f"see {tmp_path}/report.txt"]
    assert offered("see ./re") == ["see ./report.txt"]
    assert offered("see ~/re") == ["see ~/report.txt"]
    assert offered("report") == []
