"""The simple policies: fixed arms and ladders."""

import pytest

from learner.controls import Fixed, Ladder
from learner.policy import Arm

LADDER = Ladder("complexity", (3.0, 6.0), (Arm("fast"), Arm("quality"), Arm("premium")))
ALL = LADDER.rungs


def chosen(complexity, arms=ALL):
    distribution = LADDER.distribution({"complexity": complexity}, arms)
    return [arm for arm, share in distribution.items() if share == 1.0]


@pytest.mark.parametrize(
    ("complexity", "rung"),
    [
        (0, "fast"),
        (2.99, "fast"),
        (3, "quality"),
        (5.9, "quality"),
        (6, "premium"),
        (10, "premium"),
    ],
)
def test_each_cut_climbs_a_rung(complexity, rung):
    assert chosen(complexity) == [rung]


def test_a_rung_that_cannot_be_used_gives_way_upwards_before_downwards():
    assert chosen(0, [Arm("quality"), Arm("premium")]) == ["quality"]
    assert chosen(4, [Arm("fast"), Arm("premium")]) == ["premium"]
    assert chosen(9, [Arm("fast"), Arm("quality")]) == ["quality"]


def test_arms_that_are_no_rungs_share_what_no_rung_can_take():
    strangers = [Arm("x"), Arm("y")]
    assert LADDER.distribution({"complexity": 5}, strangers) == {"x": 0.5, "y": 0.5}


def test_fixed_shares_evenly_where_its_arm_is_away():
    assert Fixed(Arm("a")).distribution({}, [Arm("b"), Arm("c")]) == {"b": 0.5, "c": 0.5}


def test_a_ladder_with_too_few_rungs_says_how_many_it_needs():
    with pytest.raises(ValueError, match="2 cuts need 3 rungs"):
        Ladder("complexity", (3.0, 6.0), (Arm("a"), Arm("b")))


def test_a_ladder_whose_cuts_fall_says_so():
    with pytest.raises(ValueError, match="cuts must rise"):
        Ladder("complexity", (6.0, 3.0), ALL)
