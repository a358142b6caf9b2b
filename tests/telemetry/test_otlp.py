"""Each row is exported to the collector once. Rows wait while the collector does not answer."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource

from router.config.server import Otlp
from router.telemetry.otlp import Exporter, spans_of
from tests.telemetry.stored import Stored, request


class Collector:
    def __init__(self) -> None:
        self.status = 200
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if collector.status == 200:
                    kind, into = {
                        "/v1/traces": (ExportTraceServiceRequest, collector.traces),
                        "/v1/metrics": (ExportMetricsServiceRequest, collector.metrics),
                    }[self.path]
                    into.append(kind.FromString(body))
                    collector.headers.append(dict(self.headers))
                self.send_response(collector.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list:
        return [
            span
            for export in self.traces
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def named(self) -> set[str]:
        return {
            metric.name
            for export in self.metrics
            for resource in export.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path)


def fresh(**given):
    return request(int(time.time() * 1e6), gen_ai_usage_input_tokens=7, **given)


def test_a_request_is_a_trace_with_a_span_for_each_attempt(stored, collector, monkeypatch):
    monkeypatch.setenv("OTLP_TOKEN", "t-123")
    row = fresh()
    stored.write("requests", [row])
    settings = Otlp(endpoint=collector.url, headers={"authorization": "${OTLP_TOKEN}"})
    assert Exporter(stored.folder, settings).export() == 1
    root, child = collector.spans
    assert root.trace_id.hex() == row["request_id"].replace("-", "")
    assert child.parent_span_id == root.span_id
    assert root.name == "chat auto"
    attributes = {a.key: a.value for a in root.attributes}
    assert attributes["gen_ai.operation.name"].string_value == "chat"
    assert attributes["gen_ai.usage.input_tokens"].int_value == 7
    assert attributes["waggle.plan"].string_value == "cheap"
    assert root.end_time_unix_nano - root.start_time_unix_nano == 100_000_000
    assert {"gen_ai.client.operation.duration", "waggle.cost"} <= collector.named
    assert collector.headers[0]["authorization"] == "t-123"


def test_each_row_goes_out_once_also_after_a_restart(stored, collector):
    settings = Otlp(endpoint=collector.url, metrics=False)
    stored.write("requests", [fresh(), fresh()])
    assert Exporter(stored.folder, settings).export() == 2
    stored.seal()
    stored.write("requests", [fresh()], writer="w2")
    assert Exporter(stored.folder, settings).export() == 1
    assert Exporter(stored.folder, settings).export() == 0
    assert len(collector.spans) == 2 * 3
    assert collector.metrics == []


def test_a_batch_that_a_collector_refused_is_sent_again(stored, collector):
    stored.write("requests", [fresh()])
    settings = Otlp(endpoint=collector.url, metrics=False)
    collector.status = 400
    assert Exporter(stored.folder, settings).export() == 0
    collector.status = 200
    assert Exporter(stored.folder, settings).export() == 1
    assert len(collector.spans) == 2


def test_no_word_of_a_prompt_goes_out(stored, collector):
    stored.write("requests", [fresh(prompt="my secret", answer="its answer")])
    Exporter(stored.folder, Otlp(endpoint=collector.url)).export()
    sent = b"".join(export.SerializeToString() for export in collector.traces)
    assert b"secret" not in sent
    assert b"answer" not in sent


def test_parallel_steps_begin_together_and_a_later_step_after_the_step_it_works_on():
    def step(n, role, parent, ms):
        return {"step": n, "role": role, "parent": parent, "backend": "b", "latency_ms": ms,
                "status": 200, "error_type": None}  # fmt: skip

    row = {
        "request_id": "019c1234-0000-7000-8000-000000000001", "micros": 10, "error_type": None,
        "gen_ai_operation_name": "chat", "gen_ai_request_model": "auto", "latency_ms": 9.0,
        "attempts": [step(1, "fan_out.0", None, 5.0), step(2, "fan_out.1", None, 3.0),
                     step(3, "fuse", 1, 2.0)],
    }  # fmt: skip
    root, left, right, fuse = spans_of(row, Resource.create({}))
    assert left.start_time == right.start_time == root.start_time
    assert fuse.start_time == left.end_time
    assert fuse.attributes["waggle.step.role"] == "fuse"
