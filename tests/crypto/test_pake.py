"""CPace against the draft's vectors, our own, and somebody else's implementation; and what makes a run fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cpace as partner
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from p2pchat.crypto import pake
from p2pchat.crypto.pake import Keys, Pake, generator
from tests.support import golden_claim, vectors
from tests.support.entropy import scripted, seeded

FOREIGN = "cpace-x25519-sha512.json"
FIELD = 2**255 - 19
HIGH_BIT = 1 << 255
PRS, CI, SID, ADA, ADB = b"otter-amber-knife", b"what for", b"b" * 32, b"alice", b"bob"

#: All there are, on the curve and on its twist, and those that are written with a number over the field.
LOW_ORDER = {
    "0": 0,
    "1": 1,
    "-1": FIELD - 1,
    "0 over the field": FIELD,
    "1 over the field": FIELD + 1,
    "order 8": 0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    "order 8, the other": 0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
}

secrets = st.one_of(st.binary(max_size=40), st.integers(100, 300).map(bytes))
strings = st.one_of(st.binary(max_size=20), st.sampled_from([0, 1, 127, 128, 16383, 16384]).map(bytes))
scalars = st.binary(min_size=32, max_size=32)


def pair(prs: bytes = PRS, other: bytes = PRS) -> tuple[Pake, Pake]:
    """Return both sides of one run, who know these secrets."""
    return Pake(prs, ci=CI, sid=SID, entropy=seeded(1)), Pake(other, ci=CI, sid=SID, entropy=seeded(2))


def met(a: Pake, b: Pake) -> tuple[Keys, Keys]:
    """Return what each side has at the end."""
    return a.finish(b.share, ADA, ADB, first=True), b.finish(a.share, ADA, ADB, first=False)


# ---- recorded bytes


def test_the_drafts_run_holds_in_both_roles() -> None:
    given = {name: bytes.fromhex(value) for name, value in vectors.foreign_file(FOREIGN)["G_25519"].items()}
    prs, ci, sid = given["PRS"], given["CI"], given["sid"]
    assert generator(prs, ci, sid) == given["g"]
    a = Pake(prs, ci=ci, sid=sid, entropy=scripted(given["ya"]))
    b = Pake(prs, ci=ci, sid=sid, entropy=scripted(given["yb"]))
    assert (a.share, b.share) == (given["Ya"], given["Yb"])
    assert a._times(b.share) == b._times(a.share) == given["K"]
    keys = a.finish(b.share, given["ADa"], given["ADb"], first=True)
    assert keys == b.finish(a.share, given["ADa"], given["ADb"], first=False)
    assert keys.isk == given["ISK_IR"]


def test_the_drafts_weak_points_are_refused() -> None:
    """Five of its twelve are weak only to who does not drop the highest bit; without it they are points like others."""
    side, _ = pair()
    weak = 0
    for name, text in vectors.foreign_file(FOREIGN)["X25519_points"].items():
        point = bytes.fromhex(text)
        if int.from_bytes(point, "little") & HIGH_BIT:
            bare = int.from_bytes(point, "little") & ~HIGH_BIT
            assert side._times(point) == side._times(bare.to_bytes(32, "little")), name
        else:
            weak += 1
            with pytest.raises(ValueError, match=r"\w"):
                side.finish(point, ADA, ADB, first=True)
    assert weak == len(LOW_ORDER)


@pytest.mark.parametrize("recorded", vectors.own(golden_claim.NAME)["runs"], ids=range(len(golden_claim.SECRETS)))
def test_our_own_runs_are_as_recorded(recorded: dict[str, str]) -> None:
    assert golden_claim.run(bytes.fromhex(recorded["PRS"])) == recorded


@pytest.mark.parametrize("recorded", vectors.own(golden_claim.NAME)["runs"], ids=range(len(golden_claim.SECRETS)))
def test_the_partner_agrees_with_what_we_recorded(recorded: dict[str, str]) -> None:
    """So a lone clone is held to bytes that two implementations have made."""
    given = {name: bytes.fromhex(value) for name, value in recorded.items()}
    sid = golden_claim.BINDING
    assert partner._calculate_generator(given["PRS"], b"p2pchat test", sid) == given["g"]
    a = partner.CPace(
        role=partner.CPaceRole.INITIATOR,
        sid=sid,
        ad=b"ADa",
        scalar=golden_claim.CLAIMANT_DRAW,
        public_share=given["Ya"],
    )
    a.derive(given["Yb"], b"ADb")
    assert (a.isk, a.tag()) == (given["ISK"], given["Ta"])
    assert a.verify(given["Tb"])


# ---- somebody else's implementation


@pytest.mark.slow
@given(secrets, strings, strings, strings, strings)
def test_the_partner_agrees_in_both_roles(prs: bytes, ci: bytes, sid: bytes, ad_a: bytes, ad_b: bytes) -> None:
    ours = Pake(prs, ci=ci, sid=sid, entropy=seeded(1))
    for role, first, ad, peer_ad in (
        (partner.CPaceRole.RESPONDER, True, ad_b, ad_a),
        (partner.CPaceRole.INITIATOR, False, ad_a, ad_b),
    ):
        theirs = partner.CPace.start(role=role, prs=prs, sid=sid, ci=ci, ad=ad)
        keys = ours.finish(theirs.public_share, ad_a, ad_b, first=first)
        theirs.derive(ours.share, peer_ad)
        assert keys.isk == theirs.isk
        assert (keys.confirms_b if first else keys.confirms_a)(theirs.tag())
        assert theirs.verify(keys.tag_a if first else keys.tag_b)


def test_a_partner_with_another_secret_is_found_out_by_both() -> None:
    ours, _ = pair()
    theirs = partner.CPace.start(role=partner.CPaceRole.RESPONDER, prs=b"otter-amber-fork", sid=SID, ci=CI, ad=ADB)
    keys = ours.finish(theirs.public_share, ADA, ADB, first=True)
    theirs.derive(ours.share, ADA)
    assert not keys.confirms_b(theirs.tag())
    assert not theirs.verify(keys.tag_a)


# ---- the map


@given(st.integers(0, 2**256))
@example(0)
def test_whatever_is_mapped_is_on_the_curve(r: int) -> None:
    u = pake._elligator2(r)
    assert 0 <= u < FIELD
    assert pow(u**3 + 486662 * u**2 + u, (FIELD - 1) // 2, FIELD) in {0, 1}
    assert u.to_bytes(32, "little") == partner._elligator2(r)


# ---- what makes a run fail


def test_two_who_know_the_same_secret_have_the_same_keys() -> None:
    ours, theirs = met(*pair())
    assert ours == theirs
    assert ours.confirms_b(theirs.tag_b)
    assert theirs.confirms_a(ours.tag_a)


@given(secrets, secrets)
def test_two_who_know_different_secrets_have_nothing_in_common(prs: bytes, other: bytes) -> None:
    ours, theirs = met(*pair(prs, other))
    assert ours.confirms_b(theirs.tag_b) == theirs.confirms_a(ours.tag_a) == (prs == other)
    assert (ours.isk == theirs.isk) == (prs == other)


def test_one_sides_proof_is_not_the_others() -> None:
    keys, _ = met(*pair())
    assert not keys.confirms_a(keys.tag_b)
    assert not keys.confirms_b(keys.tag_a)


DIFFERENCES: dict[str, Callable[[Pake], Keys]] = {
    "what it is for": lambda b: other_run(b, ci=b"what else for"),
    "the name of the run": lambda b: other_run(b, sid=b"c" * 32),
    "what A says of itself": lambda b: other_run(b, ad_a=b"carol"),
    "what B says of itself": lambda b: other_run(b, ad_b=b"carol"),
    "who is A": lambda b: Pake(PRS, ci=CI, sid=SID, entropy=seeded(1)).finish(b.share, ADA, ADB, first=False),
}


def other_run(b: Pake, *, ci: bytes = CI, sid: bytes = SID, ad_a: bytes = ADA, ad_b: bytes = ADB) -> Keys:
    return Pake(PRS, ci=ci, sid=sid, entropy=seeded(1)).finish(b.share, ad_a, ad_b, first=True)


@pytest.mark.parametrize("differently", DIFFERENCES.values(), ids=DIFFERENCES)
def test_two_who_mean_different_things_have_nothing_in_common(differently: Callable[[Pake], Keys]) -> None:
    a, b = pair()
    keys, odd = b.finish(a.share, ADA, ADB, first=False), differently(b)
    assert not keys.confirms_a(odd.tag_a)
    assert not odd.confirms_b(keys.tag_b)


def test_where_one_string_ends_and_the_next_begins_counts() -> None:
    a, b = pair()
    one, two = a.finish(b.share, b"x", b"yz", first=True), b.finish(a.share, b"xy", b"z", first=False)
    assert not one.confirms_b(two.tag_b)
    assert generator(b"ab", b"c", b"d") != generator(b"a", b"bc", b"d") != generator(b"a", b"b", b"cd")


def test_a_share_with_its_unused_bit_changed_on_the_way_is_noticed() -> None:
    a, b = pair()
    changed = (int.from_bytes(b.share, "little") ^ HIGH_BIT).to_bytes(32, "little")
    ours, theirs = a.finish(changed, ADA, ADB, first=True), b.finish(a.share, ADA, ADB, first=False)
    assert not ours.confirms_b(theirs.tag_b)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("point", LOW_ORDER.values(), ids=LOW_ORDER)
def test_a_share_that_makes_the_key_the_same_for_all_secrets_is_refused(point: int, first: bool) -> None:  # noqa: FBT001
    side, _ = pair()
    with pytest.raises(ValueError, match=r"\w"):
        side.finish(point.to_bytes(32, "little"), ADA, ADB, first=first)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_share_of_another_length_is_refused(length: int) -> None:
    side, _ = pair()
    with pytest.raises(ValueError, match=r"\w"):
        side.finish(bytes(length), ADA, ADB, first=True)


@pytest.mark.parametrize("first", [True, False])
def test_our_own_share_come_back_is_refused(first: bool) -> None:  # noqa: FBT001
    side, _ = pair()
    with pytest.raises(ValueError, match="come back"):
        side.finish(side.share, ADA, ADB, first=first)


@given(scalars)
def test_whatever_is_drawn_there_is_a_share(scalar: bytes) -> None:
    share = Pake(PRS, ci=CI, sid=SID, entropy=scripted(scalar)).share
    assert len(share) == pake.SHARE_LENGTH
    assert share != generator(PRS, CI, SID)


def test_nothing_secret_is_shown() -> None:
    a, b = pair()
    keys, _ = met(a, b)
    shown = f"{a!r} {a} {keys!r} {keys}"
    secret: list[Any] = [PRS, keys.isk, keys.tag_a, keys.tag_b, a._scalar.private_bytes_raw(), a._times(b.share)]
    assert not any(text in shown for value in secret for text in (str(value), repr(value), value.hex()))
    assert a.share.hex() in shown


@pytest.mark.parametrize(
    ("length", "prefix"), [(0, "00"), (0x7F, "7f"), (0x80, "8001"), (0x81, "8101"), (300, "ac02"), (2**14, "808001")]
)
def test_lengths_are_written_in_leb128(length: int, prefix: str) -> None:
    """Source: draft-irtf-cfrg-cpace, "prepend_len"; the vectors of it have no part of 128 bytes or more."""
    assert pake._lv_cat(bytes(length)) == bytes.fromhex(prefix) + bytes(length)
