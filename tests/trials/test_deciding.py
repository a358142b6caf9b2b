"""Trials in a decision: plans follow the logged odds, and only sides that differ count as apart."""

import gc
from collections import Counter

import pytest

from learner.assignment import Slot
from router.config.config import Config
from router.domain import Home, Request, Trace
from router.plans.compiled import Plans
from router.request.reading import reading_of
from router.routing.case import Surroundings
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.function_contract import LEFT_OUT, RESTING, MachineTrouble, Unanswered
from router.routing.ladder import policy_of
from router.routing.steering import Live, Steering
from router.routing.strategies import Strategy
from router.telemetry.rows import request_row

CONFIG = Config.model_validate(
    {
        "backends": {"a": {"kind": "generator"}, "b": {"kind": "generator"}},
        "plans": {"x": {"ask": "a"}, "y": {"ask": "b"}, "z": {"pipeline": ["a", "b"]}},
        "objective": {"strategy": "fixed", "plan": "x"},
    }
)
PLANS = Plans(CONFIG)
X, Y = (Strategy(f"always-{p}", "fixed", settings={"plan": p}) for p in "xy")
MIX = Strategy("mix", "mix", 1, {"shares": {"x": 0.5, "y": 0.3, "z": 0.2}})
CODE = Strategy("code", "function", 1, source="...")


def request(n=0, **given):
    fields = {"messages": [{"role": "user", "content": "two people"}], "shape": {"name": "string"}}
    usual = {
        "id": f"r{n}", "body": b"{}", "fields": fields, "model": "auto", "stream": False,
        "include_usage": False, "session": "s", "session_given": False, "continues": False,
    } | given  # fmt: skip
    return Request(**usual, reading=reading_of(usual["fields"]))


def trial(candidate, share=0.5, *, current=None, shadow=False, id_="t1", layer="strategy"):
    return Live(Slot(id_, layer, 0.0, 1.0, share), id_, candidate, current, shadow=shadow)


def decide(steering, request, uniform=0.4, **around):
    surroundings = Surroundings(steering=steering, **around)
    return route(PLANS, Deciders(policy_of(PLANS)), request, surroundings, uniform=uniform)


def test_each_side_decides_as_its_strategy_and_the_odds_are_those_of_both():
    steering = Steering(X, lives=(trial(Y, 0.3),))
    decisions = [decide(steering, request(n)) for n in range(2000)]
    for decision in decisions:
        exposure = decision.exposures[0]
        assert decision.plan == ("y" if exposure.side == "candidate" else "x")
        assert exposure.other == ("x" if exposure.side == "candidate" else "y")
        assert exposure.apart
        assert exposure.chance == pytest.approx(0.3 if exposure.side == "candidate" else 0.7)
        assert decision.probabilities == pytest.approx({"x": 0.7, "y": 0.3, "z": 0.0})
    plans = Counter(decision.plan for decision in decisions)
    assert plans["y"] / 2000 == pytest.approx(0.3, abs=0.03)


def test_plans_are_drawn_with_the_logged_odds_and_only_differing_sides_are_apart():
    steering = Steering(X, lives=(trial(MIX, 0.5),))
    decisions = [decide(steering, request(n), uniform=(n % 100 + 0.5) / 100) for n in range(4000)]
    odds = {"x": 0.75, "y": 0.15, "z": 0.1}
    assert decisions[0].probabilities == pytest.approx(odds)
    plans = Counter(decision.plan for decision in decisions)
    for plan, share in odds.items():
        assert plans[plan] / 4000 == pytest.approx(share, abs=0.03)
    # Half of the time the same draw gives the mix plan x too: such a request compares nothing.
    apart = sum(decision.exposures[0].apart for decision in decisions) / 4000
    assert apart == pytest.approx(0.5, abs=0.02)


def test_a_conversation_is_one_unit_and_stays_with_its_plan():
    steering = Steering(X, lives=(trial(Y, 0.5),))
    units = {decide(steering, request(n, session_given=True)).exposures[0].unit for n in range(20)}
    assert len(units) == 1
    home = Home("z", "a", 1.0)
    decision = decide(steering, request(1, session_given=True), home=home)
    assert (decision.plan, decision.strategy, decision.exposures) == ("z", "sticky", ())


def test_a_shadow_is_asked_and_never_followed():
    decision = decide(Steering(X, lives=(trial(Y, shadow=True),)), request())
    exposure = decision.exposures[0]
    assert (decision.plan, decision.propensity) == ("x", 1.0)
    assert (exposure.side, exposure.chance, exposure.apart, exposure.other) == (
        "shadow", 1.0, True, "y",
    )  # fmt: skip


@pytest.mark.parametrize("serving", [MachineTrouble(RESTING), Unanswered("ValueError: no")])
def test_what_ails_the_serving_function_is_not_noted_of_a_shadow(serving):
    def ask(strategy, arguments):
        if strategy.key == CODE.key:
            raise serving
        return "y"

    shadow = Strategy("other", "function", 1, source="def route(): ...")
    steering = Steering(CODE, lives=(trial(shadow, shadow=True),))
    assert decide(steering, request(), call_function=ask).exposures[0].trouble == ""


def test_where_sides_are_compared_a_trouble_of_the_machine_is_noted_before_an_error():
    def ask(strategy, arguments):
        raise MachineTrouble(RESTING) if strategy.key == CODE.key else Unanswered("ValueError: no")

    other = Strategy("other", "function", 1, source="def route(): ...")
    for n in range(20):
        decision = decide(Steering(CODE, lives=(trial(other),)), request(n), call_function=ask)
        assert decision.exposures[0].trouble == RESTING


def test_a_plan_that_another_trial_leaves_out_is_no_fault_of_the_function_that_chose_it():
    slim = Strategy("slim", "same", 1, without=("y",))
    lives = (trial(CODE, shadow=True), trial(slim, 0.5, id_="t2", layer="plans"))
    troubles = Counter(
        tuple(exposure.trouble for exposure in decision.exposures)
        for n in range(200)
        for decision in [decide(Steering(X, lives=lives), request(n), call_function=asks("y"))]
    )
    assert troubles.keys() == {("", ""), (LEFT_OUT, "")}


def test_what_a_trial_leaves_out_of_a_serving_function_is_compared():
    slim = Strategy("slim", "same", 1, without=("y",))
    steering = Steering(CODE, lives=(trial(slim, 0.5, layer="plans"),))
    for n in range(50):
        decision = decide(steering, request(n), call_function=asks("y"))
        exposure = decision.exposures[0]
        assert exposure.apart
        assert exposure.trouble == ""


def test_a_held_out_unit_gets_the_control_and_is_in_no_trial():
    holdout = trial(Y, 0.9, current=X, id_="adopted", layer="holdout")
    steering = Steering(Y, holdout, (trial(MIX, 0.5),))
    for n in range(300):
        decision = decide(steering, request(n))
        if decision.exposures[0].side == "current":
            assert decision.plan == "x"
            assert len(decision.exposures) == 1
        else:
            assert [exposure.name for exposure in decision.exposures] == ["adopted", "t1"]


def test_layers_are_independent_and_a_layer_takes_plans_from_whatever_another_decides():
    slim = Strategy("slim", "same", 1, without=("x",))
    lives = (trial(MIX, 0.5), trial(slim, 0.5, id_="t2", layer="plans"))
    decisions = [decide(Steering(X, lives=lives), request(n), uniform=0.9) for n in range(1500)]
    sides = Counter(tuple(e.side for e in decision.exposures) for decision in decisions)
    assert all(count / 1500 == pytest.approx(0.25, abs=0.05) for count in sides.values())
    for decision in decisions:
        if decision.exposures[1].side == "candidate":
            assert decision.plan != "x"


@pytest.mark.slow
def test_the_logged_odds_are_exact_however_many_trials_meet():
    holdout = trial(X, 0.8, current=Y, id_="adopted", layer="holdout")
    slim = Strategy("slim", "same", 1, without=("x",))
    lives = (trial(MIX, 0.3), trial(slim, 0.4, id_="t2", layer="plans"))
    steering = Steering(X, holdout, lives)
    decisions = [decide(steering, request(n), uniform=(n % 50 + 0.5) / 50) for n in range(8000)]
    odds = next(decision for decision in decisions if len(decision.exposures) == 3).probabilities
    plans = Counter(decision.plan for decision in decisions)
    for plan, share in odds.items():
        assert plans[plan] / 8000 == pytest.approx(share, abs=0.02)
    assert sum(odds.values()) == pytest.approx(1.0)


def test_a_decision_leaves_nothing_for_the_collector():
    lives = (trial(MIX, 0.3), trial(Y, 0.4, id_="t2", layer="plans"))
    steering = Steering(X, lives=lives)
    decide(steering, request())
    gc.collect()
    gc.disable()
    try:
        for n in range(50):
            decide(steering, request(n))
        assert gc.collect() < 50
    finally:
        gc.enable()


def test_a_candidate_without_plans_keeps_the_only_plan_that_a_request_allows():
    slim = Strategy("slim", "same", 1, without=("x",))
    steering = Steering(X, lives=(trial(slim, 0.5, layer="plans"),))
    plans = {decide(steering, request(n, only=("x",))).plan for n in range(20)}
    assert plans == {"x"}


def asks(answer):
    def ask(strategy, arguments):
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    return ask


@pytest.mark.parametrize(
    ("answer", "plan", "trouble"),
    [
        ("y", "y", ""),
        ({"y": 3, "z": 1}, "y", ""),
        (None, "x", "it has no opinion"),
        ("nowhere", "x", "a plan that its source does not name, which cannot answer"),
        ({"y": -1}, "x", "the share of y is -1"),
        ({"y": float("nan")}, "x", "the share of y is nan"),
        ({"y": float("inf")}, "x", "the share of y is inf"),
        ({"y": 0}, "x", "nothing that can be shared"),
        ({"y": True}, "x", "the share of y is True"),
        ([], "x", "answered with list"),
        (42, "x", "answered with int"),
        (Unanswered("no answer by its deadline"), "x", "no answer by its deadline"),
    ],
)
def test_a_function_decides_and_where_it_cannot_the_serving_strategy_does(answer, plan, trouble):
    steering = Steering(X, lives=(trial(CODE, 0.999999),))
    decision = decide(steering, request(), call_function=asks(answer))
    assert decision.plan == plan
    assert trouble in decision.exposures[0].trouble
    assert bool(trouble) == bool(decision.exposures[0].trouble)


def test_a_function_that_serves_and_fails_leaves_the_decision_to_the_configuration():
    decision = decide(Steering(CODE), request(), call_function=asks(Unanswered("it is dead")))
    assert decision.plan == "x"
    assert "code@1 did not say (it is dead)" in decision.reason


def test_a_function_sees_numbers_and_names_and_no_word_of_the_prompt():
    seen = []
    steering = Steering(CODE)
    decide(
        steering,
        request(task="people", fields=request().fields | {"secret": "hunter2"}),
        call_function=asks(lambda *arguments: seen.append(arguments) or "y"),
    )
    (given, scores, similar) = seen[0]
    assert given["kind"] == given["task"] == "people"
    assert "two people" not in str(seen)
    assert "hunter2" not in str(seen)
    assert set(scores) == {"x", "y", "z"}
    assert similar == []


def test_the_row_keeps_each_part_with_its_chance():
    decision = decide(Steering(X, lives=(trial(Y, 0.3),)), request())
    row = request_row(Trace(request(), decision, started_at=1.0))
    exposure = row["exposures"][0]
    assert (row["trial_id"], row["variant"]) == ("t1", exposure["variant"])
    assert exposure["chance"] == (0.3 if exposure["variant"] == "candidate" else 0.7)
    assert len(exposure["unit"]) == 16


def test_a_simpler_plan_takes_the_place_of_the_plan_it_was_made_from():
    less = Strategy("less", "same", 1, instead={"z": "z~b"})
    steering = Steering(
        Strategy("always-z", "fixed", settings={"plan": "z"}), lives=(trial(less, layer="plans"),)
    )
    decisions = [decide(steering, request(n)) for n in range(200)]
    for decision in decisions:
        pair = (decision.plan, decision.exposures[0].other)
        assert pair == (("z~b", "z") if decision.exposures[0].side == "candidate" else ("z", "z~b"))
        assert decision.probabilities["z~b"] == pytest.approx(0.5)
        assert decision.plan in decision.rates
    assert PLANS[decisions[0].plan].tree.pattern == "pipeline"
