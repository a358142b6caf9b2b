"""What `waggle status` says of each backend's calls."""

import datetime as dt

from router.cli.status_calls import NO_CALLS, BackendRecord, calls_line, calls_of
from tests.telemetry.stored import MINUTE, NOON, Stored, request

NOW = dt.datetime.fromtimestamp(NOON / 1e6, dt.UTC) + dt.timedelta(minutes=5)


def call(backend, ms, **failure):
    return {"step": 1, "backend": backend, "status": 200, "latency_ms": ms, **failure}


def test_calls_share_mean_and_last_error_of_each_backend(tmp_path):
    broken = {"status": 500, "error_type": "upstream"}
    rows = [
        request(NOON, attempts=[call("a", 100.0), call("b", 10.0)]),
        request(NOON + MINUTE, attempts=[call("a", 300.0)]),
        request(NOON + MINUTE, attempts=[call("a", 9.0, **broken, detail="the first")]),
        request(
            NOON + 2 * MINUTE, attempts=[call("a", 9.0, **broken, detail="the \x1b[31m\nlast")]
        ),
        request(NOON + 3 * MINUTE, attempts=[call("b", 5.0, status=0, error_type="left_behind")]),
        request(NOON + 3 * MINUTE, attempts=[call("b", 5.0, status=0, error_type="deadline")]),
        request(NOON + 3 * MINUTE, attempts=[call("b", 0.0, status=0, error_type="disabled")]),
        request(NOON - 2 * 24 * 60 * MINUTE, attempts=[call("c", 1.0)]),  # long ago
    ]
    stored = Stored(tmp_path)
    stored.write("requests", rows)
    calls = calls_of(stored.folder, NOW)
    assert set(calls) == {"a", "b"}
    assert (calls["a"].calls, calls["a"].answered, calls["a"].mean_ms) == (4, 0.5, 200.0)
    assert calls["a"].last_error.startswith("upstream 500: the ")
    assert "\x1b" not in calls["a"].last_error
    assert "\n" not in calls["a"].last_error
    assert calls["a"].last_error.endswith("last")
    assert calls["a"].last_error_at == f"{NOW - dt.timedelta(minutes=3):%Y-%m-%d %H:%M:%S}"
    # A call that nobody waited for is no failure of its backend, and what is off is not called.
    assert calls["b"] == BackendRecord(3, 1.0, 10.0)


def test_without_telemetry_nothing_is_known(tmp_path):
    assert calls_of(tmp_path / "none", NOW) == {}
    assert calls_line(NO_CALLS) == ("0", "", "", "")


def test_the_words_of_an_error_are_no_markup():
    line = calls_line(BackendRecord(1, 0.0, None, "upstream [red]x", "2026-01-01 00:00:00"))
    assert line[-1] == r"2026-01-01 00:00:00 upstream \[red]x"
