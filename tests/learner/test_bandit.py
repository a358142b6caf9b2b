"""The bandit learns, notices drift, forgets, keeps to its limits, and can be saved."""

import dataclasses
from hashlib import blake2b

import numpy as np
import orjson
import pytest

from learner import snapshot
from learner.bandit_learner import Bandit
from learner.controls import Fixed
from learner.deciding import BanditSettings
from learner.pacing import Pacer
from learner.policy import Arm, Feedback, Outcome
from learner.preference import PRESETS, Preference

A, B, C = Arm("a"), Arm("b"), Arm("c")
X, Y = {"task=x": 1.0}, {"task=y": 1.0}


def taught(good, *, rounds=120, settings=None, seed=1):
    """A bandit that tried both arms on both tasks. `good` has the chance of a good answer."""
    bandit = Bandit("2:0", settings or BanditSettings())
    bandit.set_arms([A, B])
    more(bandit, good, rounds=rounds, seed=seed)
    return bandit


def more(bandit, good, *, rounds, seed=1):
    chance = np.random.default_rng(seed)
    drifts = []
    for n in range(rounds):
        for arm in (A, B):
            for context in (X, Y):
                (task,) = context
                quality = float(chance.random() < good[arm, task[-1]])
                feedback = Feedback(f"{seed}:{n}:{arm}:{task}", arm, context, quality)
                drifts.append(bandit.learn(feedback))
                bandit.see(Outcome(arm, context, 1.0, 0.1), task)
    return [drift for drift in drifts if drift]


GOOD = {(A, "x"): 0.9, (A, "y"): 0.2, (B, "x"): 0.4, (B, "y"): 0.8}


def test_it_finds_which_arm_is_for_which_task():
    policy = taught(GOOD).policy()
    assert policy.distribution(X, [A, B])[A] > 0.95
    assert policy.distribution(Y, [A, B])[B] > 0.95
    assert policy.explained(X)[1](A, B)[0][0] == "task=x"


def test_the_interval_of_an_estimate_holds_the_true_quality():
    estimates = {estimate.arm: estimate for estimate in taught(GOOD).policy().estimates(X)}
    assert abs(estimates[A].quality - 0.9) < 3 * estimates[A].deviation
    assert estimates[A].deviation < 0.06
    assert sum(estimate.share for estimate in estimates.values()) == pytest.approx(1)


def test_another_preference_or_price_needs_no_relearning():
    policy = taught({(A, "x"): 0.9, (A, "y"): 0.9, (B, "x"): 0.7, (B, "y"): 0.7}).policy()
    dear = policy.priced({A: 0.05, B: 0.0001})
    assert dear.preferring(PRESETS["quality"]).distribution(X, [A, B])[A] > 0.9
    assert dear.preferring(PRESETS["cheap"]).distribution(X, [A, B])[B] > 0.9
    assert (
        dear.priced({A: 0.0001, B: 0.0001}).preferring(PRESETS["cheap"]).distribution(X, [A, B])[A]
        > 0.9
    )


def test_a_slow_arm_loses_where_time_matters():
    bandit = taught({(A, "x"): 0.8, (A, "y"): 0.8, (B, "x"): 0.7, (B, "y"): 0.7})
    for _ in range(200):
        bandit.see(Outcome(A, X, 1.0, 5.0), "task=x")
    policy = bandit.policy().priced({})
    assert policy.preferring(Preference(0.0, 0.0)).distribution(X, [A, B])[A] > 0.8
    assert policy.preferring(PRESETS["fast"]).distribution(X, [A, B])[B] > 0.9
    assert policy.tail_seconds(X)[A] == pytest.approx(5.0)


def test_the_same_event_counts_once():
    bandit, again = taught(GOOD, rounds=20), taught(GOOD, rounds=20)
    more(again, GOOD, rounds=20)
    assert again.duplicates == 80
    assert again.learned == bandit.learned
    assert (again.sums().arms[A].natural == bandit.sums().arms[A].natural).all()


def test_a_judgement_that_was_revised_counts_as_it_is_now():
    once, revised = Bandit("2:0"), Bandit("2:0")
    once.learn(Feedback("1", A, X, 0.25, 1.0))
    revised.learn(Feedback("1", A, X, 1.0, 0.5))
    revised.revise(Feedback("", A, X, 1.0, 0.5), Feedback("1b", A, X, 0.25, 1.0))
    sums, wanted = revised.sums().arms[A], once.sums().arms[A]
    assert sums.precision.tolist() == wanted.precision.tolist()
    assert sums.natural.tolist() == wanted.natural.tolist()


def test_an_arm_that_got_worse_is_noticed_and_left_and_no_other_arm_is():
    bandit = taught(GOOD, rounds=150)
    assert more(bandit, GOOD, rounds=150, seed=2) == []
    before = bandit.evidence.weight(A)
    drifts = more(bandit, GOOD | {(A, "x"): 0.05, (A, "y"): 0.05}, rounds=150, seed=3)
    assert drifts
    assert drifts[0].arm == A
    assert drifts[0].residual < 0
    assert bandit.evidence.weight(A) < before
    assert bandit.policy().distribution(X, [A, B])[B] > 0.9


def test_old_answers_count_less_and_less():
    bandit = taught(GOOD, settings=BanditSettings(memory=400.0), rounds=400)
    assert bandit.evidence.weight(A) < 400


def test_a_new_arm_is_tried_for_a_while_whatever_is_expected_of_it():
    bandit = taught(GOOD)
    bandit.set_arms([A, B, C], burst=True)
    assert bandit.policy().distribution(X, [A, B, C])[C] >= 0.05 - 1e-9
    for n in range(61):
        bandit.learn(Feedback(f"c{n}", C, X, 0.0))
    assert bandit.policy().distribution(X, [A, B, C])[C] < 0.02
    assert A in Bandit("2:0").policy().distribution(X, [A])  # a bandit without arms of its own


def test_an_arm_that_came_after_the_policy_gets_a_share():
    odds = taught(GOOD).policy().distribution(X, [A, B, C])
    assert odds[C] == pytest.approx(0.05)
    assert sum(odds.values()) == pytest.approx(1)


def test_a_claimed_quality_counts_as_answers_would_and_gives_way_to_answers():
    bandit = Bandit("2:0")
    bandit.set_arms([A, B])
    bandit.believe(B, 0.95, weight=8.0, kind="task=x")
    bandit.believe(A, 0.3, weight=8.0, kind="task=x")
    assert bandit.policy().distribution(X, [A, B])[B] > 0.7
    more(bandit, GOOD, rounds=100)
    assert bandit.policy().distribution(X, [A, B])[A] > 0.9


def test_an_arm_that_is_not_yet_safe_gets_no_more_than_the_safe_share():
    bandit = Bandit("2:0", BanditSettings(safe_share=0.1))
    bandit.set_arms([A, B])
    cold = bandit.policy(fallback=Fixed(A)).distribution(X, [A, B])
    assert cold[B] <= 0.1 + 1e-9
    more(bandit, GOOD, rounds=120)
    assert bandit.policy(fallback=Fixed(A)).distribution(Y, [A, B])[B] > 0.9
    assert bandit.policy(fallback=Fixed(B)).distribution(Y, [A, B])[A] <= 0.1


def test_the_best_arm_takes_the_place_of_a_default_that_cannot_be_used():
    bandit = Bandit("1:0", BanditSettings(safe_share=0.1))
    gone = Arm("gone")
    bandit.set_arms([A, B, gone])
    for n in range(60):
        for arm, quality in ((A, 0.6), (B, 0.75), (gone, 0.6)):
            bandit.learn(Feedback(f"{n}{arm}", arm, X, quality))
    odds = bandit.policy(fallback=Fixed(gone)).distribution(X, [A, B])
    assert odds[B] > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_budget_is_kept_to_within_a_hundredth(seed):
    bandit = taught({(A, "x"): 0.9, (A, "y"): 0.9, (B, "x"): 0.6, (B, "y"): 0.6})
    chance = np.random.default_rng(seed)
    costs = {A: 0.01, B: 0.0005}
    pacer = Pacer(budget=4.0, requests=1000)
    policy = bandit.policy().priced(costs).preferring(Preference(0.0, 0.0))
    spent = 0.0
    for _ in range(3000):
        odds = dataclasses.replace(policy, pacer=pacer).distribution(X, [A, B])
        arm = A if chance.random() < odds[A] else B
        cost = costs[arm] * float(chance.uniform(0.8, 1.2))
        spent += cost
        pacer = pacer.after(cost)
    assert spent <= 3 * 4.0 * 1.01
    assert spent >= 3 * 4.0 * 0.9


def test_a_days_budget_makes_money_dear_once_spending_runs_ahead():
    ahead, behind = (Pacer.of_day(10.0, spent, 500, 0.5) for spent in (6.0, 4.0))
    assert ahead.penalty(0.02) > behind.penalty(0.02) == 0.0
    assert Pacer.of_day(10.0, 10.0, 500, 0.9).affordable([0.01, 0.0]) == [False, True]


def test_a_snapshot_goes_on_to_the_last_bit():
    bandit = taught(GOOD, rounds=70)
    content = snapshot.written(bandit, note="kept")
    again = snapshot.read(content)
    assert snapshot.written(again, note="kept") == content
    assert snapshot.opened(content)["note"] == "kept"
    for either in (bandit, again):
        more(either, GOOD | {(A, "x"): 0.0}, rounds=120, seed=9)
    assert snapshot.written(again) == snapshot.written(bandit)


def _changed(change):
    def made(content):
        values = orjson.loads(content)["bandit"]
        change(values)
        body = orjson.dumps(values)
        digest = blake2b(body, digest_size=16).hexdigest().encode()
        return b'{"checksum":"' + digest + b'","bandit":' + body + b"}\n"

    return made


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda c: c[:-400], "not a snapshot"),
        (lambda c: b"", "not a snapshot"),
        (lambda c: c.replace(b'"learned":', b'"Learned":'), "checksum"),
        (_changed(lambda t: t["arms"]["a"]["natural_mean"].__setitem__(0, None)), "no number"),
        (_changed(lambda t: t["arms"]["a"].update(weight=-1.0)), "negative weight"),
        (_changed(lambda t: t.update(format=99)), "format is 99"),
        (_changed(lambda t: t.pop("expenses")), "lacks"),
        (_changed(lambda t: t["arms"]["a"]["precision"].pop()), "lacks"),
    ],
    ids=["cut", "empty", "changed", "null", "negative", "format", "missing", "short"],
)
def test_a_snapshot_that_is_poisoned_is_refused_with_the_reason(harm, reason):
    content = harm(snapshot.written(taught(GOOD, rounds=5)))
    with pytest.raises(snapshot.UnreadableSnapshot, match=reason):
        snapshot.read(content)
