"""The log: small, private, one clean line a record; and never a reason not to chat."""

from __future__ import annotations

import io
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from p2pchat.cli import log
from p2pchat.ui.terminal import Printer


@pytest.fixture(autouse=True)
def clean_logger() -> Iterator[None]:
    yield
    for handler in list(log.logger.handlers):
        log.logger.removeHandler(handler)
        handler.close()
    log.logger.propagate = True
    log.logger.setLevel(logging.NOTSET)
    logging.raiseExceptions = True


def test_records_are_lines_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "log"
    log.begin(path, verbose=0)
    logging.getLogger("p2pchat.node").info("connected: %s", "tcp:\x1b[2J\nbox")
    logging.getLogger("p2pchat.node").debug("not worth a line")
    (line,) = path.read_text().splitlines()
    assert line.endswith(" INFO connected: tcp:␛[2J | box")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_cannot_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_SIZE", 10_000)
    path = tmp_path / "log"
    log.begin(path, verbose=0)
    for _ in range(50):
        log.logger.info("x" * 1_000)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 3 * log.MAX_SIZE
    assert {file.name for file in tmp_path.iterdir()} == {"log", "log.1", "log.2"}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "precious")
    log.begin(tmp_path / "log", verbose=0)
    log.logger.info("hello")
    assert not (tmp_path / "precious").exists()


def test_where_no_log_can_be_written_there_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    log.begin(tmp_path / "file" / "log", verbose=0)
    log.logger.error("hello")
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_it_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.begin(None, verbose=1)
    log.logger.debug("looking %s up", "box")
    assert capsys.readouterr().err == "p2pchat: looking box up\n"


def test_a_guest_has_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    log.begin(None, verbose=0)
    log.logger.error("hello")
    assert capfd.readouterr() == ("", "")


def test_what_is_shown_moves_to_where_it_tears_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    log.begin(path, verbose=1)
    above = io.StringIO()
    log.move(cast(Printer, above))
    log.logger.info("connected")
    assert above.getvalue() == "p2pchat: connected\n"
    assert capfd.readouterr().err == ""
    assert "connected" in path.read_text()
