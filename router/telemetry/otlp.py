"""Exports rows to an OpenTelemetry collector, after the fact and never as part of a request.

A request becomes a trace with the request's own id, and its attempts become spans below it. While a
collector does not answer, the exporter tries again. Rows older than an hour are skipped.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import orjson
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from router.config.environment import read_secret
from router.config.server import Otlp
from router.files import write_durably
from router.telemetry.store.catalog import CATALOG_FILE

_log = logging.getLogger("waggle")
_BATCH = 2_000
_NAMES = {
    "gen_ai_operation_name": "gen_ai.operation.name",
    "gen_ai_request_model": "gen_ai.request.model",
    "gen_ai_provider_name": "gen_ai.provider.name",
    "gen_ai_usage_input_tokens": "gen_ai.usage.input_tokens",
    "gen_ai_usage_output_tokens": "gen_ai.usage.output_tokens",
    "gen_ai_usage_cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "status": "http.response.status_code",
    "error_type": "error.type",
    "strategy": "waggle.strategy",
    "policy_version": "waggle.policy_version",
    "plan": "waggle.plan",
    "propensity": "waggle.propensity",
    "kind": "waggle.kind",
    "reuse_tier": "waggle.reuse_tier",
    "cost_usd": "waggle.cost_usd",
    "overhead_ms": "waggle.overhead_ms",
    "backend": "waggle.backend",
    "partial": "waggle.partial",
    "level": "waggle.verified",
    "role": "waggle.step.role",
    "swap_ms": "waggle.step.swap_ms",
}


class Exporter:
    """Sends new rows from a thread of its own. Only a row whose answer was lost is sent twice."""

    def __init__(self, folder: Path, settings: Otlp) -> None:
        assert settings.endpoint is not None
        self._folder = folder
        self._state = folder / "otlp.json"
        base = settings.endpoint.rstrip("/")
        headers = {name: read_secret(value) for name, value in settings.headers.items()}
        self._resource = Resource.create({"service.name": "waggle"})
        self._spans = (
            OTLPSpanExporter(f"{base}/v1/traces", headers=headers) if settings.traces else None
        )
        self._meters: Meters | None = None
        if settings.metrics:
            out = OTLPMetricExporter(f"{base}/v1/metrics", headers=headers)
            self._meters = Meters(out, self._resource)

    def run(self, stop: threading.Event, seconds: float) -> None:
        while not stop.wait(seconds):
            try:
                while self.export() == _BATCH:
                    pass
            except Exception:
                _log.exception("OpenTelemetry could not be sent; it will be tried again")

    def export(self) -> int:
        """Send a batch of rows, mark them as sent, and return how many there were."""
        marks = self._marks()
        rows = self._rows(marks)
        if not rows:
            return 0
        if self._spans is not None:
            spans = [span for row in rows for span in spans_of(row, self._resource)]
            if self._spans.export(spans) is not SpanExportResult.SUCCESS:
                return 0
        if self._meters is not None:
            self._meters.take(rows)
        for row in rows:
            marks[row["writer"]] = max(marks.get(row["writer"], 0), row["n"])
        write_durably(self._state, orjson.dumps(marks))
        return len(rows)

    def _marks(self) -> dict[str, int]:
        try:
            marks = orjson.loads(self._state.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return {str(writer): int(number) for writer, number in marks.items()}

    def _rows(self, marks: Mapping[str, int]) -> list[dict[str, Any]]:
        with duckdb.connect(str(self._folder / CATALOG_FILE), read_only=True) as con:
            cursor = con.execute(
                "SELECT * EXCLUDE (prompt, words, answer), epoch_us(ts) AS micros "
                "FROM all_requests WHERE ts > ago(interval 1 hour) AND plan IS NOT NULL "
                "AND n > coalesce(map_extract_value(?::MAP(VARCHAR, BIGINT), writer), 0) "
                f"ORDER BY writer, n LIMIT {_BATCH}",
                [dict(marks)],
            )
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Meters:
    def __init__(self, exporter: OTLPMetricExporter, resource: Resource) -> None:
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        self._provider = MeterProvider([reader], resource)
        meter = self._provider.get_meter("waggle")
        self._duration = meter.create_histogram("gen_ai.client.operation.duration", "s")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
        self._cost = meter.create_counter("waggle.cost", "USD")

    def take(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            attributes = {
                _NAMES[name]: row[name]
                for name in ("gen_ai_operation_name", "gen_ai_request_model", "plan", "error_type")
                if row[name] is not None
            }
            self._duration.record((row["latency_ms"] or 0) / 1000, attributes)
            if row["cost_usd"] is not None:
                self._cost.add(row["cost_usd"], attributes)
            for kind in ("input", "output"):
                tokens = row[f"gen_ai_usage_{kind}_tokens"]
                if tokens is not None:
                    self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind})
        self._provider.force_flush()


def spans_of(row: Mapping[str, Any], resource: Resource) -> list[ReadableSpan]:
    """The span of a request, and below it the spans of the request's attempts."""
    trace_id = int(row["request_id"].replace("-", ""), 16)
    began = row["micros"] * 1000
    root = _context(trace_id, 0)
    name = f"{row['gen_ai_operation_name']} {row['gen_ai_request_model']}"
    spans = [_span(name, root, None, row, began, SpanKind.SERVER, resource)]
    ends = {0: began}  # when each step ended; step 0 is the request's beginning
    for attempt in row["attempts"] or ():
        context = _context(trace_id, attempt["step"])
        title = f"{row['gen_ai_operation_name']} {attempt['backend']}"
        # A step of a plan begins where the step before it ended; retries follow each other.
        begins = ends[attempt.get("parent") or 0] if attempt.get("role") else max(ends.values())
        spans.append(_span(title, context, root, attempt, begins, SpanKind.CLIENT, resource))
        ends[attempt["step"]] = begins + int((attempt["latency_ms"] or 0) * 1e6)
    return spans


def _span(
    name: str,
    context: SpanContext,
    parent: SpanContext | None,
    row: Mapping[str, Any],
    began: int,
    kind: SpanKind,
    resource: Resource,
) -> ReadableSpan:
    attributes = {_NAMES[key]: row[key] for key in _NAMES if row.get(key) is not None}
    return ReadableSpan(
        name,
        context,
        parent,
        resource,
        attributes,
        kind=kind,
        status=Status(StatusCode.ERROR if row["error_type"] else StatusCode.UNSET),
        start_time=began,
        end_time=began + int((row["latency_ms"] or 0) * 1e6),
    )


def _context(trace_id: int, step: int) -> SpanContext:
    digest = blake2b(f"{trace_id}:{step}".encode(), digest_size=8).digest()
    span_id = int.from_bytes(digest, "big")
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(1))
