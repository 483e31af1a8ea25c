"""What people type is read as they meant it, or they are told what is wrong and shown an address that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat import address
from p2pchat.address import Address, parse
from p2pchat.errors import AddressError


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("localhost", "tcp:localhost:7272"),
        ("Box.Example.ORG:1234", "tcp:box.example.org:1234"),
        ("  box:1 \n", "tcp:box:1"),
        ("my_box-2.local.", "tcp:my_box-2.local.:7272"),
        ("bücher.example:7", "tcp:bücher.example:7"),
        ("192.0.2.1:0", "tcp:192.0.2.1:0"),
        ("box:00080", "tcp:box:80"),
        ("[::1]:5000", "tcp:[::1]:5000"),
        ("[::1]", "tcp:[::1]:7272"),
        ("[FE80::1%Eth0]:1", "tcp:[fe80::1%Eth0]:1"),
        ("tcp:box:80", "tcp:box:80"),
        ("TCP:box", "tcp:box:7272"),
        ("tcp://box", "tcp:box:7272"),
        ("tcp://box:80/", "tcp:box:80"),
        ("tcp://[::1]:80", "tcp:[::1]:80"),
        ("*", "tcp:*:7272"),
        ("*:0", "tcp:*:0"),
        ("tcp:*:80", "tcp:*:80"),
        ("unix:/run/chat", "unix:/run/chat"),
        ("unix:///run/chat", "unix:/run/chat"),
        ("/run/../tmp//chat", "unix:/tmp/chat"),
        ("//tmp/chat", "unix:/tmp/chat"),
        ("/tmp/a:b", "unix:/tmp/a:b"),
        ("exec:ssh box p2pchat stdio", "exec:ssh box p2pchat stdio"),
        ("exec:  run  'a  b'", "exec:run 'a  b'"),
        ("memory:Demo", "memory:Demo"),
    ],
)
def test_reads_what_people_type(typed: str, canonical: str) -> None:
    assert str(parse(typed)) == canonical
    assert parse(canonical) == parse(typed)


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for typed in ("./chat", "unix:chat", "x/../chat"):
        assert parse(typed) == Address("unix", str(tmp_path / "chat"))


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse("unix:~/chat") == parse("~/chat") == Address("unix", str(tmp_path / "chat"))


@pytest.mark.parametrize(
    ("typed", "complaint", "hint"),
    [
        ("", "the host is missing", "localhost:7272, or *:7272"),
        (":7272", "the host is missing", "localhost:7272, or *:7272"),
        ("tcp:", "the host is missing", "localhost:7272, or *:7272"),
        ("box:", "the port is missing", "tcp:localhost:7272"),
        ("box:http", "the port has to be a number, not http", "tcp:localhost:7272"),
        ("box:+80", "has to be a number", "tcp:localhost:7272"),
        ("box:٣", "has to be a number", "tcp:localhost:7272"),
        ("box:65536", "port 65536 is out of range: the highest is 65535", "tcp:localhost:7272"),
        ("box:" + "9" * 5000, "is out of range", "tcp:localhost:7272"),
        ("7272", "7272 is no host name and no IPv4 address", "tcp:127.0.0.1:7272"),
        ("1.2.3.256:80", "1.2.3.256 is no host name", "tcp:127.0.0.1:7272"),
        ("a..b", "1 to 63 characters between dots", "tcp:localhost:7272"),
        ("a" * 64, "1 to 63 characters between dots", "tcp:localhost:7272"),
        (".".join(["a" * 60] * 5), "at most 253 in all", "tcp:localhost:7272"),
        ("anna@box:80", "has no user name in it: anna@box", "tcp:box"),
        ("anna@", "has no user name in it", "tcp:localhost"),
        ("two words", "a host name cannot hold ' '", "tcp:localhost:7272"),
        ("tcp://box:80/room", "has to be a number, not 80/room", "tcp:localhost:7272"),
        ("tcp:a:b:c", "has to be a number, not b:c", "tcp:localhost:7272"),
        ("::1", "the IPv6 address ::1 needs brackets", "tcp:[::1]:7272"),
        ("tcp:2001:db8::1", "the IPv6 address 2001:db8::1 needs brackets", "tcp:[2001:db8::1]:7272"),
        ("2001:db8::1:7272", "needs brackets", "tcp:[2001:db8::1]:7272"),
        ("[::1", "no IPv6 address between brackets", "tcp:[::1]:7272"),
        ("[box]:80", "no IPv6 address between brackets", "tcp:[::1]:7272"),
        ("[::1]80", "comes a colon and the port, not 80", "tcp:[::1]:7272"),
        ("[::1]:", "the port is missing", "tcp:localhost:7272"),
        ("unix:", "the path is missing", "unix:/tmp/p2pchat.sock"),
        ("unix://tmp/chat", "the path needs its own slash", "unix:///tmp/chat"),
        ("/tmp/", "/tmp/ names a directory", "unix:/tmp/p2pchat.sock"),
        ("unix:..", ".. names a directory", "unix:../p2pchat.sock"),
        ("exec:", "the command is missing", "exec:"),
        ("exec:ssh 'box", "the quotes of the command do not match", "exec:"),
        ("memory:", "the name is missing", "memory:demo"),
        ("tpc:box:80", "no way to reach a peer that is called tpc:", "did you mean tcp:box:80"),
        ("unx:/tmp/chat", "called unx:", "did you mean unix:/tmp/chat"),
        ("https://example.org", "called https:", "it knows exec:, memory:, tcp:, unix:"),
        ("iroh:a:b", "called iroh:", "it knows exec:, memory:, tcp:, unix:"),
        ("box\x1b[2J:80", "a character that cannot be printed: U+001B", "tcp:localhost:7272"),
        ("/tmp/a\nb", "a character that cannot be printed: U+000A", "tcp:localhost:7272"),
        ("box\u202egro", "a character that cannot be printed: U+202E", "tcp:localhost:7272"),
    ],
)
def test_says_what_is_wrong_and_shows_what_works(typed: str, complaint: str, hint: str) -> None:
    with pytest.raises(AddressError) as told:
        parse(typed)
    assert complaint in str(told.value)
    assert hint in told.value.hint
    assert not str(told.value).endswith(".")


def test_every_shown_address_works() -> None:
    for wrong in ("box:", "::1", "1.2.3.4.5", "unix:", "unix://a/b", "/tmp/", "[::1]x", "memory:", "tpc:a"):
        with pytest.raises(AddressError) as told:
            parse(wrong)
        parse(told.value.hint.removeprefix("an address that works: ").removeprefix("did you mean "))


def test_a_plug_in_scheme_is_read_only_where_it_is_known() -> None:
    assert parse("toy://Some:Thing/", schemes={"toy"}) == Address("toy", "//Some:Thing/")
    assert parse("TOY:x", schemes={"toy"}) == Address("toy", "x")
    with pytest.raises(AddressError, match="called toy:"):
        parse("toy://x")
    with pytest.raises(AddressError) as told:
        parse("tyo:x", schemes={"toy"})
    assert told.value.hint == "did you mean toy:x"


def test_a_plug_in_cannot_change_what_a_built_in_scheme_means() -> None:
    assert parse("tcp:box", schemes={"tcp"}) == Address("tcp", "box:7272")


@pytest.mark.parametrize(
    ("host", "port"), [("box", 1), ("192.0.2.1", 65535), ("::1", 0), ("fe80::1%eth0", 7272), ("*", 5)]
)
def test_host_and_port_are_taken_apart_as_they_were_put_together(host: str, port: int) -> None:
    made = address.tcp(host, port)
    assert address.host_and_port(made) == (host, port)
    assert parse(str(made)) == made


def test_everywhere_is_every_interface_on_the_default_port() -> None:
    assert parse("*") == address.EVERYWHERE
    assert address.host_and_port(address.EVERYWHERE) == ("*", 7272)


@given(st.text() | st.text(alphabet="tcpunixexmory:/[]*.0123456789ab@%~ '", max_size=30))
def test_any_text_is_an_address_that_reads_back_or_one_clean_error(text: str) -> None:
    try:
        read = parse(text)
    except AddressError:
        return
    assert parse(str(read)) == read
    assert str(read).isprintable()
