"""What analysts and operators see of patterns, on rows whose numbers can be calculated by hand."""

import json

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from tests.telemetry.stored import MINUTE, NOON, request, signal

FREE = {"cost_usd": 0.0, "latency_ms": 0.0, "terms": [1, 2]}


def event(subject, state, at, **detail):
    return {
        "ts": NOON + at,
        "event_id": f"e{at}",
        "kind": "pattern",
        "subject": subject,
        "state": state,
        "detail": detail,
    }


@pytest.fixture
def rows(stored):
    """Pattern p1: `cheap` answers 20 and is good for .5, `dear` 20 and is good for 1; 10 without a
    pattern. Cost and latency are zero, so that a utility is the quality."""
    rows = [request(NOON + n, plan="cheap", pattern="p1", key_id="k1", **FREE) for n in range(20)]
    rows += [
        request(NOON + MINUTE + n, plan="dear", pattern="p1", key_id="k2", **FREE)
        for n in range(20)
    ]
    rows += [request(NOON + n, **FREE) for n in range(10)]
    stored.write("requests", rows)
    scores = [signal(row, n % 2) for n, row in enumerate(rows[:20])]
    stored.write("signals", scores + [signal(row, 1.0) for row in rows[20:40]])
    events = [
        event("p1", "found", 1, name="p1", spread=0.4, alike=10),
        event("p1", "named", 2, name="total invoice", spread=0.5, alike=30),
        event("p2", "found", 3, name="p2", spread=0.1, alike=10),
        event("p2", "merged", 4, into="p1"),
    ]
    stored.write("events", events)
    return rows


def test_a_pattern_has_its_share_its_utility_and_what_the_best_plan_could_bring(stored, rows):
    first, second = stored.rows("from patterns")
    expected = {
        "pattern": "p1",
        "name": "total invoice",
        "state": "living",
        "requests": 40,
        "share": 0.8,
        "spread": 0.5,
        "callers": 2,
        "judged": 40,
        "utility_now": pytest.approx(0.75),
        "best_plan": "dear",
        "best_utility": pytest.approx(1.0),
        "could_bring": pytest.approx(0.25),
    }
    assert {name: first[name] for name in expected} == expected
    assert (second["pattern"], second["state"], second["into_pattern"]) == ("p2", "merged", "p1")
    assert second["requests"] == 0


def test_the_numbers_lead_to_rows(stored, rows):
    plans = stored.rows("from pattern_plans() where pattern = 'p1'")
    assert [(p["plan"], p["n"], p["judged"]) for p in plans] == [
        ("dear", 20, 20),
        ("cheap", 20, 20),
    ]
    assert [p["utility"] for p in plans] == [1.0, 0.5]
    counted = stored.ask("select plan, count(*) from requests where pattern = 'p1' group by all")
    assert sorted(counted) == [("cheap", 20), ("dear", 20)]
    assert stored.value("select terms from requests where pattern = 'p1' limit 1") == [1, 2]


def test_few_judged_answers_make_no_plan_the_best(stored):
    rows = [request(NOON + n, plan="dear", pattern="p3", **FREE) for n in range(9)]
    stored.write("requests", rows)
    stored.write("signals", [signal(row, 1.0) for row in rows])
    (row,) = stored.rows("from patterns")
    assert (row["name"], row["utility_now"]) == ("p3", 1.0)
    assert row["best_plan"] is row["could_bring"] is None


def waggle(config, *arguments):
    file = str(config.data.parent / "waggle.yaml")
    return CliRunner().invoke(app, ["patterns", *arguments, "--config", file])


def test_the_command_shows_patterns_and_the_way_to_their_rows(config, stored, rows):
    shown = waggle(config)
    assert shown.exit_code == 0, shown.output
    assert "total invoice" in shown.output
    assert "p2" not in shown.output
    document = json.loads(waggle(config, "p1", "--json").output)
    assert [plan["plan"] for plan in document["plans"]] == ["dear", "cheap"]
    assert len(stored.ask(document["sql"])) == 40
    assert "where pattern = 'p1'" in waggle(config, "p1").output
    assert "merged into p1" in waggle(config, "p2").output


def test_an_unknown_pattern_is_refused_by_name(config, stored, rows):
    shown = waggle(config, "p9' or 1=1")
    assert shown.exit_code == 2
    assert "there is no pattern p9' or 1=1" in shown.output
    assert "there are: p1, p2" in shown.output


def test_without_patterns_the_command_says_when_there_will_be_some(config, stored):
    assert "No pattern was found yet" in waggle(config).output
