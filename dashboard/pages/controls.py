"""Utility over time, beside estimates of what three controls would have brought.

The controls are the configured rule ladder, always the best single plan, and a random mix of the
cheapest and the dearest plan at the same cost. Each estimate uses the mean quality, cost and
latency of each plan on each kind of request.
"""

from dashboard.figures import band, lines, over_time
from dashboard.panel import (
    MEAN_USD,
    QUALITY,
    QUALITY_HALF,
    Empty,
    PanelQuery,
    Shown,
    nothing_yet,
    total,
)
from dashboard.source import Rows

MIN_JUDGED = 5  # judged answers on a kind of request, before a plan's mean quality counts


def routed(query: PanelQuery) -> str:
    """SQL for how many requests of each kind the rule ladder would give to each plan.

    Without a configured ladder the query returns no rows.
    """
    ladder = query.facts.ladder
    if ladder is None:
        return "select null::varchar as kind, null::varchar as plan, 0 as n where false"
    return f"""
    select coalesce(kind, '') as kind,
           case when strategy in ('computed', 'specialist', 'last_resort', 'reuse', 'sticky')
                then plan
                else {ladder.sql} end as plan, count(*) as n
    from all_requests
    where {query.tail} and {query.narrowed} and complexity is not null group by all"""


def curve(query: PanelQuery) -> str:
    return f"select * from ({controlled(query)}) order by bucket"


def controlled(query: PanelQuery) -> str:
    """SQL for the utility of routing in each bucket, and the estimates for the controls."""
    utility = query.utility
    return f"""
with s as (
  select *, time_bucket({query.span.every}, minute) as bucket
  from {query.sums} where {query.narrowed}),
cells as (  -- mean quality, cost and latency of a plan on a kind, where enough was judged
  select coalesce(kind, '') as kind, plan, sum(quality) / sum(quality_n) as q,
         {MEAN_USD} as c, sum(latency_ms) / sum(n) as l
  from s group by 1, 2 having sum(quality_n) >= {MIN_JUDGED} and sum(n) > 0),
k as (select bucket, coalesce(kind, '') as kind, sum(n) as n from s group by all),
served as (
  select bucket, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
         {QUALITY} as quality,
         {QUALITY_HALF} as half,
         {MEAN_USD} as cost, sum(latency_ms) / sum(n) as ms
  from s group by bucket having sum(n) > 0),
whole as (select kind, sum(n) as n from k group by kind),
plans as (  -- one plan for everything: only plans that were tried on most kinds of requests
  select plan, sum(n * q) / sum(n) as q, sum(n * c) / sum(n) as c, sum(n * l) / sum(n) as l
  from whole join cells using (kind) group by plan
  having sum(n) >= 0.8 * (select sum(n) from whole)),
best as (
  select plan from plans order by {utility("q", "c", "l")} desc, plan limit 1),
ends as (select arg_min(plan, (c, plan)) as low, arg_max(plan, (c, plan)) as high
         from plans where c is not null),
tried as (  -- each of these plans, on the mix of kinds in each bucket
  select bucket, plan, sum(n * q) / sum(n) as q, sum(n * c) / sum(n) as c, sum(n * l) / sum(n) as l
  from k join cells using (kind)
  where plan in (select plan from best) or plan in (select unnest([low, high]) from ends)
  group by all),
mix as (  -- the cheapest or the dearest plan at random, with odds that cost what was spent
  select bucket, cheap.q + share * (dear.q - cheap.q) as q,
         cheap.c + share * (dear.c - cheap.c) as c, cheap.l + share * (dear.l - cheap.l) as l
  from (select served.bucket, cheap, dear, cost,
               coalesce(least(greatest((cost - cheap.c) / nullif(dear.c - cheap.c, 0), 0), 1), 0.5)
                 as share
        from served, ends
        join tried cheap on cheap.bucket = served.bucket and cheap.plan = ends.low
        join tried dear on dear.bucket = served.bucket and dear.plan = ends.high)),
routed as (select * from ({routed(query)})),
ladder as (
  select bucket, sum(k.n * w * q) / sum(k.n * w) as q, sum(k.n * w * c) / sum(k.n * w) as c,
         sum(k.n * w * l) / sum(k.n * w) as l, sum(k.n * w) / any_value(served.n) as covered
  from (select kind, plan, n / sum(n) over (partition by kind) as w from routed) r
  join cells using (kind, plan) join k using (kind) join served using (bucket)
  group by bucket having covered >= 0.8)
select served.bucket, served.n, judged, served.quality, half, 1000 * cost as usd_per_1k, ms,
       {utility("quality", "cost", "ms")} as utility, utility - half as low, utility + half as high,
       {utility("tried.q", "tried.c", "tried.l")} as best, best.plan as best_plan,
       {utility("mix.q", "mix.c", "mix.l")} as mix, {utility("ladder.q", "ladder.c", "ladder.l")}
         as ladder
from served left join best on true
left join tried on tried.bucket = served.bucket and tried.plan = best.plan
left join mix on mix.bucket = served.bucket
left join ladder on ladder.bucket = served.bucket"""


def show_curve(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    if not total(rows, "judged"):
        return Empty(
            "No answer was judged yet, so there is nothing to learn from. Send feedback:",
            'POST /v1/feedback  {"request_id": "…", "score": 0.8}',
        )
    judged = [row for row in rows if row["utility"] is not None]
    best = next((row["best_plan"] for row in rows if row["best_plan"]), "")
    data = [
        *band(query, judged, "low", "high", "Waggle, 95% interval"),
        lines(query, judged, "utility", "Waggle", width=3),
    ]
    for at, (name, label) in enumerate(
        (("ladder", "rule ladder"), ("best", f"always {best}"), ("mix", "mix of the same cost")), 1
    ):
        drawn = [row for row in rows if row[name] is not None]
        if drawn:
            data.append(lines(query, drawn, name, label, number=at))
    return over_time(query, data, "utility per request", tall=True)
