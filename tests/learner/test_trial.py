"""Trials: which side a unit gets, what is compared, and which verdicts follow."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import exp, inf, isnan, log, sqrt

import numpy as np
import pytest
import ville
from hypothesis import given
from hypothesis import strategies as st
from ville._boundaries import normal_mixture

from experiments.trials.simulate import decided, null_trial, turned
from experiments.trials.worlds import TrialWorld
from learner.assignment import Slot, assigned, place, room
from learner.comparison import Comparison, TrialRules
from learner.policy import Arm, draw, draw_beside
from learner.sequence import (
    MIXING,
    Adjustment,
    ComparedUnit,
    Contrast,
    RunningMoments,
    split_evidence,
)
from learner.verdict import verdict_of
from learner.watch import Watch
from tests.sparing import draws

UNITS = [f"unit-{n}" for n in range(4000)]


def of(slot, units=UNITS):
    return {unit: given.side for unit in units if (given := assigned(slot, unit)) is not None}


def test_a_unit_stays_on_its_side_and_sides_have_their_shares():
    slot = Slot("t", "strategy", 0.0, 1.0, 0.3)
    first = of(slot)
    assert first == of(slot)
    assert Counter(first.values())["candidate"] / len(UNITS) == pytest.approx(0.3, abs=0.03)


def test_a_larger_share_for_the_candidate_moves_no_unit_away_from_it():
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
def test_a_place_lies_between_zero_and_below_one(salt, unit):
    assert 0 <= place(salt, unit) < 1


@pytest.mark.parametrize("n", [50, 200, 500, 5000])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_interval_is_the_interval_of_another_library(n, alpha):
    chance = np.random.default_rng(n)
    ours = RunningMoments(span=0.0)
    for value in chance.normal(0.3, 2.0, n):
        ours.add(float(value))
    deviation = sqrt(ours.squares / n)
    theirs = deviation * normal_mixture(n, alpha, 1 / MIXING) / n
    assert ours.radius(alpha) == pytest.approx(float(theirs), rel=1e-9)


def test_the_interval_is_tightest_where_that_library_would_have_it():
    theirs = 1 / ville.best_rho(500, 0.05)
    assert pytest.approx(theirs, rel=0.05) == MIXING


def test_the_evidence_against_a_split_is_that_of_another_library():
    chance = np.random.default_rng(3)
    test = ville.BernoulliTest(0.5, prior=(25.0, 25.0))
    sides = (chance.random(600) < 0.58).astype(float)
    test.update(sides)
    ours = split_evidence(int(sides.sum()), int((1 - sides).sum()), 0.5)
    assert ours == pytest.approx(float(test.log_e_values_[-1]), rel=1e-6)


def test_a_rare_value_that_was_not_seen_yet_is_not_ruled_out():
    never = RunningMoments(span=2.0)
    for _ in range(60):
        never.add(0.0)
    assert never.radius(0.05) > 0.05


def exposed(side, value, *, chance=0.5, context=None, failed=False, log_cost=0.0, seconds=0.1):
    return ComparedUnit(
        side, chance, context or {}, log_cost, seconds, failed, quality=value, utility=value
    )


USUAL = TrialRules()


def fed(values, rules=USUAL, apart=1.0, log_cost=lambda side: 0.0, seconds=lambda side: 0.1):
    """The verdict on a comparison of 1200 units. `values(side)` is the mean value of an answer."""
    chance = np.random.default_rng(1)
    comparison = Comparison(rules)
    for n in range(1200):
        side = "candidate" if chance.random() < 0.5 else "current"
        comparison.see(side, seconds(side) * float(chance.uniform(0.8, 1.2)))
        if chance.random() >= apart:
            continue
        value = values(side) + float(chance.normal(0, 0.2))
        unit = exposed(side, value, log_cost=log_cost(side), seconds=seconds(side))
        comparison.expose(unit)
        comparison.judge(unit)
        if n % 25 == 0 and (verdict := verdict_of(comparison)).word != "more data":
            return verdict
    return verdict_of(comparison)


def test_a_better_candidate_is_adopted_with_the_numbers_behind_it():
    verdict = fed(lambda side: 0.8 if side == "candidate" else 0.6, apart=0.5)
    assert verdict.word == "adopt"
    assert "the candidate is better: utility +0." in verdict.sentence
    assert "decided apart" in verdict.sentence
    numbers = verdict.numbers
    assert 0 < numbers["lift"]["low"] < numbers["lift"]["mean"] < numbers["lift"]["high"]
    # Half of the units are decided alike, which halves the lift.
    assert numbers["lift"]["mean"] == pytest.approx(0.1, abs=0.03)
    assert {guard["state"] for guard in numbers["guards"].values()} == {"held"}


def test_a_worse_candidate_is_not_adopted():
    verdict = fed(lambda side: 0.6 if side == "candidate" else 0.8)
    assert verdict.word == "keep"
    assert "worse" in verdict.sentence or "does harm" in verdict.sentence


def test_a_candidate_that_only_has_to_be_no_worse_is_adopted_where_both_are_alike():
    rules = TrialRules(goal="no worse", margin=0.06, quality=0.06)
    assert fed(lambda side: 0.7, rules, apart=0.3).word == "adopt"
    assert fed(lambda side: 0.7, TrialRules(worth=0.0)).word == "more data"


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("cost", {"log_cost": lambda side: 0.3 if side == "candidate" else 0.1}),
        ("p95", {"seconds": lambda side: 2.0 if side == "candidate" else 0.5}),
    ],
)
def test_better_answers_do_not_excuse_a_breached_guard(what, given):
    verdict = fed(lambda side: 0.8 if side == "candidate" else 0.6, **given)
    assert verdict.word == "keep"
    assert f"{what} breached" in verdict.sentence


@pytest.mark.parametrize(("broken", "word"), [(0.2, "adopt"), (0.6, "keep")])
def test_what_serves_may_be_mended_at_a_price_only_if_it_is_broken(broken, word):
    """After a provider made its model worse, what serves and its control failed alike for good."""
    verdict = fed(
        lambda side: 0.8 if side == "candidate" else broken,
        log_cost=lambda side: 0.3 if side == "candidate" else 0.1,
        seconds=lambda side: 2.0 if side == "candidate" else 0.5,
    )
    assert verdict.word == word


def test_failures_are_a_guard_of_their_own():
    comparison = Comparison(TrialRules())
    for n in range(400):
        side = ("candidate", "current")[n % 2]
        comparison.see(side, 0.1)
        unit = exposed(side, 0.7, failed=side == "candidate" and n % 3 == 0)
        comparison.expose(unit)
        comparison.judge(unit)
    assert "errors breached" in verdict_of(comparison).sentence


def test_a_trial_that_loses_units_of_a_side_says_that_it_cannot_be_trusted():
    comparison = Comparison(TrialRules())
    for n in range(900):
        comparison.see("candidate" if n % 3 else "current", 0.1)
    verdict = verdict_of(comparison)
    assert verdict.word == "keep"
    assert "600 and 300 units where 50% were to be the candidate's" in verdict.sentence


def test_a_candidate_that_is_judged_more_often_is_not_adopted_by_itself():
    chance = np.random.default_rng(5)
    comparison = Comparison(TrialRules())
    for n in range(1500):
        side = ("candidate", "current")[n % 2]
        comparison.see(side, 0.1)
        value = (0.8 if side == "candidate" else 0.6) + float(chance.normal(0, 0.1))
        unit = exposed(side, value)
        comparison.expose(unit)
        if chance.random() < (0.9 if side == "candidate" else 0.3):
            comparison.judge(unit)
    verdict = verdict_of(comparison)
    assert verdict.word == "more data"
    assert "judged more often" in verdict.sentence


def test_a_gain_that_is_not_worth_looking_for_ends_a_trial():
    verdict = fed(lambda side: 0.7, TrialRules(worth=0.05))
    assert verdict.word == "keep"
    assert "can be ruled out" in verdict.sentence


def test_a_trial_ends_at_its_length():
    rules = TrialRules(worth=0.0, most_requests=300)
    verdict = fed(lambda side: 0.7, rules)
    assert "nothing was decided within 300 requests" in verdict.sentence


@st.composite
def comparisons(draw):
    """Comparisons of any counts and any share; in most of them the sides rarely decide apart."""
    few = st.integers(0, 40)
    counted = {
        name: {side: draw(counts) for side in ("candidate", "current")}
        for name, counts in (
            ("assigned", few | st.integers(0, 10**6) | st.integers(0)),
            ("apart", st.just(0) | few | st.integers(0)),
            ("judged", st.just(0) | few | st.integers(0)),
        )
    }
    rules = TrialRules(goal=draw(st.sampled_from(["better", "no worse"])))
    share = draw(st.sampled_from([0.0, 5e-324, 0.02, 0.5, 1 - 2**-53, 1.0]) | st.floats(0, 1))
    return Comparison(rules, share, **counted)


@draws(500)
@given(comparisons(), st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=60))
def test_every_comparison_has_a_verdict(comparison, answers):
    for candidate, value in answers:
        side = "candidate" if candidate else "current"
        comparison.see(side, value)
        unit = exposed(side, value, chance=0.02 if candidate else 0.98)
        comparison.expose(unit)
        comparison.judge(unit)
    verdict = verdict_of(comparison)
    assert verdict.word in ("adopt", "keep", "more data")
    assert verdict.sentence.startswith(verdict.word.capitalize())
    numbers = [*verdict.numbers["lift"].values(), *verdict.numbers["guards"]["quality"].values()]
    assert not any(isinstance(number, float) and isnan(number) for number in numbers)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_candidate_that_never_decides_differently_is_neither_adopted_nor_worse(share):
    comparison = Comparison(TrialRules(goal="no worse", most_requests=2000), share)
    for n in range(1500):
        comparison.see(("candidate", "current")[n % 2] if 0 < share < 1 else "candidate", 0.1)
    verdict = verdict_of(comparison)
    assert verdict.word == "more data"
    assert "decide alike for 100.0% of requests" in verdict.sentence
    comparison.assigned["candidate"] += 1000
    comparison.assigned["current"] += 1000
    verdict = verdict_of(comparison)
    assert verdict.word == "keep"
    assert "too few to show that the candidate is no worse" in verdict.sentence


@pytest.mark.parametrize(("judged", "word"), [(60, "adopt"), (30, "more data")])
def test_agreement_shows_a_candidate_no_worse_only_with_answers_compared(judged, word):
    """Half a per cent is decided apart: that bounds the loss, but proves nothing by itself."""
    comparison = Comparison(TrialRules(goal="no worse", margin=0.02))
    for n in range(12_000):
        side = ("candidate", "current")[n % 2]
        comparison.see(side, 0.1)
        if n % 201 == 0:
            unit = exposed(side, 0.5)
            comparison.expose(unit)
            if comparison.compared < judged:
                comparison.judge(unit)
    assert verdict_of(comparison).word == word


def test_no_unit_is_on_a_side_on_which_it_could_not_fall():
    with pytest.raises(ValueError, match="chance = 0: a unit that is on a side had a chance"):
        exposed("current", 0.5, chance=0)


def test_a_handful_of_units_leaves_the_lift_unknown():
    comparison = Comparison(TrialRules())
    for n in range(150):
        side = "candidate" if n < 5 else "current"
        unit = exposed(side, float(side == "candidate"), chance=0.05 if n < 5 else 0.95)
        comparison.expose(unit)
        comparison.judge(unit)
    assert comparison.lift().high == float("inf")


def test_taking_off_the_expected_value_narrows_the_interval_and_moves_no_mean():
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
    regression = Adjustment()
    for _ in range(500):
        x = float(chance.random())
        regression.learn(regression.vector({"x": x}), 0.2 + 0.5 * x, 1.0)
    ends = [regression.expected(regression.vector({"x": x})) for x in (0.0, 1.0)]
    assert ends == [pytest.approx(0.2, abs=0.06), pytest.approx(0.7, abs=0.06)]


def seeds(few, many):
    """A simulation says the same with few seeds, less sharply; `make slow` runs it with many."""
    return pytest.mark.parametrize("seeds", [few, pytest.param(many, marks=pytest.mark.slow)])


@seeds(6, 60)
def test_where_nothing_differs_verdicts_are_rarely_false_and_t_tests_often(seeds):
    trials = [null_trial(seed) for seed in range(seeds)]
    assert sum(bool(trial["false"]) for trial in trials) <= max(2, seeds // 10)
    assert sum(trial["naive"] for trial in trials) >= seeds // 5


@seeds(4, 12)
def test_a_true_gain_is_found_and_a_loss_never_adopted(seeds):
    trials = [decided(seed, 0.04) for seed in range(seeds)]
    assert [trial["word"] for trial in trials].count("adopt") == seeds
    assert np.median([trial["requests"] for trial in trials]) <= 4000
    assert {decided(seed, -0.05)["word"] for seed in range(seeds)} == {"keep"}


@seeds(3, 10)
def test_a_strategy_that_turns_bad_is_rolled_back_soon_and_a_good_strategy_never(seeds):
    lengths = [turned(seed, -0.1)["requests"] for seed in range(seeds)]
    assert all(requests is not None and requests <= 2000 for requests in lengths)
    assert {turned(seed, 0.02)["requests"] for seed in range(seeds * 2 // 3)} == {None}


def test_nothing_is_rolled_back_where_the_control_gets_worse_as_well():
    chance = np.random.default_rng(7)
    watch, turns = Watch(), []
    for n in range(6000):
        share = watch.share
        side = "candidate" if chance.random() < share else "current"
        value = float(chance.random() < (0.8 if n < 1500 else 0.4))
        own_chance = share if side == "candidate" else 1 - share
        turns.append(watch.judge(exposed(side, value, chance=own_chance)))
    assert "alert" in turns
    assert "recovered" in turns
    assert "roll back" not in turns


def test_what_is_usual_outlives_a_false_alert():
    """A fall soon after a false alert is noticed: it is not taken for what is usual."""
    chance = np.random.default_rng(3)
    watch, ended, noticed = Watch(calm_share=0.95), None, False
    for n in range(2000):
        if n == 200:
            watch.start_alert()
        share = watch.share
        side = "candidate" if chance.random() < share else "current"
        good = {"candidate": 0.9 if ended is None else 0.4, "current": 0.6}[side]
        own_chance = share if side == "candidate" else 1 - share
        value = float(chance.random() < good)
        turn = watch.judge(exposed(side, value, chance=own_chance))
        ended = n if ended is None and turn == "recovered" else ended
        noticed = noticed or (ended is not None and turn == "alert")
        if ended is not None and n >= ended + 60:
            break
    assert ended is not None
    assert noticed


def test_a_plan_that_fails_as_rarely_as_ever_hardly_ever_raises_an_alarm():
    assert sum(raises_an_alarm(seed) for seed in range(100, 140)) <= 5


def raises_an_alarm(seed):
    chance, watch = np.random.default_rng(seed), Watch(TrialRules(least=40), calm_share=0.95)
    for _ in range(400):
        side = "candidate" if chance.random() < 0.95 else "current"
        value = float(chance.random() < (0.9 if side == "candidate" else 0.65))
        own_chance = 0.95 if side == "candidate" else 0.05
        if watch.judge(exposed(side, value, chance=own_chance)) == "alert":
            return True
    return False


def test_the_sides_of_a_simulated_world_differ_by_its_gain():
    chance = np.random.default_rng(1)
    units = list(TrialWorld("binary", 0.04, 0.5).units(chance, 20_000))
    qualities = {side: [] for side in ("candidate", "current")}
    for unit in units:
        if unit.exposed is not None:
            qualities[unit.side].append(unit.exposed.quality)
    lift = (np.mean(qualities["candidate"]) - np.mean(qualities["current"])) * 0.5
    assert lift == pytest.approx(0.04, abs=0.01)


ODDS = st.dictionaries(st.sampled_from([Arm(a) for a in "abcde"]), st.floats(0.01, 1.0), min_size=1)


@draws(60)
@given(ODDS, ODDS)
def test_two_sides_choose_by_their_odds_and_differ_as_rarely_as_these_allow(own, other):
    luck = [(n + 0.5) / 4000 for n in range(4000)]
    pairs = [(draw(own, uniform).arm, draw_beside(own, other, uniform)) for uniform in luck]
    for side, odds in enumerate((own, other)):
        chosen = Counter(pair[side] for pair in pairs)
        for arm, weight in odds.items():
            assert chosen[arm] / len(pairs) == pytest.approx(weight / sum(odds.values()), abs=0.01)
    least = sum(
        max(weight / sum(other.values()) - own.get(arm, 0.0) / sum(own.values()), 0.0)
        for arm, weight in other.items()
    )
    assert sum(a != b for a, b in pairs) / len(pairs) == pytest.approx(least, abs=0.01)


@given(ODDS, ODDS, st.sampled_from([0.0, 1e-300, 0.5, 1 - 2**-53]))
def test_the_ends_of_the_range_have_an_arm_on_either_side(own, other, uniform):
    assert draw_beside(own, other, uniform) in other


@pytest.mark.parametrize(("loss", "word"), [(0.3, "more data"), (0.0, "adopt")])
def test_a_simpler_strategy_must_not_harm_a_group_of_requests(loss, word):
    """A tenth of requests may lose much while the whole loses less than the margin."""
    rules = TrialRules(goal="no worse", margin=0.07, quality=0.07, most_harm=0.1)
    comparison, chance = Comparison(rules), np.random.default_rng(5)
    for n in range(16_000):
        side, group = ("candidate", "current")[n % 2], "rare" if n % 20 < 2 else "usual"
        lost = loss if side == "candidate" and group == "rare" else 0.0
        good = float(chance.random() < 0.7 - lost)
        unit = replace(exposed(side, good), group=group)
        comparison.see(side, 0.1, group)
        comparison.expose(unit)
        comparison.judge(unit)
    verdict = verdict_of(comparison)
    assert verdict.word == word
    assert ("not yet shown to cost rare less than 0.1" in verdict.sentence) == (loss > 0)


def test_very_many_groups_are_counted_as_one():
    comparison = Comparison(TrialRules(most_harm=0.1))
    for n in range(500):
        comparison.see("current", 0.1, f"p{n}")
    assert len(comparison.groups) <= 65
    assert sum(group.requests for group in comparison.groups.values()) == 500


def test_impossible_rules_are_refused():
    with pytest.raises(ValueError, match=r"alpha = 0\.7"):
        TrialRules(alpha=0.7)
    with pytest.raises(ValueError, match="most_requests = 10"):
        TrialRules(least=50, most_requests=10)


def test_evidence_against_a_split_grows_with_what_is_missing():
    evidence = [split_evidence(500, 500 - gone, 0.5) for gone in (0, 50, 100, 200)]
    assert all(a < b for a, b in pairwise(evidence))
    assert exp(-evidence[-1]) < 1e-6
    assert evidence[0] < -log(0.05)


def test_where_a_side_gets_every_unit_a_unit_of_the_other_side_is_infinite_evidence():
    assert split_evidence(0, 10, 0.0) == split_evidence(10, 0, 1.0) == 0.0
    assert split_evidence(1, 10, 0.0) == split_evidence(10, 1, 1.0) == inf
