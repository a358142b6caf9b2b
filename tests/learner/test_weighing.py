"""A policy's shares and estimates are those of the formulas, written here as plainly as may be."""

import pickle
from dataclasses import replace
from math import erf, exp, log10, sqrt

import numpy as np
import pytest

from learner.controls import Fixed, Ladder
from learner.deciding import BanditPolicy, BanditSettings
from learner.explore import inverse_gap
from learner.forest import Forest
from learner.insight import Insight, Ledger
from learner.pacing import Pacer
from learner.policy import Arm
from learner.posterior import ExpectedExpenses, Posterior
from learner.preference import Preference
from learner.standing import Standing

NAMES = {"": 0, "complexity": 1, "task=x": 2, "task=y": 3, "lex.0": 4}
FOREST_NAMES = {"lex.0": 0, "later": 1, "task=x": 2}


def grid(value, kind=float):
    return kind(np.rint(kind(value) * kind(256)) / kind(256))


def below(z):
    """The odds that a normal value is below `z`, as coarse as the table of the policy."""
    place = min(max(int(z * 4096 + 32768), 0), 65535)
    middle = (place + 0.5 - 32768) / 4096
    return max(0.5 * (1 + erf(middle / sqrt(2))), 1e-15)


def best_odds(means, variances):
    """Thompson's odds by quadrature, arm by arm."""
    spreads = [sqrt(v) for v in variances]
    low = max(m - 5 * s for m, s in zip(means, spreads, strict=True))
    high = max(m + 5 * s for m, s in zip(means, spreads, strict=True))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    odds = [0.0] * len(means)
    for node, weight in zip(nodes, weights, strict=True):
        at = low + (high - low) * (node + 1) / 2
        zs = [(at - m) / s for m, s in zip(means, spreads, strict=True)]
        for arm, z in enumerate(zs):
            others = np.prod([below(other) for n, other in enumerate(zs) if n != arm])
            odds[arm] += weight * exp(-0.5 * z * z) * others / spreads[arm]
    total = sum(odds)
    if not total > 0:
        odds = [float(mean == max(means)) for mean in means]
        total = sum(odds)
    return [odd / total for odd in odds]


def by_tries(standing, worth, variances, most):
    best = int(np.argmax(worth))
    ahead = min(50 + standing.judged / 2, 5_000)
    gains = []
    for arm, variance in enumerate(variances):
        gap, won = worth[best] - worth[arm], [0.0]
        for tries in (1, 2, 4, 8, 16, 32, 64):
            moved = variance / sqrt(variance + standing.noise / tries)
            z = gap / max(moved, 1e-9)
            gain = moved * exp(-0.5 * z * z) / sqrt(2 * np.pi) - gap * below(-z)
            won.append((gain * max(ahead - tries, 0) - tries * gap) / tries)
        gains.append(0.0 if arm == best else max(won) ** 2)
    odds = best_odds(worth, variances)
    loss = sum(odd * (worth[best] - w) for odd, w in zip(odds, worth, strict=True))
    odds = [odd * min(1.0, standing.allowance / max(loss, 1e-9)) for odd in odds]
    odds[best] += 1 - sum(odds)
    if sum(gains) > 0:
        odds = [(1 - most) * o + most * g / sum(gains) for o, g in zip(odds, gains, strict=True)]
    return odds


def trees_of(forest, context):
    totals = [0.0] * forest.count
    for root, owner in zip(forest.roots, forest.owners, strict=True):
        node = root
        for _ in range(forest.depth):
            name = list(forest.names)[forest.feature[node]]
            value = grid(context.get(name, 0.0), np.float32)
            node = forest.left[node] + int(value > forest.threshold[node])
        totals[owner] += float(forest.value[node])
    return totals


def reference(policy, context, arms):
    """Quality, deviation, utility and share of each arm."""
    x = [grid(context.get(name, 0.0)) for name in NAMES]
    x[0] = 1.0
    posterior, standing, insight = policy.posterior, policy.standing, policy.insight
    linear = [float(np.dot(row, x)) for row in posterior.means]
    beyond = [expects - mean for expects, mean in zip(linear, standing.means, strict=True)]
    alike, trees = sum(beyond) / len(beyond), trees_of(insight.forest, context)
    quality = [
        mean + insight.alike * alike + own * (b - alike) + believed * grown
        for mean, own, b, believed, grown in zip(
            standing.means, insight.linear, beyond, insight.trees, trees, strict=True
        )
    ]
    places = [n for n, arm in enumerate(posterior.arms) if arm in arms]
    expected = policy.expected[next((n for n in context if n in policy.expected), "")]
    variance, common, cost, utility = {}, {}, {}, {}
    for n in places:
        variance[n] = max(float(np.dot(x, posterior.spreads[n] @ x)), 1e-9)
        common[n] = max(float(np.dot(x, posterior.common[n] @ x)), 0.0)
        cost[n] = float(expected.spend[n] * policy.rates[n])
        price = policy.preference.cost * log10(1 + 1000 * cost[n])
        price += policy.preference.latency * float(expected.log_seconds[n])
        utility[n] = quality[n] * float(expected.works[n]) - price
    worth = dict(utility)
    pays = [True] * len(places)
    if policy.pacer is not None:
        pays = policy.pacer.affordable([cost[n] for n in places])
        for can, n in zip(pays, places, strict=True):
            worth[n] = worth[n] - policy.pacer.penalty(cost[n]) if can else -1e3
    works = {n: float(expected.works[n]) for n in places}
    here = [worth[n] for n in places]
    at_all = [worth[n] + (standing.means[n] - quality[n]) * works[n] for n in places]
    deviation = [sqrt(standing.variances[n]) * works[n] for n in places]
    hoped = [worth[n] + (linear[n] - quality[n]) * works[n] for n in places]
    least = min(sqrt(common[n]) for n in places)
    doubt = [
        policy.curiosity * max(variance[n] - common[n] + (sqrt(common[n]) - least) ** 2, 1e-9)
        for n in places
    ]
    if isinstance(policy.fallback, Fixed) and policy.fallback.arm in arms:
        default = [policy.arms[n] for n in places].index(policy.fallback.arm)
        if pays[default]:
            at_all[default] += 2 * deviation[default]
    guard, most = policy.guard, policy.settings.safe_share
    odds = (
        best_odds(hoped, doubt)
        if policy.rule.__name__ == "thompson"
        else policy.rule(np.array(hoped), np.array(doubt))
    )
    if policy.fallback is not None and most < 1:
        variances = [max(d * d, 1e-9) for d in deviation]
        shares = np.zeros(len(places))
        for part, row in ((1 - guard.proved, at_all), (guard.proved, here)):
            if part > 0:
                shares += part * np.array(by_tries(standing, row, variances, most))
        believed = guard.proved * np.array(here) + (1 - guard.proved) * np.array(at_all)
        loss = float(np.dot(odds, np.maximum(shares @ believed - believed, 0)))
        allowed = min(1.0, guard.may_cost / max(loss, 1e-9))
        odds = allowed * np.array(odds) + (1 - allowed) * shares
    floor = min(policy.settings.floor, 1 / len(places))
    shares = [odd * (1 - floor * len(places)) + floor for odd in odds]
    shares = [share if can else 0.0 for share, can in zip(shares, pays, strict=True)]
    shares = [share / sum(shares) for share in shares] if not all(pays) else shares
    return [
        (quality[n], sqrt(variance[n]), utility[n], share)
        for n, share in zip(places, shares, strict=True)
    ]


def forest_of(chance, arms):
    """Trees of three levels, whose leaves are their own left children."""
    feature, threshold, left, value, roots, owners = [], [], [], [], [], []
    for owner in range(arms - 1):  # the last arm has none
        for _ in range(3):
            base = len(feature)
            roots.append(base)
            owners.append(owner)
            for node in range(7):
                leaf = node > 2
                feature.append(0 if leaf else int(chance.integers(len(FOREST_NAMES))))
                threshold.append(np.inf if leaf else grid(chance.uniform(-1, 1)))
                left.append(base + node if leaf else base + 2 * node + 1)
                value.append(chance.normal(0, 0.03))
    return Forest(
        FOREST_NAMES,
        np.array(feature, np.int32),
        np.array(threshold, np.float32),
        np.array(left, np.int32),
        np.array(value, np.float32),
        np.array(roots, np.int32),
        np.array(owners, np.intp),
        arms,
        3,
    )


def policy_of(seed):
    chance = np.random.default_rng(seed)
    count, size = int(chance.integers(2, 9)), len(NAMES)
    arms = tuple(Arm(f"arm-{n}") for n in range(count))
    roots = chance.normal(0, 0.1, (count, size, size))
    spreads = roots @ roots.transpose(0, 2, 1)
    posterior = Posterior(
        NAMES,
        arms,
        chance.normal(0.5, 0.2, (count, size)),
        spreads,
        spreads * 0.4,
        chance.uniform(5, 200, count),
        np.ones(1),
    )
    seconds = chance.uniform(0.1, 9, count)
    expected = {
        kind: ExpectedExpenses(
            chance.uniform(0.5, 2, count),
            np.log10(1 + 10 * seconds),
            seconds,
            seconds,
            chance.uniform(0.7, 1, count),
        )
        for kind in ("", "task=x")
    }
    insight = Insight(
        arms,
        forest_of(chance, count),
        0.8,
        chance.uniform(0, 1, count),
        chance.uniform(0, 1, count),
        Ledger(*chance.choice([(0.0, 0.0, 0.0), (400.0, 4.0, 9.0), (900.0, 90.0, 30.0)])),
    )
    standing = Standing(
        chance.uniform(0.3, 0.9, count), chance.uniform(0.0001, 0.01, count), 300.0 * seed
    )
    fallback = chance.choice([0, 1, 2])
    ladder = Ladder("complexity", (3.0,), (arms[0], arms[-1]))
    return BanditPolicy(
        "3:0",
        posterior,
        expected,
        BanditSettings(safe_share=float(chance.choice([0.1, 1.0])), floor=0.001),
        Preference(float(chance.uniform(0, 0.3)), float(chance.uniform(0, 0.2))),
        rates=chance.uniform(0, 0.01, count),
        fallback=(None, Fixed(arms[-1]), ladder)[fallback],
        standing=replace(standing, judged=300.0 * seed + 1),
        insight=insight,
        pacer=Pacer(1.0, 100, 0.9, 60, 0.3) if chance.random() < 0.3 else None,
        **({"rule": inverse_gap(40.0)} if chance.random() < 0.2 else {}),
    )


@pytest.mark.parametrize("seed", range(60))
def test_estimates_and_shares_are_those_of_the_formulas(seed):
    policy, chance = policy_of(seed), np.random.default_rng(1000 + seed)
    for _ in range(3):
        context = {"complexity": float(chance.uniform(0, 10)), "later": 0.4, "unknown": 3.0}
        context |= {"task=x": 1.0} if chance.random() < 0.5 else {"task=y": 0.3}
        context["lex.0"] = round(float(chance.normal()), 3)
        count = int(chance.integers(2, len(policy.arms) + 1))
        arms = [policy.arms[n] for n in chance.permutation(len(policy.arms))[:count]]
        estimates = policy.estimates(context, arms)
        for estimate, wanted in zip(estimates, reference(policy, context, arms), strict=True):
            quality, deviation, utility, share = wanted
            assert estimate.quality == pytest.approx(quality, abs=1e-9)
            assert estimate.deviation == pytest.approx(deviation, rel=1e-5)  # in single precision
            assert estimate.utility == pytest.approx(utility, abs=1e-9)
            assert estimate.share == pytest.approx(share, abs=1e-5)
        assert sum(estimate.share for estimate in estimates) == pytest.approx(1)
        shares = policy.distribution(context, arms)
        assert shares == {estimate.arm: estimate.share for estimate in estimates}
        assert list(shares) == arms


def test_another_preference_and_other_rates_may_be_given_with_the_request():
    policy = policy_of(5)
    context = {"complexity": 2.0, "task=x": 1.0}
    preference, rates = Preference(0.5, 0.01), dict.fromkeys(policy.arms[1:], 0.002)
    given, _ = policy.explained(context, preference=preference, rates=rates)
    assert given == policy.preferring(preference).priced(rates).estimates(context)


def test_a_policy_that_has_decided_is_sent_as_it_was_made():
    policy = policy_of(3)
    size = len(pickle.dumps(policy))
    before = policy.estimates({"complexity": 1.0})
    assert len(pickle.dumps(policy)) < 2 * size
    assert pickle.loads(pickle.dumps(policy)).estimates({"complexity": 1.0}) == before
    assert policy.set(floor=0.02).settings.floor == 0.02
