"""Sections of `waggle report`: what they say of made plans, of refusals and of what waits."""

import datetime as dt
from dataclasses import replace

import duckdb
import pytest

from router.cli.report_efficiency import efficiency
from router.cli.report_sections import learned, proposals, tried_in_vain
from router.cli.report_telemetry import ReportedTelemetry
from router.routing.nodes import Node
from router.trials.node_trials import register_node
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal
from tests.trials.test_director import made


@pytest.fixture
def stored(tmp_path):
    stored = Stored(tmp_path / "telemetry")
    yield stored
    stored.close()


def reported(stored):
    day = dt.timedelta(days=1)
    noon = dt.datetime.fromtimestamp(NOON / 1e6, dt.UTC).replace(tzinfo=None)
    con = duckdb.connect(str(stored.folder / "telemetry.duckdb"), read_only=True)
    return ReportedTelemetry(con, noon - day, noon + day)


def event(kind, subject, state, number, **detail):
    id_ = f"{subject}-{number}"
    event = {"event_id": id_, "kind": kind, "subject": subject, "state": state, "detail": detail}
    return {"ts": NOON + number, **event}


def answered(stored, plan, quality, count, at=NOON):
    rows = [request(at + n, plan=plan, kind="sql", strategy="bandit") for n in range(count)]
    stored.write("requests", rows)
    stored.write("signals", [signal(row, quality) for row in rows])


def test_a_plan_that_was_made_for_a_pattern_is_not_the_best_of_a_kind(stored):
    stored.write("events", [event("growth", "p1-steps-1", "made", 0, pattern="p1")])
    answered(stored, "p1-steps-1", 1.0, 20)
    answered(stored, "cheap", 0.7, 20)
    (row,) = learned(reported(stored)).rows
    assert row[:2] == ("sql", "cheap")


def test_what_was_refused_is_not_said_to_be_not_found(stored):
    why = "cases: 0 are there"
    refused = [event("proposal", "write validator v", "refused", n, why=why) for n in range(3)]
    stored.write("events", [*refused, event("proposal", "distill", "nothing", 9, why="no gain")])
    states = [row[1:] for row in tried_in_vain(reported(stored)).rows]
    assert states == [
        ("write validator v", "refused, 3 times", why),
        ("distill", "nothing found, once", "no gain"),
    ]


def test_a_time_with_few_requests_is_not_what_efficiency_is_now(stored, tmp_path):
    (tmp_path / "world").mkdir()
    world = made(tmp_path / "world")
    for hour, best in enumerate((20, 60, 180, 180, 180)):
        answered(stored, "cheap", 0.3, 200 - best, NOON + hour * 60 * MINUTE)
        answered(stored, "dear", 0.9, best, NOON + hour * 60 * MINUTE + MINUTE)
    answered(stored, "cheap", 0.3, 5, NOON + 20 * 60 * MINUTE)
    section, _ = efficiency(reported(stored), world.config)
    world.stored.close()
    assert [line[1] for line in section.rows][-1] == "5"
    last, lines = section.rows[-1], section.rows[:-1]
    assert last[2] == "0"
    assert f"and is {lines[-1][2]}: each line" in section.words[-1]


def test_what_waits_for_a_person_names_the_command_that_takes_it(tmp_path):
    world = made(tmp_path)
    source = "def match(request):\n    return False\n"
    world.change(register_node, Node("refunds", "matcher", source), world.now())
    trial = world.book.trial("refunds-1")
    world.book.trials[trial.id] = replace(trial, state="decided", why="it is better")
    commands = [row[2] for row in proposals(world.book).rows]
    assert commands[0] == "waggle routes adopt refunds"
    world.book.trials[trial.id] = replace(trial, state="decided", node="", pattern="p1")
    assert proposals(world.book).rows[0][2] == "waggle growth approve refunds-1"
    world.stored.close()
