"""The tables of telemetry: their columns, and how rows of earlier versions are read.

A row is written once, in the version of its day, and carries that version for ever. What changes
later is how it is read: each version knows how its columns become those of the next.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from router.request.complexity import PARTS
from router.request.context import NAMES

ATTEMPT = (
    "STRUCT(step INTEGER, parent INTEGER, backend VARCHAR, gen_ai_provider_name VARCHAR, "
    "status INTEGER, error_type VARCHAR, detail VARCHAR, latency_ms DOUBLE, ttft_ms DOUBLE, "
    "gen_ai_usage_input_tokens BIGINT, gen_ai_usage_output_tokens BIGINT, "
    "gen_ai_usage_cache_read_input_tokens BIGINT, tokens_estimated BOOLEAN, cost_usd DOUBLE, "
    "role VARCHAR, swap_ms DOUBLE)"
)

EXPOSURE = (
    "STRUCT(trial_id VARCHAR, unit VARCHAR, variant VARCHAR, chance DOUBLE, apart BOOLEAN, "
    "other VARCHAR, trouble VARCHAR)"
)

# What the policy expected of a plan at that moment, whether it was chosen or not.
EXPECTED = "STRUCT(plan VARCHAR, quality DOUBLE, cost_usd DOUBLE, latency_ms DOUBLE)"

# What stands where in `features`, by their version; numbers alone are kept with each row.
FEATURES = {1: ("complexity", *PARTS), 2: NAMES}

_EVERY = {"v": "INTEGER", "writer": "VARCHAR", "n": "BIGINT", "ts": "TIMESTAMP"}

_REQUESTS = {
    **_EVERY,
    "request_id": "VARCHAR",
    "key_id": "VARCHAR",
    "session": "VARCHAR",
    "gen_ai_operation_name": "VARCHAR",
    "gen_ai_request_model": "VARCHAR",
    "gen_ai_provider_name": "VARCHAR",
    "gen_ai_usage_input_tokens": "BIGINT",
    "gen_ai_usage_output_tokens": "BIGINT",
    "gen_ai_usage_cache_read_input_tokens": "BIGINT",
    "tokens_estimated": "BOOLEAN",
    "stream": "BOOLEAN",
    "kind": "VARCHAR",
    "features_version": "INTEGER",
    "features": "DOUBLE[]",
    "complexity": "DOUBLE",
    "strategy": "VARCHAR",
    "policy_version": "VARCHAR",
    "reason": "VARCHAR",
    "eligible": "VARCHAR[]",
    "ineligible": "MAP(VARCHAR, VARCHAR)",
    "probabilities": "DOUBLE[]",
    "plan": "VARCHAR",
    "propensity": "DOUBLE",
    "explored": "BOOLEAN",
    "trial_id": "VARCHAR",
    "variant": "VARCHAR",
    "reuse_tier": "VARCHAR",
    "similarity": "DOUBLE",
    "backend": "VARCHAR",
    "status": "INTEGER",
    "error_type": "VARCHAR",
    "error": "VARCHAR",
    "cost_usd": "DOUBLE",
    "premium_plan": "VARCHAR",
    "premium_cost_usd": "DOUBLE",
    "latency_ms": "DOUBLE",
    "ttft_ms": "DOUBLE",
    "overhead_ms": "DOUBLE",
    "request_bytes": "BIGINT",
    "request_hash": "VARCHAR",
    "answer_bytes": "BIGINT",
    "answer_hash": "VARCHAR",
    "prompt": "VARCHAR",
    "answer": "VARCHAR",
    "attempts": f"{ATTEMPT}[]",
    "partial": "VARCHAR",
    "rate_usd": "DOUBLE",
    "expected_quality": "DOUBLE",
    "expected_cost_usd": "DOUBLE",
    "solution": "BIGINT",
    "reuse_chance": "DOUBLE",
    "reuse_propensity": "DOUBLE",
    "reuse_checked": "BOOLEAN",
    "reuse_bucket": "VARCHAR",
    "exposures": f"{EXPOSURE}[]",
    "expected": f"{EXPECTED}[]",
}

_ATTEMPT_2 = ATTEMPT.removesuffix(", role VARCHAR, swap_ms DOUBLE)") + ")"
_REQUESTS_6 = {name: type_ for name, type_ in _REQUESTS.items() if name != "expected"}
_REQUESTS_5 = {name: type_ for name, type_ in _REQUESTS_6.items() if name != "exposures"}
_REQUESTS_4 = {
    n: type_
    for n, type_ in _REQUESTS_5.items()
    if n == "reuse_tier" or not n.startswith(("solution", "reuse_"))
}
_REQUESTS_3 = {
    n: type_ for n, type_ in _REQUESTS_4.items() if not n.startswith(("rate_", "expected_"))
}
_REQUESTS_2 = {name: type_ for name, type_ in _REQUESTS_3.items() if name != "partial"} | {
    "attempts": f"{_ATTEMPT_2}[]"
}
_NEW_STEPS = ", role: null::VARCHAR, swap_ms: null::DOUBLE}"
_REQUESTS_2_TO_3 = {
    "attempts": "list_transform(attempts, lambda a: {"
    + ", ".join(f"{name}: a.{name}" for name in re.findall(r"(\w+) [A-Z]+[,)]", _ATTEMPT_2))
    + _NEW_STEPS
    + ")",
}

_SIGNALS = {
    **_EVERY,
    "signal_id": "VARCHAR",
    "request_id": "VARCHAR",
    "request_ts": "TIMESTAMP",
    "key_id": "VARCHAR",
    "source": "VARCHAR",
    "metric": "VARCHAR",
    "value": "VARCHAR",
    "score": "DOUBLE",
    "weight": "DOUBLE",
    "comment": "VARCHAR",
    "demonstration": "VARCHAR",
    "strategy": "VARCHAR",
    "plan": "VARCHAR",
    "kind": "VARCHAR",
    "reuse_tier": "VARCHAR",
}

_POLICIES = {
    **_EVERY,
    "policy_version": "VARCHAR",
    "strategy": "VARCHAR",
    "features_version": "INTEGER",
    "settings": "JSON",
}

_TRIALS = {
    **_EVERY,
    "trial_id": "VARCHAR",
    "name": "VARCHAR",
    "state": "VARCHAR",
    "settings": "JSON",
}

_EVENTS = {
    **_EVERY,
    "event_id": "VARCHAR",
    "kind": "VARCHAR",
    "subject": "VARCHAR",
    "state": "VARCHAR",
    "detail": "JSON",
}

# What the first release wrote, one file a router, without checksums or numbers.
_REQUESTS_1 = {
    **_EVERY,
    "request_id": "VARCHAR",
    "key_id": "VARCHAR",
    "session": "VARCHAR",
    "model": "VARCHAR",
    "stream": "BOOLEAN",
    "strategy": "VARCHAR",
    "plan": "VARCHAR",
    "propensity": "DOUBLE",
    "probabilities": "MAP(VARCHAR, DOUBLE)",
    "ineligible": "MAP(VARCHAR, VARCHAR)",
    "complexity": "DOUBLE",
    "parts": "MAP(VARCHAR, DOUBLE)",
    "backend": "VARCHAR",
    "status": "INTEGER",
    "error": "VARCHAR",
    "cost_usd": "DOUBLE",
    "seconds": "DOUBLE",
    "first_byte_seconds": "DOUBLE",
    "overhead_seconds": "DOUBLE",
    "request_bytes": "BIGINT",
    "request_hash": "VARCHAR",
    "prompt": "VARCHAR",
    "attempts": "STRUCT(backend VARCHAR, status INTEGER, fault VARCHAR, detail VARCHAR, "
    "seconds DOUBLE, input_tokens BIGINT, output_tokens BIGINT, cached_tokens BIGINT, "
    "tokens_estimated BOOLEAN, cost_usd DOUBLE)[]",
}

_REQUESTS_1_TO_2 = {
    "gen_ai_operation_name": "'chat'",
    "gen_ai_request_model": "model",
    "gen_ai_usage_input_tokens": "attempts[-1].input_tokens",
    "gen_ai_usage_output_tokens": "attempts[-1].output_tokens",
    "gen_ai_usage_cache_read_input_tokens": "attempts[-1].cached_tokens",
    "tokens_estimated": "attempts[-1].tokens_estimated",
    "features_version": "1",
    "features": f"[complexity, {', '.join(f'parts[{part!r}]' for part in PARTS)}]",
    "eligible": "map_keys(probabilities)",
    "probabilities": "map_values(probabilities)",
    "explored": "propensity < list_max(map_values(probabilities))",
    "reuse_tier": "'novel'",
    "error_type": "nullif(attempts[-1].fault, '')",
    "error": "nullif(error, '')",
    "latency_ms": "1000 * seconds",
    "ttft_ms": "case when stream then 1000 * first_byte_seconds end",
    "overhead_ms": "1000 * overhead_seconds",
    "attempts": "list_transform(attempts, lambda a, i: {step: i, parent: null::INTEGER, "
    "backend: a.backend, gen_ai_provider_name: null::VARCHAR, status: a.status, "
    "error_type: nullif(a.fault, ''), detail: nullif(a.detail, ''), latency_ms: 1000 * a.seconds, "
    "ttft_ms: null::DOUBLE, gen_ai_usage_input_tokens: a.input_tokens, "
    "gen_ai_usage_output_tokens: a.output_tokens, "
    "gen_ai_usage_cache_read_input_tokens: a.cached_tokens, "
    "tokens_estimated: a.tokens_estimated, cost_usd: a.cost_usd})",
}

Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table: the columns of its current version, and the way there from earlier ones."""

    name: str
    version: int
    columns: Columns
    key: str
    earlier: Mapping[int, Columns] = field(default_factory=dict)
    upgrades: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def columns_of(self, version: int) -> Columns:
        if version == self.version:
            return self.columns
        try:
            return self.earlier[version]
        except KeyError:
            known = ", ".join(map(str, sorted({*self.earlier, self.version})))
            raise ValueError(
                f"{self.name} has rows of version {version}, and this Waggle reads {known}: "
                "they were written by a newer one; use that"
            ) from None

    def upgraded(self, version: int, rows: str) -> str:
        """SQL for rows of a version, with the columns of the current one."""
        for step in range(version, self.version):
            new = self.columns_of(step + 1)
            old, changes = self.columns_of(step), self.upgrades[step]
            chosen = (
                f"({changes.get(name, name if name in old else 'null')})::{type_} AS {name}"
                for name, type_ in new.items()
            )
            rows = f"(SELECT {', '.join(chosen)} FROM {rows})"
        return rows


REQUESTS = TableSchema(
    "requests",
    7,
    _REQUESTS,
    "request_id",
    {
        **{1: _REQUESTS_1, 2: _REQUESTS_2, 3: _REQUESTS_3},
        **{4: _REQUESTS_4, 5: _REQUESTS_5, 6: _REQUESTS_6},
    },
    {1: _REQUESTS_1_TO_2, 2: _REQUESTS_2_TO_3, 3: {}, 4: {}, 5: {}, 6: {}},
)
SIGNALS = TableSchema("signals", 2, _SIGNALS, "request_id")
POLICIES = TableSchema("policies", 2, _POLICIES, "ts")
TRIALS = TableSchema("trials", 2, _TRIALS, "ts")
EVENTS = TableSchema("events", 2, _EVENTS, "ts")

# Journals are written for these; the rollup is made from them.
TABLES = {table.name: table for table in (REQUESTS, SIGNALS, POLICIES, TRIALS, EVENTS)}
