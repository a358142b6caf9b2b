"""The SQL of the rollup: sums by minute and by hour, for each strategy, plan, kind and reuse tier.

Since every column is a sum, the keeper can merge files of sums and correct them by adding rows of
opposite sign, and readers need not read the requests. Latencies are counted in bins whose bounds
grow by the root of two, so any percentile is exact to within a bin.

A request whose cost is unknown adds nothing to `cost_usd`, and counts as `unpriced`. What routing
saved is `premium_cost_usd` less `compared_cost_usd`: the sums over requests that have both.

The rollup counts a request when the request is sealed, and its quality when signals about it are
sealed: each batch of signals adds the change that it makes to the quality.
"""

TABLES = ("rollup", "hours")  # sums by minute, and the same sums by hour
BINS = 38
KEYS = ("minute", "strategy", "plan", "kind", "reuse_tier")
SUMS = {
    "n": "BIGINT",
    "errors": "BIGINT",
    "explored": "BIGINT",
    "cost_usd": "DOUBLE",
    "unpriced": "BIGINT",
    "compared_cost_usd": "DOUBLE",
    "premium_cost_usd": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "latency_ms": "DOUBLE",
    "overhead_ms": "DOUBLE",
    "quality_n": "BIGINT",
    "quality": "DOUBLE",
    "quality_squared": "DOUBLE",
    **{f"bin_{index}": "BIGINT" for index in range(BINS)},
}
COLUMNS = {
    "minute": "TIMESTAMP",
    **dict.fromkeys(KEYS[1:], "VARCHAR"),
    **SUMS,
}


SUMMED_BINS = ", ".join(f"sum(bin_{index})" for index in range(BINS))


def of_requests(rows: str, *, sign: int = 1) -> str:
    """SQL for the sums of these requests. Refused requests, which no plan answered, are left
    out."""
    bins = (f"count(*) FILTER (bin = {index}) * {sign} AS bin_{index}" for index in range(BINS))
    return f"""
        SELECT minute, strategy, plan, kind, reuse_tier,
               count(*) * {sign} AS n,
               count(*) FILTER (error_type IS NOT NULL) * {sign} AS errors,
               count(*) FILTER (explored) * {sign} AS explored,
               coalesce(sum(cost_usd), 0) * {sign} AS cost_usd,
               count(*) FILTER (cost_usd IS NULL) * {sign} AS unpriced,
               coalesce(sum(cost_usd) FILTER (premium_cost_usd IS NOT NULL), 0) * {sign}
                 AS compared_cost_usd,
               coalesce(sum(premium_cost_usd) FILTER (cost_usd IS NOT NULL), 0) * {sign}
                 AS premium_cost_usd,
               coalesce(sum(gen_ai_usage_input_tokens), 0)::BIGINT * {sign} AS input_tokens,
               coalesce(sum(gen_ai_usage_output_tokens), 0)::BIGINT * {sign} AS output_tokens,
               coalesce(sum(latency_ms), 0) * {sign} AS latency_ms,
               coalesce(sum(overhead_ms), 0) * {sign} AS overhead_ms,
               0::BIGINT AS quality_n, 0::DOUBLE AS quality, 0::DOUBLE AS quality_squared,
               {", ".join(bins)}
        FROM (SELECT *, date_trunc('minute', ts) AS minute,
                     {_bin("latency_ms")} AS bin
              FROM {rows} WHERE plan IS NOT NULL)
        GROUP BY minute, strategy, plan, kind, reuse_tier"""


def bins_of(latency: str) -> str:
    """SQL that puts the latency of a single row into its bin: a column for each bin, 1 or 0."""
    return ", ".join(f"({_bin(latency)} = {index})::BIGINT AS bin_{index}" for index in range(BINS))


def of_judgements(before: str, after: str) -> str:
    """SQL for the change in the sums when the judged requests `before` become those in `after`."""
    bins = ", ".join(f"0::BIGINT AS bin_{index}" for index in range(BINS))
    zeros = ", ".join(
        f"0::{type_} AS {name}" for name, type_ in SUMS.items() if not name.startswith(("q", "b"))
    )
    change = "SELECT *, {sign} AS sign FROM {rows}"
    rows = f"{change.format(sign=-1, rows=before)} UNION ALL {change.format(sign=1, rows=after)}"
    return f"""
        SELECT date_trunc('minute', request_ts) AS minute, strategy, plan, kind, reuse_tier,
               {zeros},
               sum(sign)::BIGINT AS quality_n, sum(sign * quality) AS quality,
               sum(sign * quality * quality) AS quality_squared, {bins}
        FROM ({rows}) WHERE plan IS NOT NULL
        GROUP BY ALL"""


def added_up(rows: str) -> str:
    sums = ", ".join(f"sum({name})::{type_} AS {name}" for name, type_ in SUMS.items())
    return f"SELECT {', '.join(KEYS)}, {sums} FROM {rows} GROUP BY {', '.join(KEYS)}"


def by_hour(rows: str) -> str:
    hours = "SELECT * REPLACE (date_trunc('hour', minute) AS minute)"
    return added_up(f"({hours} FROM {rows})")


def judged(signals: str) -> str:
    """SQL for requests with the quality that their signals give: the mean of the latest score of
    each source and metric, weighted by the trust in the source."""
    return f"""
        (SELECT request_id, request_ts, any_value(strategy) AS strategy, any_value(plan) AS plan,
                any_value(kind) AS kind, any_value(reuse_tier) AS reuse_tier,
                sum(score * weight) / sum(weight) AS quality,
                arg_max(source, weight) AS quality_source
         FROM (SELECT request_id, request_ts, source, metric,
                      arg_max(score, (ts, n)) AS score, arg_max(weight, (ts, n)) AS weight,
                      any_value(strategy) AS strategy, any_value(plan) AS plan,
                      any_value(kind) AS kind, any_value(reuse_tier) AS reuse_tier
               FROM {signals} WHERE score IS NOT NULL AND weight > 0
               GROUP BY request_id, request_ts, source, metric)
         GROUP BY request_id, request_ts)"""


def _bin(latency: str) -> str:
    highest = BINS - 1
    return f"least(greatest(floor(2 * log2(greatest({latency}, 0.5))) + 2, 0), {highest})::INTEGER"
