"""`waggle trial`, `waggle routes` and `waggle report`, without a running service."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import load
from router.routing.strategies import Strategy
from router.telemetry.rows import event_row, policy_row, trial_row
from router.trials.changes import adopt, open_trial, register, roll_back
from router.trials.director import Director
from router.trials.ledger import Ledger
from tests.fakes import MemoryJournal
from tests.telemetry.stored import NOON, Stored, request, signal
from tests.trials.test_director import YAML

SOURCE = '''\
def route(request, scores, similar):
    """Made by hand."""
    return "dear" if request["kind"] == "sql" else "cheap"
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "waggle.yaml").write_text(
        YAML.format(data=tmp_path / "var", adopt="false", propose="false")
    )
    return tmp_path


def run(*words, status=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == status, result.output + result.stderr
    return " ".join((result.output + result.stderr).replace("│", " ").split())


def test_a_trial_from_its_opening_to_its_end(place):
    assert "There is no trial yet" in run("trial", "list")
    assert "always-dear against always-cheap, running" in run(
        "trial", "new", "dearer", "--candidate", "always-dear", "--traffic", "0.5"
    )
    assert "50% of 50% of the traffic" in run("trial", "show", "dearer")
    listed = json.loads(run("trial", "list", "--json"))
    assert listed["trials"][0]["name"] == "dearer"
    assert "always-dear is adopted by steps" in run("trial", "adopt", "dearer")
    assert "always-dear serves, held against always-cheap" in run("trial", "list")
    assert "always-cheap serves" in run("trial", "rollback")
    run("trial", "new", "again", "--candidate", "always-dear")
    assert "again is stopped" in run("trial", "stop", "again")
    assert "bandit serves" in run("trial", "rollback", "--to", "bandit")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("trial", "new", "t", "--candidate", "bandti"), "Did you mean bandit?"),
        (("trial", "new", "t", "--candidate", "bandit", "--split", "2"), "split below 1"),
        (("trial", "show", "none"), "no trial is called that"),
        (("trial", "adopt", "none"), "no trial is called that"),
        (("trial", "rollback"), "nothing to roll back"),
        (("trial", "register", "m", "--kind", "mix", "--settings", "{"), "--settings"),
        (("trial", "register", "m", "--kind", "mix", "--settings", "[]"), "must be a JSON object"),
        (("trial", "register", "m", "--kind", "function", "--file", "no.py"), "--file"),
        (("trial", "register", "a b", "--kind", "ladder"), "make a name"),
        (("routes", "show"), "always-cheap serves, and is no function"),
        (("routes", "diff", "a", "b"), "no function or node is called that. There are: none yet"),
        (("report", "--out", "x.pdf"), "there is no telemetry"),
    ],
)
def test_a_refused_command_says_why(place, words, why):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code in (1, 2)
    assert why in result.output + result.stderr


def test_a_command_for_the_learner_says_that_it_needs_the_service(place):
    for words in (("simplify",), ("routes", "distill"), ("routes", "write")):
        assert "its learner is needed" in run(*words, status=1)


def test_functions_are_registered_read_and_compared(place):
    assert "No function was made yet" in run("routes", "log")
    (place / "route.py").write_text(SOURCE)
    assert "Registered code@1" in run(
        "trial", "register", "code", "--kind", "function", "--file", "route.py"
    )
    (place / "route.py").write_text(SOURCE.replace('"sql"', '"chat"'))
    run("trial", "register", "code", "--kind", "function", "--file", "route.py")
    assert "code@2" in run("routes", "log")
    assert 'request["kind"] == "chat"' in run("routes", "show", "code")
    changes = run("routes", "diff", "code@1", "code@2")
    assert '- return "dear" if request["kind"] == "sql"' in changes
    (place / "route.py").write_text("import os\n" + SOURCE)
    result = CliRunner().invoke(
        app, ["trial", "register", "code", "--kind", "function", "--file", "route.py"]
    )
    assert "line 1: import is not needed" in result.output + result.stderr
    assert "code@2" in run("trial", "strategies")


@pytest.mark.slow
def test_the_report_shows_what_happened_and_each_of_its_queries_runs_again(place):
    config = load(place / "waggle.yaml", {})
    stored, journal = Stored(config.telemetry_folder), MemoryJournal()
    now = dt.datetime.now(dt.UTC).timestamp()
    at = int((now - 86_400) * 1e6)
    rows, signals = [], []
    for n in range(200):
        plan = "dear" if n % 2 else "cheap"
        row = request(
            at + n * 400_000_000, plan=plan, kind=("sql", "<b>chat</b>")[n % 2], strategy="bandit",
            cost_usd=0.004 if plan == "dear" else 0.001, premium_plan="dear",
        )  # fmt: skip
        rows.append(row)
        signals.append(signal(row, 0.9 if plan == "dear" else 0.6))
    stored.write("requests", rows)
    stored.write("signals", signals)
    director = Director(config, journal, lambda: now - 3600)
    made = Strategy("code", "function", source=SOURCE, author="operator")
    director.change(register, made, now - 4000)
    director.change(open_trial, "mine", "code", now - 3600)
    director.change(adopt, "mine", now - 3500, why="it is better", by_steps=False)
    director.change(roll_back, now - 3000, "it turned bad")
    stored.write("trials", [trial_row(news) for news in journal.trials])
    stored.write("policies", [policy_row(policy) for policy in journal.policies])
    stored.write("events", [event_row(event) for event in journal.events])
    run("report", "--days", "7", "--out", "week.md")
    run("report", "--days", "7", "--out", "week.html")
    text, page = (place / "week.md").read_text(), (place / "week.html").read_text()
    stored.close()
    for words in (
        "Against always dear:", "saved over 200 requests", "coin toss", "it turned bad",
        "## How efficient it is", "Efficiency: ", "## What could be better",
        "rolled back", "`code@1`", "Made by hand.", "waggle simplify", "always-cheap serves.",
    ):  # fmt: skip
        assert words in text, words
    assert "<b>chat</b>" not in page  # a caller's words are escaped, never markup
    assert "&lt;b&gt;chat&lt;/b&gt;" in page
    queries = [block.partition("\n```")[0] for block in text.split("```sql\n")[1:]]
    assert len(queries) >= 8
    for query in queries:
        stored.rows(query)
    assert "Written:" in run("report", "--out", "again.html")
    assert "What Waggle learned" in run("report")


def test_trial_results_in_telemetry_have_a_row_for_each_side(place):
    config = load(place / "waggle.yaml", {})
    stored = Stored(config.telemetry_folder)
    rows, signals = [], []
    for n in range(80):
        side = ("candidate", "current")[n % 2]
        exposure = {"trial_id": "t1", "unit": f"u{n}", "variant": side, "chance": 0.5,
                    "apart": n % 4 < 2, "other": "dear"}  # fmt: skip
        row = request(NOON + n, exposures=[exposure])
        rows.append(row)
        signals.append(signal(row, 0.8 if side == "candidate" else 0.5))
    stored.write("requests", rows)
    stored.write("signals", signals)
    sides = {row["variant"]: row for row in stored.rows("from trial_results('t1')")}
    assert (sides["candidate"]["n"], sides["candidate"]["decided_apart"]) == (40, 20)
    assert sides["candidate"]["lift"] == pytest.approx(0.3)
    assert stored.value("select count(*) from exposures where apart") == 40
    stored.close()


def test_a_missing_ledger_is_an_empty_book(place):
    config = load(place / "waggle.yaml", {})
    ledger = Ledger(config.trials_folder, config)
    assert ledger.follow() == []
    assert ledger.book.serving.key == "always-cheap"
