"""How far a computed answer was checked, as a value and as a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.verified import PROVEN_LEVELS, Verified, verified_by, verified_in

LEVELS = ("spec", "agreed", "rerun", "unverified")


@pytest.mark.parametrize(
    ("verified", "header"),
    [
        (Verified("spec"), "spec"),
        (Verified("rerun", ("at least 3", "sorted")), "rerun; unchecked: at least 3, sorted"),
        (Verified("agreed", ("días hábiles",)), "agreed; unchecked: dias habiles"),
        (Verified("rerun", ("a; level: spec", "b, c")), "rerun; unchecked: a level: spec, b c"),
        (Verified("rerun", ("年齢",)), "rerun; unchecked: ??"),
        (Verified("rerun", ("\x00",)), "rerun; unchecked: ?"),
        (Verified("rerun", ("", "  ")), "rerun"),
        (Verified("rerun", ("x" * 90,)), f"rerun; unchecked: {'x' * 57}..."),
    ],
)
def test_the_header_names_what_nobody_checked(verified: Verified, header: str):
    assert verified.header == header


def test_a_long_list_is_cut_and_the_header_says_how_many_parts_it_leaves_out():
    header = Verified("rerun", tuple(f"part {n}" for n in range(100))).header
    shown = header.removeprefix("rerun; unchecked: ").split(", ")
    assert shown[-1] == f"and {100 - (len(shown) - 1)} more"
    assert shown[0] == "part 0"
    assert len(header) <= 200


@given(st.sampled_from(LEVELS), st.lists(st.text(max_size=300), max_size=300))
def test_no_word_of_a_caller_breaks_out_of_the_header_or_changes_its_level(level, parts):
    header = Verified(level, tuple(parts)).header
    assert header.isascii()
    assert header.isprintable()
    assert len(header) <= 200
    assert header.partition(";")[0] == level
    assert header.count(";") <= 1


@given(st.sampled_from(sorted(PROVEN_LEVELS)), st.lists(st.text(max_size=30), max_size=9))
def test_a_stored_proof_says_what_the_header_said(level, parts):
    header = Verified(level, tuple(parts)).header
    remembered = verified_by(header)
    assert remembered is not None
    assert remembered.header == header


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "app: score",
        "verified: 4 checks",
        "kept without proof",
        "rerun",
        "unverified",
        "spec: 4",
    ],
)
def test_another_proof_tells_no_level(proof: str):
    assert verified_by(proof) is None


@pytest.mark.parametrize("computed", [{}, {"level": "sure"}, {"level": None}, {"level": True}])
def test_an_unknown_level_is_unverified(computed):
    assert verified_in(computed) == Verified("unverified")


@pytest.mark.parametrize(
    ("level", "proven"), [("spec", True), ("agreed", True), ("rerun", False), ("unverified", False)]
)
def test_two_levels_prove_an_answer(level, proven):
    assert Verified(level, ("sorted",)).proven is proven
