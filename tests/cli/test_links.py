"""Links: what one says is what was written into it; what it must not say is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat import address as addresses
from p2pchat.address import Address
from p2pchat.cli import links
from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity
from p2pchat.errors import AddressError

ANN = Identity.from_seed(bytes([1]) * 32).peer_id
BOX = addresses.parse("bobs-box:7300")
SIX = addresses.parse("[fe80::1%eth0]:7272")

labels = st.text("abcxyz019_-", min_size=1, max_size=20)
zones = st.text("abXY09", max_size=8).map(lambda zone: zone and f"%{zone}")
hosts = (
    labels
    | st.builds("{}.{}".format, labels, st.sampled_from(["de", "example"]))
    | st.builds("[::{:x}{}]".format, st.integers(0, 0xFFFF), zones)
)
places = st.builds(lambda host, port: f"{host}:{port}", hosts, st.integers(0, 65535))


@st.composite
def tcp_addresses(draw: st.DrawFn) -> Address:
    try:
        return addresses.parse(draw(places))
    except AddressError:  # a name of digits only, and the like
        return BOX


@given(st.lists(tcp_addresses(), max_size=links.MAX_ADDRESSES, unique=True))
def test_a_link_says_what_was_written(where: list[Address]) -> None:
    link = links.write(ANN, where)
    assert links.is_link(link)
    assert links.read(link) == (ANN, tuple(where), None)


def test_a_link_is_short_and_plain() -> None:
    assert links.write(ANN) == f"p2pchat:{ANN}"
    assert links.write(ANN, [BOX]) == f"p2pchat:{ANN}?a=tcp:bobs-box:7300"
    assert links.write(ANN, [BOX, SIX]) == f"p2pchat:{ANN}?a=tcp:bobs-box:7300&a=tcp:[fe80::1%25eth0]:7272"


@pytest.mark.parametrize(
    "link",
    [
        "P2PCHAT:{id}?a=tcp:bobs-box:7300",
        "p2pchat:{ID}?a=TCP:Bobs-Box:7300",
        "p2pchat:{id}?a=tcp%3Abobs-box%3A7300&a=tcp://bobs-box:7300",  # said twice, dialled once
        "p2pchat:{id}?later=x&a=tcp:bobs-box:7300&&b=7-abc",  # what a newer version may add
    ],
)
def test_other_ways_to_write_the_same(link: str) -> None:
    assert links.read(link.format(id=ANN, ID=str(ANN).upper())) == (ANN, (BOX,), None)


@pytest.mark.parametrize(
    "where",
    [
        "exec:touch /tmp/x",
        "exec%3Atouch",
        "unix:/run/user/0/bus",
        "/run/user/0/bus",
        "memory:demo",
        "toy:garden",
        "bobs-box",
        "",
        " tcp:bobs-box",
        "tcp:",
        "tcp:box:99999",
        "tcp:a%1b[2Jb",
        "tcp:a%0Ab",
    ],
)
def test_a_link_names_nothing_but_places_in_the_network(where: str) -> None:
    with pytest.raises(AddressError):
        links.read(f"p2pchat:{ANN}?a=tcp:ok:1&a={where}")


@pytest.mark.parametrize("link", ["p2pchat:", "p2pchat://", "p2pchat:?a=tcp:box:1", f"p2pchat:{ANN}x", "p2pchat:bob"])
def test_a_link_without_an_id_is_none(link: str) -> None:
    with pytest.raises(AddressError, match="is not a peer id"):
        links.read(link)


def test_a_link_of_a_hundred_places_is_no_link() -> None:
    where = "&".join(f"a=tcp:box:{port}" for port in range(1, 101))
    with pytest.raises(AddressError, match="the link has 100 addresses, and 16 are the most"):
        links.read(f"p2pchat:{ANN}?{where}")


CODE = Code(8, "mfrggzdfmztwq2lknnwg23tpob")


def test_the_link_of_an_invite_has_its_code() -> None:
    link = links.write(ANN, [BOX], code=CODE)
    assert link == f"p2pchat:{ANN}?a=tcp:bobs-box:7300&c=8-mfrggzdfmztwq2lknnwg23tpob"
    assert links.read(link) == (ANN, (BOX,), CODE)
    assert links.read(f"p2pchat:{ANN}?c=8-MFRGGZDFMZTWQ2LKNNWG23TPOB") == (ANN, (), CODE)
    assert links.read(f"{link}&c={CODE}").code == CODE  # said twice


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ("c=8-mfrggzdfmztwq2lknnwg23tpo", "cannot be read"),  # the last letter was not copied
        ("c=mfrggzdfmztwq2lknnwg23tpob", "cannot be read"),
        ("c=", "cannot be read"),
        (f"c={CODE}&c=9-{CODE.secret}", "several codes"),
    ],
)
def test_a_damaged_code_is_told_and_not_shown(codes: str, message: str) -> None:
    with pytest.raises(AddressError, match=message) as told:
        links.read(f"p2pchat:{ANN}?a=tcp:ok:1&{codes}")
    assert CODE.secret[:20] not in f"{told.value}{told.value.hint}"
