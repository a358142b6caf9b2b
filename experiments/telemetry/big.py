"""Makes a store of many fake requests with the store's own functions."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from router.telemetry import rollup
from router.telemetry.sql import from_segments
from router.telemetry.store import segments
from router.telemetry.store.keep import Keeper
from router.telemetry.store.manifest import Segment, store
from router.telemetry.store.segments import rows_of
from router.telemetry.tables import REQUESTS, SIGNALS

SEGMENT = 1_000_000
ATTEMPT = (
    "{step: 1, parent: null::INTEGER, backend: plan, gen_ai_provider_name: 'openai', "
    "status: 200, error_type: null::VARCHAR, detail: null::VARCHAR, latency_ms: latency_ms, "
    "ttft_ms: null::DOUBLE, gen_ai_usage_input_tokens: 100::BIGINT, "
    "gen_ai_usage_output_tokens: 200::BIGINT, gen_ai_usage_cache_read_input_tokens: 0::BIGINT, "
    "tokens_estimated: false, cost_usd: cost_usd}"
)

# SQL for each column of a request, over the columns of `_requests`. Other columns are null.
_REQUEST = {
    "v": "1",
    "writer": "'big'",
    "n": "i + 1",
    "ts": "ts",
    "request_id": "request_id",
    "gen_ai_operation_name": "'chat'",
    "gen_ai_request_model": "'auto'",
    "gen_ai_provider_name": "'openai'",
    "gen_ai_usage_input_tokens": "100",
    "gen_ai_usage_output_tokens": "200",
    "session": "md5((i // 7)::VARCHAR)[:24]",
    "stream": "i % 3 = 0",
    "kind": "kind",
    "features_version": "2",
    "features": "[u, v, w, u, v, w, u, v]",
    "complexity": "u",
    "strategy": "case when i % 10 = 0 then 'ladder' else 'bandit' end",
    "policy_version": "'v' || i // 500000",
    "eligible": "['p0', 'p1', 'p2', 'p3']",
    "probabilities": "[0.7, 0.1, 0.1, 0.1]",
    "plan": "plan",
    "propensity": "case when plan = 'p0' then 0.7 else 0.1 end",
    "explored": "plan <> 'p0'",
    "reuse_tier": "case when u < 0.1 then 'exact' when u < 0.2 then 'reuse' else 'novel' end",
    "backend": "plan",
    "status": "200",
    "error_type": "case when v < 0.01 then 'timeout' end",
    "cost_usd": "cost_usd",
    "premium_cost_usd": "0.004",
    "latency_ms": "latency_ms",
    "overhead_ms": "0.5 + v",
    "request_bytes": "1000",
    "request_hash": "md5(i::VARCHAR)[:16]",
    "answer_bytes": "2000",
    "attempts": f"[{ATTEMPT}]",
}


def build(folder: Path, rows: int, *, end: int, spread_seconds: float) -> Iterator[int]:
    """Write requests spread evenly over the seconds before `end` (in microseconds), and judge every
    tenth request. Yields the number of rows written so far."""
    keeper = Keeper(folder)
    keeper.recover()
    step = spread_seconds * 1e6 / rows
    first = end - spread_seconds * 1e6
    with keeper.turn() as (con, now):
        written: list[Segment] = []
        con.execute("SELECT setseed(0.5)")
        for at in range(0, rows, SEGMENT):
            count = min(SEGMENT, rows - at)
            requests = segments.write(
                con,
                folder,
                "requests",
                _requests(at, count, first, step),
                rows=count,
                covers={"big": ((at + 1, at + count),)},
            )
            judgements = segments.write(
                con,
                folder,
                "signals",
                _signals(requests.path(folder), at),
                rows=None,
                covers={"big": ((at // 10 + 1, (at + count) // 10),)},
            )
            written += [requests, judgements, *_sums(con, folder, requests, judgements)]
            yield at + count
        sums = [segment for segment in written if segment.table == "rollup"]
        paths = [segment.path(folder) for segment in sums]
        whole = segments.write_rollup(con, folder, rollup.added_up(from_segments(paths)))
        kept = [segment for segment in written if segment.table not in rollup.TABLES]
        store(folder, now.after(adding=(*kept, *whole)))
    keeper.recover()


def _requests(at: int, count: int, first: float, step: float) -> str:
    columns = ", ".join(
        f"({_REQUEST.get(name, 'null')})::{type_} AS {name}"
        for name, type_ in REQUESTS.columns.items()
    )
    return f"""
        SELECT {columns} FROM (
          SELECT *, make_timestamp(micros) AS ts,
                 printf('%08x-%04x-7000-8000-%012x', (micros // 1000) >> 16,
                        (micros // 1000) & 65535, i) AS request_id,
                 case when x < 0.7 then 'p0' when x < 0.8 then 'p1' when x < 0.9 then 'p2'
                      else 'p3' end AS plan,
                 ['text', 'json', 'code', 'question', 'reasoning', 'tools']
                   [1 + (y * 6)::INTEGER % 6] AS kind,
                 0.001 + 0.003 * u AS cost_usd, 50 * exp(2 * w) AS latency_ms
          FROM (SELECT i, ({first:.0f} + i * {step})::BIGINT AS micros, random() AS u,
                       random() AS v, random() AS w, random() AS x, random() AS y
                FROM range({at}, {at + count}) t(i)))
        ORDER BY request_id"""


def _signals(requests: Path, at: int) -> str:
    expressions = {
        "v": "1",
        "writer": "'big'",
        "n": f"{at // 10} + row_number() over (order by request_id)",
        "ts": "ts + interval 30 second",
        "signal_id": "md5(request_id)[:24]",
        "request_id": "request_id",
        "request_ts": "ts",
        "source": "'app'",
        "metric": "'score'",
        "score": "random()",
        "weight": "1",
        **{name: name for name in ("strategy", "plan", "kind", "reuse_tier")},
    }
    columns = ", ".join(
        f"({expressions.get(name, 'null')})::{type_} AS {name}"
        for name, type_ in SIGNALS.columns.items()
    )
    source = from_segments([requests])
    return f"SELECT {columns} FROM {source} WHERE (n - 1) % 10 = 0 ORDER BY request_id"


def _sums(
    con: duckdb.DuckDBPyConnection, folder: Path, requests: Segment, judgements: Segment
) -> Iterator[Segment]:
    yield from segments.write_rollup(con, folder, rollup.of_requests(rows_of(folder, [requests])))
    after = rollup.judged(rows_of(folder, [judgements]))
    before = f"(FROM {after} WHERE false)"
    yield from segments.write_rollup(con, folder, rollup.of_judgements(before, after))
