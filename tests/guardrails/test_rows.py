"""What guards did can be asked in SQL, for answered and for refused requests."""

from dataclasses import replace

import duckdb

from router.domain import Attempt, Guarded, GuardNote, Refusal
from router.telemetry.rows import refusal_row, request_row
from tests.telemetry.stored import NOON, Stored
from tests.telemetry.traces import trace

REDACTED = GuardNote("pii", "before", "redacted", "email", 0.0002)
PASSED = GuardNote("words", "after", "passed", "", 0.0001)
BLOCKED = GuardNote("safety", "before", "blocked", "unsafe", 0.3)


def test_the_view_of_guard_runs_has_a_row_for_each_guard(tmp_path):
    stored = Stored(tmp_path)
    call = Attempt("judge", 200, "", "", 0.2, cost_usd=0.5, role="guard")
    guarded = Guarded((BLOCKED,), calls=(call,))
    refusal = Refusal("r2", NOON / 1e6, "chat", 400, "guardrail_blocked", "k1", guarded)
    answered = replace(trace(NOON / 1e6), guards=(REDACTED, PASSED))
    stored.write("requests", [request_row(answered), refusal_row(refusal)])
    with duckdb.connect(str(stored.folder / "telemetry.duckdb"), read_only=True) as con:
        runs = con.sql(
            "SELECT guard, moment, outcome, rule, ms, status FROM guard_runs ORDER BY ms"
        ).fetchall()
        acted = con.sql("SELECT guard FROM requests ORDER BY guard").fetchall()
        spent = con.sql("SELECT sum(usd) FROM spend() WHERE by_what = 'key'").fetchall()
    assert runs == [
        ("words", "after", "passed", None, 0.1, 200),
        ("pii", "before", "redacted", "email", 0.2, 200),
        ("safety", "before", "blocked", "unsafe", 300.0, 400),
    ]
    assert acted == [("pii",), ("safety",)]
    assert spent[0][0] >= 0.5
