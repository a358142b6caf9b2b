"""Trees of contexts, how far estimators are believed, and the proof that a guard asks for."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import orjson
import pytest

from learner import snapshot
from learner.bandit_learner import FIRST, Bandit
from learner.controls import Fixed
from learner.deciding import BanditSettings
from learner.foretold import Foretold, Judged
from learner.insight import Ledger
from learner.policy import Arm, Feedback
from learner.posterior import placed
from learner.rows import Rows

A, B, C = Arm("a"), Arm("b"), Arm("c")
GUARDED = BanditSettings(safe_share=0.1)


def context_of(chance):
    return {f"vec.{n}": float(value) for n, value in enumerate(chance.normal(0, 0.4, 6))}


def ring(arm, context):
    """A chance that no regression on these features can tell: it depends on a distance."""
    far = abs(context["vec.0"]) > 0.3
    return 0.9 if far == (arm == A) else 0.1


def taught(quality, *, answers=900, seed=3, settings=GUARDED, arms=(A, B)):
    """A bandit that tried its arms evenly, and grew trees whenever they were due."""
    chance = np.random.default_rng(seed)
    bandit = Bandit("2:0", settings)
    bandit.set_arms(arms)
    for n in range(answers):
        arm, context = arms[int(chance.integers(len(arms)))], context_of(chance)
        good = float(chance.random() < quality(arm, context))
        bandit.learn(Feedback(str(n), arm, context, good, 1.0, 1 / len(arms)))
        if bandit.trees_are_due:
            bandit.grow(np.zeros(len(arms)))
    return bandit


def worth_of(policy, quality, *, seed=9, requests=300):
    """The mean quality that a policy gets on new contexts."""
    chance = np.random.default_rng(seed)
    total = 0.0
    for _ in range(requests):
        context = context_of(chance)
        odds = policy.distribution(context, list(policy.arms))
        total += sum(share * quality(arm, context) for arm, share in odds.items())
    return total / requests


@pytest.fixture(scope="module")
def policy():
    """What a bandit that was taught `ring` decides by."""
    return taught(ring).policy(fallback=Fixed(A))


def test_trees_find_what_regressions_cannot(policy):
    assert policy.insight.trees.mean() > 0.5
    assert policy.insight.ledger.least_gain > 0.1
    assert policy.guard.proved == 1
    without = replace(policy, insight=None)
    assert worth_of(policy, ring) > worth_of(without, ring) + 0.1


def test_reasons_add_up_to_what_tells_two_arms_apart(policy):
    far = {"vec.0": 0.5, "vec.1": 0.2}
    reasons = policy.explained(far)[1](A, B)
    assert reasons[0][0] == "trees"  # no regression can tell this
    assert reasons[0][1] > 0.1
    quality = {estimate.arm: estimate.quality for estimate in policy.estimates(far)}
    assert sum(value for _, value in reasons) == pytest.approx(quality[A] - quality[B], abs=1e-3)


@pytest.mark.slow
def test_where_contexts_say_nothing_the_best_arm_is_chosen():
    policy = taught(lambda arm, context: 0.7 if arm == A else 0.6).policy(fallback=Fixed(A))
    assert policy.insight.ledger.gain < 0.02
    assert worth_of(policy, lambda arm, context: float(arm == A)) > 0.8


def test_a_forest_says_what_its_trees_say():
    from sklearn.ensemble import ExtraTreesRegressor

    from learner.growing import _forest

    chance = np.random.default_rng(1)
    x = (np.round(chance.normal(size=(300, 5)) * 256) / 256).astype(np.float32)
    y = np.sin(3 * x[:, 0]) + (x[:, 1] > 0)
    trees = ExtraTreesRegressor(7, max_depth=6, random_state=0).fit(x, y)
    names = [f"vec.{n}" for n in range(5)]
    forest = _forest(names, {1: [tree.tree_ for tree in trees.estimators_]}, 3)
    expected = forest.of_rows(x)
    assert np.allclose(expected[:, 1], trees.predict(x), atol=1e-5)
    assert not expected[:, [0, 2]].any()
    context = dict(zip(names, x[4].tolist(), strict=True))
    assert forest.expected(context) == pytest.approx(expected[4])


def test_a_program_that_only_decides_loads_numpy_and_no_library_of_learning():
    program = "import sys, learner.deciding; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert "numpy" in loaded.stdout.decode().split()
    assert not {"scipy", "sklearn", "river"} & set(loaded.stdout.decode().split())


@pytest.mark.slow
def test_the_same_answers_grow_the_same_trees():
    first, second = (taught(ring, answers=250).model for _ in range(2))
    assert orjson.dumps(first.state()) == orjson.dumps(second.state())


def test_trees_are_due_at_first_and_with_a_fifth_more_answers():
    bandit = taught(ring, answers=FIRST - 1)
    assert bandit.model is None
    assert not bandit.trees_are_due
    bandit = taught(ring, answers=FIRST + 19)
    assert bandit.grown_at == FIRST
    assert not bandit.trees_are_due
    assert taught(ring, answers=FIRST + 20).grown_at == FIRST + 20


def test_a_snapshot_holds_rows_trees_and_the_ledger_to_the_last_bit():
    bandit = taught(ring, answers=400)
    content = snapshot.written(bandit)
    again = snapshot.read(content, GUARDED)
    assert snapshot.written(again) == content
    context = context_of(np.random.default_rng(5))
    fallback = Fixed(A)
    assert again.policy(fallback=fallback).distribution(context, [A, B]) == bandit.policy(
        fallback=fallback
    ).distribution(context, [A, B])


def test_a_snapshot_without_rows_is_read_too():
    whole = orjson.loads(snapshot.written(taught(ring, answers=150)))["bandit"]
    for name in ("rows", "ledger", "foretold", "model", "grown_at"):
        del whole[name]
    bandit = snapshot._bandit(whole, GUARDED, ())
    assert len(bandit.rows) == 0
    assert bandit.model is None


def test_a_new_arm_has_no_trees_and_the_others_keep_theirs():
    bandit = taught(ring, answers=400)
    bandit.set_arms([C, A, B])
    policy = bandit.policy(fallback=Fixed(A))
    assert policy.arms == (A, B, C)
    assert policy.insight.trees[2] == 0
    context = {"vec.0": 0.9}
    before = bandit.model.insight.forest.expected(context)
    assert policy.insight.forest.expected(context)[:2] == pytest.approx(before)
    assert bandit.policy(fallback=Fixed(A)).distribution(context, [A, B, C])[C] < 0.3


def test_an_arm_that_drifted_loses_its_old_answers():
    bandit = taught(ring, answers=400)
    bandit.rows.drop(A)
    assert set(bandit.rows.arrays([A, B]).chosen.tolist()) == {1}


def test_a_later_judgement_of_an_answer_takes_the_place_of_the_earlier_one():
    rows = Rows()
    rows.add(Feedback("1:good", A, {"vec.0": 0.5}, 1.0, 1.0, 0.25, "answer"))
    rows.add(Feedback("1:bad", A, {"vec.0": 0.5}, 0.0, 0.5, 0.0, "answer"))
    arrays = rows.arrays([A])
    assert (arrays.quality, arrays.weight, arrays.propensity) == ([0.0], [0.5], [0.25])


def test_rows_of_a_context_are_on_the_same_grid_as_decisions():
    chance = np.random.default_rng(2)
    rows, contexts = Rows(), [context_of(chance) for _ in range(20)]
    for n, context in enumerate(contexts):
        rows.add(Feedback(str(n), A, context, 1.0))
    arrays = rows.arrays([A])
    names = {name: at for at, name in enumerate(arrays.names)}
    for row, context in zip(arrays.contexts, contexts, strict=True):
        x = np.zeros(len(names), dtype=np.float32)
        placed(context, names, x)
        assert (x == row).all()


def test_an_estimator_that_foretells_is_believed_and_another_is_not():
    chance = np.random.default_rng(4)
    truth = chance.normal(0, 0.3, 500)
    signs = np.stack([np.zeros(500), chance.normal(0, 0.3, 500), truth], axis=1)
    judged = Judged(
        (A,),
        np.zeros(500, dtype=int),
        np.ones(500),
        signs,
        truth + chance.normal(0, 0.4, 500),
        truth,
    )
    _, linear, trees = Foretold().plus(judged).weights([A, B])
    assert linear[0] < 0.1
    assert trees[0] > 0.8
    assert trees[1] > 0.5  # an arm without answers is near the weights of all arms


def test_without_evidence_regressions_are_believed_and_trees_are_not():
    usual, linear, trees = Foretold().weights([A])
    assert (usual, linear[0], trees[0]) == (pytest.approx(1), pytest.approx(1), 0)


def test_a_gain_is_sure_only_after_many_answers():
    chance = np.random.default_rng(6)
    few = Ledger().plus(0.05 + chance.normal(0, 0.5, 60))
    many = few
    for _ in range(20):
        many = many.plus(0.05 + chance.normal(0, 0.5, 300))
    assert few.least_gain < -0.1
    assert 0 < many.least_gain < many.gain


def test_the_lower_bound_holds_at_every_look_in_nearly_all_runs():
    broken = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        ledger, above = Ledger(), False
        for _ in range(30):
            ledger = ledger.plus(chance.normal(0, 0.5, 50))
            above = above or ledger.least_gain > 0
        broken += above
    assert broken <= 20  # a tenth


def test_before_any_answer_is_judged_only_the_default_is_chosen():
    bandit = Bandit("2:0", GUARDED)
    bandit.set_arms([A, B, C])
    assert bandit.policy(fallback=Fixed(B)).distribution({}, [A, B, C]) == {A: 0, B: 1, C: 0}


def test_when_answers_are_no_longer_judged_nothing_is_explored():
    bandit = taught(ring, answers=400)
    hearing = bandit.policy(fallback=Fixed(A)).distribution({"vec.0": 0.9}, [A, B])
    deaf = bandit.policy(fallback=Fixed(A), hears=False).distribution({"vec.0": 0.9}, [A, B])
    assert 0 < hearing[B] < 1
    assert sorted(deaf.values()) == [0, 1]


def test_a_default_that_a_person_chose_is_given_up_only_for_a_clearly_better_arm():
    def taught_evenly(good):
        bandit = Bandit("2:0", GUARDED)
        bandit.set_arms([A, B])
        for n in range(100):
            for arm, quality in ((A, 0.7), (B, good)):
                bandit.learn(Feedback(f"{n}{arm}", arm, {}, float(n < 100 * quality), 1.0, 0.5))
        return bandit.policy(fallback=Fixed(A)).distribution({}, [A, B])[A]

    assert taught_evenly(0.74) > 0.5
    assert taught_evenly(0.95) < 0.1
