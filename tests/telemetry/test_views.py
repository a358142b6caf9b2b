"""Each view and macro, on rows whose results can be calculated by hand."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import router.telemetry
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

# Four requests, two of each plan; the dear plan is better and four times as expensive.
CHEAP = {"plan": "cheap", "cost_usd": 0.001, "premium_cost_usd": 0.004}
DEAR = {"plan": "dear", "cost_usd": 0.004, "premium_cost_usd": 0.004}
EVEN = {"eligible": ["cheap", "dear"], "probabilities": [0.75, 0.25]}


@pytest.fixture
def stored(tmp_path):
    return _with_rows(tmp_path)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """The same rows, sealed, for tests that only read."""
    stored = _with_rows(tmp_path_factory.mktemp("sealed"))
    stored.seal()
    return stored


def _with_rows(folder):
    stored = Stored(folder)
    rows = [
        request(NOON, **CHEAP, **EVEN, propensity=0.75, latency_ms=100.0),
        request(NOON + 1, **CHEAP, **EVEN, propensity=0.75, latency_ms=100.0),
        request(NOON + 2, **DEAR, **EVEN, propensity=0.25, explored=True, latency_ms=400.0),
        request(NOON + 6 * MINUTE, **DEAR, **EVEN, propensity=0.25, explored=True, status=503,
                error_type="no_backend_answered", latency_ms=400.0),
    ]  # fmt: skip
    stored.write("requests", rows)
    qualities = [0.4, 0.6, 0.9, None]
    signals = [signal(row, score) for row, score in zip(rows, qualities, strict=True) if score]
    stored.write("signals", signals)
    stored.ids = [row["request_id"] for row in rows]
    stored.written = rows
    return stored


def test_quality_is_null_until_a_signal_comes(stored):
    qualities = stored.ask("select quality, quality_source from requests order by ts")
    assert qualities == [(0.4, "app"), (0.6, "app"), (0.9, "app"), (None, None)]


def test_the_latest_of_each_source_counts_and_sources_are_weighed(stored):
    row = stored.written[0]
    later = [
        signal(row, 1.0, ts=row["ts"] + 5_000_000),
        signal(row, 0.2, source="judge", weight=0.5),
        signal(row, None, metric="comment", comment="why not?"),
    ]
    stored.write("signals", later)
    (row,) = stored.rows(f"select quality, quality_source from requests where ts = "
                          f"make_timestamp({NOON})")  # fmt: skip
    assert row["quality"] == pytest.approx((1.0 * 1.0 + 0.5 * 0.2) / 1.5)
    assert row["quality_source"] == "app"
    # Every signal is kept, also the signals that no longer count.
    assert stored.value(f"select count(*) from signals where request_id = '{stored.ids[0]}'") == 4


def test_the_same_signal_from_two_routers_counts_once(stored):
    row = signal(stored.written[3], 0.5, signal_id="same")
    stored.write("signals", [row], writer="w1")
    stored.write("signals", [row], writer="w2")
    assert stored.value("select count(*) from signals where signal_id = 'same'") == 1


def test_levels_of_computed_answers_are_counted(tmp_path):
    stored = Stored(tmp_path)
    levels = [{"level": "spec", "unchecked": 0}, {"level": "rerun", "unchecked": 2}, {}]
    stored.write("requests", [request(NOON + n, **level) for n, level in enumerate(levels)])
    counted = "select level, count(*), sum(unchecked) from requests group by level"
    for _ in ("in journals", "in segments"):
        rows = stored.ask(f"{counted} order by level nulls last")
        assert rows == [("rerun", 1, 2), ("spec", 1, 0), (None, 1, None)]
        stored.seal()


def test_spend_by_key_team_and_tag(tmp_path):
    day = 24 * 60 * MINUTE
    rows = [
        request(NOON, key_id="k1", team="search", tags=["nightly", "eu"], cost_usd=1.0),
        request(NOON + 1, key_id="k1", team="search", tags=["eu"], cost_usd=None),
        request(NOON + 2, key_id="k2", cost_usd=4.0, strategy="named"),
        request(NOON + day, key_id="k1", team="search", tags=["eu"], cost_usd=2.0),
    ]
    stored = Stored(tmp_path)
    stored.write("requests", rows)
    of_day = f"from spend(until := make_timestamp({NOON + MINUTE}))"
    select = f"select by_what, name, n, usd, unpriced {of_day} order by by_what, name nulls last"
    assert stored.ask(select) == [
        ("key", "k1", 2, 1.0, 1),
        ("key", "k2", 1, 4.0, 0),
        ("tag", "eu", 2, 1.0, 1),
        ("tag", "nightly", 1, 1.0, 0),
        ("tag", None, 1, 4.0, 0),
        ("team", "search", 2, 1.0, 1),
        ("team", None, 1, 4.0, 0),
    ]
    by_day = "select usd from spend() where by_what = 'tag' and name = 'eu' order by bucket"
    assert stored.ask(by_day) == [(1.0,), (2.0,)]


def test_learning_curve(stored):
    stored.seal()
    first, second = stored.rows("from learning_curve(every := interval 5 minute)")
    assert first["n"] == 3
    assert first["quality"] == pytest.approx(1.9 / 3)
    assert first["judged_share"] == 1
    assert first["explored_share"] == pytest.approx(1 / 3)
    assert first["usd_per_1k"] == pytest.approx(2.0)
    mean, n = 1.9 / 3, 3
    variance = ((0.4 - mean) ** 2 + (0.6 - mean) ** 2 + (0.9 - mean) ** 2) / (n - 1)
    assert first["quality_ci95"] == pytest.approx(1.96 * (variance / n) ** 0.5)
    assert second["error_rate"] == 1
    assert second["quality"] is None


def test_a_time_range_is_half_open(stored):
    minute = f"date_trunc('minute', make_timestamp({NOON}))"
    assert stored.value(f"select sum(n) from learning_curve(until := {minute})") is None
    since = f"since := {minute}, until := {minute} + interval 1 minute"
    assert stored.value(f"select sum(n) from learning_curve({since})") == 3


def test_plan_scores_follow_the_formula(stored):
    stored.seal()
    cheap, dear = stored.rows("from plan_scores()")
    assert (cheap["plan"], dear["plan"]) == ("cheap", "dear")
    assert cheap["score"] == pytest.approx(0.5 / ((1 + 1.0) * (1 + 0.1)))
    assert dear["score"] == pytest.approx(0.9 / ((1 + 4.0) * (1 + 0.4)))
    weighted = stored.rows("from plan_scores(wq := 2.0, wc := 0.5)")
    assert weighted[0]["score"] == pytest.approx(4 * cheap["score"])
    assert cheap["traffic_share"] == 0.5
    assert dear["error_rate"] == 0.5


@pytest.mark.parametrize("latency", [0.7, 3.0, 47.0, 810.0, 99_000.0])
def test_percentiles_of_the_rollup_are_within_a_bin(tmp_path, latency):
    stored = Stored(tmp_path)
    rows = [request(latency_ms=latency * (1 + index / 1000)) for index in range(100)]
    stored.write("requests", rows)
    p95_ms = stored.value("select p95_ms from plan_scores()")
    assert p95_ms == pytest.approx(latency * 1.095, rel=0.42)


def test_kind_winners_need_evidence(stored):
    stored.seal()
    assert stored.rows("from kind_winners()") == []
    (winner,) = stored.rows("from kind_winners(min_judged := 1)")
    assert (winner["kind"], winner["plan"], winner["judged"]) == ("text", "cheap", 2)


def test_cost_saved_against_premium_and_against_a_mix_of_equal_cost(stored):
    stored.seal()
    (saved,) = stored.rows("from cost_saved(every := interval 1 day)")
    assert saved["actual_usd"] == pytest.approx(0.010)
    assert saved["premium_usd"] == pytest.approx(0.016)
    assert saved["saved_usd"] == pytest.approx(0.006)
    # The routing cost 2.5 $ per 1000, half way from 1 $ to 4 $: a mix at that cost has quality 0.7.
    assert saved["mix_quality"] == pytest.approx(0.7)
    assert saved["above_mix"] == pytest.approx(1.9 / 3 - 0.7)
    # A mix of the same quality, 0.6333, costs 2 $ per 1000: less than the routing paid.
    assert saved["saved_against_mix_usd"] == pytest.approx(0.008 - 0.010)


@pytest.mark.parametrize("sealed", [True, False])
def test_what_costs_an_unknown_amount_is_left_out_of_sums_and_counted(stored, sealed):
    unknown = {"plan": "cloud", "cost_usd": None, "premium_cost_usd": 0.004}
    beside = {"plan": "cheap", "cost_usd": 0.001, "premium_cost_usd": None}  # premium unpriced
    stored.write("requests", [request(NOON + 3, **unknown), request(NOON + 4, **beside)], "more")
    if sealed:
        stored.seal()
    (saved,) = stored.rows("from cost_saved(every := interval 1 day)")
    assert (saved["n"], saved["unpriced"]) == (6, 1)
    assert saved["actual_usd"] == pytest.approx(0.011)
    assert saved["saved_usd"] == pytest.approx(0.006)  # of the four that have both figures
    means = "select mean_usd(sum(cost_usd), sum(n), sum(unpriced)) from rollup"
    assert stored.value(means) == pytest.approx(0.011 / 5)
    assert stored.value(means + " where plan = 'cloud'") is None
    scores = {row["plan"]: row for row in stored.rows("from plan_scores()")}
    assert scores["cloud"]["usd_per_1k"] is None
    assert scores["cheap"]["usd_per_1k"] == pytest.approx(1)
    sums = "select sum(unpriced) from row_sums(interval 1 day, ago(interval 9000 day), utc_now())"
    assert stored.value(sums) == 1


def test_the_choice_of_a_caller_is_not_counted_as_our_saving(stored):
    stored.write("requests", [request(**CHEAP, strategy="named")])
    assert stored.value("select n from cost_saved(every := interval 1 day)") == 4


def test_reuse_by_tier(stored):
    stored.write("requests", [request(reuse_tier="exact", cost_usd=0.0)])
    tiers = {row["reuse_tier"]: row for row in stored.rows("from reuse_by_tier")}
    assert tiers["exact"]["share"] == 0.2
    assert tiers["exact"]["saved_usd"] == pytest.approx(0.004)


def test_reuse_checks(stored):
    for n, state in enumerate(("right", "right", "right", "wrong")):
        detail = {"bucket": "same:3", "by": "made anew", "weight": 1.0}
        row = {"ts": NOON, "event_id": str(n), "kind": "reuse", "subject": "7", "state": state}
        stored.write("events", [row | {"detail": detail}])
    (row,) = stored.rows("from reuse_checks")
    assert row["bucket"] == "same:3"
    assert (row["checks"], row["wrong"], row["wrong_share"]) == (4, 1, 0.25)


def test_trial_results(stored):
    def part(side, apart):
        exposure = {"trial_id": "t", "unit": "u", "variant": side, "chance": 0.5, "apart": apart}
        return [{**exposure, "other": "dear"}]

    rows = [
        request(exposures=part(side, index < 10), latency_ms=float(index))
        for side in ("current", "candidate")
        for index in range(20)
    ]
    stored.write("requests", rows)
    scores = [0.5 + (n >= 20) * 0.2 + (n % 2) * 0.1 for n in range(40)]
    stored.write("signals", [signal(row, score) for row, score in zip(rows, scores, strict=True)])
    sides = {row["variant"]: row for row in stored.rows("from trial_results('t')")}
    ours, theirs = sides["candidate"], sides["current"]
    assert (ours["n"], theirs["n"], ours["share"]) == (20, 20, 0.5)
    assert (ours["decided_apart"], ours["judged"]) == (10, 10)
    assert ours["lift"] == pytest.approx(0.2)
    assert theirs["lift"] == 0
    assert ours["quality_radius"] > 0.1  # ten judged requests are too few for a verdict


def test_drift_compares_the_last_minutes_with_the_day(stored):
    old = [request(NOON + 8 * MINUTE + index) for index in range(40)]
    new = [request(NOON + 60 * MINUTE + index) for index in range(40)]
    stored.write("requests", [*old, *new])
    signals = [signal(row, 0.9 - 0.1 * (index % 2)) for index, row in enumerate(old)]
    signals += [signal(row, 0.5 - 0.1 * (index % 2)) for index, row in enumerate(new)]
    stored.write("signals", signals)
    stored.seal()
    until = f"make_timestamp({NOON + 62 * MINUTE})"
    shifts = stored.rows(f"from drift(recent := interval 10 minute, until := {until})")
    assert shifts[0]["plan"] == "cheap"
    assert shifts[0]["recent"] == pytest.approx(0.45)
    assert shifts[0]["z"] < -10


def test_resources_are_a_row_for_each_backend(stored):
    backends = [
        {"backend": "a", "in_flight": 3, "usual_s": 0.5, "slower_s": 1.25},
        {"backend": "b", "in_flight": 0, "usual_s": 0.1, "slower_s": 0.0},
    ]
    detail = {"cpu_free": 0.5, "memory_free_mb": 900, "backends": backends}
    row = {"event_id": "e", "ts": NOON, "kind": "resources", "subject": "r1", "state": "busy"}
    stored.write("events", [row | {"detail": detail}])
    query = "select router, backend, in_flight, slower_s, cpu_free, memory_free_mb from resources"
    assert stored.ask(query) == [("r1", "a", 3, 1.25, 0.5, 900), ("r1", "b", 0, 0.0, 0.5, 900)]


def test_feedback_coverage(stored):
    plans = {row["plan"]: row for row in stored.rows("from feedback_coverage")}
    assert plans["cheap"]["coverage"] == 1
    assert plans["dear"]["coverage"] == 0.5
    assert plans["cheap"]["median_wait_seconds"] == 1


def test_explain_tells_everything_about_one_request(stored):
    (row,) = stored.rows(f"from explain('{stored.ids[2]}')")
    assert row["plan"] == "dear"
    assert row["probabilities"] == {"cheap": 0.75, "dear": 0.25}
    assert row["attempts"][0]["backend"] == "a"
    assert row["signals"][0]["score"] == 0.9
    assert stored.rows("from explain('unknown')") == []


def test_regret_counts_what_the_best_plan_would_have_added(stored):
    stored.seal()
    curve = stored.rows("from regret_curve(min_judged := 1)")
    assert curve[0]["regret"] == pytest.approx(0.9 * 3 - 1.9)
    assert curve[-1]["cumulative_regret"] == pytest.approx(0.9 * 3 - 1.9)


def test_a_refused_request_is_there_and_spoils_no_sum(stored):
    stored.write(
        "requests",
        [{"ts": NOON, "request_id": "r", "status": 429, "error_type": "rate_limit_exceeded"}],
    )
    assert stored.value("select count(*) from requests where plan is null") == 1
    assert stored.value("select sum(n) from rollup") == 4
    assert stored.value("select count(*) from off_policy() where policy is null") == 0


def test_every_view_can_be_read_without_any_row(tmp_path):
    stored = Stored(tmp_path)
    with duckdb.connect(str(tmp_path / "telemetry.duckdb"), read_only=True) as con:
        views = con.execute("select view_name from duckdb_views() where not internal").fetchall()
        macros = con.execute(
            "select distinct function_name from duckdb_functions() "
            "where not internal and function_type = 'table_macro'"
        ).fetchall()
    assert len(views) > 10
    for (name,) in views:
        if name != "published":
            assert stored.ask(f"from {name}") == [], name
    for (name,) in macros:
        given = "'x'" if name in ("explain", "trial_results") else ""
        given = "always('x')" if name == "policy_value" else given
        if name in ("sums", "row_sums"):
            given = "interval 1 hour, ago(interval 1 day), utc_now()"
        if name.endswith("_of"):  # over relations of the query, by their names
            relations = "r as (from worth_rows()), w as (from plan_worth_of('r', 'r'))"
            served = ", 'r'" if name in ("efficiency_curve_of", "self_issues_of") else ""
            given = "'r', 'r'" if name == "plan_worth_of" else f"'w'{served}"
            answer = stored.ask(f"with {relations} from {name}({given})")
            assert answer == [] or name == "efficiency_of", name
        elif name != "efficiency":
            assert stored.ask(f"from {name}({given})") == [], name
    assert (
        stored.value("select why from efficiency()")
        == "Waggle chose the plan of no request in this time"
    )
    assert len(macros) >= 9


README = Path(router.telemetry.__file__).with_name("README.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```", README, re.S)


@pytest.mark.parametrize("sql", EXAMPLES)
def test_the_examples_of_the_readme_run(sealed, sql):
    sealed.ask(sql.replace("01a1fae8-7a09-761b-9982-5744f9e7daf0", sealed.ids[0]))


def test_the_command_line_of_an_older_duckdb_reads_it_too(stored):
    """Analysts open the catalog with DuckDB's command line, without `-readonly`."""
    stored.seal()
    stored.write("requests", [request()], writer="live")
    duckdb_cli = Path(sys.executable).with_name("duckdb")
    database = stored.folder / "telemetry.duckdb"
    examples = ";\n".join(sql.rstrip().rstrip(";") for sql in EXAMPLES)
    done = subprocess.run(
        [duckdb_cli, "-csv", database, f"{examples}; select count(*) from requests"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "5"


def test_the_readme_names_every_view_and_macro(stored):
    names = stored.ask(
        "select view_name from duckdb_views() where not internal union "
        "select function_name from duckdb_functions() where not internal"
    )
    internal = {
        "whole_hour",
        "published",
        "binned_quantile",
        "judged",
        "rollup_parts",
        "hours_parts",
        "student",
        "sums",
    }
    missing = {
        name
        for (name,) in names
        if not name.startswith(("all_", "_")) and name not in internal and f"`{name}" not in README
    }
    assert missing == set()
