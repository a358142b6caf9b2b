"""Trials: who gets which side, what is compared, and what may be said of it at every look."""

from collections import Counter
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
import pytest
import ville
from hypothesis import given
from hypothesis import strategies as st
from ville._boundaries import normal_mixture

from experiments.trials.simulate import decided, null_trial, turned
from experiments.trials.worlds import World
from learner.assignment import Slot, assigned, place, room
from learner.sequence import MIXING, Adjustment, Contrast, Exposed, RunningMoments, split_evidence
from learner.trial import Comparison, TrialRules
from learner.watch import Watch

UNITS = [f"unit-{n}" for n in range(4000)]


def of(slot, units=UNITS):
    return {unit: told.side for unit in units if (told := assigned(slot, unit)) is not None}


def test_a_unit_stays_on_its_side_and_sides_have_their_shares():
    slot = Slot("t", "strategy", 0.0, 1.0, 0.3)
    first = of(slot)
    assert first == of(slot)
    assert Counter(first.values())["candidate"] / len(UNITS) == pytest.approx(0.3, abs=0.03)


def test_more_for_the_candidate_moves_nobody_away_from_it():
    few, many = (of(Slot("t", "strategy", 0.0, 1.0, share)) for share in (0.1, 0.5))
    assert {u for u, side in few.items() if side == "candidate"} < {
        u for u, side in many.items() if side == "candidate"
    }


def test_trials_of_one_layer_never_meet_and_layers_are_spread_over_each_other():
    low, high = Slot("a", "strategy", 0.0, 0.5, 0.5), Slot("b", "strategy", 0.5, 1.0, 0.5)
    assert not of(low).keys() & of(high).keys()
    assert len(of(low)) + len(of(high)) == len(UNITS)
    other = of(Slot("c", "plans", 0.0, 1.0, 0.5))
    for side in ("candidate", "current"):
        within = [other[unit] for unit, own in of(low).items() if own == side]
        assert Counter(within)["candidate"] / len(within) == pytest.approx(0.5, abs=0.05)


def test_a_full_layer_says_how_much_of_it_is_free():
    taken = [Slot("a", "strategy", 0.0, 0.4, 0.5), Slot("b", "strategy", 0.6, 1.0, 0.5)]
    assert room(taken, "strategy", 0.2) == (pytest.approx(0.4), pytest.approx(0.6))
    assert room(taken, "plans", 1.0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="30% of the traffic of layer 'strategy' is not free; 20%"):
        room(taken, "strategy", 0.3)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_place_is_between_nothing_and_one(salt, unit):
    assert 0 <= place(salt, unit) < 1


@pytest.mark.parametrize("n", [50, 200, 500, 5000])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_interval_is_the_one_that_another_library_draws(n, alpha):
    chance = np.random.default_rng(n)
    ours = RunningMoments(span=0.0)
    for value in chance.normal(0.3, 2.0, n):
        ours.add(float(value))
    deviation = sqrt(ours.squares / n)
    theirs = deviation * normal_mixture(n, alpha, 1 / MIXING) / n
    assert ours.radius(alpha) == pytest.approx(float(theirs), rel=1e-9)


def test_it_is_tightest_where_that_library_would_have_it():
    theirs = 1 / ville.best_rho(500, 0.05)
    assert pytest.approx(theirs, rel=0.05) == MIXING


def test_what_speaks_against_a_split_is_what_another_library_says():
    chance = np.random.default_rng(3)
    test = ville.BernoulliTest(0.5, prior=(25.0, 25.0))
    sides = (chance.random(600) < 0.58).astype(float)
    test.update(sides)
    ours = split_evidence(int(sides.sum()), int((1 - sides).sum()), 0.5)
    assert ours == pytest.approx(float(test.log_e_values_[-1]), rel=1e-6)


def test_what_is_rare_and_was_not_seen_yet_is_not_ruled_out():
    never = RunningMoments(span=2.0)
    for _ in range(60):
        never.add(0.0)
    assert never.radius(0.05) > 0.05


def exposed(side, value, *, chance=0.5, context=None, failed=False, log_cost=0.0, seconds=0.1):
    return Exposed(
        side, chance, context or {}, log_cost, seconds, failed, quality=value, utility=value
    )


USUAL = TrialRules()


def fed(values, rules=USUAL, apart=1.0, log_cost=lambda side: 0.0, seconds=lambda side: 0.1):
    """A comparison of so many units; `values` says what each side's answers are worth."""
    chance = np.random.default_rng(1)
    told = Comparison(rules)
    for n in range(1200):
        side = "candidate" if chance.random() < 0.5 else "current"
        told.see(side, seconds(side) * float(chance.uniform(0.8, 1.2)))
        if chance.random() >= apart:
            continue
        value = values(side) + float(chance.normal(0, 0.2))
        one = exposed(side, value, log_cost=log_cost(side), seconds=seconds(side))
        told.expose(one)
        told.judge(one)
        if n % 25 == 0 and (verdict := told.verdict()).word != "more data":
            return told, verdict
    return told, told.verdict()


def test_a_better_candidate_is_adopted_with_the_numbers_that_justify_it():
    _, verdict = fed(lambda side: 0.8 if side == "candidate" else 0.6, apart=0.5)
    assert verdict.word == "adopt"
    assert "the candidate is better: utility +0." in verdict.sentence
    assert "decided apart" in verdict.sentence
    numbers = verdict.numbers
    assert 0 < numbers["lift"]["low"] < numbers["lift"]["mean"] < numbers["lift"]["high"]
    assert numbers["lift"]["mean"] == pytest.approx(0.1, abs=0.03)  # half are decided alike
    assert {guard["state"] for guard in numbers["guards"].values()} == {"held"}


def test_a_worse_candidate_is_kept_out():
    _, verdict = fed(lambda side: 0.6 if side == "candidate" else 0.8)
    assert verdict.word == "keep"
    assert "worse" in verdict.sentence or "does harm" in verdict.sentence


def test_one_that_only_has_to_be_no_worse_is_adopted_where_both_are_alike():
    rules = TrialRules(goal="no worse", margin=0.06, quality=0.06)
    assert fed(lambda side: 0.7, rules, apart=0.3)[1].word == "adopt"
    assert fed(lambda side: 0.7, TrialRules(worth=0.0))[1].word == "more data"


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("cost", {"log_cost": lambda side: 0.3 if side == "candidate" else 0.1}),
        ("p95", {"seconds": lambda side: 2.0 if side == "candidate" else 0.5}),
    ],
)
def test_better_answers_do_not_excuse_what_a_guard_forbids(what, given):
    _, verdict = fed(lambda side: 0.8 if side == "candidate" else 0.6, **given)
    assert verdict.word == "keep"
    assert f"{what} breached" in verdict.sentence


def test_failures_are_a_guard_of_their_own():
    told = Comparison(TrialRules())
    for n in range(400):
        side = ("candidate", "current")[n % 2]
        told.see(side, 0.1)
        one = exposed(side, 0.7, failed=side == "candidate" and n % 3 == 0)
        told.expose(one)
        told.judge(one)
    assert "errors breached" in told.verdict().sentence


def test_a_trial_that_loses_units_of_one_side_says_that_it_cannot_be_trusted():
    told = Comparison(TrialRules())
    for n in range(900):
        told.see("candidate" if n % 3 else "current", 0.1)
    verdict = told.verdict()
    assert verdict.word == "keep"
    assert "600 and 300 units where 50% were to be the candidate's" in verdict.sentence


def test_a_side_that_is_judged_more_often_is_not_adopted_by_itself():
    chance = np.random.default_rng(5)
    told = Comparison(TrialRules())
    for n in range(1500):
        side = ("candidate", "current")[n % 2]
        told.see(side, 0.1)
        value = (0.8 if side == "candidate" else 0.6) + float(chance.normal(0, 0.1))
        one = exposed(side, value)
        told.expose(one)
        if chance.random() < (0.9 if side == "candidate" else 0.3):
            told.judge(one)
    verdict = told.verdict()
    assert verdict.word == "more data"
    assert "judged more often" in verdict.sentence


def test_a_gain_that_is_not_worth_looking_for_ends_a_trial():
    _, verdict = fed(lambda side: 0.7, TrialRules(worth=0.05))
    assert verdict.word == "keep"
    assert "can be ruled out" in verdict.sentence


def test_a_trial_ends_at_its_length():
    rules = TrialRules(worth=0.0, most_requests=300)
    _, verdict = fed(lambda side: 0.7, rules)
    assert "nothing was decided within 300 requests" in verdict.sentence


def test_where_hardly_anything_is_decided_apart_that_bounds_what_can_be_lost():
    told = Comparison(TrialRules(goal="no worse", margin=0.02))
    for n in range(1500):
        side = ("candidate", "current")[n % 2]
        told.see(side, 0.1)
        if n % 300 == 0:
            told.expose(exposed(side, 0.5))
    verdict = told.verdict()
    assert verdict.word == "adopt"
    assert -0.02 < verdict.numbers["lift"]["low"] < -0.003


def test_nothing_is_said_of_a_handful():
    told = Comparison(TrialRules())
    for n in range(150):
        side = "candidate" if n < 5 else "current"
        one = exposed(side, float(side == "candidate"), chance=0.05 if n < 5 else 0.95)
        told.expose(one)
        told.judge(one)
    assert told.lift().high == float("inf")


def test_what_was_to_be_expected_of_a_unit_is_taken_off_and_moves_no_mean():
    chance = np.random.default_rng(2)
    plain, adjusted = RunningMoments(1.0), Contrast()
    for _ in range(3000):
        hard = float(chance.random())
        side = "candidate" if chance.random() < 0.5 else "current"
        value = 0.9 - 0.8 * hard + (0.1 if side == "candidate" else 0.0)
        adjusted.add(exposed(side, value, context={"hard": hard}), value)
        plain.add((2 if side == "candidate" else -2) * value)
    assert adjusted.values.mean == pytest.approx(0.1, abs=0.01)
    assert adjusted.values.squares < 0.05 * plain.squares


def test_a_regression_finds_the_line():
    chance = np.random.default_rng(4)
    told = Adjustment()
    for _ in range(500):
        x = float(chance.random())
        told.learn(told.vector({"x": x}), 0.2 + 0.5 * x, 1.0)
    ends = [told.expected(told.vector({"x": x})) for x in (0.0, 1.0)]
    assert ends == [pytest.approx(0.2, abs=0.06), pytest.approx(0.7, abs=0.06)]


def test_with_nothing_different_verdicts_are_rarely_false_and_a_t_test_often():
    told = [null_trial(seed) for seed in range(60)]
    assert sum(bool(one["false"]) for one in told) <= 6
    assert sum(one["naive"] for one in told) >= 12


def test_a_true_gain_is_found_and_a_loss_never_adopted():
    found = [decided(seed, 0.04) for seed in range(12)]
    assert [one["word"] for one in found].count("adopt") == 12
    assert np.median([one["requests"] for one in found]) <= 4000
    assert {decided(seed, -0.05)["word"] for seed in range(12)} == {"keep"}


def test_what_turns_bad_is_rolled_back_soon_and_what_stays_good_is_not():
    told = [turned(seed, -0.1)["requests"] for seed in range(10)]
    assert all(requests is not None and requests <= 2000 for requests in told)
    assert {turned(seed, 0.02)["requests"] for seed in range(6)} == {None}


def test_where_the_control_would_fall_as_well_nothing_is_rolled_back():
    chance = np.random.default_rng(7)
    watch, said = Watch(), []
    for n in range(6000):
        share = watch.share
        side = "candidate" if chance.random() < share else "current"
        value = float(chance.random() < (0.8 if n < 1500 else 0.4))
        told = share if side == "candidate" else 1 - share
        said.append(watch.judge(exposed(side, value, chance=told)))
    assert "alert" in said
    assert "recovered" in said
    assert "roll back" not in said


def test_worlds_differ_by_what_they_are_told_to():
    chance = np.random.default_rng(1)
    units = list(World("binary", 0.04, 0.5).units(chance, 20_000))
    told = {side: [] for side in ("candidate", "current")}
    for unit in units:
        if unit.exposed is not None:
            told[unit.side].append(unit.exposed.quality)
    lift = (np.mean(told["candidate"]) - np.mean(told["current"])) * 0.5
    assert lift == pytest.approx(0.04, abs=0.01)


def test_rules_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"alpha = 0\.7"):
        TrialRules(alpha=0.7)
    with pytest.raises(ValueError, match="most_requests = 10"):
        TrialRules(least=50, most_requests=10)


def test_evidence_against_a_split_grows_with_what_is_missing():
    told = [split_evidence(500, 500 - gone, 0.5) for gone in (0, 50, 100, 200)]
    assert all(a < b for a, b in pairwise(told))
    assert exp(-told[-1]) < 1e-6
    assert told[0] < -log(0.05)
