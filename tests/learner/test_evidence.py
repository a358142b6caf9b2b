"""Sums of evidence are exact in any order, over several learners, and after a removal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.linear_model import BayesianLinearRegression

from learner.evidence import ArmSums, Evidence
from learner.policy import Arm
from learner.pooling import posterior
from learner.posterior import on_grid
from tests.sparing import draws

A, B, C = Arm("a"), Arm("b"), Arm("c")
NAMES = ("task=x", "task=y", "part.length", "near=3", "lex.0")
answers = st.tuples(
    st.sampled_from([A, B, C]),
    st.dictionaries(st.sampled_from(NAMES), st.floats(-3, 3), max_size=4),
    st.floats(0, 1),
    st.sampled_from([0.5, 0.8, 1.0]),
)


def learned(judged):
    evidence = Evidence()
    for answer in judged:
        evidence.learn(*answer)
    return evidence


def state(evidence):
    """All sums of this evidence, sorted by name and arm, so that two states can be compared."""
    names = sorted(evidence.names)
    at = [evidence.names[name] for name in names]
    return names, {
        arm: (sums.precision[np.ix_(at, at)].tolist(), sums.natural[at].tolist(), sums.weight)
        for arm, sums in sorted(evidence.sums().arms.items())
        if sums.weight
    }


@draws(60)
@given(st.lists(answers, max_size=25), st.randoms())
def test_any_order_leads_to_the_same_bits(judged, chance):
    shuffled = list(judged)
    chance.shuffle(shuffled)
    assert state(learned(judged)) == state(learned(shuffled))


@draws(60)
@given(st.lists(answers, max_size=25), st.integers(0, 25), st.integers(0, 25))
def test_several_learners_add_up_to_a_single_learner_of_all_answers(judged, first, second):
    cut, cut2 = sorted((first, second))
    base = learned(judged[:cut])
    before = base.sums()
    for answer in judged[cut:cut2]:
        base.learn(*answer)
    delta = base.sums(before)
    other = learned([*judged[:cut], *judged[cut2:]])
    other.merge(delta)
    assert state(other) == state(learned(judged))


@draws(60)
@given(st.lists(answers, max_size=15), answers)
def test_an_answer_that_is_taken_back_leaves_no_trace(judged, extra):
    evidence = learned([*judged, extra])
    evidence.unlearn(*extra)
    names = set(learned(judged).names)
    kept, arms = state(evidence)
    at = [kept.index(name) for name in sorted(names)]
    wanted = state(learned(judged))[1]
    for arm, (precision, natural, weight) in wanted.items():
        assert np.array(arms[arm][0])[np.ix_(at, at)].tolist() == precision
        assert np.array(arms[arm][1])[at].tolist() == natural
        assert arms[arm][2] == weight


@draws(60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_sums_are_those_of_rivers_regression(seed, count):
    """River gets an answer of weight n as n observations, and no answer that is taken back."""
    chance = np.random.default_rng(seed)
    evidence, rivers = Evidence(), BayesianLinearRegression(alpha=1, beta=1)
    for _ in range(count):
        context = {name: on_grid(float(chance.normal())) for name in NAMES}
        quality, weight = on_grid(float(chance.random())), int(chance.integers(1, 4))
        evidence.learn(A, context, quality, weight)
        for _ in range(weight):
            rivers.learn_one({"bias": 1.0, **context}, quality - 0.5)
        extra = {name: float(chance.normal()) for name in NAMES}
        evidence.learn(A, extra, 0.75, 0.5)
        evidence.unlearn(A, extra, 0.75, 0.5)
    sums, x = evidence.arms[A], evidence.vector(dict.fromkeys(NAMES, 0.5))
    covariance = np.linalg.inv(np.eye(len(x)) + sums.precision)
    mean, deviation = x @ covariance @ sums.natural, np.sqrt(1 + x @ covariance @ x)
    theirs = rivers.predict_one({"bias": 1.0, **dict.fromkeys(NAMES, 0.5)}, with_dist=True)
    assert (mean, deviation) == pytest.approx((theirs.mu, theirs.sigma), abs=1e-9)


def test_a_sum_of_no_answers_is_empty():
    evidence = Evidence()
    evidence.add_arm(A)
    evidence.learn(B, {"task=x": 1.0}, 1.0)
    assert evidence.arms[A].precision.tolist() == ArmSums.empty(2).precision.tolist()


def test_the_pooled_posterior_is_that_of_the_whole_regression():
    """The test directly solves one large regression over the common weights and each arm's own."""
    chance = np.random.default_rng(5)
    arms, names, precision = [A, B, C], ["bias", "task=x", "part.length"], 8.0
    belief = {"task": 0.03, "part": 0.01}
    shared, own = np.array([1.0, 0.3, 0.1]), np.array([0.1, 0.03, 0.01])
    evidence, size = Evidence(), 3
    total = size * (len(arms) + 1)
    whole = np.diag(1 / np.concatenate([shared, *[own] * len(arms)]))
    natural = np.zeros(total)
    for _ in range(60):
        k = int(chance.integers(3))
        x = np.array([1.0, *(on_grid(float(v)) for v in chance.normal(size=2))])
        y = on_grid(float(chance.random()))
        evidence.learn(arms[k], dict(zip(names[1:], x[1:], strict=True)), y)
        phi = np.zeros(total)
        phi[:size] = x
        phi[size * (k + 1) : size * (k + 2)] = x
        whole += precision * np.outer(phi, phi)
        natural += precision * phi * (y - 0.5)
    cov = np.linalg.inv(whole)
    mean = cov @ natural
    pooled = posterior(evidence, arms, [belief])
    order = [pooled.names[name] for name in names]
    for k in range(3):
        pick = np.zeros((size, total))
        pick[:, :size] = np.eye(size)
        pick[:, size * (k + 1) : size * (k + 2)] = np.eye(size)
        wanted = pick @ mean + np.array([0.5, 0, 0])
        assert pooled.means[k][order] == pytest.approx(wanted, abs=1e-9)
        spread = pooled.spreads[k][np.ix_(order, order)]
        assert spread == pytest.approx(pick @ cov @ pick.T, abs=1e-9)


def test_beliefs_are_weighed_by_how_likely_they_make_the_judgements():
    chance = np.random.default_rng(7)
    judged = []
    for _ in range(400):
        task = ("x", "y")[int(chance.integers(2))]
        arm = (A, B)[int(chance.integers(2))]
        good = 0.9 if (arm == A) == (task == "x") else 0.1
        judged.append((arm, {f"task={task}": 1.0}, float(chance.random() < good), 1.0))
    apart, same = posterior(learned(judged), [A, B]), Evidence()
    for arm, context, _, weight in judged:
        same.learn(arm, context, float(chance.random() < 0.5), weight)
    assert apart.beliefs[0] < 1e-6  # the belief that arms differ only by a constant
    assert posterior(same, [A, B]).beliefs[0] > 0.3


def test_an_arm_that_was_never_tried_stands_where_arms_usually_do():
    evidence = learned([(arm, {"task=x": 1.0}, 0.9, 1.0) for arm in (A, B) for _ in range(40)])
    pooled = posterior(evidence, [A, B, C])
    x = np.zeros(len(pooled.names))
    x[[pooled.names["bias"], pooled.names["task=x"]]] = 1.0
    means = pooled.means @ x
    assert means[2] > 0.75
    assert x @ pooled.spreads[2] @ x > 5 * (x @ pooled.spreads[0] @ x)
