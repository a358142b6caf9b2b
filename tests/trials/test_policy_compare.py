"""`waggle policy compare`: estimates of two policies on the same logged requests."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.cli.policy_compare import moment
from router.cli.terminal import InputRefused
from router.config.load import load
from router.routing.strategies import Strategy
from router.trials.changes import register
from router.trials.ledger import Ledger
from tests.learning.traffic import features_of
from tests.telemetry.stored import Stored, request, signal

YAML = """
server: {{data: {data}}}
backends:
  a: {{kind: generator}}
  b: {{kind: generator, price: {{input: 10, output: 30}}}}
  c: {{kind: generator, price: {{input: 10, output: 30}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}, idle: {{ask: c}}}}
objective: {{strategy: bandit}}
"""
PLANS, COST = ("cheap", "dear"), (0.001, 0.004)
GOOD = {"sql": (0.4, 0.9), "chat": (0.8, 0.8)}  # the chance that an answer of each plan is good
ODDS = {"sql": (0.4, 0.6), "chat": (0.7, 0.3)}
SOURCE = """\
def route(request, scores, similar):
    return "dear" if request["kind"] == "sql" else "cheap"
"""
NOW = dt.datetime.now(dt.UTC).timestamp()


class Place:
    """A data folder with an hour of requests that a bandit decided."""

    def __init__(self, folder):
        (folder / "waggle.yaml").write_text(YAML.format(data=folder / "var"))
        self.config = load(folder / "waggle.yaml", {})
        self.stored = Stored(self.config.telemetry_folder)
        self.chance = np.random.default_rng(1)
        self.count = 0

    def log(self, count=600, judged=0.8, **given):
        rows, signals = [], []
        for _ in range(count):
            self.count += 1
            kind = ("sql", "chat")[int(self.chance.integers(2))]
            odds = ODDS[kind]
            plan = int(self.chance.random() < odds[1])
            row = request(
                int((NOW - 7200) * 1e6) + self.count * 1_000_000,
                kind=kind,
                strategy="bandit",
                plan=PLANS[plan],
                eligible=list(PLANS),
                probabilities=list(odds),
                propensity=odds[plan],
                ineligible={"idle": "rests"},
                features_version=3,
                features=features_of("Explain" if kind == "chat" else "select 1"),
                cost_usd=COST[plan] * float(self.chance.uniform(0.5, 1.5)),
                latency_ms=50.0 * (1 + plan),
                expected=[
                    {"plan": name, "quality": 0.5, "cost_usd": usd, "latency_ms": 50.0}
                    for name, usd in zip(PLANS, COST, strict=True)
                ],
            )
            row |= given
            rows.append(row)
            if self.chance.random() < judged:
                good = self.chance.random() < GOOD[kind][plan]
                signals.append(signal(row, float(good)))
        self.stored.write("requests", rows)
        self.stored.write("signals", signals)
        return rows

    def register(self, strategy, at=NOW - 8000):
        Ledger(self.config.trials_folder, self.config).change(register, strategy, at)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    place = Place(tmp_path)
    yield place
    place.stored.close()


def run(*words, status=0):
    result = CliRunner().invoke(app, ["policy", "compare", *words])
    assert result.exit_code == status, result.output + result.stderr
    return " ".join((result.output + result.stderr).split())


def compared(*words, status=0):
    return json.loads(run(*words, "--json", status=status))


def holds(estimate, truth):
    return estimate["low"] <= truth <= estimate["high"]


def test_two_plans_are_compared_on_the_same_requests(place):
    place.log(1500)
    result = compared("dear", "cheap")
    assert (result["a"], result["b"]) == ("always-dear", "always-cheap")
    assert result["requests"] == 1500
    dear, cheap = result["policies"]["a"], result["policies"]["b"]
    assert holds(dear["quality"]["dr"], 0.85)
    assert holds(cheap["quality"]["dr"], 0.6)
    assert holds(dear["cost_usd"]["dr"], 0.004)
    assert 400 < dear["quality"]["effective"] < 1500
    assert holds(result["difference"]["quality"], 0.25)
    assert holds(result["difference"]["cost_usd"], 0.003)
    assert result["difference"]["quality"]["low"] > 0.1
    assert result["choose_alike"] == 0
    assert "always-dear would have been better than always-cheap, by +0." in result["meaning"]
    assert "more [" in result["meaning"]


def test_the_table_shows_values_with_intervals_and_says_what_they_mean(place):
    place.log()
    text = run("dear", "cheap", "--since", "1d")
    for words in ("600 requests since", "always-dear", "difference", "judged", "would have been"):
        assert words in text


def test_the_bandit_is_what_it_decided_then(place):
    rows = place.log()
    result = compared("bandit", "dear")
    earned = np.mean([row["cost_usd"] for row in rows])
    assert result["policies"]["a"]["cost_usd"]["ips"]["value"] == pytest.approx(earned)
    assert result["policies"]["a"]["cost_usd"]["effective"] == pytest.approx(600)


def test_requests_in_which_a_trial_drew_the_side_are_not_the_bandits(place):
    part = {"trial_id": "t", "unit": "u", "variant": "current", "chance": 0.5, "apart": True}
    place.log(200, exposures=[part | {"other": "dear"}])
    assert "it decided none of them alone" in run("bandit", "dear", status=2)
    place.log(300, exposures=[part | {"variant": "shadow", "other": "dear"}])
    result = compared("bandit", "dear")
    assert (result["requests"], result["odds_unknown"]) == (300, 200)


def test_a_policy_less_itself_is_nothing(place):
    place.log()
    result = compared("dear", "always-dear")
    assert result["difference"]["utility"] == {"value": 0, "low": 0, "high": 0}
    assert "would have chosen alike on every request" in result["meaning"]


def test_the_odds_of_rules_and_mixes_come_from_the_logged_features(place):
    place.log(800)
    place.register(Strategy("half", "mix", settings={"shares": {"cheap": 0.5, "dear": 0.5}}))
    settings = {"rungs": ["cheap", "dear"], "cuts": [0.0]}
    place.register(Strategy("steep", "ladder", settings=settings))
    result = compared("half", "cheap")
    assert holds(result["policies"]["a"]["quality"]["dr"], (0.85 + 0.6) / 2)
    assert result["choose_alike"] == pytest.approx(0.5)
    steep = compared("steep", "dear")  # no request is below the only cut
    assert steep["choose_alike"] == 1
    assert compared("ladder", "cheap")["policies"]["a"]["cost_usd"]["effective"] > 100


@pytest.mark.slow
def test_a_routing_function_is_asked_about_the_requests_since_it_was_written(place):
    place.log(300)
    place.register(Strategy("code", "function", source=SOURCE), at=NOW - 7200 + 300.5)
    assert "rows from before it was written do not count" in run("code", "cheap", status=2)
    place.log(500)
    result = compared("code", "cheap")
    assert (result["requests"], result["odds_unknown"]) == (500, 300)
    assert holds(result["policies"]["a"]["quality"]["dr"], 0.85)


def test_a_plan_that_the_log_gave_no_chance_is_refused_with_the_mend(place):
    place.log(300, ineligible={})
    text = run("idle", "cheap", status=1)
    assert "No comparison: of always-idle, it chooses `idle` for 100.0% of the requests" in text
    assert "waggle trial new NAME --candidate always-idle" in text
    result = compared("idle", "cheap", status=1)
    assert "refused" in result["policies"]["a"]["cost_usd"]
    assert result["difference"]["cost_usd"] is None
    assert "dr" in result["policies"]["b"]["cost_usd"]


def test_too_few_answers_are_refused_with_the_mend(place):
    place.log(40)
    text = run("dear", "cheap", status=1)
    assert "and 30 are needed: look further back with --since" in text


def test_without_judgements_the_cost_is_told_and_the_quality_is_not(place):
    place.log(600, judged=0.0)
    result = compared("dear", "cheap")
    assert "refused" in result["policies"]["a"]["quality"]
    assert result["difference"]["cost_usd"]["low"] > 0.002
    assert result["difference"]["cost_usd"]["high"] < 0.004
    assert "Which is better cannot be told" in result["meaning"]
    assert "per 1,000 requests" in result["meaning"]


def test_what_says_nothing_about_a_policy_is_left_out_by_name(place):
    place.log(300)
    place.log(20, strategy="named")
    place.log(10, strategy="reuse", reuse_tier="exact")
    result = compared("dear", "cheap")
    assert result["requests"] == 300
    left = {why: row["n"] for why, row in result["left_out"].items()}
    assert left == {"named by the caller": 20, "answered from memory": 10}
    assert "20 named by the caller, 10 answered from memory" in run("dear", "cheap")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("deer", "cheap"), "Did you mean dear?"),
        (("dear", "cheap", "--since", "soon"), "--since soon: it is a span such as 12h"),
        (("dear", "cheap", "--since", "1m"), "had its plan drawn"),
    ],
)
def test_a_wrong_question_is_refused_with_the_rule(place, words, why):
    place.log(50)
    result = CliRunner().invoke(app, ["policy", "compare", *words])
    assert result.exit_code in (1, 2)
    assert why in " ".join((result.output + result.stderr).split())


def test_a_bandit_with_other_settings_is_refused_since_no_log_holds_its_odds(place):
    place.log(50)
    place.register(Strategy("bold", "bandit", settings={"floor": 0.01}))
    place.register(Strategy("less", "same", without=("idle",)))
    for name in ("bold", "less"):
        assert "the log holds the odds of `bandit` itself" in run(name, "cheap", status=2)


def test_the_time_to_look_back_is_a_span_or_a_moment():
    now = dt.datetime.fromisoformat("2026-05-28 12:00")
    for text, at in (
        ("12h", "2026-05-28"),
        ("1.5d", "2026-05-27"),
        ("2026-05-01", "2026-05-01"),
        ("2026-05-01T02:00+02:00", "2026-05-01"),
    ):
        assert moment(text, now) == dt.datetime.fromisoformat(at)
    for wrong in ("", "7", "7 days", "99999999d", "999999w"):
        with pytest.raises(InputRefused, match="--since"):
            moment(wrong, now)


@pytest.mark.slow
def test_the_report_says_what_other_policies_would_have_cost(place):
    place.log(600)
    place.log(7, strategy="named")
    result = CliRunner().invoke(app, ["report", "--out", "week.md"])
    assert result.exit_code == 0, result.output
    page = Path("week.md").read_text()
    section = page.split("## What other policies would have cost")[1].split("\n## ")[0]
    for words in ("as it was", "always-dear", "ladder", "bandit", "7 named by the caller"):
        assert words in section
    assert "always-idle: the log is worth only" not in section
