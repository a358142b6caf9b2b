"""Is it learning, what does that save, and is it well? In five seconds."""

from typing import Any

from dashboard.figures import band, colour, lines, over_time, stacked
from dashboard.panel import (
    QUALITY,
    QUALITY_HALF,
    Empty,
    Page,
    Panel,
    PanelQuery,
    Shown,
    nothing_yet,
    quantile,
    total,
)
from dashboard.parts import dollars, number, tile, tiles, with_half
from dashboard.source import Row, Rows

MIN_JUDGED = 5  # of a plan on a kind, before it says what the plan is worth there


def routed(asked: PanelQuery) -> str:
    """Which plan the rule ladder takes, from requests one by one; else nothing of it."""
    ladder = asked.facts.ladder
    if ladder is None:
        return "select null::varchar as kind, null::varchar as plan, 0 as n where false"
    kind = f" and {asked.narrowed}"
    return f"""
    select coalesce(kind, '') as kind,
           case when strategy in ('computed', 'specialist', 'reuse', 'sticky') then plan
                else {ladder.sql} end as plan, count(*) as n
    from all_requests
    where {asked.tail}{kind} and complexity is not null group by all"""


def curve(asked: PanelQuery) -> str:
    return f"select * from ({controlled(asked)}) order by bucket"


def controlled(asked: PanelQuery) -> str:
    """What routing brought, beside what three controls would have: each takes, of every kind of
    request, what its plans brought and cost on that kind."""
    utility = asked.utility
    return f"""
with s as (
  select *, time_bucket({asked.span.every}, minute) as bucket
  from {asked.sums} where {asked.narrowed}),
cells as (  -- what a plan is worth on a kind of request, as far as anybody judged it
  select coalesce(kind, '') as kind, plan, sum(quality) / sum(quality_n) as q,
         sum(cost_usd) / sum(n) as c, sum(latency_ms) / sum(n) as l
  from s group by 1, 2 having sum(quality_n) >= {MIN_JUDGED} and sum(n) > 0),
k as (select bucket, coalesce(kind, '') as kind, sum(n) as n from s group by all),
served as (
  select bucket, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
         {QUALITY} as quality,
         {QUALITY_HALF} as half,
         sum(cost_usd) / sum(n) as cost, sum(latency_ms) / sum(n) as ms
  from s group by bucket having sum(n) > 0),
whole as (select kind, sum(n) as n from k group by kind),
plans as (  -- one plan for everything: only those that most requests were tried with
  select plan, sum(n * q) / sum(n) as q, sum(n * c) / sum(n) as c, sum(n * l) / sum(n) as l
  from whole join cells using (kind) group by plan
  having sum(n) >= 0.8 * (select sum(n) from whole)),
best as (
  select plan from plans order by {utility("q", "c", "l")} desc, plan limit 1),
ends as (select arg_min(plan, (c, plan)) as low, arg_max(plan, (c, plan)) as high from plans),
tried as (  -- each of these plans, on the kinds of requests of each bucket
  select bucket, plan, sum(n * q) / sum(n) as q, sum(n * c) / sum(n) as c, sum(n * l) / sum(n) as l
  from k join cells using (kind)
  where plan in (select plan from best) or plan in (select unnest([low, high]) from ends)
  group by all),
mix as (  -- a coin between the cheapest and the dearest, with the odds that cost what was spent
  select bucket, cheap.q + share * (dear.q - cheap.q) as q,
         cheap.c + share * (dear.c - cheap.c) as c, cheap.l + share * (dear.l - cheap.l) as l
  from (select served.bucket, cheap, dear, cost,
               coalesce(least(greatest((cost - cheap.c) / nullif(dear.c - cheap.c, 0), 0), 1), 0.5)
                 as share
        from served, ends
        join tried cheap on cheap.bucket = served.bucket and cheap.plan = ends.low
        join tried dear on dear.bucket = served.bucket and dear.plan = ends.high)),
routed as (select * from ({routed(asked)})),
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


def _curve(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    if not total(rows, "judged"):
        return Empty(
            "Nobody said yet how good an answer was, so nothing can be learned. Send feedback:",
            'POST /v1/feedback  {"request_id": "…", "score": 0.8}',
        )
    told = [one for one in rows if one["utility"] is not None]
    best = next((one["best_plan"] for one in rows if one["best_plan"]), "")
    data = [
        *band(asked, told, "low", "high", "95% of Waggle's"),
        lines(asked, told, "utility", "Waggle", width=3),
    ]
    for at, (name, label) in enumerate(
        (("ladder", "rule ladder"), ("best", f"always {best}"), ("mix", "mix of the same cost")), 1
    ):
        drawn = [one for one in rows if one[name] is not None]
        if drawn:
            data.append(lines(asked, drawn, name, label, number=at))
    return over_time(asked, data, "utility of a request", tall=True)


def strip(asked: PanelQuery) -> str:
    return f"""
with curve as (select * from ({controlled(asked)})),
ahead as (  -- of each control, where it is known: how far utility is above it, by requests
  select sum(n * (utility - ladder)) / sum(n) filter (ladder is not null) as over_ladder,
         sum(n * (utility - mix)) / sum(n) filter (mix is not null) as over_mix,
         sqrt(sum(pow(n * half, 2))) / sum(n) as over_half
  from curve where utility is not null),
b as (
  select time_bucket({asked.span.every}, minute) as bucket, sum(n)::double as n,
         sum(premium_cost_usd) as premium,
         sum(premium_cost_usd) - sum(cost_usd) as saved
  from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0),
m as (select sum(saved) / sum(n) as r, count(*) as k from b),
saved as (  -- the interval is of how a request's saving differs between buckets
  select sum(saved) as saved_usd, sum(premium) as premium_usd,
         1.96 * sqrt(any_value(k) / nullif(any_value(k) - 1, 0)
                     * sum(pow(saved - r * n, 2))) as half
  from b, m),
w as (
  select sum(n)::bigint as n, sum(quality_n)::bigint as judged, sum(cost_usd) as cost_usd,
         {QUALITY} as quality,
         {QUALITY_HALF} as quality_half,
         {asked.mean_utility} as utility, {quantile(0.95)} as p95_ms,
         coalesce(sum(n) filter (reuse_tier <> 'novel'), 0) / sum(n) as reused,
         sum(errors) / sum(n) as failed
  from {asked.sums} where {asked.narrowed})
select w.*, saved_usd, half, premium_usd, over_ladder, over_mix, over_half from w, saved, ahead"""


def _strip(rows: Rows, asked: PanelQuery) -> Shown:
    one = rows[0] if rows else None
    if one is None or not one["n"]:
        return nothing_yet(asked)
    return tiles(
        tile("requests", number(one["n"]), f"{number(one['judged'])} judged"),
        _ahead(one),
        _quality(one),
        _saved(one),
        tile("p95", number(one["p95_ms"], ",.0f", " ms"), f"{number(one['failed'], '.2%')} failed"),
        tile("reused", number(one["reused"], ".1%"), "answered from memory, whole or in part"),
        tile(
            "spent",
            dollars(one["cost_usd"]),
            f"{dollars(1000 * one['cost_usd'] / one['n'])} per 1,000",
        ),
    )


def _ahead(one: Row) -> Any:
    """Beside the first control that is known."""
    for name, label in (("over_ladder", "the rule ladder"), ("over_mix", "a mix of the same cost")):
        ahead, half = one[name], one["over_half"]
        if ahead is None or half is None:
            continue
        tone = "good" if ahead > half else "bad" if ahead < -half else ""
        sure = "" if tone else "; within the noise"
        return tile("utility", f"{ahead:+.3f} ± {half:.3f}", f"over {label}{sure}", tone=tone)
    return tile("utility", number(one["utility"], ".3f"), "no control is known yet")


def _quality(one: Row) -> Any:
    if one["quality"] is None:
        return tile("quality", "unknown", "nobody judged an answer", tone="warn")
    told = f"utility {number(one['utility'], '.3f')}"
    return tile("quality", with_half(one["quality"], one["quality_half"]), told)


def _saved(one: Row) -> Any:
    saved, half = one["saved_usd"] or 0.0, one["half"]
    share = f"{saved / one['premium_usd']:.0%} of always premium" if one["premium_usd"] else ""
    tone = "" if half is None else "good" if saved > half else "bad" if saved < -half else ""
    value = dollars(saved) + (f" ± {dollars(half)}" if half is not None else "")
    return tile("saved", value, share or "nothing here has a price", tone=tone)


def regret(asked: PanelQuery) -> str:
    """As the macro `regret_curve` has it, of what the view leaves."""
    return f"""
with b as (
  select time_bucket({asked.span.every}, minute) as bucket, coalesce(kind, '') as kind, plan,
         sum(quality_n) as n, sum(quality) as total
  from {asked.sums} where {asked.narrowed} group by all),
p as (
  select kind, sum(total) / sum(n) as quality from b
  group by kind, plan having sum(n) >= {MIN_JUDGED}),
best as (select kind, max(quality) as best from p group by kind)
select bucket, sum(n)::bigint as judged, sum(n * best - total) as regret,
       sum(sum(n * best - total)) over (order by bucket) as cumulative_regret
from b join best using (kind) group by bucket having sum(n) > 0 order by bucket"""


def _regret(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return Empty("Judged answers are needed, five of a plan on some kind of request.")
    drawn = lines(asked, rows, "cumulative_regret", "given away", number=3, places=",.1f")
    return over_time(asked, [drawn | {"fill": "tozeroy"}], "quality given away, added up")


def cost(asked: PanelQuery) -> str:
    return f"""
select time_bucket({asked.span.every}, minute) as bucket, sum(n)::bigint as n,
       1000 * sum(cost_usd) / sum(n) as usd_per_1k,
       1000 * sum(premium_cost_usd) / sum(n) as premium_usd_per_1k
from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0 order by 1"""


def _cost(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    premium = [one for one in rows if one["premium_usd_per_1k"]]
    if not premium and not total(rows, "usd_per_1k"):
        return Empty(
            "Nothing here has a price. Give each backend its own:",
            "price: {input: 0.15, output: 0.60}",
        )
    data = [lines(asked, rows, "usd_per_1k", "spent", places="$,.4f", width=3)]
    if premium:
        data.append(
            lines(asked, premium, "premium_usd_per_1k", "always premium", number=1, places="$,.4f")
        )
    return over_time(asked, data, "$ per 1,000 requests", rangemode="tozero")


def shares(asked: PanelQuery) -> str:
    return f"""
select time_bucket({asked.span.every}, minute) as bucket, plan, sum(n)::bigint as n
from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0 order by 1, 2"""


def _shares(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    names = sorted({one["plan"] for one in rows})
    hues = {name: colour(asked, name) for name in names}
    drawn = stacked(asked, rows, "plan", "n", names, hues=hues, unit=" requests")
    return over_time(
        asked, drawn, "share of requests", bars="shares", ticksuffix="%", range=[0, 100]
    )


def explored(asked: PanelQuery) -> str:
    return f"""
select time_bucket({asked.span.every}, minute) as bucket, sum(n)::bigint as n,
       sum(explored) / sum(n) as explored_share, sum(quality_n) / sum(n) as judged_share
from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0 order by 1"""


def _explored(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    data = [
        lines(asked, rows, "explored_share", "not the likeliest plan", places=".1%", width=3),
        lines(asked, rows, "judged_share", "judged", number=2, places=".1%"),
    ]
    return over_time(asked, data, "share of requests", tickformat=".0%", rangemode="tozero")


PAGE = Page(
    "learning",
    "Learning",
    "Whether routing gets better, what that saves, and what it is held against.",
    (
        Panel(
            "strip",
            "At a glance",
            strip,
            _strip,
            form="parts",
            size="whole",
            note="Saved is against always asking the premium plan with the same tokens; intervals "
            "are 95%. Requests whose caller named the plan are left out. The control is worked out "
            "from what its plans brought on each kind of request.",
        ),
        Panel(
            "curve",
            "Utility",
            curve,
            _curve,
            size="whole",
            tall=True,
            note="Quality, less what cost and time are worth. Controls are estimates: each takes "
            "what its plans brought on each kind of request. Drag along a curve to look closer; "
            "▲ drift, ● configuration, ◆ another strategy serves.",
        ),
        Panel("cost", "Cost", cost, _cost),
        Panel(
            "shares",
            "Who answers",
            shares,
            _shares,
            note="A click on a plan hides it, two show it alone.",
        ),
        Panel(
            "regret",
            "Regret",
            regret,
            _regret,
            note="Against the plan that proved best for each kind of request, in hindsight.",
        ),
        Panel("explored", "Exploration", explored, _explored),
    ),
)
