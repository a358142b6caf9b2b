"""The page about the system: what runs, how traffic flows, and which parts lag behind."""

from dashboard.components import badge, dollars, number, table, tile, tiles, when
from dashboard.pages import topology
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.source import Rows, moment

_SPENDERS = 25  # rows for each of teams, tags and keys
_LATE_SECONDS = 60.0  # the page warns about a longer lag or an older journal row


def strip(query: PanelQuery) -> str:
    return f"""
with w as (  -- routers that wrote in the last five minutes
  select count(distinct writer) as writers from all_requests
  where ts > {moment(query.facts.now)} - interval 5 minute),
p as (
  select max(first_used) as published,
         arg_max((settings->>'learned')::bigint, first_used) as learned
  from policies where strategy = 'bandit' and (settings->>'learned') is not null),
s as (
  select max(ts) as said from all_signals where score is not null
    and ts >= {moment(query.span.since)}),
x as (
  select arg_max(state, ts) as level from events where kind = 'sandbox'),
t as (
  select sum(replicas)::bigint as replicas, count(*) as backends from (
    select subject, arg_max((detail->>'replicas')::bigint, ts) as replicas from events
    where kind = 'topology' group by subject)),
u as (select sum(n)::bigint as unsealed, min(oldest) as oldest from unsealed)
select * from w, p, s, x, t, u"""


def _strip(rows: Rows, query: PanelQuery) -> Shown:
    row = rows[0]
    lag = None
    if row["said"] is not None and row["published"] is not None:
        lag = max((row["said"] - row["published"]).total_seconds(), 0.0)
    behind = "newest judgement is learned" if lag == 0 else "from judgement to policy"
    held = None
    if row["oldest"] is not None:
        held = max((query.facts.now - row["oldest"]).total_seconds(), 0.0)
    return tiles(
        tile("routers", number(row["writers"]), "wrote in the last 5 minutes"),
        tile(
            "replicas of backends", number(row["replicas"]), f"{number(row['backends'])} backends"
        ),
        tile(
            "learner lag",
            number(lag, ",.0f", " s"),
            f"{number(row['learned'])} answers learned; {behind}"
            if lag is not None
            else "nothing learned yet",
            tone="warn" if lag is not None and lag > _LATE_SECONDS else "",
        ),
        tile(
            "journal depth",
            number(row["unsealed"], ",.0f", " rows"),
            f"oldest row {number(held, ',.0f')} s old"
            if held is not None
            else "every row is sealed",
            tone="warn" if held is not None and held > _LATE_SECONDS else "",
        ),
        tile("sandbox", row["level"] or "not used yet", "isolation of the last programs"),
    )


def changed(query: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail::varchar as detail, len(seen_by) as seen_by
from events where {query.here} and kind not in ('reuse', 'signal', 'outlook', 'shadow')
  and (kind <> 'solutions' or state not in ('adapted', 'quarantined', 'merged'))
  and (kind <> 'knowledge' or state <> 'used')
order by ts desc, event_id limit 100"""


def _changed(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "Nothing changed in this time: no configuration, no breaker, no replica, no policy."
        )
    return [
        table(
            ("when (UTC)", "what", "which", "state", "detail"),
            [
                (
                    when(row["ts"]),
                    row["kind"],
                    row["subject"] or "",
                    badge(row["state"] or ""),
                    (row["detail"] or "")[:300],
                )
                for row in rows
            ],
            label="what happened",
        )
    ]


def replicas(query: PanelQuery) -> str:
    return f"""
with t as (
  select subject as backend, arg_max((detail->>'replicas')::bigint, ts) as replicas,
         max(ts) as since
  from events where kind = 'topology' group by all),
c as (
  select backend, count(*) as calls, avg((error_type is not null)::int) as failed,
         quantile_cont(latency_ms, 0.5) as p50_ms, quantile_cont(latency_ms, 0.95) as p95_ms,
         sum(cost_usd) as cost_usd
  from {query.calls} where backend is not null group by all)
select coalesce(t.backend, c.backend) as backend, replicas, since, calls, failed, p50_ms, p95_ms,
       cost_usd
from t full join c on c.backend = t.backend order by calls desc nulls last, 1"""


def _replicas(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No backend was called yet.")
    return [
        table(
            ("backend", "replicas", "since (UTC)", "calls", "failed", "p50", "p95"),
            [
                (
                    row["backend"],
                    number(row["replicas"]),
                    when(row["since"]),
                    number(row["calls"]),
                    number(row["failed"], ".1%"),
                    number(row["p50_ms"], ",.1f", " ms"),
                    number(row["p95_ms"], ",.1f", " ms"),
                )
                for row in rows
            ],
            numeric=(1, 3, 4, 5, 6),
            label="backends",
        )
    ]


def spend(query: PanelQuery) -> str:
    span = query.span
    return f"""
select by_what, name, sum(n)::bigint as n, sum(usd) as usd, sum(unpriced)::bigint as unpriced,
       sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
       sum(usd) / nullif(sum(sum(usd)) over (partition by by_what), 0) as share
from spend(since := {moment(span.since)}, until := {moment(span.until)})
group by by_what, name
qualify row_number() over (partition by by_what order by sum(usd) desc, name) <= {_SPENDERS}
order by by_what desc, sum(usd) desc, name nulls last"""


def _spend(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    return [
        table(
            ("by", "name", "spent", "share", "requests", "tokens in", "out", "without a price"),
            [
                (
                    row["by_what"],
                    row["name"] or f"no {row['by_what']}",
                    dollars(row["usd"]),
                    number(row["share"], ".0%"),
                    number(row["n"]),
                    number(row["input_tokens"]),
                    number(row["output_tokens"]),
                    number(row["unpriced"]),
                )
                for row in rows
            ],
            numeric=(2, 3, 4, 5, 6, 7),
            label="what was spent",
        )
    ]


PAGE = Page(
    "system",
    "System",
    "What runs, how traffic flows, and what changed.",
    (
        Panel("system-strip", "At a glance", strip, _strip, form="parts", size="whole"),
        Panel(
            "topology",
            "Requests, plans, backends",
            topology.topology,
            topology.show_topology,
            size="whole",
            tall=True,
            broad=True,
            note="Each band is as wide as its share of requests or of calls. ▲ and ▼ show how a "
            "plan's share changed from the first half of the time to the second.",
        ),
        Panel(
            "replicas",
            "Backends",
            replicas,
            _replicas,
            form="parts",
            size="whole",
            note="Calls for the newest requests in the span.",
        ),
        Panel(
            "spend",
            "Spent by team, tag and key",
            spend,
            _spend,
            form="parts",
            size="whole",
            note="All requests of the time, also those whose caller named the plan. A request with "
            "two tags counts in both rows; a team's row leaves out the teams in it.",
        ),
        Panel("changed", "What changed", changed, _changed, form="parts", size="whole"),
    ),
)
