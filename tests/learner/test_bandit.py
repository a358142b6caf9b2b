"""A bandit learns, notices, forgets, is guarded, and can be written down."""

import dataclasses

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
    """A bandit that tried both arms on both tasks; `good` says how often each pleased."""
    bandit = Bandit("2:0", settings or BanditSettings())
    bandit.know([A, B])
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
                one = Feedback(f"{seed}:{n}:{arm}:{task}", arm, context, quality)
                drifts.append(bandit.learn(one))
                bandit.see(Outcome(arm, context, 1.0, 0.1), task)
    return [drift for drift in drifts if drift]


GOOD = {(A, "x"): 0.9, (A, "y"): 0.2, (B, "x"): 0.4, (B, "y"): 0.8}


def test_it_finds_which_arm_is_for_which_task():
    policy = taught(GOOD).policy()
    assert policy.distribution(X, [A, B])[A] > 0.95
    assert policy.distribution(Y, [A, B])[B] > 0.95
    assert policy.reasons(X, A, B)[0][0] == "task=x"


def test_estimates_tell_quality_with_an_interval_that_holds_it():
    told = {one.arm: one for one in taught(GOOD).policy().estimates(X)}
    assert abs(told[A].quality - 0.9) < 3 * told[A].deviation
    assert told[A].deviation < 0.06
    assert sum(one.share for one in told.values()) == pytest.approx(1)


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
    assert (again.sums().natural[A] == bandit.sums().natural[A]).all()


def test_a_judgement_that_changed_its_mind_counts_as_it_is_now():
    once, revised = Bandit("2:0"), Bandit("2:0")
    once.learn(Feedback("1", A, X, 0.25, 1.0))
    revised.learn(Feedback("1", A, X, 1.0, 0.5))
    revised.revise(Feedback("", A, X, 1.0, 0.5), Feedback("1b", A, X, 0.25, 1.0))
    told, wanted = revised.sums(), once.sums()
    assert told.precision[A].tolist() == wanted.precision[A].tolist()
    assert told.natural[A].tolist() == wanted.natural[A].tolist()


def test_an_arm_that_fell_is_noticed_and_left_and_none_is_without_a_fall():
    bandit = taught(GOOD, rounds=150)
    assert more(bandit, GOOD, rounds=150, seed=2) == []
    before = bandit.evidence.weight(A)
    drifts = more(bandit, GOOD | {(A, "x"): 0.05, (A, "y"): 0.05}, rounds=150, seed=3)
    assert drifts
    assert drifts[0].arm == A
    assert drifts[0].residual < 0
    assert bandit.evidence.weight(A) < before
    assert bandit.policy().distribution(X, [A, B])[B] > 0.9


def test_what_is_old_counts_less_and_less():
    bandit = taught(GOOD, settings=BanditSettings(memory=400.0), rounds=400)
    assert bandit.evidence.weight(A) < 400


def test_an_arm_that_is_new_is_tried_whatever_is_thought_for_a_while():
    bandit = taught(GOOD)
    bandit.know([A, B, C], burst=True)
    assert bandit.policy().distribution(X, [A, B, C])[C] >= 0.05 - 1e-9
    for n in range(61):
        bandit.learn(Feedback(f"c{n}", C, X, 0.0))
    assert bandit.policy().distribution(X, [A, B, C])[C] < 0.02
    assert A in Bandit("2:0").policy().distribution(X, [A])  # one that nobody ever heard of


def test_an_arm_a_policy_does_not_know_yet_gets_a_share():
    told = taught(GOOD).policy().distribution(X, [A, B, C])
    assert told[C] == pytest.approx(0.05)
    assert sum(told.values()) == pytest.approx(1)


def test_a_card_counts_as_answers_would_and_gives_way_to_them():
    bandit = Bandit("2:0")
    bandit.know([A, B])
    bandit.believe(B, 0.95, weight=8.0, kind="task=x")
    bandit.believe(A, 0.3, weight=8.0, kind="task=x")
    assert bandit.policy().distribution(X, [A, B])[B] > 0.7
    more(bandit, GOOD, rounds=100)
    assert bandit.policy().distribution(X, [A, B])[A] > 0.9


def test_until_it_is_cleared_an_arm_gets_no_more_than_was_set_aside():
    bandit = Bandit("2:0", BanditSettings(safe_share=0.1))
    bandit.know([A, B])
    cold = bandit.policy(fallback=Fixed(A)).distribution(X, [A, B])
    assert cold[B] <= 0.1 + 1e-9
    more(bandit, GOOD, rounds=120)
    assert bandit.policy(fallback=Fixed(A)).distribution(Y, [A, B])[B] > 0.9
    assert bandit.policy(fallback=Fixed(B)).distribution(Y, [A, B])[A] <= 0.1


def test_a_default_that_cannot_be_used_leaves_the_best_known_in_its_place():
    bandit = Bandit("1:0", BanditSettings(safe_share=0.1))
    gone = Arm("gone")
    bandit.know([A, B, gone])
    for n in range(4):
        for arm, quality in ((A, 0.6), (B, 0.75), (gone, 0.6)):
            bandit.learn(Feedback(f"{n}{arm}", arm, X, quality))
    told = bandit.policy(fallback=Fixed(gone)).distribution(X, [A, B])
    assert told[B] > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_budget_is_kept_to_within_a_hundredth(seed):
    bandit = taught({(A, "x"): 0.9, (A, "y"): 0.9, (B, "x"): 0.6, (B, "y"): 0.6})
    chance = np.random.default_rng(seed)
    costs = {A: 0.01, B: 0.0005}
    pacer = Pacer(budget=4.0, requests=1000)
    policy = bandit.policy().priced(costs).preferring(Preference(0.0, 0.0))
    spent = 0.0
    for _ in range(3000):
        told = dataclasses.replace(policy, pacer=pacer).distribution(X, [A, B])
        arm = A if chance.random() < told[A] else B
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
    for one in (bandit, again):
        more(one, GOOD | {(A, "x"): 0.0}, rounds=120, seed=9)
    assert snapshot.written(again) == snapshot.written(bandit)


def _changed(change):
    def made(content):
        told = orjson.loads(content)["bandit"]
        change(told)
        body = orjson.dumps(told)
        from hashlib import blake2b

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
