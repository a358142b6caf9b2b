"""The efficiency and the issues of `efficiency.sql`, on rows whose truth is known beforehand."""

import datetime as dt
from collections import Counter

import pytest

from router.telemetry.analyst import Bounds, ask
from router.telemetry.self_analysis import AnalysedTime, issue_of, score_of, score_words
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

EVERY = MINUTE // 10
USD = {"tiny": 1e-5, "small": 5e-5, "made": 6e-5, "dear": 2e-3, "twin": 9e-5, "panel": 4e-3}
MS = {"tiny": 150.0, "small": 300.0, "made": 330.0, "dear": 1200.0, "twin": 300.0, "panel": 3000.0}


class Traffic:
    """Requests in turn over groups and plans; so many answers are good as was planned."""

    def __init__(self, good):
        self.good = good  # (pattern, plan): share of good answers
        self.rows, self.signals, self.owed = [], [], Counter()

    def ask(self, pattern, plan, **more):
        at = NOON + len(self.rows) * EVERY
        given = {"pattern": pattern} if pattern else {}
        row = request(
            at,
            plan=plan,
            cost_usd=USD[plan],
            latency_ms=MS[plan],
            **({"strategy": "bandit"} | given | more),
        )
        self.owed[pattern, plan] += self.good[pattern, plan]
        good = self.owed[pattern, plan] >= 0.999
        self.owed[pattern, plan] -= good
        self.rows.append(row)
        self.signals.append(signal(row, float(good)))

    def stored(self, folder):
        stored = Stored(folder)
        stored.write("requests", self.rows)
        stored.write("signals", self.signals)
        stored.seal()
        return stored


def moment(n):
    return dt.datetime.fromtimestamp((NOON + n * EVERY) / 1e6, dt.UTC).replace(tzinfo=None)


GOOD = {
    **{("p1", "tiny"): 0.4, ("p1", "small"): 0.6, ("p1", "made"): 0.9},
    **{("", "tiny"): 0.6, ("", "small"): 0.8},
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Two hundred rounds in which small answers p1, then two hundred of the made plan."""
    traffic = Traffic(GOOD)
    for n in range(400):
        traffic.ask("p1", "small" if n < 200 else "made")
        traffic.ask("p1", "tiny" if n % 10 == 0 else "small" if n < 200 else "made")
        traffic.ask("", "small")
        traffic.ask("", "tiny" if n % 5 == 0 else "small")
    stored = traffic.stored(tmp_path_factory.mktemp("grown") / "telemetry")
    yield stored
    stored.close()


def test_the_score_lies_where_arithmetic_puts_it_and_only_the_way_of_answering_moves_it(grown):
    both = (moment(0), moment(1600))
    (now,) = grown.rows(AnalysedTime(both[0], both[1], newest=800).efficiency())
    (before,) = grown.rows(
        f"from efficiency(since := timestamp '{moment(0)}', until := timestamp '{moment(800)}', "
        f"known_since := timestamp '{both[0]}', known_until := timestamp '{both[1]}')"
    )
    assert now["cheapest"] == before["cheapest"] == "tiny"
    assert now["utility_best"] == before["utility_best"]
    assert now["known"] == 1.0
    # What answers p1 lies 95% of the way to its best, what answers the rest 90% of its way.
    assert 88 < now["score"] < 96
    # Before, p1 got .6 where .9 is known, and lost half of its way.
    assert 50 < before["score"] < 70
    assert now["idle"] > 0  # tiny is best nowhere, and was asked


def test_the_course_of_the_score_steps_up_where_the_made_plan_began(grown):
    time = AnalysedTime(moment(0), moment(1600), newest=800)
    points = grown.rows(time.curve(20 * 60))
    scores = [point["score"] for point in points]
    early, late = scores[:3], scores[-3:]
    assert max(early) < 70 < 85 < min(late)
    assert max(early) - min(early) < 8
    assert max(late) - min(late) < 8


def test_a_better_plan_that_hardly_answers_is_an_issue_with_its_effect(tmp_path):
    traffic = Traffic(GOOD)
    for n in range(300):
        traffic.ask("p1", "made" if n % 10 == 0 else "tiny" if n % 10 == 1 else "small")
        traffic.ask("", "tiny" if n % 5 == 0 else "small")
    stored = traffic.stored(tmp_path / "telemetry")
    (row,) = stored.rows(AnalysedTime(moment(0), moment(600), newest=600).issues())
    issue = issue_of(row)
    assert issue.what == "p1: made is worth more than what answers there"
    assert (
        0.08 < row["gain"] < 0.16
    )  # half of the requests gain .3 of quality in eight of ten cases
    assert row["gain"] > row["half"] > 0
    assert issue.command == "waggle routes distill"
    stored.close()


@pytest.mark.parametrize(("rounds", "on_p1", "named"), [(300, 0.8, True), (300, 0.65, False),
                                                        (120, 0.68, False)])  # fmt: skip
def test_plans_are_doubles_only_if_enough_is_judged_on_each_group(tmp_path, rounds, on_p1, named):
    """They are alike on nine tenths of requests, and on p1 perhaps not."""
    good = {(group, plan): 0.8 for group in ("p1", "") for plan in ("small", "twin")}
    good |= {("p1", "small"): on_p1, ("p1", "tiny"): 0.5, ("", "tiny"): 0.5}
    traffic = Traffic(good)
    for n in range(rounds):
        for plan in ("twin", "small", "tiny"):
            for _ in range(3):
                traffic.ask("", plan)
            if n % 2 == 0:
                traffic.ask("p1", plan)
    stored = traffic.stored(tmp_path / "telemetry")
    sql = AnalysedTime(moment(0), moment(len(traffic.rows)), newest=500).issues()
    pairs = {row["subject"] for row in stored.rows(sql) if row["issue"] == "double"}
    assert pairs == ({"twin"} if named else set())
    stored.close()


def test_doubles_slow_committees_and_idle_checks_are_issues(tmp_path):
    good = {("", plan): share for plan, share in {"tiny": 0.5, "small": 0.8, "twin": 0.8}.items()}
    traffic = Traffic(good | {("", "panel"): 0.8})
    steps = [
        {"step": 1, "backend": "a", "role": "committee.0.round1", "latency_ms": 2000.0},
        {"step": 2, "backend": "b", "role": "refine.critic", "latency_ms": 900.0, "cost_usd": 1e-3},
    ]
    for _ in range(400):
        for plan in ("small", "twin", "tiny", "panel"):
            more = {"attempts": steps} if plan == "panel" else {}
            traffic.ask("", plan, **more)
    stored = traffic.stored(tmp_path / "telemetry")
    time = AnalysedTime(moment(0), moment(1600), newest=1600)
    rows = {row["issue"]: row for row in stored.rows(time.issues())}
    assert (rows["double"]["subject"], rows["double"]["other"]) == ("twin", "small")
    assert rows["double"]["usd_per_1k"] == pytest.approx(-0.25 * 0.04)
    assert (rows["slow committee"]["subject"], rows["slow committee"]["other"]) == (
        "panel",
        "small",
    )
    assert rows["slow committee"]["ms"] == pytest.approx(-0.25 * 2700)
    idle = issue_of(rows["idle check"])
    assert idle.what == "refine.critic of panel refused none of 400 answers"
    assert (idle.utility, idle.ms) == ("none is lost", "-225.0 ms")
    stored.close()


def test_where_rows_do_not_suffice_the_words_say_so(tmp_path):
    traffic = Traffic({("", "small"): 0.8, ("", "tiny"): 0.8})
    for _ in range(15):
        traffic.ask("", "small")
        traffic.ask("", "tiny")
    stored = traffic.stored(tmp_path / "telemetry")
    time = AnalysedTime(moment(0), moment(30), newest=30)
    (row,) = stored.rows(time.efficiency())
    assert score_words(row)[0] == (
        "Efficiency: not known, because fewer than half of the requests are of patterns and kinds "
        "with enough judged answers."
    )
    assert stored.rows(time.issues()) == []
    empty = AnalysedTime(moment(40), moment(50), newest=100)
    (row,) = stored.rows(empty.efficiency())
    assert row["why"] == "Waggle chose the plan of no request in this time"
    stored.close()


def test_plans_that_callers_named_lately_say_nothing_about_what_answers_now(tmp_path):
    traffic = Traffic(GOOD | {("p1", "twin"): 0.1})
    for n in range(400):
        traffic.ask("p1", "tiny" if n % 10 == 0 else "made")
    for _ in range(300):
        traffic.ask("p1", "twin", strategy="named")
    stored = traffic.stored(tmp_path / "telemetry")
    time = AnalysedTime(moment(0), moment(700), newest=175)
    (now,), (group,) = stored.rows(time.efficiency()), stored.rows(time.groups())
    (pattern,) = stored.rows("from patterns")
    assert now["n"] == 175
    assert 88 < now["score"] < 96  # as 90% of them are answered by the best plan
    for row in (now, group, pattern):
        assert row["utility_now"] == pytest.approx(0.8, abs=0.05)
    assert pattern["could_bring"] == pytest.approx(0.05, abs=0.03)
    (nothing,) = stored.rows(
        f"from efficiency(since := timestamp '{moment(400)}', until := timestamp '{moment(700)}')"
    )
    assert nothing["why"] == "Waggle chose the plan of no request in this time"
    assert score_words(nothing) == (f"Efficiency: not known, because {nothing['why']}.",)
    stored.close()


@pytest.mark.parametrize(
    ("score", "half", "words"),
    [(62.4, None, "62 of 100"), (62.4, 8.2, "62 ± 8 of 100"), (15.6, 75.8, "0 to 91 of 100"),
     (80.0, 41.0, "39 to 100 of 100")],
)  # fmt: skip
def test_a_score_that_is_hardly_known_is_told_as_a_range(score, half, words):
    assert score_of({"score": score, "half": half}) == words


@pytest.mark.slow
async def test_an_analyst_may_ask_the_same(grown):
    time = AnalysedTime(moment(0), moment(1600), newest=800)
    bounds = Bounds(rows=10, seconds=600)
    for sql in (time.efficiency(), time.curve(1200), time.issues()):
        assert b"rows" in await ask(grown.folder, sql, bounds)
