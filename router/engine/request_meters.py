"""The counters of requests and of their calls. Each is looked up by its labels once, and kept."""

from typing import NamedTuple

from router.domain import Attempt, Trace
from router.telemetry.metrics import Counter, Histogram, Metrics

_TOKENS = "gen_ai_client_token_usage_total"


class _OfRequests(NamedTuple):
    """Of requests with the same tier, plan, status and backend."""

    reuse: Counter
    requests: Counter
    overhead: Histogram
    duration: Histogram


class _OfCalls(NamedTuple):
    """Of calls to one backend, whose cost is known, or is not: `spent` then counts calls."""

    spent: Counter
    input: Counter
    output: Counter


class RequestMeters:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._requests: dict[tuple[str, str, int, str], _OfRequests] = {}
        self._calls: dict[tuple[str, bool], _OfCalls] = {}
        self._first_bytes: dict[str, Histogram] = {}

    def count(self, trace: Trace, *, streamed: bool) -> None:
        key = trace.tier, trace.decision.plan, trace.status, trace.backend
        meters = self._requests.get(key) or self._of_requests(*key)
        meters.reuse.value += 1.0
        meters.requests.value += 1.0
        meters.overhead.observe(trace.overhead_seconds)
        meters.duration.observe(trace.seconds)
        if streamed:
            first = self._first_bytes.get(trace.backend) or self._of_first_bytes(trace.backend)
            first.observe(trace.first_byte_seconds)
        for attempt in trace.attempts:
            self._count_call(attempt)
        for question in trace.questions:
            self._count_call(question)

    def _count_call(self, attempt: Attempt) -> None:
        cost, usage = attempt.cost_usd, attempt.usage
        key = attempt.backend, cost is not None
        meters = self._calls.get(key) or self._of_calls(*key)
        meters.spent.value += 1.0 if cost is None else cost
        meters.input.value += usage.input_tokens
        meters.output.value += usage.output_tokens

    def _of_requests(self, tier: str, plan: str, status: int, backend: str) -> _OfRequests:
        metrics = self._metrics
        duration = "gen_ai_client_operation_duration_seconds"
        meters = self._requests[tier, plan, status, backend] = _OfRequests(
            metrics.counter("waggle_reuse_total", tier=tier),
            metrics.counter("waggle_requests_total", plan=plan, status=str(status)),
            metrics.histogram("waggle_overhead_seconds"),
            metrics.histogram(duration, gen_ai_request_model=backend),
        )
        return meters

    def _of_calls(self, backend: str, priced: bool) -> _OfCalls:
        metrics = self._metrics
        spent = "waggle_cost_usd_total" if priced else "waggle_unpriced_calls_total"
        model = {"gen_ai_request_model": backend}
        meters = self._calls[backend, priced] = _OfCalls(
            metrics.counter(spent, backend=backend),
            metrics.counter(_TOKENS, gen_ai_token_type="input", **model),
            metrics.counter(_TOKENS, gen_ai_token_type="output", **model),
        )
        return meters

    def _of_first_bytes(self, backend: str) -> Histogram:
        name = "gen_ai_server_time_to_first_token_seconds"
        histogram = self._metrics.histogram(name, gen_ai_request_model=backend)
        self._first_bytes[backend] = histogram
        return histogram
