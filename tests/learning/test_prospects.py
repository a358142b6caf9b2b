"""What there is to learn, what is left and what exploring costs, against figures worked by hand."""

from math import erf, exp, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.policy import Arm
from learner.preference import Estimate
from router.learning.arrivals import Arrivals, DailyRate
from router.learning.outlook import LITTLE, SILENT_AFTER, Outlook, outlook_of, verdict_of
from router.learning.prospects import KindRecord, prospects_of, value_of_knowing

DAY = 86_400
MORNING = 20_000 * DAY + 6 * 3600
means = st.floats(-2, 2)
widths = st.floats(1e-6, 3)


def estimate(arm, utility, *, deviation=0.0, cost=0.0, share=0.5, failure=0.0):
    return Estimate(Arm(arm), utility, deviation, cost, 1.0, failure, utility, share)


def arrived(**requests):
    """Arrivals of a whole day before noon of day 20001; the bandit decides every request."""
    arrivals = Arrivals()
    for kind, count in requests.items():
        for n in range(count):
            second = MORNING + n * DAY // count
            arrivals.came(kind, second * 1_000_000, decided=True)
            arrivals.judged(kind, second * 1_000_000)
    return arrivals


def prospects(arrivals=None, *, judged=100, **kinds):
    records = {
        kind: KindRecord(requests, judged, estimates)
        for kind, (requests, estimates) in kinds.items()
    }
    total = sum(record.requests for record in records.values())
    whole = KindRecord(total, judged * len(records), next(iter(records.values())).estimates)
    return prospects_of({"": whole, **records}, arrivals or arrived(), now=MORNING + DAY)


def verdicts(prospects):
    return {kind: verdict_of(each, prospects[""]) for kind, each in prospects.items()}


@given(means, widths, means, widths)
def test_what_two_plans_could_bring_is_clarks_closed_form(a, width_a, b, width_b):
    apart = sqrt(width_a**2 + width_b**2)
    at = (a - b) / apart
    below = 0.5 * (1 + erf(at / sqrt(2)))
    greatest = a * below + b * (1 - below) + apart * exp(-at * at / 2) / sqrt(2 * pi)
    assert value_of_knowing([a, b], [width_a, width_b]) == pytest.approx(
        greatest - max(a, b), abs=1e-7
    )


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 0.0), (3, 1.5 / sqrt(pi)), (12, 1.6292276398743)]
)
def test_equal_plans_could_bring_the_expected_greatest_of_as_many_normal_values(count, expected):
    assert value_of_knowing([0.3] * count, [0.2] * count) == pytest.approx(0.2 * expected, abs=1e-9)


@given(st.lists(st.tuples(means, widths), min_size=1, max_size=12), means)
def test_knowing_never_harms_and_does_not_depend_on_where_zero_is(plans, shift):
    values, deviations = [mean for mean, _ in plans], [width for _, width in plans]
    worth = value_of_knowing(values, deviations)
    assert worth >= 0
    assert value_of_knowing([value + shift for value in values], deviations) == pytest.approx(
        worth, abs=1e-7
    )


def test_nothing_is_left_where_every_plan_is_known_exactly():
    assert value_of_knowing([0.1, 0.5, 0.5], [0.0, 0.0, 0.0]) == pytest.approx(0.0, abs=1e-9)


def test_the_gain_is_over_the_best_plan_for_all_requests_not_for_the_kind():
    sql = 300, [estimate("small", 0.2, deviation=0.03), estimate("large", 0.6, deviation=0.04)]
    chat = 700, [estimate("small", 0.8), estimate("large", 0.5)]
    by = prospects(sql=sql, chat=chat)  # small: 0.62 a request; large: 0.53
    assert by["sql"].single == by["chat"].single == "small"
    assert by["sql"].gain == pytest.approx(0.4)
    assert by["sql"].gain_deviation == pytest.approx(0.05)
    assert (by["chat"].gain, by["chat"].gain_deviation) == (0.0, 0.0)
    assert by[""].gain == pytest.approx(0.3 * 0.4)
    assert by[""].gain_deviation == pytest.approx(0.3 * 0.05)
    assert by[""].best is None


def test_a_failing_plan_is_worth_less_and_its_quality_counts_for_less():
    kind = 10, [estimate("a", 0.5), estimate("b", 0.5, deviation=0.2, failure=0.5)]
    assert prospects(sql=kind)["sql"].left == pytest.approx(0.1 / sqrt(2 * pi))


def test_exploring_costs_utility_and_dollars_for_the_requests_of_a_day():
    plans = [
        estimate("good", 0.8, cost=0.01, share=0.9),
        estimate("dear", 0.6, cost=0.03, share=0.1),
    ]
    by = prospects(arrived(sql=50, chat=200), sql=(50, plans), chat=(200, plans))
    sql, whole = by["sql"].exploring, by[""].exploring
    assert sql.utility == pytest.approx(0.1 * 0.2)
    assert sql.utility_per_day == pytest.approx(50 * 0.02)
    assert sql.usd_per_day == pytest.approx(50 * 0.1 * 0.02)
    assert whole.utility == pytest.approx(0.02)
    assert whole.utility_per_day == pytest.approx(250 * 0.02)
    assert whole.usd_per_day == pytest.approx(250 * 0.002)


def test_requests_that_the_bandit_did_not_decide_explore_nothing():
    arrivals = Arrivals()
    for n in range(100):
        arrivals.came("sql", (MORNING + n) * 1_000_000, decided=n < 25)
    rate = arrivals.rate("sql", MORNING + DAY)
    assert (rate.answered, rate.decided, rate.days) == (100, 25, 1.0)
    plans = [estimate("good", 0.8, share=0.9), estimate("bad", 0.6, share=0.1)]
    assert prospects(arrivals, sql=(100, plans))["sql"].exploring.utility_per_day == pytest.approx(
        25 * 0.02
    )


def test_a_rate_is_a_mean_over_a_week_and_today():
    arrivals = Arrivals()
    for day in range(30):
        for n in range(10 if day < 20 else 40):
            arrivals.came("sql", (MORNING + day * DAY + n) * 1_000_000, decided=True)
    # Seven whole days, and the first quarter of the last one, in which 40 requests came.
    rate = arrivals.rate("sql", MORNING + 29 * DAY)
    assert rate.days == pytest.approx(7.25)
    assert rate.answered == pytest.approx(8 * 40 / 7.25)
    assert arrivals.rate("sql", MORNING + 60 * DAY).answered == 0
    assert arrivals.rate("chat", MORNING + 29 * DAY).answered == 0
    assert len(arrivals.days) == 8


def test_the_first_hours_are_not_made_a_whole_day_of():
    arrivals = Arrivals()
    assert arrivals.rate("", MORNING) == DailyRate(0.0, 0.0, 1.0)
    for n in range(12):
        arrivals.came("sql", (MORNING + n) * 1_000_000, decided=True)
    assert arrivals.rate("sql", MORNING + 3600).answered == 12


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 10**15), st.booleans())))
def test_arrivals_come_back_from_a_snapshot_as_they_were(rows):
    arrivals = Arrivals()
    for kind, micros, decided in rows:
        arrivals.came(kind, micros, decided=decided)
        if decided:
            arrivals.judged(kind, micros)
    assert Arrivals.restored(arrivals.state()) == arrivals


SURE = [estimate("small", 0.5, deviation=1e-4), estimate("large", 0.7, deviation=1e-4)]
OTHER = [estimate("small", 0.6, deviation=1e-4), estimate("large", 0.4, deviation=1e-4)]
EQUAL = [estimate("small", 0.599, deviation=1e-4), estimate("large", 0.6, deviation=1e-4)]
UNSURE = [estimate("small", 0.5, deviation=0.2), estimate("large", 0.7, deviation=0.2)]


def test_the_verdict_says_what_was_learned_and_over_which_plan():
    by = verdicts(prospects(sql=(400, SURE), chat=(600, OTHER)))
    assert by == {
        "": "learned: choosing by kind is 0.080 ± 0.000 better than small, the best single plan",
        "sql": "learned: large is 0.200 ± 0.000 better here than small, the best single plan",
        "chat": "nothing to learn: one plan, small, is best here too",
    }


def test_the_verdict_says_that_one_plan_is_best_for_everything():
    by = verdicts(prospects(sql=(400, SURE), chat=(600, SURE)))
    assert by[""] == "nothing to learn: one plan, large, is best for everything"
    assert by["sql"] == "nothing to learn: one plan, large, is best here too"


def test_a_difference_too_small_to_matter_is_nothing_to_learn():
    near = [estimate("small", 0.6, deviation=1e-4), estimate("large", 0.599, deviation=1e-4)]
    by = verdicts(prospects(sql=(400, EQUAL), chat=(600, near)))
    assert by["sql"] == f"nothing to learn: choosing brings no more than {LITTLE} over small"


def test_the_verdict_says_how_much_is_left():
    by = prospects(sql=(400, UNSURE))
    assert by["sql"].left == pytest.approx(0.0399, abs=1e-4)
    assert verdicts(by)["sql"] == f"worth learning: up to {by['sql'].left:.3f} a request is left"


@pytest.mark.parametrize(
    ("shares", "explored"),
    [((0.0, 1.0), "so nothing is explored"), ((0.1, 0.9), "yet exploring costs 0.0200 a request")],
)
def test_without_judged_answers_the_verdict_says_so_and_what_is_explored(shares, explored):
    plans = [plan._replace(share=share) for plan, share in zip(UNSURE, shares, strict=True)]
    by = prospects(judged=0, sql=(400, plans))
    assert set(verdicts(by).values()) == {
        f"no judged answers yet: nothing can be learned, {explored}"
    }


def test_a_silence_is_told_with_the_time_since_when():
    arrivals = arrived(sql=1)
    for n in range(SILENT_AFTER):
        assert outlook_of(*[prospects(arrivals, sql=(1, SURE))["sql"]] * 2) != Outlook.SILENT
        arrivals.came("sql", (MORNING + 60 + n) * 1_000_000, decided=True)
    by = verdicts(prospects(arrivals, sql=(1, SURE)))
    assert by["sql"].startswith(
        "no judged answers in the last 500 requests, since 2024-10-04 06:00 UTC: nothing can be "
        "learned, yet exploring costs 0.1"
    )


def test_a_kind_may_fall_silent_alone_and_may_never_have_been_judged():
    arrivals = arrived(sql=1)
    for n in range(SILENT_AFTER):
        arrivals.came("sql", (MORNING + 60 + n) * 1_000_000, decided=True)
    arrivals.judged("chat", (MORNING + 700) * 1_000_000)
    records = {"sql": KindRecord(500, 5, SURE), "chat": KindRecord(9, 9, SURE)}
    records |= {"": KindRecord(509, 14, SURE), "code": KindRecord(3, 0, SURE)}
    by = prospects_of(records, arrivals, now=MORNING + DAY)
    outlooks = {kind: outlook_of(each, by[""]) for kind, each in by.items()}
    assert outlooks == {
        "": Outlook.NOTHING,
        "sql": Outlook.SILENT,
        "chat": Outlook.NOTHING,
        "code": Outlook.UNJUDGED_HERE,
    }


def test_a_single_plan_leaves_nothing_to_learn():
    by = verdicts(prospects(judged=0, sql=(5, SURE[1:])))
    assert by["sql"] == "nothing to learn: large is the only plan"
    assert prospects_of({"": KindRecord(0, 0, [])}, Arrivals(), now=0.0) == {}
