"""What was seen adds up: in any order, over any number of learners, and back again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.deciding import on_grid
from learner.evidence import Evidence, Regression
from learner.policy import Arm

A, B, C = Arm("a"), Arm("b"), Arm("c")
NAMES = ("task=x", "task=y", "part.length", "near=3", "lex.0")
seen_ones = st.tuples(
    st.sampled_from([A, B, C]),
    st.dictionaries(st.sampled_from(NAMES), st.floats(-3, 3), max_size=4),
    st.floats(0, 1),
    st.sampled_from([0.5, 0.8, 1.0]),
)


def learned(told):
    evidence = Evidence()
    for one in told:
        evidence.learn(*one)
    return evidence


def state(evidence):
    """Everything, whatever the order in which names and arms were met."""
    names = sorted(evidence.names)
    at = [evidence.names[name] for name in names]
    sums = evidence.sums()
    return names, {
        arm: (
            sums.precision[arm][np.ix_(at, at)].tolist(),
            sums.natural[arm][at].tolist(),
            sums.weight[arm],
        )
        for arm in sorted(sums.precision)
        if sums.weight[arm]
    }


@settings(max_examples=60)
@given(st.lists(seen_ones, max_size=25), st.randoms())
def test_any_order_leads_to_the_same_bits(told, chance):
    shuffled = list(told)
    chance.shuffle(shuffled)
    assert state(learned(told)) == state(learned(shuffled))


@settings(max_examples=60)
@given(st.lists(seen_ones, max_size=25), st.integers(0, 25), st.integers(0, 25))
def test_sums_of_several_learners_are_those_of_one_that_saw_it_all(told, first, second):
    cut, cut2 = sorted((first, second))
    base = learned(told[:cut])
    before = base.sums()
    for one in told[cut:cut2]:
        base.learn(*one)
    delta = base.sums(before)
    other = learned([*told[:cut], *told[cut2:]])
    other.merge(delta)
    assert state(other) == state(learned(told))


@settings(max_examples=60)
@given(st.lists(seen_ones, max_size=15), seen_ones)
def test_what_was_taken_back_was_never_there(told, extra):
    evidence = learned([*told, extra])
    evidence.unlearn(*extra)
    names = set(learned(told).names)
    kept, arms = state(evidence)
    at = [kept.index(name) for name in sorted(names)]
    wanted = state(learned(told))[1]
    for arm, (precision, natural, weight) in wanted.items():
        assert np.array(arms[arm][0])[np.ix_(at, at)].tolist() == precision
        assert np.array(arms[arm][1])[at].tolist() == natural
        assert arms[arm][2] == weight


def test_the_regression_is_rivers_with_weights():
    from river.linear_model import BayesianLinearRegression

    chance = np.random.default_rng(3)
    ours, theirs = Regression(), BayesianLinearRegression(alpha=1, beta=1)
    ours.know(NAMES)
    for _ in range(50):
        x, y = {name: on_grid(float(chance.normal())) for name in NAMES}, float(chance.random())
        ours.add(np.array(list(x.values())), y, 1.0)
        theirs.learn_one(x, y)
    asked = dict.fromkeys(NAMES, 0.5)
    mine, its = (m.predict_one(asked, with_dist=True) for m in (ours, theirs))
    assert (mine.mu, mine.sigma) == pytest.approx((its.mu, its.sigma))


def test_the_pooled_posterior_is_that_of_the_whole_regression():
    """Common weights and deviations as one large regression, solved the plain way."""
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
    told = evidence.posterior(arms, [belief])
    order = [told.names[name] for name in names]
    for k in range(3):
        pick = np.zeros((size, total))
        pick[:, :size] = np.eye(size)
        pick[:, size * (k + 1) : size * (k + 2)] = np.eye(size)
        wanted = pick @ mean + np.array([0.5, 0, 0])
        assert told.means[k][order] == pytest.approx(wanted, abs=1e-9)
        spread = told.spreads[k][np.ix_(order, order)]
        assert spread == pytest.approx(pick @ cov @ pick.T, abs=1e-9)


def test_beliefs_are_weighed_by_how_likely_they_made_what_was_seen():
    chance = np.random.default_rng(7)
    told = []
    for _ in range(400):
        task = ("x", "y")[int(chance.integers(2))]
        arm = (A, B)[int(chance.integers(2))]
        good = 0.9 if (arm == A) == (task == "x") else 0.1
        told.append((arm, {f"task={task}": 1.0}, float(chance.random() < good), 1.0))
    apart, same = learned(told).posterior([A, B]), Evidence()
    for arm, context, _, weight in told:
        same.learn(arm, context, float(chance.random() < 0.5), weight)
    assert apart.beliefs[0] < 1e-6  # that arms differ by a constant alone
    assert same.posterior([A, B]).beliefs[0] > 0.3


def test_an_arm_that_was_never_tried_stands_where_arms_usually_do():
    evidence = learned([(arm, {"task=x": 1.0}, 0.9, 1.0) for arm in (A, B) for _ in range(40)])
    told = evidence.posterior([A, B, C])
    x = np.zeros(len(told.names))
    x[[told.names["bias"], told.names["task=x"]]] = 1.0
    means = told.means @ x
    assert means[2] > 0.75
    assert x @ told.spreads[2] @ x > 5 * (x @ told.spreads[0] @ x)
