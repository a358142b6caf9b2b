"""What could be taken out of a plan, and what is left then."""

import pytest
from pydantic import TypeAdapter

from router.config.plan_steps import backends_of, simpler, stages, whole
from router.config.plans import AnyPlan

PLANS = {
    name: TypeAdapter(AnyPlan).validate_python(told)
    for name, told in {
        "one": {"ask": "a"},
        "line": {"pipeline": [{"ask": "a", "fields": "anchors"}, "b", "c"]},
        "gated": {"ask": "a", "gate": {"schema": True}},
        "rungs": {"cascade": ["a", "b", "c"], "accept": {"schema": True}},
        "two": {"cascade": ["a", "b"], "accept": {"schema": True}},
        "votes": {"fan_out": ["a", "b"], "merge": "vote"},
    }.items()
}


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("one", []),
        ("line", ["b", "c"]),
        ("gated", ["gate"]),
        ("rungs", ["a", "b"]),
        ("two", []),
        ("votes", []),
    ],
)
def test_stages_are_what_leaves_a_plan(plan, told):
    assert stages(plan, PLANS) == told


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("line~b", ["a", "c"]),
        ("line~c", ["a", "b"]),
        ("rungs~a", ["b", "c"]),
        ("gated~gate", ["a"]),
    ],
)
def test_a_simpler_plan_has_all_but_that_stage(name, left):
    assert list(backends_of(name, PLANS)) == left
    assert simpler(name, PLANS).gate is None
    assert whole(name) in PLANS


@pytest.mark.parametrize("name", ["line~a", "line~z", "line~", "none~b", "one~a", "line"])
def test_what_is_no_stage_leaves_no_plan(name):
    assert simpler(name, PLANS) is None
