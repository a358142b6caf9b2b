"""Which stages a plan can lose, and the simpler plan without one of them."""

import pytest
from pydantic import TypeAdapter

from router.config.plan_steps import backends_of, simpler, stages, whole
from router.config.plans import AnyPlan

PLANS = {
    name: TypeAdapter(AnyPlan).validate_python(fields)
    for name, fields in {
        "one": {"ask": "a"},
        "line": {"pipeline": [{"ask": "a", "fields": "anchors"}, "b", "c"]},
        "gated": {"ask": "a", "gate": {"schema": True}},
        "rungs": {"cascade": ["a", "b", "c"], "accept": {"schema": True}},
        "two": {"cascade": ["a", "b"], "accept": {"schema": True}},
        "votes": {"fan_out": ["a", "b"], "merge": "vote"},
    }.items()
}


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        ("one", []),
        ("line", ["b", "c"]),
        ("gated", ["gate"]),
        ("rungs", ["a", "b"]),
        ("two", []),
        ("votes", []),
    ],
)
def test_the_stages_of_a_plan_are_those_that_leave_a_plan(plan, names):
    assert stages(plan, PLANS) == names


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("line~b", ["a", "c"]),
        ("line~c", ["a", "b"]),
        ("rungs~a", ["b", "c"]),
        ("gated~gate", ["a"]),
    ],
)
def test_a_simpler_plan_has_every_stage_but_that(name, left):
    assert list(backends_of(name, PLANS)) == left
    assert simpler(name, PLANS).gate is None
    assert whole(name) in PLANS


@pytest.mark.parametrize("name", ["line~a", "line~z", "line~", "none~b", "one~a", "line"])
def test_there_is_no_simpler_plan_without_something_that_is_no_stage(name):
    assert simpler(name, PLANS) is None
