"""Analysts' queries can read the views and macros, and nothing else."""

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from router.keys import new_key
from router.telemetry.analyst import Bounds, QueryRefused, ask, locks_that_hold
from tests.rig import rig
from tests.sparing import slow_after
from tests.telemetry.queries import BOMBS
from tests.telemetry.stored import Stored, request


def filled(folder):
    stored = Stored(folder)
    stored.write("requests", [request() for _ in range(20)])
    stored.seal()
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all tests that only read."""
    return filled(tmp_path_factory.mktemp("analyst"))


@pytest.fixture
def own_folder(tmp_path):
    """A folder that a test may change, or tries to."""
    return filled(tmp_path)


def run(folder, sql, rows=100, seconds=60.0):
    return orjson.loads(asyncio.run(ask(folder, sql, Bounds(rows, seconds))))


ANSWERED = [
    "select count(*) from requests",
    "from plan_scores()",
    "with a as (select plan from requests) select count(*) from a join a b using (plan)",
    "show tables",
    "describe requests",
    "select unnest(eligible) from requests limit 1",
    "from learning_curve(every := interval 1 hour, since := ago(interval 1 day))",
    "select * from range(3)",
    "select count(*) from information_schema.tables",
    "select request_id, features, attempts, ts from requests limit 1",
]
REFUSED = [
    ("select * from read_text('/etc/passwd')", "may not be used"),
    ("select * from read_csv('/etc/passwd')", "may not be used"),
    ("select * from read_parquet('FOLDER/segments/*.parquet')", "may not be used"),
    ("from '/etc/passwd'", "no view"),
    ("from 'FOLDER/manifest.json'", "no view"),
    ("select (select count(*) from read_blob('/etc/shadow'))", "may not be used"),
    ("with a as (from glob('/*')) from a", "may not be used"),
    ("select * from query('select 1')", "may not be used"),
    ("from query_table('requests')", "may not be used"),
    ("copy (select 1) to '/tmp/waggle-owned'", "Only SELECT"),
    ("copy requests to 'FOLDER/owned.csv'", "Only SELECT"),
    ("export database '/tmp/waggle-owned'", "Only SELECT"),
    ("attach '/tmp/waggle-owned.db' as x", "Only SELECT"),
    ("install httpfs", "Only SELECT"),
    ("load json", "Only SELECT"),
    ("set enable_external_access = true", "Only SELECT"),
    ("pragma enable_profiling", "Only SELECT"),
    ("call enable_profile()", "Only SELECT"),
    ("create table t as select 1", "Only SELECT"),
    ("drop view requests", "Only SELECT"),
    ("select 1; drop view requests", "One statement"),
    ("", "One statement"),
    ("from duckdb_settings()", "may not be used"),
    ("from duckdb_secrets()", "may not be used"),
    ("from write_log('x')", "may not be used"),
    ("select nothing from requests", "nothing"),
    ("selec 1", "syntax error"),
]
TELLING = [
    "from published",
    "from duckdb_tables()",
    "from information_schema.tables",
    "from duckdb_columns()",
    "from duckdb_functions()",
    "explain from requests",
    "explain analyze from requests",
    "explain (format json) from requests",
    "show all tables",
    "describe requests",
    "from pg_catalog.pg_class",
    "select current_query(), version(), current_database(), user",
    "select nothing from requests",
    "from nowhere",
    "select error(plan) from requests",
    "from json_each('{')",
    "select cast(plan as int) from requests",
    "from duckdb_schemas()",
    "select current_setting('allowed_directories')",
    "from duckdb_databases()",
    "from duckdb_views()",
    "from sqlite_master",
]

# Answers each query of a list as a process answers its only query: the process locks itself first.
ALL_IN_ONE = """
import json, sys
from pathlib import Path
import duckdb
from router.telemetry.query.process import checked, encoded, locked
from router.telemetry.query.tree import QueryRefused
from router.telemetry.query.utc import know_utc

know_utc()
con, locks = locked(Path(sys.argv[1]), memory_bytes=2**28, seconds=60.0)
for query in json.load(sys.stdin):
    try:
        cursor = con.execute(checked(con, query))
        print(encoded(cursor, most_rows=100, most_bytes=2**24).decode())
    except (duckdb.Error, QueryRefused) as refusal:
        print(json.dumps({"error": str(refusal)}))
"""


@pytest.fixture(scope="module")
def answers(folder):
    """What one process says to each of the queries above: to begin takes half a second."""
    refused = [sql.replace("FOLDER", str(folder)) for sql, _ in REFUSED]
    queries = [*ANSWERED, *refused, *TELLING]
    done = subprocess.run(
        [sys.executable, "-c", ALL_IN_ONE, str(folder)],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(queries, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("sql", ANSWERED)
def test_queries_of_views_and_macros_are_answered(answers, sql):
    assert answers[sql]["columns"]
    assert answers[sql]["truncated"] is False


def test_a_query_is_answered_by_a_process_of_its_own(folder):
    result = run(folder, ANSWERED[0])
    assert result["rows"] == [[20]]


@pytest.mark.parametrize(("sql", "says"), REFUSED)
def test_any_other_query_is_refused_for_its_reason(answers, folder, sql, says):
    assert re.search(says, answers[sql.replace("FOLDER", str(folder))]["error"])
    assert not os.path.exists("/tmp/waggle-owned")  # noqa: PTH110
    assert not (folder / "owned.csv").exists()


@pytest.mark.parametrize(("sql", "says"), slow_after(1, [REFUSED[0], REFUSED[3], REFUSED[9]]))
def test_a_process_of_its_own_refuses_it_too(folder, sql, says):
    with pytest.raises(QueryRefused, match=says):
        run(folder, sql)


def journals(folder):
    """The content of every file of telemetry, to see that a query changed nothing."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


# Runs queries that nobody checked, in a process with all other locks.
UNCHECKED = """
import json, sys
from pathlib import Path
import duckdb
from router.telemetry.query.process import locked

con, locks = locked(Path(sys.argv[1]), memory_bytes=2**28, seconds=60.0)
for attack in sys.argv[2:]:
    try:
        print(json.dumps({"rows": str(con.execute(attack).fetchall())}))
    except duckdb.Error as error:
        print(json.dumps({"error": str(error)}))
"""
COPY = "copy (select 1 x) to '{to}' (format csv, use_tmp_file false)"


@pytest.mark.parametrize("name", slow_after(1, ["live journal", "segment", "manifest"]))
def test_a_query_cannot_empty_what_was_recorded(own_folder, name):
    """The attack of the issue: COPY as the body of WITH, which DuckDB counts as a SELECT."""
    stored = Stored(own_folder)
    stored.write("requests", [request() for _ in range(20)], writer="live")
    patterns = {
        "live journal": "journal/*/live.*",
        "segment": "segments/*",
        "manifest": "man*.json",
    }
    (target, *_) = own_folder.glob(patterns[name])
    before = journals(own_folder)
    for attack in (
        f"with a as ({COPY}) select 1",
        f"from (with z as (with a as ({COPY}) from a) select 1) t",
        f"explain analyze with a as ({COPY}) select 1",
        f"pivot (with a as ({COPY}) select 1 as n) on n using count(*)",
    ):
        with pytest.raises(QueryRefused, match=r"COPY may not be part|this is"):
            run(own_folder, attack.format(to=target))
    assert journals(own_folder) == before


def test_duckdb_and_the_process_are_locked_in_case_the_check_is_fooled(own_folder, tmp_path):
    """The child of the test runs what the check would refuse, after all the rest of the locks."""
    live = next((own_folder / "journal" / "requests").iterdir())
    attacks = [
        "select * from read_text('/etc/passwd')",
        "select * from read_text('manifest.json')",
        COPY.format(to=live),
        COPY.format(to="journal/owned.csv"),
        COPY.format(to=tmp_path / "owned.csv"),
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "attach '/tmp/waggle-owned.db' as x",
        "install httpfs",
        "load '/tmp/x.duckdb_extension'",
    ]
    before = journals(own_folder)
    done = subprocess.run(
        [sys.executable, "-c", UNCHECKED, str(own_folder), *attacks],
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    for sql, outcome in zip(attacks, outcomes, strict=True):
        assert "error" in outcome, (sql, outcome, done.stderr)
    assert journals(own_folder) == before
    assert not Path("/tmp/waggle-owned.db").exists()


def test_a_result_that_is_cut_says_so(folder):
    result = run(folder, "select 1 from requests", rows=7)
    assert len(result["rows"]) == 7
    assert result["truncated"] is True


@pytest.mark.slow
def test_a_result_is_cut_at_a_number_of_bytes(folder):
    result = run(folder, "select repeat('x', 1_000_000) from range(30)")
    assert len(result["rows"]) == 16
    assert result["truncated"] is True
    with pytest.raises(QueryRefused, match="The first row alone has more than 16 MiB"):
        run(folder, "select repeat('x', 17_000_000)")


SHOWN = {
    "'nan'::double": "nan",
    "-'inf'::float": "-inf",
    "[1.5, 'inf'::double]": [1.5, "inf"],
    "{'a': {'b': 'nan'::double}}": {"a": {"b": "nan"}},
    "map {'inf'::double: 2}": {"inf": 2},
    "170141183460469231731687303715884105727": "170141183460469231731687303715884105727",
    "9223372036854775807": 9223372036854775807,
    "1.10::decimal(10, 2)": "1.10",
    r"'\xFF\x00a'::blob": r"\xFF\x00a",
    "interval '1 hour'": "1:00:00",
    "timestamptz '2026-01-01 00:00:00+02'": "2025-12-31T22:00:00+00:00",
    "'01a1fae8-7a09-761b-9982-5744f9e7daf0'::uuid": "01a1fae8-7a09-761b-9982-5744f9e7daf0",
    "chr(27) || '[2J'": "\x1b[2J",
    "date '2026-01-01'": "2026-01-01",
    "null": None,
    "'101'::bit": "101",
    "union_value(k := 'inf'::double)": "inf",
}


def test_every_kind_of_value_is_shown_as_json(folder):
    assert run(folder, f"select {', '.join(SHOWN)}")["rows"] == [list(SHOWN.values())]


def test_a_query_without_end_is_ended(folder):
    endless = "select sum(sin(a)) from range(1000000000000) t(a)"
    with pytest.raises(QueryRefused, match=r"longer than 0\.5 s"):
        run(folder, endless, seconds=0.5)


@pytest.mark.parametrize(
    ("why", "sql"),
    slow_after(3, [
        ("a list of all", "select list(a) from range(2000000000) t(a)"),
        ("many long strings", "select repeat('x', 10_000_000) from range(2000)"),
        ("nested lists", "select " + "[" * 900 + "]" * 900),
        ("nested parentheses", "(" * 50_000 + "select 1" + ")" * 50_000),
        *BOMBS,
    ]),
    ids=lambda value: value[:20],
)  # fmt: skip
def test_a_bomb_ends_or_is_cut_and_its_process_stays_small(folder, why, sql):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        assert run(folder, sql, seconds=2.0)["truncated"] in (True, False)
    except QueryRefused as refusal:
        assert re.search(
            "sql_memory_bytes|longer than|ended its process|depth|nested", str(refusal)
        )
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert largest == before or largest < 300 * 1024


@pytest.mark.parametrize("sql", TELLING)
def test_no_answer_tells_a_path_of_the_machine(answers, folder, sql):
    answer = json.dumps(answers[sql])
    for path in (str(folder), folder.name, sys.prefix, str(Path(__file__).parents[2])):
        assert path not in answer


def test_a_damaged_segment_fails_its_view_only_and_is_named_without_its_path(own_folder):
    (segment,) = (own_folder / "segments").glob("requests-*.parquet")
    segment.write_bytes(b"x" * segment.stat().st_size)
    with pytest.raises(QueryRefused) as refusal:
        run(own_folder, "from requests")
    assert segment.name in str(refusal.value)
    assert "run `waggle telemetry verify`" in str(refusal.value)
    assert str(own_folder) not in str(refusal.value)
    assert run(own_folder, "select count(*) from signals")["rows"] == [[0]]


def test_a_process_that_queries_has_every_lock_of_this_machine(folder):
    held = asyncio.run(locks_that_hold(folder))
    assert ("user" in held) == (os.getuid() == 0)
    if sys.platform == "linux":
        assert "seccomp" in held


def test_a_query_sees_none_of_our_environment(folder, monkeypatch):
    monkeypatch.setenv("WAGGLE_SECRET", "sk-hidden")
    with pytest.raises(QueryRefused, match="getenv"):
        run(folder, "select getenv('WAGGLE_SECRET')")


YAML = """
server: {data: DATA}
telemetry: {sql_rows: 5, sql_seconds: 5}
backends: {generator: {kind: generator}}
plans: {generate: {ask: generator}}
"""


async def test_the_endpoint_takes_a_query_from_analysts(tmp_path):
    stored = Stored(tmp_path / "telemetry")
    stored.write("requests", [request() for _ in range(9)])
    app_text, app = new_key("app", "2026-01-01")
    analyst_text, analyst = new_key("ann", "2026-01-01", scopes=("analyst",))
    async with rig(YAML.replace("DATA", str(tmp_path)), keys=[app, analyst]) as waggle:
        ours = {"authorization": f"Bearer {analyst_text}"}
        answer = await waggle.post("/v1/sql", {"sql": "select plan from requests"}, **ours)
        assert answer.status == 200
        assert answer.json["columns"] == [{"name": "plan", "type": "VARCHAR"}]
        assert answer.json["rows"] == [["cheap"]] * 5
        assert answer.json["truncated"] is True
        theirs = {"authorization": f"Bearer {app_text}"}
        assert (await waggle.post("/v1/sql", {"sql": "select 1"}, **theirs)).status == 403
        for body, says in (
            ({"sql": 5}, "`sql` must be a query"),
            ({"sql": "select 1", "rows": 6}, "telemetry.sql_rows = 5"),
            ({"sql": "drop view requests"}, "Only SELECT"),
        ):
            answer = await waggle.post("/v1/sql", body, **ours)
            assert answer.status == 400
            assert says in answer.error["message"]
