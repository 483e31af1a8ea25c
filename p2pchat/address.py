"""Where a peer can be reached, as text: `tcp:host:port`, `unix:/path`, `exec:command`, `memory:name`.

`parse` reads what people type and gives back the canonical form, which is what pins, logs and faces hold: two spellings
of one place become one string. Nothing is resolved here: no name is looked up, no link followed, no path has to exist.
A wrong address says what is wrong and shows one that works.

Source: docs/protocol.md, section 4.5; `p2pchat help addresses`.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass

from p2pchat.errors import AddressError

DEFAULT_PORT = 7272
MAX_PORT = 65535
ANY_HOST = "*"  # every interface of this machine: only to listen on
MAX_HOST = 253  # characters; RFC 1035 section 2.3.4, without the root's dot
MAX_LABEL = 63

_SCHEME = re.compile("[a-z][a-z0-9+-]*")
_NEVER_IN_A_HOST = frozenset(" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~")


@dataclass(frozen=True, slots=True)
class Address:
    """A way to reach a peer; `str()` is the canonical text, which `parse` reads back as an equal address.

    `rest` belongs to the transport of that scheme: `host:port` for tcp (with brackets around IPv6), an absolute path
    for unix, shell words for exec, a name for memory.
    """

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


EVERYWHERE = Address("tcp", f"{ANY_HOST}:{DEFAULT_PORT}")  # what `listen` means when no address is given


def parse(text: str, *, schemes: Collection[str] = ()) -> Address:
    """Return the address that a person meant by `text`.

    Read are `host`, `host:port`, `[::1]:port`, `*:port` (every interface), `tcp:…`, `tcp://…`, `unix:/path`,
    `unix:///path`, a bare path (it has a `/`), `exec:command` and `memory:name`. Without a port it is 7272; port 0 lets
    the system choose one to listen on.

    Args:
      text: what was typed; blanks around it do not count.
      schemes: further schemes, those of plug-ins; what follows their colon is taken as it is.

    Raises:
      AddressError: if it cannot be read; the hint shows an address that works.
    """
    text = text.strip()
    if not text.isprintable():
        unprintable = next(c for c in text if not c.isprintable())
        raise _wrong(f"an address holds a character that cannot be printed: U+{ord(unprintable):04X}")
    word, colon, rest = text.partition(":")
    scheme = word.lower()
    if colon and scheme in _READERS:
        return _READERS[scheme](rest)
    if colon and scheme in schemes:
        return Address(scheme, rest)
    if "/" in word:
        return _read_path(text)
    if colon and not _is_ipv6(text):
        _refuse_unknown_scheme(scheme, rest, {*_READERS, *schemes})
    return _read_tcp(text)


def tcp(host: str, port: int) -> Address:
    """Return the address of `port` at `host`, a name or an IPv4 or IPv6 address (without brackets)."""
    return Address("tcp", f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def host_and_port(address: Address) -> tuple[str, int]:
    """Return the two parts of a tcp address: the host without brackets, `*` for every interface, and the port."""
    host, _, port = address.rest.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _wrong(message: str, works: str = f"tcp:localhost:{DEFAULT_PORT}") -> AddressError:
    return AddressError(message, hint=f"an address that works: {works}")


def _refuse_unknown_scheme(scheme: str, rest: str, known: Collection[str]) -> None:
    """Raise if `scheme:rest` was meant as a scheme: a `host:port` has digits after its only colon."""
    nearest = difflib.get_close_matches(scheme, sorted(known), n=1)
    meant = _SCHEME.fullmatch(scheme) and not rest.isdigit() and (nearest or "/" in rest or ":" in rest)
    if not meant:
        return
    message = f"p2pchat knows no way to reach a peer that is called {scheme}:"
    if nearest:
        raise AddressError(message, hint=f"did you mean {nearest[0]}:{rest}")
    raise AddressError(message, hint=f"it knows {', '.join(f'{name}:' for name in sorted(known))}")


def _read_tcp(rest: str) -> Address:
    if rest.startswith("//"):
        rest = rest[2:].removesuffix("/")
    if rest.startswith("["):
        inside, bracket, after = rest[1:].partition("]")
        if not bracket or not _is_ipv6(inside):
            raise _wrong(f"{rest} has no IPv6 address between brackets", f"tcp:[::1]:{DEFAULT_PORT}")
        if after and not after.startswith(":"):
            raise _wrong(f"after the bracket comes a colon and the port, not {after}", f"tcp:[{inside}]:{DEFAULT_PORT}")
        # The zone names an interface of this machine, and those may differ by case.
        digits, percent, zone = inside.partition("%")
        return tcp(digits.lower() + percent + zone, _read_port(after[1:]) if after else DEFAULT_PORT)
    if _is_ipv6(rest):
        host = rest.removesuffix(f":{DEFAULT_PORT}")
        raise _wrong(f"the IPv6 address {rest} needs brackets", f"tcp:[{host}]:{DEFAULT_PORT}")
    host, colon, port = rest.partition(":")
    return tcp(_read_host(host), _read_port(port) if colon else DEFAULT_PORT)


def _read_host(text: str) -> str:
    """Return `text` in lower case if it can be a host name, an IPv4 address or `*`."""
    if not text:
        raise _wrong("the host is missing", f"localhost:{DEFAULT_PORT}, or *:{DEFAULT_PORT} to listen everywhere")
    if text == ANY_HOST:
        return text
    if "@" in text:
        raise _wrong(f"an address has no user name in it: {text}", f"tcp:{text.rpartition('@')[2] or 'localhost'}")
    for character in text:
        if character in _NEVER_IN_A_HOST:
            raise _wrong(f"a host name cannot hold {character!r}: {text}")
    labels = text.removesuffix(".").split(".")
    if len(text) > MAX_HOST or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise _wrong(f"a host name has 1 to {MAX_LABEL} characters between dots, and at most {MAX_HOST} in all")
    if labels[-1].isdigit():  # no top level domain is a number, so this is meant as an IPv4 address
        try:
            ipaddress.IPv4Address(text)
        except ValueError:
            raise _wrong(f"{text} is no host name and no IPv4 address", f"tcp:127.0.0.1:{DEFAULT_PORT}") from None
    return text.lower()


def _read_port(text: str) -> int:
    if not text:
        raise _wrong("the port is missing after the colon")
    if not (text.isascii() and text.isdigit()):
        raise _wrong(f"the port has to be a number, not {text}")
    if len(text) > len(str(MAX_PORT)) or int(text) > MAX_PORT:
        raise _wrong(f"the port {text} is out of range: the highest is {MAX_PORT}")
    return int(text)


def _read_unix(rest: str) -> Address:
    if rest.startswith("//"):
        if not rest.startswith("///"):
            raise _wrong(f"after unix:// the path needs its own slash: unix:{rest}", f"unix:///{rest[2:]}")
        rest = rest[2:]
    return _read_path(rest)


def _read_path(path: str) -> Address:
    if not path:
        raise _wrong("the path is missing", "unix:/tmp/p2pchat.sock")
    # `~` is ours to expand, for no shell does it after a colon. abspath, not Path: it folds `..` by name, so that one
    # place has one spelling, and it never looks at the disk.
    expanded = os.path.expanduser(path)  # noqa: PTH111
    if expanded.rpartition("/")[2] in {"", ".", ".."}:
        raise _wrong(f"{path} names a directory, not a socket in it", f"unix:{path.rstrip('/')}/p2pchat.sock")
    return Address("unix", "/" + os.path.abspath(expanded).lstrip("/"))  # noqa: PTH100  (POSIX keeps a leading //)


def _read_exec(rest: str) -> Address:
    try:
        words = shlex.split(rest)
    except ValueError as exc:
        raise _wrong(f"the quotes of the command do not match: {rest}", "exec:'ssh host p2pchat stdio'") from exc
    if not words:
        raise _wrong("the command is missing", "exec:'ssh host p2pchat stdio'")
    return Address("exec", shlex.join(words))


def _read_memory(rest: str) -> Address:
    if not rest:
        raise _wrong("the name is missing", "memory:demo")
    return Address("memory", rest)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[str], Address]] = {
    "exec": _read_exec,
    "memory": _read_memory,
    "tcp": _read_tcp,
    "unix": _read_unix,
}
