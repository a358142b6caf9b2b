"""The tables of telemetry and their columns.

Every row carries the version of its columns. There is one version so far. From the first release
on, each change of columns raises `ROW_VERSION` and adds a named step to this module, which rewrites
rows of the version before. Rows of any other version are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from router.request.context import NAMES_OF

ROW_VERSION = 1

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

# What `auto` would have chosen for a request whose caller chose; `share`: the chance that `auto`
# answered.
SHADOW = (
    "STRUCT(named VARCHAR, plan VARCHAR, share DOUBLE, strategy VARCHAR, policy_version VARCHAR, "
    "probabilities MAP(VARCHAR, DOUBLE), unpriced VARCHAR[])"
)

# The policy's estimates for an eligible plan when it decided, whether it chose the plan or not.
EXPECTED = "STRUCT(plan VARCHAR, quality DOUBLE, cost_usd DOUBLE, latency_ms DOUBLE)"

# The names of the numbers in `features`, by version: a row holds only the numbers.
FEATURES = NAMES_OF

# What each guard did, in the order of the guards; `moment`: before or after the call.
GUARD = "STRUCT(guard VARCHAR, moment VARCHAR, outcome VARCHAR, rule VARCHAR, ms DOUBLE)"

# The role and the characters of each message in `prompt`; one character stands between messages.
PART = "STRUCT(role VARCHAR, characters INTEGER)"

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
    "words": "VARCHAR[]",  # of the user's last message, as functions saw them; kept with prompts
    "prompt_parts": f"{PART}[]",  # kept with prompts
    "answer": "VARCHAR",
    "chances": "MAP(VARCHAR, DOUBLE)",  # of a short answer and its alternatives; kept with answers
    "attempts": f"{ATTEMPT}[]",
    "partial": "VARCHAR",
    "level": "VARCHAR",
    "unchecked": "INTEGER",
    "unchecked_parts": "VARCHAR[]",
    "rate_usd": "DOUBLE",
    "expected_quality": "DOUBLE",
    "expected_cost_usd": "DOUBLE",
    "solution": "BIGINT",
    "reuse_chance": "DOUBLE",
    "reuse_propensity": "DOUBLE",
    "reuse_checked": "BOOLEAN",
    "reuse_bucket": "VARCHAR",
    "reuse_bound": "DOUBLE",
    "reuse_neighbourhood": "INTEGER",
    "exposures": f"{EXPOSURE}[]",
    "expected": f"{EXPECTED}[]",
    "shadow": SHADOW,
    "dialect": "VARCHAR",  # of the caller; null: chat completions
    "agent": "VARCHAR",
    "tags": "VARCHAR[]",  # by which the caller wants to see what it spends
    "team": "VARCHAR",  # of the key
    "stores": "VARCHAR[]",  # of knowledge, whose words its answer may hold
    "guard": "VARCHAR",  # the guards that did more than let the words pass
    "guards": f"{GUARD}[]",
    "pattern": "VARCHAR",  # the pattern that the request belongs to; null: none
    "terms": "INTEGER[]",  # buckets of the request's own words and marks, which tell no word
    "sentence_hashes": "VARCHAR[]",  # of what a long request brings anew, the 16 smallest
    "no_store": "BOOLEAN",  # whether the caller asked that the answer is not stored; null: no
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
    "rival": "VARCHAR",  # the answer that a judge compared with; kept with answers
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


@dataclass(frozen=True, slots=True)
class TableSchema:
    name: str
    columns: Mapping[str, str]  # the SQL type of each column
    key: str  # merging sorts the rows by this column


REQUESTS = TableSchema("requests", _REQUESTS, "request_id")
SIGNALS = TableSchema("signals", _SIGNALS, "request_id")
POLICIES = TableSchema("policies", _POLICIES, "ts")
TRIALS = TableSchema("trials", _TRIALS, "ts")
EVENTS = TableSchema("events", _EVENTS, "ts")

# The tables that have journals; rollups are derived from them.
TABLES = {table.name: table for table in (REQUESTS, SIGNALS, POLICIES, TRIALS, EVENTS)}
