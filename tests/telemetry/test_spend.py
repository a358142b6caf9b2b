"""Who spent what: the tags and the team on a row, and the section of the report."""

import datetime as dt
from dataclasses import replace

import duckdb

from router.cli.report_spend import key_names, spent
from router.cli.report_telemetry import ReportedTelemetry
from router.keys import new_key
from router.telemetry.rows import request_row
from tests.telemetry.stored import NOON, Stored, request
from tests.telemetry.traces import trace

NOON_TIME = dt.datetime.fromtimestamp(NOON / 1e6, dt.UTC).replace(tzinfo=None)
HOUR = dt.timedelta(hours=1)


def test_a_row_holds_the_tags_and_the_team_and_leaves_out_what_is_not_there():
    plain = trace()
    tagged = replace(plain, request=replace(plain.request, tags=("a", "b"), team="search"))
    row = request_row(tagged)
    assert (row["tags"], row["team"]) == (["a", "b"], "search")
    assert not {"tags", "team"} & request_row(plain).keys()


def section(stored, names=None):
    with duckdb.connect(str(stored.folder / "telemetry.duckdb"), read_only=True) as con:
        return spent(ReportedTelemetry(con, NOON_TIME - HOUR, NOON_TIME + HOUR), names or {})


def test_the_report_names_keys_teams_and_tags(tmp_path):
    _, key = new_key("alice", "")
    stored = Stored(tmp_path)
    rows = [
        request(NOON, key_id=key.id, team="search", tags=["eu"], cost_usd=3.0),
        request(NOON + 1, key_id=key.id, cost_usd=None),
        request(NOON + 2, key_id="gone", cost_usd=1.0),
        request(NOON + 3 * 3_600_000_000, key_id=key.id, cost_usd=50.0),
    ]
    stored.write("requests", rows)
    shown = section(stored, key_names([key]))
    assert shown.words[0].startswith("$4.0000 in all.")
    assert list(shown.rows) == [
        ("team", "search", "$3.0000", "75%", "1", ""),
        ("team", "no team", "$1.0000", "25%", "2", "1"),
        ("tag", "eu", "$3.0000", "75%", "1", ""),
        ("tag", "no tag", "$1.0000", "25%", "2", "1"),
        ("key", "alice", "$3.0000", "75%", "2", "1"),
        ("key", "gone", "$1.0000", "25%", "1", ""),
    ]


def test_without_keys_and_tags_the_report_says_only_the_sum(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(NOON, cost_usd=3.0)])
    shown = section(stored)
    assert not shown.rows
    assert "no request had a key or a tag" in shown.words[0]
