"""Counters and histograms of a router, and the text that Prometheus reads.

Names follow OpenTelemetry's `gen_ai` conventions where these define a name. Each router shows the
counters of all routers, with the label `router`. Whoever counts often looks up a counter by its
labels once, keeps it, and adds to its value.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import orjson

_BOUNDS = (
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    300,
)

Labels = tuple[tuple[str, str], ...]
_HELP = {
    "waggle_requests_total": "Requests answered, by endpoint, plan and status.",
    "waggle_attempts_total": "Calls to backends, by backend and outcome.",
    "waggle_cost_usd_total": "Dollars spent, by backend; calls of unknown cost are left out.",
    "waggle_unpriced_calls_total": "Calls whose cost is unknown, by backend.",
    "waggle_overhead_seconds": "Time a request spent in Waggle, its backends left out.",
    "gen_ai_client_operation_duration_seconds": "Time a request took, as its caller saw it.",
    "gen_ai_server_time_to_first_token_seconds": "Time until a stream's first byte.",
    "gen_ai_client_token_usage_total": "Tokens, by backend and type.",
    "waggle_hive_unreachable_total": "Times the hive, which shares limits, did not answer.",
    "waggle_learner_unreachable_total": "Times the learner did not answer with news.",
    "waggle_policy_age_seconds": "Time since the learner last answered.",
    "waggle_policy_stale": "1 while decisions rest on a policy that is too old, or was refused.",
    "waggle_guard_seconds": "Time a guard took, by guard and by when it ran.",
    "waggle_guards_total": "What guards did, by guard, by when it ran and by outcome.",
    "waggle_requests_running": "Requests being answered.",
}


class Counter:
    """A number that only grows: `counter.value += 1.0`."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Histogram:
    """A count for each bin, then the sum of the values."""

    __slots__ = ("row",)

    def __init__(self) -> None:
        self.row = [0.0] * (len(_BOUNDS) + 2)

    def observe(self, value: float) -> None:
        self.row[bisect_left(_BOUNDS, value)] += 1.0
        self.row[-1] += value


class Metrics:
    def __init__(self) -> None:
        self._counters: dict[tuple[str, Labels], Counter] = {}
        self._gauges: dict[tuple[str, Labels], float] = {}
        self._histograms: dict[tuple[str, Labels], Histogram] = {}

    def counter(self, name: str, **labels: str) -> Counter:
        return self._counters.setdefault((name, tuple(labels.items())), Counter())

    def histogram(self, name: str, **labels: str) -> Histogram:
        return self._histograms.setdefault((name, tuple(labels.items())), Histogram())

    def count(self, name: str, by: float = 1.0, **labels: str) -> None:
        self.counter(name, **labels).value += by

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self._gauges[(name, tuple(labels.items()))] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.histogram(name, **labels).observe(value)

    def snapshot(self) -> bytes:
        counters = [[name, labels, c.value] for (name, labels), c in self._counters.items()]
        gauges = [[name, labels, value] for (name, labels), value in self._gauges.items()]
        histograms = [[name, labels, h.row] for (name, labels), h in self._histograms.items()]
        return orjson.dumps([counters, gauges, histograms])


def exposition(snapshots: Mapping[str, bytes]) -> str:
    """The counters of all routers in the text format of Prometheus."""
    families: dict[tuple[str, str], list[str]] = {}
    for router, snapshot in sorted(snapshots.items()):
        if snapshot:
            for kind, rows in zip(
                ("counter", "gauge", "histogram"), orjson.loads(snapshot), strict=True
            ):
                for name, labels, value in rows:
                    tags = [(str(k), str(v)) for k, v in labels] + [("router", router)]
                    families.setdefault((name, kind), []).extend(_lines(name, tags, value))
    text = []
    for (name, kind), lines in sorted(families.items()):
        text += [f"# HELP {name} {_HELP.get(name, name)}", f"# TYPE {name} {kind}", *lines]
    return "\n".join(text) + "\n"


def _lines(name: str, tags: list[tuple[str, str]], value: float | list[float]) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{name}{_braces(tags)} {value}"
        return
    *counts, total = value
    running = 0.0
    for bound, count in zip((*_BOUNDS, "+Inf"), counts, strict=True):
        running += count
        yield f"{name}_bucket{_braces([*tags, ('le', str(bound))])} {running}"
    yield f"{name}_sum{_braces(tags)} {total}"
    yield f"{name}_count{_braces(tags)} {running}"


def _braces(tags: list[tuple[str, str]]) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    return "{" + ",".join(f'{key}="{escaped(value)}"' for key, value in tags) + "}"
