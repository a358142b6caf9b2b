"""Analysts' queries can read the views and macros, and nothing else."""

import asyncio
import os
import time

import duckdb
import orjson
import pytest

from router.keys import new_key
from router.telemetry.analyst import Bounds, QueryRefused, ask, locked
from router.telemetry.sql import quoted
from tests.rig import rig
from tests.telemetry.stored import Stored, request


@pytest.fixture
def folder(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request() for _ in range(20)])
    stored.seal()
    return tmp_path


def run(folder, sql, rows=100, seconds=5.0):
    return orjson.loads(asyncio.run(ask(folder, sql, Bounds(rows, seconds))))


@pytest.mark.parametrize(
    "sql",
    [
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
    ],
)
def test_queries_of_views_and_macros_are_answered(folder, sql):
    result = run(folder, sql)
    assert result["columns"]
    assert result["truncated"] is False


@pytest.mark.parametrize(
    ("sql", "says"),
    [
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
    ],
)
def test_any_other_query_is_refused_for_its_reason(folder, sql, says):
    with pytest.raises(QueryRefused, match=says):
        run(folder, sql.replace("FOLDER", str(folder)))
    assert not os.path.exists("/tmp/waggle-owned")  # noqa: PTH110
    assert not (folder / "owned.csv").exists()


def test_duckdb_itself_is_locked_in_case_the_check_of_a_query_is_fooled(folder):
    """The test leaves out the check of the query, so that only DuckDB's own lock can refuse it."""
    with locked(folder) as con:
        for sql in (
            "select * from read_text('/etc/passwd')",
            f"copy (select 1) to {quoted('/tmp/waggle-owned')}",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
            "attach '/tmp/waggle-owned.db' as x",
            "install httpfs",
        ):
            with pytest.raises(duckdb.Error, match=r"disabled|locked|read-only|Cannot"):
                con.execute(sql).fetchall()


def test_a_result_that_is_cut_says_so(folder):
    result = run(folder, "select 1 from requests", rows=7)
    assert len(result["rows"]) == 7
    assert result["truncated"] is True


def test_a_query_without_end_is_ended(folder):
    began = time.monotonic()
    endless = "select sum(sin(a)) from range(1000000000000) t(a)"
    with pytest.raises(QueryRefused, match=r"longer than 0\.5 s"):
        run(folder, endless, seconds=0.5)
    assert time.monotonic() - began < 5


def test_a_query_that_needs_all_memory_is_ended(folder):
    greedy = "select list(a) from range(2000000000) t(a)"
    with pytest.raises(QueryRefused, match=r"[Mm]emory|longer than"):
        run(folder, greedy, seconds=10.0)


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
