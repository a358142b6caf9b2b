"""`waggle scores` over a real report of a learner."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typer.testing import CliRunner

from router.cli.main import app
from router.learning.publisher import Publisher
from tests.fakes import MemoryJournal
from tests.learning.traffic import Traffic
from tests.telemetry.stored import NOON


@contextmanager
def serving(report):
    """Serve this report as `/v1/learner`, and yield the service's URL."""

    class Learner(BaseHTTPRequestHandler):
        def do_GET(self):
            content = json.dumps(report).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Learner) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_scores_show_what_is_left_to_learn_and_what_exploring_costs(config, stored):
    publisher = Publisher(config, MemoryJournal(), wall=lambda: NOON / 1e6 + 500)
    Traffic(config, stored).send(200)
    publisher.turn()
    report = publisher.report()
    with serving(report) as url:
        lines = CliRunner().invoke(app, ["scores", "--url", url], env={"COLUMNS": "200"}).output
    shown = " ".join(lines.split())
    assert len(report["kinds"]) == 3
    for kind in report["kinds"]:
        exploring = kind["exploring"]
        assert kind["verdict"] in shown
        assert f"left {kind['left']:.3f} a request" in shown
        assert f"a day, on {exploring['requests_per_day']:,.0f} requests" in shown
