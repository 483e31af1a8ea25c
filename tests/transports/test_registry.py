"""Transports come in by one door: what is wrong with one of them is told, and is no trouble for the others."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.door import open_door
from p2pchat.transports import registry
from p2pchat.transports.memory import MemoryTransport
from p2pchat.transports.registry import Transports

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution that offers transports, as an installer would: `install("name", scheme="module:Class")`.

    Its only module has the same name, and `source` in it.
    """

    def install(name: str, source: str = "", **offers: str) -> None:
        place = tmp_path / name
        info = place / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        doors = "".join(f"{scheme} = {target}\n" for scheme, target in offers.items())
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{doors}")
        (place / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(place)

    return install


async def refusals(scheme: str) -> tuple[str, str]:
    """What `connect` says about a scheme, and its hint; `listen` has to say the same."""
    transports = Transports()
    with pytest.raises(ConnectFailed) as connecting:
        await transports.connect(Address(scheme, "x"))
    with pytest.raises(ListenFailed) as listening:
        await transports.listen(Address(scheme, "x"))
    assert str(connecting.value) == str(listening.value)
    return str(connecting.value), connecting.value.hint


def test_the_built_in_schemes_are_found() -> None:
    assert {"memory", "tcp", "unix"} <= Transports().schemes


@pytest.mark.slow
def test_only_the_scheme_in_use_is_imported() -> None:
    script = """if True:
        import sys, trio
        from p2pchat.address import parse
        from p2pchat.transports.registry import Transports

        async def main():
            transports = Transports()
            assert "unix" in transports.schemes
            for listener in await transports.listen(parse("memory:x")):
                await listener.aclose()

        trio.run(main)
        print([scheme for scheme in ("memory", "tcp", "unix") if f"p2pchat.transports.{scheme}" in sys.modules])
    """
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout == "['memory']\n"


async def test_one_registry_has_one_transport_for_a_scheme() -> None:
    transports, address = Transports(), Address("memory", "x")
    async with open_door(transports, address), await transports.connect(address):
        with pytest.raises(ConnectFailed):
            await Transports().connect(address)


async def test_a_scheme_without_a_transport_is_told_with_those_that_have_one(install: Install) -> None:
    install("p2pchat_extra", extra="p2pchat_extra:Extra")
    sentence, hint = await refusals("carrier-pigeon")
    assert sentence == "no transport for carrier-pigeon: is installed"
    assert hint.startswith("there is exec:, extra:, memory:, tcp:, unix:")


async def test_an_unpacked_p2pchat_says_that_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    sentence, hint = await refusals("tcp")
    assert sentence == "no transport for tcp: is installed"
    assert hint == "is p2pchat itself installed here?"


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("p2pchat_needy", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("p2pchat_moody", "raise RuntimeError('not on a Tuesday')", "RuntimeError: not on a Tuesday"),
        ("p2pchat_empty", "", "AttributeError: module 'p2pchat_empty' has no attribute 'Transport'"),
        ("p2pchat_picky", "class Transport:\n  def __init__(self, port): pass", "TypeError: "),
    ],
)
async def test_a_broken_plug_in_is_named(install: Install, name: str, source: str, reason: str) -> None:
    install(name, source, broken=f"{name}:Transport")
    sentence, hint = await refusals("broken")
    assert sentence.startswith(f"the transport for broken: of {name} does not load: {reason}")
    assert hint == f"repair or uninstall {name}"
    async with open_door(Transports(), Address("memory", "x")):
        pass


async def test_what_is_no_transport_for_its_scheme_is_named(install: Install) -> None:
    install("p2pchat_odd", "class Odd:\n  scheme = 'even'\n", odd="p2pchat_odd:Odd")
    sentence, hint = await refusals("odd")
    assert sentence == "p2pchat_odd:Odd of p2pchat_odd is not a transport for odd:"
    assert hint == "uninstall p2pchat_odd"


async def test_two_plug_ins_for_one_scheme_are_both_named(install: Install) -> None:
    for name in ("p2pchat_left", "p2pchat_right"):
        install(name, "", both=f"{name}:Transport")
    sentence, _ = await refusals("both")
    assert sentence == "more than one transport claims both:, in p2pchat_left and p2pchat_right"


async def test_a_plug_in_cannot_stand_in_for_a_built_in(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("p2pchat_evil", "raise SystemExit('must never be imported')", memory="p2pchat_evil:Evil")
    transports = Transports()
    with caplog.at_level(logging.WARNING):
        async with open_door(transports, Address("memory", "x")):
            assert isinstance(transports._transports["memory"], MemoryTransport)
    assert "a plug-in offers memory:, which is built in; the plug-in is not used" in caplog.messages


async def test_a_plug_in_that_does_not_translate_its_errors_is_no_bug_of_ours(install: Install) -> None:
    source = """if True:
        class Rude:
            scheme = "rude"

            async def connect(self, address):
                raise OSError("go away")

            listen = connect
    """
    install("p2pchat_rude", source, rude="p2pchat_rude:Rude")
    with pytest.raises(ConnectFailed, match=r"^cannot dial rude:x: go away$"):
        await Transports().connect(Address("rude", "x"))
    with pytest.raises(ListenFailed, match=r"^cannot listen on rude:x: go away$"):
        await Transports().listen(Address("rude", "x"))
