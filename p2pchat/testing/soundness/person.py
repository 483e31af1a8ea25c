"""Can people use it here: the port that others dial, the letters of the locale, the terminal."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Final

from p2pchat.testing.soundness.finding import NotHere, Subject, Unsound
from p2pchat.ui import marks

NARROW: Final = 20  # columns; with less no name and no message stand beside each other
LISTENING: Final = "0A"  # the state in /proc/net/tcp
OLD: Final = ("linux", "vt", "ansi", "cons")  # terminals that do not tell pastes from keys
COLOURFUL: Final = ("color", "xterm", "screen", "tmux", "rxvt", "linux", "kitty", "alacritty", "foot", "vte")


def port(subject: Subject) -> str:
    """Check that nobody else has the port on which `p2pchat listen` waits. Nobody is let in meanwhile."""
    number = subject.port
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        refused = _bind(family, host, number)
        if refused in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, 0}:  # there may be no IPv6
            continue
        if refused == errno.EACCES:
            raise Unsound(f"port {number} is only for root", cure="choose one above 1023: p2pchat listen '*:PORT'")
        if refused != errno.EADDRINUSE:
            raise Unsound(f"port {number} cannot be bound: {os.strerror(refused)}", cure="p2pchat listen '*:PORT'")
        who, is_ours = _owner(number)
        if is_ours:
            return f"a p2pchat of yours listens on port {number}: {who}"
        raise Unsound(
            f"port {number}, on which `p2pchat listen` waits, is taken by {who}",
            cure=f"end that, or choose another port: p2pchat listen '*:{number + 1}'",
        )
    return f"port {number} is free for `p2pchat listen`"


def _bind(family: socket.AddressFamily, host: str, number: int) -> int:
    """Return why nobody could listen there, 0 if somebody could. Nobody can connect to a socket that is only bound."""
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as who listens does
            probe.bind((host, number))
    except OSError as exc:
        return exc.errno or errno.EIO
    return 0


def _owner(number: int) -> tuple[str, bool]:
    """Return who listens on a port, as far as the system tells, and whether it is a p2pchat of ours."""
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in _rows(Path("/proc/net") / table)
        if fields[1].endswith(f":{number:04X}") and fields[3] == LISTENING
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):  # others' processes show nothing
        try:
            if str(descriptor.readlink()) not in wanted:
                continue
            process = descriptor.parent.parent
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            name = (process / "comm").read_text(errors="replace").strip()
        except OSError:
            continue
        return f"{name} (process {process.name})", any(Path(word).name == "p2pchat" for word in words)
    return "another program; `sudo ss -ltnp` tells which", False


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:  # not on Linux
        return []


def locale(subject: Subject) -> str:
    """Check that the terminal can show what people say."""
    environ = subject.environ
    name = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "none at all"
    if marks.choose(environ) is marks.UNICODE:
        return f"UTF-8 ({name})"
    if subject.screen is None:
        raise NotHere(f"the locale ({name}) counts on a terminal only; bytes go through pipes as they are")
    raise Unsound(
        f"the locale ({name}) is not one of UTF-8: all but ASCII is shown as escapes", cure="export LC_ALL=C.UTF-8"
    )


def terminal(subject: Subject) -> str:
    """Check that the terminal can have a prompt that stays below what comes."""
    if subject.screen is None:
        raise NotHere("nobody types and reads on a terminal here, or --plain was asked for")
    name = subject.environ.get("TERM", "")
    if name in {"", "dumb"}:
        raise Unsound(
            f"the terminal says that it can do nothing (TERM={name}): lines are appended, and tear what you type",
            cure="export TERM=xterm-256color, if it is a usual terminal; --plain says that it is meant so",
        )
    columns, rows = os.get_terminal_size(subject.screen)
    if 0 < columns < NARROW:
        raise Unsound(
            f"the terminal is {columns} columns wide, and fewer than {NARROW} will not do",
            cure="make its window larger; over a serial line: stty cols 80 rows 24",
        )
    colours = "no colours" if _is_plain(subject, name) else "colours"
    pastes = "pastes count as typed" if name.startswith(OLD) else "pastes are told from keys"
    size = f"{columns} columns and {rows} rows" if columns else "of a size that nobody knows"
    return f"{name}, {size}, {colours}, {pastes}"


def _is_plain(subject: Subject, name: str) -> bool:
    return bool(subject.environ.get("NO_COLOR")) or not any(word in name for word in COLOURFUL)
