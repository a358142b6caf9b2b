"""What runs, how traffic goes through it, and whether the parts keep up with each other."""

from typing import Any

from dashboard.figures import INKS, colour, faded, figure, plain
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.parts import badge, number, table, tile, tiles, when
from dashboard.source import Rows, moment

_MOVED = 0.05  # of all requests, before it is said that a share changed
_RARE = 0.01
_LATE_SECONDS = 60.0


def strip(asked: PanelQuery) -> str:
    return f"""
with w as (  -- who wrote in the last five minutes
  select count(distinct writer) as writers from all_requests
  where ts > {moment(asked.facts.now)} - interval 5 minute),
p as (
  select max(first_used) as published,
         arg_max((settings->>'learned')::bigint, first_used) as learned
  from policies where strategy = 'bandit' and (settings->>'learned') is not null),
s as (
  select max(ts) as said from all_signals where score is not null
    and ts >= {moment(asked.span.since)}),
x as (
  select arg_max(state, ts) as level from events where kind = 'sandbox'),
t as (
  select sum(replicas)::bigint as replicas, count(*) as backends from (
    select subject, arg_max((detail->>'replicas')::bigint, ts) as replicas from events
    where kind = 'topology' group by subject)),
u as (select sum(n)::bigint as unsealed, min(oldest) as oldest from unsealed)
select * from w, p, s, x, t, u"""


def _strip(rows: Rows, asked: PanelQuery) -> Shown:
    one = rows[0]
    lag = None
    if one["said"] is not None and one["published"] is not None:
        lag = max((one["said"] - one["published"]).total_seconds(), 0.0)
    behind = "newest judgement learned" if lag == 0 else "between judgement and policy"
    held = None
    if one["oldest"] is not None:
        held = max((asked.facts.now - one["oldest"]).total_seconds(), 0.0)
    return tiles(
        tile("routers", number(one["writers"]), "wrote in the last 5 minutes"),
        tile(
            "replicas of backends", number(one["replicas"]), f"{number(one['backends'])} backends"
        ),
        tile(
            "learner lag",
            number(lag, ",.0f", " s"),
            f"{number(one['learned'])} answers learned; {behind}"
            if lag is not None
            else "nothing learned yet",
            tone="warn" if lag is not None and lag > _LATE_SECONDS else "",
        ),
        tile(
            "journal depth",
            number(one["unsealed"], ",.0f", " rows"),
            f"oldest {number(held, ',.0f')} s; sealed every few"
            if held is not None
            else "all is sealed",
            tone="warn" if held is not None and held > _LATE_SECONDS else "",
        ),
        tile("sandbox", one["level"] or "not used yet", "isolation that programs ran at"),
    )


def topology(asked: PanelQuery) -> str:
    half = asked.span.since + (asked.span.until - asked.span.since) / 2
    return f"""
with s as (
  select coalesce(kind, 'any') as kind, plan, minute >= {moment(half)} as late, n
  from {asked.sums} where {asked.narrowed}),
k as (
  select kind, plan, sum(n)::bigint as n,
         case when (select sum(n) from s where not late) >= 20 then
           coalesce(sum(n) filter (late) / nullif((select sum(n) from s where late), 0), 0)
           - coalesce(sum(n) filter (not late)
                      / nullif((select sum(n) from s where not late), 0), 0)
         else 0 end as moved
  from s group by all),
c as (
  select plan, backend, count(*) as calls, avg((error_type is not null)::int) as failed
  from {asked.calls} where backend is not null group by all)
select 'plan' as what, kind as source, plan as target, n, moved, null as failed from k
union all by name
select 'backend' as what, plan as source, backend as target, calls as n, null as moved, failed
from c order by what desc, source, target"""


def _topology(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    ink = INKS[asked.view.theme]
    nodes: dict[tuple[str, str], int] = {}
    links: dict[str, list[Any]] = {
        name: [] for name in ("source", "target", "value", "color", "customdata")
    }
    routed = sum(one["n"] for one in rows if one["what"] == "plan") or 1
    called = sum(one["n"] for one in rows if one["what"] == "backend") or 1
    moved: dict[str, float] = {}
    for one in _gathered(rows):
        sort = ("kind", "plan") if one["what"] == "plan" else ("plan", "backend")
        named = ((sort[0], one["source"]), (sort[1], one["target"]))
        ends = [nodes.setdefault(end, len(nodes)) for end in named]
        plan = one["target"] if one["what"] == "plan" else one["source"]
        links["source"].append(ends[0])
        links["target"].append(ends[1])
        # Both halves as wide: calls of the newest requests stand for all.
        whole = routed if one["what"] == "plan" else called
        links["value"].append(max(one["n"] / whole, 1e-4))
        links["color"].append(faded(colour(asked, plan)[0], 0.45))
        if one["what"] == "plan":
            moved[plan] = moved.get(plan, 0.0) + one["moved"]
            links["customdata"].append(
                f"{one['n']:,} requests, {one['moved']:+.1%} of all since the first half"
            )
        else:
            links["customdata"].append(f"{one['n']:,} calls, {one['failed']:.1%} failed")
    labels = []
    for floor, name in nodes:
        change = moved.get(name, 0.0) if floor == "plan" else 0.0
        sign = f" ▲ {change:+.0%}" if change > _MOVED else f" ▼ {change:+.0%}"
        labels.append(plain(name) + (sign if abs(change) > _MOVED else ""))
    hues = [colour(asked, name)[0] if floor == "plan" else ink.muted for floor, name in nodes]
    return figure(
        asked,
        [
            {
                "type": "sankey",
                "arrangement": "snap",
                "node": {
                    "label": labels,
                    "color": hues,
                    "pad": 16,
                    "thickness": 14,
                    "line": {"width": 0},
                    "hovertemplate": "%{label}<extra></extra>",
                },
                "link": {
                    **links,
                    "hovertemplate": "%{source.label} → %{target.label}<br>"
                    "%{customdata}<extra></extra>",
                },
                "textfont": {"color": ink.text, "size": 12, "shadow": "none"},
            }
        ],
        tall=True,
        margin={"l": 10, "r": 10, "t": 20, "b": 20},
    )


def _gathered(rows: Rows) -> Rows:
    """Plans of hardly any traffic as one, so that the rest can be read."""
    plans: dict[str, int] = {}
    for one in rows:
        if one["what"] == "plan":
            plans[one["target"]] = plans.get(one["target"], 0) + one["n"]
    whole = sum(plans.values()) or 1
    rare = {plan for plan, n in plans.items() if n < _RARE * whole}
    if len(rare) < 2:
        return rows
    name = f"{len(rare)} rare plans"
    told: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in rows:
        end = "target" if one["what"] == "plan" else "source"
        row = {**one, end: name if one[end] in rare else one[end]}
        key = str(row["what"]), str(row["source"]), str(row["target"])
        have = told.setdefault(key, {**row, "n": 0, "moved": 0.0, "failed": 0.0})
        have["moved"] += row["moved"] or 0.0
        have["failed"] = (have["failed"] * have["n"] + (row["failed"] or 0.0) * row["n"]) / (
            have["n"] + row["n"]
        )
        have["n"] += row["n"]
    return list(told.values())


def changed(asked: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail::varchar as detail, len(seen_by) as seen_by
from events where {asked.here} and kind not in ('reuse', 'signal')
  and (kind <> 'solutions' or state not in ('adapted', 'quarantined', 'merged'))
order by ts desc, event_id limit 100"""


def _changed(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nothing changed in this time: no configuration, breaker, replica, policy.")
    return [
        table(
            ("when (UTC)", "what", "which", "state", "detail"),
            [
                (
                    when(one["ts"]),
                    one["kind"],
                    one["subject"] or "",
                    badge(one["state"] or ""),
                    (one["detail"] or "")[:300],
                )
                for one in rows
            ],
            label="what happened",
        )
    ]


def replicas(asked: PanelQuery) -> str:
    return f"""
with t as (
  select subject as backend, arg_max((detail->>'replicas')::bigint, ts) as replicas,
         max(ts) as since
  from events where kind = 'topology' group by all),
c as (
  select backend, count(*) as calls, avg((error_type is not null)::int) as failed,
         quantile_cont(latency_ms, 0.5) as p50_ms, quantile_cont(latency_ms, 0.95) as p95_ms,
         sum(cost_usd) as cost_usd
  from {asked.calls} where backend is not null group by all)
select coalesce(t.backend, c.backend) as backend, replicas, since, calls, failed, p50_ms, p95_ms,
       cost_usd
from t full join c on c.backend = t.backend order by calls desc nulls last, 1"""


def _replicas(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No backend was called yet.")
    return [
        table(
            ("backend", "replicas", "since (UTC)", "calls", "failed", "p50", "p95"),
            [
                (
                    one["backend"],
                    number(one["replicas"]),
                    when(one["since"]),
                    number(one["calls"]),
                    number(one["failed"], ".1%"),
                    number(one["p50_ms"], ",.1f", " ms"),
                    number(one["p95_ms"], ",.1f", " ms"),
                )
                for one in rows
            ],
            numeric=(1, 3, 4, 5, 6),
            label="backends",
        )
    ]


PAGE = Page(
    "system",
    "System",
    "What runs, how traffic goes through it, and what changed.",
    (
        Panel("system-strip", "At a glance", strip, _strip, form="parts", size="whole"),
        Panel(
            "topology",
            "Requests, plans, backends",
            topology,
            _topology,
            size="whole",
            tall=True,
            broad=True,
            note="As wide as its share of requests, and of calls. ▲ ▼: a plan's share in the "
            "second half of the time beside the first.",
        ),
        Panel(
            "replicas",
            "Backends",
            replicas,
            _replicas,
            form="parts",
            size="whole",
            note="Calls of the newest requests in the span.",
        ),
        Panel("changed", "What changed", changed, _changed, form="parts", size="whole"),
    ),
)
