"""With `growth.serve: bandit`, an adopted made plan is an arm of the bandit within its pattern."""

import pytest

from learner.bandit_learner import Bandit
from learner.policy import Arm, Feedback, Outcome
from router.config.config import Config
from router.domain import Request
from router.plans.compiled import Plans
from router.plans.made import MadePlan
from router.request.context import taught
from router.request.patterns import Pattern, Patterns, bucket
from router.request.reading import reading_of
from router.routing.case import Surroundings
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of
from router.trials.director import Director
from router.trials.made_trials import adopt_made, end_by_hand, make, parents_of
from tests.fakes import MemoryJournal

PATTERNS = Patterns(1, (Pattern("p1", "invoice", {bucket("invoice"): 1.0}, 0.5),))
BACKEND = {
    "kind": "openai",
    "base_url": "http://127.0.0.1:1/v1",
    "price": {"input": 1, "output": 1},
}
STEPS = MadePlan("p1-steps-1", "p1", "x", {"ask": "a", "instruct": "Step by step."}, at=1.0)


def directed(folder, serve):
    config = Config.model_validate(
        {
            "server": {"data": str(folder)},
            "backends": {"a": BACKEND, "b": BACKEND},
            "plans": {"x": {"ask": "a"}, "y": {"ask": "b"}},
            "objective": {"strategy": "bandit"},
            "growth": {"serve": serve},
        }
    )
    director = Director(config, MemoryJournal(), lambda: 1.0)
    director.change(make, STEPS, 1.0, waits=False, alpha=0.05, most=400)
    return director


def adopted(folder, serve="bandit"):
    director = directed(folder, serve)
    director.change(adopt_made, director.book.trial(STEPS.name), 2.0, "it is better")
    return director


def policy(quality, answers=100):
    """A bandit that knows x and y, and a made plan whose answers have this quality."""
    bandit = Bandit(taught(0))
    bandit.set_arms([Arm("x"), Arm("y")])
    bandit.heirs.set_arms({Arm(STEPS.name): Arm("x")})
    for arm, good in (("x", 0.6), ("y", 0.7)):
        judge(bandit, arm, good, 200)
    judge(bandit, STEPS.name, quality, answers)
    return bandit.policy()


def judge(bandit, arm, quality, answers):
    for n in range(answers):
        good = n * 7 % 10 < 10 * quality
        bandit.learn(Feedback(f"{arm}{n}", Arm(arm), {}, float(good)))
        bandit.see(Outcome(Arm(arm), {}, 1.0, 1.0), "")


def decided(director, bandit, text="the invoice"):
    """The decision about a request that falls on the made plan's side."""
    steering, fields = director.steering, {"messages": [{"role": "user", "content": text}]}
    plans = Plans(director.book.config, steering.made)
    around = Surroundings(patterns=PATTERNS, steering=steering)
    by = Deciders(policy_of(plans), bandit)
    for n in range(100):
        usual = {
            "id": f"r{n}", "body": b"{}", "fields": fields, "model": "auto", "stream": False,
            "include_usage": False, "session": "s", "session_given": False, "continues": False,
        }  # fmt: skip
        decision = route(plans, by, Request(**usual, reading=reading_of(fields)), around, uniform=0)
        if [e.side for e in decision.exposures] in ([], ["candidate"]):
            return decision
    raise AssertionError("no request falls on this side")


def share_of(decision):
    """What a candidate's side gives the made plan, whatever the share of its control is."""
    (own,) = [e.share for e in decision.estimates if e.arm == STEPS.name]
    return own


def test_the_bandit_chooses_a_made_plan_unless_another_plan_is_better_for_the_request(tmp_path):
    director = adopted(tmp_path)
    better = decided(director, policy(0.95))
    assert share_of(better) == 1.0
    worse = decided(director, policy(0.3))
    assert share_of(worse) < 0.02
    assert "in 1% of such requests" in worse.reason
    assert sum(worse.probabilities.values()) == pytest.approx(1)
    assert worse.probabilities["y"] > 0.5
    assert worse.probabilities[STEPS.name] == pytest.approx(0.95 * share_of(worse))
    assert STEPS.name not in decided(director, policy(0.95), "a poem").probabilities


def test_a_made_plan_answers_all_until_it_has_shown_enough_and_where_the_operator_says_so(tmp_path):
    few = decided(adopted(tmp_path / "few"), policy(0.3, answers=20))
    assert few.probabilities[STEPS.name] == pytest.approx(0.95)
    everything = decided(adopted(tmp_path / "all", "all"), policy(0.3))
    assert everything.probabilities[STEPS.name] == pytest.approx(0.95)
    assert share_of(everything) == 1.0  # what is expected of it is known all the same
    on_trial = decided(directed(tmp_path / "trial", "bandit"), policy(0.3))
    assert on_trial.probabilities[STEPS.name] == pytest.approx(0.5)


def test_the_learner_keeps_a_model_of_a_made_plan_until_it_is_removed(tmp_path):
    director = adopted(tmp_path)
    assert parents_of(director.book) == {STEPS.name: "x"}
    director.change(end_by_hand, STEPS.name, 3.0, "removed")
    assert parents_of(director.book) == {}
