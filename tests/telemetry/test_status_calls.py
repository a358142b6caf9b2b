"""What `waggle status` says of each backend's calls."""

import datetime as dt
import json
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typer.testing import CliRunner

from router.cli.main import app
from router.cli.status_calls import NO_CALLS, BackendRecord, calls_line, calls_of
from router.deployment.local_service import RunningService, remember
from router.deployment.processes import born
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
        request(NOON + 3 * MINUTE, attempts=[call("a", 0.0, status=0, error_type="breaker_open")]),
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
    # A call that nobody waited for is no failure of its backend, and what is off or rests is not
    # called.
    assert calls["b"] == BackendRecord(3, 1.0, 10.0)


def test_without_telemetry_nothing_is_known(tmp_path):
    assert calls_of(tmp_path / "none", NOW) == {}
    assert calls_line(NO_CALLS) == ("0", "", "", "")


def test_the_words_of_an_error_are_no_markup():
    line = calls_line(BackendRecord(1, 0.0, None, "upstream [red]x", "2026-01-01 00:00:00"))
    assert line[-1] == r"2026-01-01 00:00:00 upstream \[red]x"


class Ready(BaseHTTPRequestHandler):
    """A service with one backend that answers and one that is switched off."""

    def do_GET(self):
        states = {"a": {"state": "up", "replicas": 1}, "z": {"state": "off", "replicas": 0}}
        body = json.dumps({"status": "ready", "backends": states}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def running(data):
    """A service that answers, with its data in this folder, and the commands that ask it."""
    data.mkdir(exist_ok=True)
    config = data.parent / "waggle.yaml"
    backends = "backends: {a: {kind: generator}}\nplans: {p: {ask: a}}\n"
    config.write_text(f"server: {{data: {data}}}\n{backends}")

    def invoke(*words):
        words = [*words, "--config", str(config)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "200"}).output

    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        remember(data, RunningService(os.getpid(), born(os.getpid()), url, "", "", ours=False))
        yield invoke
        server.shutdown()


def test_status_shows_the_calls_beside_the_state_of_each_backend(tmp_path):
    data = tmp_path / "var"
    stored, now = Stored(data / "telemetry"), int(time.time() * 1e6)
    broken = {"status": 500, "error_type": "upstream", "detail": "it fell over"}
    stored.write("requests", [request(now, attempts=[call("a", 40.0)])])
    stored.write("requests", [request(now, attempts=[call("a", 9.0, **broken)])])
    with running(data) as invoke:
        table, as_json = invoke("status"), json.loads(invoke("status", "--json"))
    (line,) = [line for line in table.splitlines() if line.strip().startswith("a ")]
    assert "up" in line
    assert "50.0%" in line
    assert "40 ms" in line
    assert "upstream 500: it fell over" in line
    assert [each for each in table.splitlines() if each.split()[:2] == ["z", "off"]]
    record = as_json["backends"]["a"]
    assert (record["calls"], record["answered"], record["mean_ms"]) == (2, 0.5, 40.0)
    assert as_json["backends"]["z"]["calls"] == 0


def test_status_shows_the_backends_where_telemetry_cannot_be_read_and_says_why(tmp_path):
    data = tmp_path / "var"
    stored, now = Stored(data / "telemetry"), int(time.time() * 1e6)
    stored.write("requests", [request(now, attempts=[call("a", 40.0)])])
    stored.seal()
    stored.close()
    for name in ("manifest.json", "manifest.copy.json"):
        (data / "telemetry" / name).write_text("{")
    with running(data) as invoke:
        table, as_json = invoke("status"), json.loads(invoke("status", "--json"))
    assert [each for each in table.splitlines() if each.split() == ["a", "up", "1"]]
    why = "calls are not known, for telemetry cannot be read: manifest.json cannot be read"
    assert why in table
    assert why in as_json["calls_unknown"]
    assert as_json["backends"]["a"]["calls"] is None
