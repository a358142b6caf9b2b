"""Off-policy estimates in SQL agree with the learner; rows that say nothing do not count."""

import numpy as np
import pytest

from learner.expectations import cross_fitted, known_shares
from learner.offpolicy import bounds_of, doubly_robust, normalised, promised_squares, weighted
from tests.telemetry.stored import NOON, Stored, request, signal

PLANS = ("cheap", "middle", "dear")
KINDS = ("code", "text")
SOFT = (
    "case kind when 'code' then map {'cheap': .2, 'middle': .3, 'dear': .5} "
    "else map {'cheap': .8, 'dear': .2} end"
)


class Log:
    """A log of drawn requests, as rows of telemetry and as arrays."""

    def __init__(self, count=400, seed=1):
        chance = np.random.default_rng(seed)
        self.kinds = chance.integers(2, size=count)
        self.odds = np.array([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]])[self.kinds]
        self.plans = (chance.random((count, 1)) > self.odds.cumsum(axis=1)).sum(axis=1)
        self.good = (chance.random(count) < 0.4 + 0.2 * self.plans).astype(float)
        self.cost = 0.001 * 3.0**self.plans * chance.lognormal(size=count)
        self.ms = 100.0 * (1 + self.plans) * chance.lognormal(size=count)
        self.judged = chance.random(count) < np.array([0.9, 0.6, 0.7])[self.plans]

    def rows(self):
        for n, plan in enumerate(self.plans):
            yield request(
                NOON + n,
                request_id=f"{n:08d}",
                kind=KINDS[self.kinds[n]],
                strategy="bandit",
                plan=PLANS[plan],
                propensity=float(self.odds[n, plan]),
                eligible=list(PLANS),
                probabilities=self.odds[n].tolist(),
                cost_usd=float(self.cost[n]),
                latency_ms=float(self.ms[n]),
            )

    def wanted(self):
        return np.array([[0.2, 0.3, 0.5], [0.8, 0.0, 0.2]])[self.kinds]


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def stored(tmp_path, log):
    stored = Stored(tmp_path)
    rows = list(log.rows())
    stored.write("requests", rows)
    judged = [n for n in range(len(rows)) if log.judged[n]]
    stored.write("signals", [signal(rows[n], float(log.good[n])) for n in judged])
    return stored


@pytest.mark.parametrize(
    ("measure", "values", "always_known"),
    [("quality", "good", False), ("cost_usd", "cost", True), ("latency_ms", "ms", True)],
)
def test_sql_estimates_what_the_learner_estimates(stored, log, measure, values, always_known):
    seen = np.ones(len(log.plans), dtype=bool) if always_known else log.judged
    rewards = np.where(seen, getattr(log, values), 0.0)
    bounds = (0.0, 1.0) if measure == "quality" else bounds_of(rewards[seen])
    wanted, rows = log.wanted(), np.arange(len(rewards))
    odds = log.odds * known_shares(log.kinds, log.plans, seen, arm_count=3)
    expected = cross_fitted(log.kinds, log.plans, rewards, seen, arm_count=3)
    logged, taken = odds[rows, log.plans], np.where(seen, wanted[rows, log.plans], 0.0)
    common = {"clip": np.inf, "squares": promised_squares(odds, wanted), "bounds": bounds}
    estimates = {
        "ips": weighted(rewards, logged, taken, **common),
        "snips": normalised(rewards, logged, taken, **common),
        "dr": doubly_robust(
            rewards,
            logged,
            taken,
            expected=expected[rows, log.plans],
            expected_under=(wanted * expected).sum(axis=1),
            **common,
        ),
    }
    (row,) = stored.rows(f"from policy_value({SOFT}) where measure = '{measure}'")
    assert row["refused"] is None
    assert (row["n"], row["judged"]) == (len(rewards), seen.sum())
    for name, estimate in estimates.items():
        assert row["ess"] == pytest.approx(estimate.effective)
        assert row[name] == pytest.approx(estimate.value)
        assert row[f"{name}_low"] == pytest.approx(estimate.low)
        assert row[f"{name}_high"] == pytest.approx(estimate.high)


def test_the_policy_that_logged_is_worth_what_it_earned(stored, log):
    (row,) = stored.rows("from policy_value(odds) where measure = 'cost_usd'")
    assert row["ips"] == pytest.approx(log.cost.mean())
    assert row["dr_low"] < log.cost.mean() < row["dr_high"]


def test_every_plan_is_estimated_on_the_requests_that_it_can_answer(stored, log):
    rows = stored.rows("from off_policy() where measure = 'quality'")
    plans = {row["policy"]: row for row in rows}
    assert list(plans) == sorted(PLANS)
    for number, plan in enumerate(PLANS):
        assert plans[plan]["n"] == len(log.plans)
        assert plans[plan]["dr_low"] < 0.4 + 0.2 * number < plans[plan]["dr_high"]


def test_a_plan_without_a_chance_in_the_log_is_refused_with_the_reason(stored):
    rows = stored.rows("from policy_value(always('new'))")
    assert {row["measure"] for row in rows} == {"quality", "cost_usd", "latency_ms", "utility"}
    for row in rows:
        assert row["dr"] is None
        assert row["refused"] == "the log is silent about 100.0% of its choices"


def test_a_plan_that_was_hardly_tried_is_refused_with_the_reason(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", list(Log(60).rows()))
    (row,) = stored.rows("from policy_value(always('dear')) where measure = 'cost_usd'")
    assert row["dr"] is None
    assert "and 30 are needed" in row["refused"]


def test_a_plan_that_had_a_chance_and_was_never_drawn_is_refused(tmp_path):
    stored = Stored(tmp_path)
    odds = {"eligible": ["cheap", "dear"], "probabilities": [0.9, 0.1], "propensity": 0.9}
    rows = [request(NOON + n, strategy="bandit", **odds) for n in range(400)]
    stored.write("requests", rows)
    (row,) = stored.rows("from policy_value(always('dear')) where measure = 'cost_usd'")
    assert (row["dr"], row["ess"]) == (None, 0)
    assert row["refused"] == "the log is worth 0.0 of its answers, and 30 are needed"


def test_a_plan_that_cannot_answer_passes_its_share_on_as_it_would_in_service(tmp_path):
    stored = Stored(tmp_path)
    rows = list(Log(400).rows())
    for row in rows[::2]:
        row |= {
            "eligible": ["cheap"],
            "probabilities": [1.0],
            "plan": "cheap",
            "propensity": 1.0,
            "ineligible": {"middle": "too dear", "dear": "too dear"},
            "cost_usd": 0.5,
        }
    stored.write("requests", rows)
    (row,) = stored.rows("from policy_value(always('middle')) where measure = 'cost_usd'")
    assert row["refused"] is None
    assert row["dr"] > 0.25  # half of the requests cost .5, whatever the policy wants


ODD = [
    ({"strategy": "named"}, "named by the caller"),
    ({"strategy": "compared"}, "named by the caller"),
    ({"strategy": "reuse", "reuse_tier": "exact"}, "answered from memory"),
    ({"reuse_tier": "reuse"}, "answered from memory"),
    ({"strategy": "sticky"}, "stayed with its conversation"),
    ({"strategy": "moved"}, "stayed with its conversation"),
    ({"strategy": "computed"}, "decided by rule"),
    ({"strategy": "specialist"}, "decided by rule"),
    ({"status": 499}, "left by the caller"),
    ({"propensity": None}, "without a propensity"),
    ({"probabilities": []}, "without a propensity"),
    ({"gen_ai_operation_name": "embeddings"}, "no chat"),
    ({"plan": None}, "refused"),
]


def test_a_request_that_says_nothing_about_another_policy_is_left_out_by_name(tmp_path):
    stored = Stored(tmp_path)
    for at, (given, _) in enumerate(ODD):
        row = request(NOON + at, **({"strategy": "bandit"} | given))
        row = {name: value for name, value in row.items() if value is not None}
        stored.write("requests", [row])
    assert stored.value("select count(*) from drawn_requests") == 0
    columns = "plan, strategy, gen_ai_operation_name, reuse_tier, reuse_checked, status, propensity"
    reasons = stored.ask(f"select left_out({columns}, probabilities) from requests order by ts")
    assert [reason for (reason,) in reasons] == [why for _, why in ODD]


def test_a_checked_answer_from_memory_counts_because_its_plan_was_drawn(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(strategy="bandit", reuse_tier="reuse", reuse_checked=True)])
    assert stored.value("select count(*) from drawn_requests") == 1


def test_no_answer_is_worth_nothing_and_an_unjudged_answer_is_unknown(tmp_path):
    stored = Stored(tmp_path)
    rows = [request(NOON), request(NOON + 1, status=503, error_type="no_backend_answered")]
    stored.write("requests", rows)
    assert stored.ask("select quality from drawn_requests order by ts") == [(None,), (0.0,)]


def test_of_a_shadow_sql_estimates_auto_and_what_callers_named(tmp_path):
    chance = np.random.default_rng(2)
    stored, rows = Stored(tmp_path), []
    for n in range(800):
        cheap = chance.random() < 0.5
        plan = "cheap" if cheap else "dear"
        rows.append(
            request(
                NOON + n,
                strategy="shadow",
                plan=plan,
                propensity=0.5,
                eligible=["cheap", "dear"],
                probabilities=[0.5, 0.5],
                cost_usd=0.001 if cheap else 0.003,
                shadow={
                    **{"named": "dear", "plan": "cheap", "share": 0.5, "strategy": "bandit"},
                    **{"policy_version": "v", "probabilities": {"cheap": 1.0}},
                },
            )
        )
    named = request(strategy="named", plan="dear", shadow=rows[0]["shadow"] | {"share": 0.0})
    stored.write("requests", [*rows, named])
    stored.write("signals", [signal(row, float(chance.random() < 0.8)) for row in rows])
    values = stored.rows("from shadow_value() where measure = 'cost_usd'")
    by_policy = {row["policy"]: row for row in values}
    assert by_policy["auto"]["n"] == 800  # only where a draw decided
    assert by_policy["auto"]["dr"] == pytest.approx(0.001)
    assert by_policy["named"]["dr"] == pytest.approx(0.003)
    (row,) = stored.rows("select * from shadow_requests where auto_share = 0")
    assert (row["named"], row["auto_plan"], row["apart"]) == ("dear", "cheap", True)
    assert row["auto_probabilities"] == {"cheap": 1.0}
