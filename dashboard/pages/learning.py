"""The page about learning: whether routing gets better, what it saves, and whether it is healthy.

An operator should find these answers within five seconds.
"""

from typing import Any

from dashboard.components import dollars, number, tile, tiles, with_half
from dashboard.figures import colour, lines, over_time, stacked
from dashboard.pages import controls
from dashboard.pages.behaviours import behaviours, show_behaviours
from dashboard.pages.outlook import outlook, show_outlook
from dashboard.pages.shadow import shadow, show_shadow
from dashboard.panel import (
    MEAN_USD,
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
from dashboard.source import Row, Rows


def strip(query: PanelQuery) -> str:
    return f"""
with curve as (select * from ({controls.controlled(query)})),
ahead as (  -- how far utility is above each control, weighted by requests
  select sum(n * (utility - ladder)) / sum(n) filter (ladder is not null) as over_ladder,
         sum(n * (utility - mix)) / sum(n) filter (mix is not null) as over_mix,
         sqrt(sum(pow(n * half, 2))) / sum(n) as over_half
  from curve where utility is not null),
b as (
  select time_bucket({query.span.every}, minute) as bucket, sum(n)::double as n,
         sum(premium_cost_usd) as premium,
         sum(premium_cost_usd) - sum(compared_cost_usd) as saved
  from {query.sums} where {query.narrowed} group by all having sum(n) > 0),
m as (select sum(saved) / sum(n) as r, count(*) as k from b),
saved as (  -- the interval comes from how the saving per request differs between buckets
  select sum(saved) as saved_usd, sum(premium) as premium_usd,
         1.96 * sqrt(any_value(k) / nullif(any_value(k) - 1, 0)
                     * sum(pow(saved - r * n, 2))) as half
  from b, m),
w as (
  select sum(n)::bigint as n, sum(quality_n)::bigint as judged, sum(cost_usd) as cost_usd,
         sum(unpriced)::bigint as unpriced, {MEAN_USD} as mean_usd, {QUALITY} as quality,
         {QUALITY_HALF} as quality_half,
         {query.mean_utility} as utility, {quantile(0.95)} as p95_ms,
         coalesce(sum(n) filter (reuse_tier <> 'novel'), 0) / sum(n) as reused,
         sum(errors) / sum(n) as failed
  from {query.sums} where {query.narrowed})
select w.*, saved_usd, half, premium_usd, over_ladder, over_mix, over_half from w, saved, ahead"""


def _strip(rows: Rows, query: PanelQuery) -> Shown:
    row = rows[0] if rows else None
    if row is None or not row["n"]:
        return nothing_yet(query)
    return tiles(
        tile("requests", number(row["n"]), f"{number(row['judged'])} judged"),
        _ahead(row),
        _quality(row),
        _saved(row),
        tile("p95", number(row["p95_ms"], ",.0f", " ms"), f"{number(row['failed'], '.2%')} failed"),
        tile("reused", number(row["reused"], ".1%"), "answered from memory, whole or in part"),
        _spent(row),
    )


def _ahead(row: Row) -> Any:
    """How far utility lies above the first control that has an estimate."""
    for name, label in (("over_ladder", "the rule ladder"), ("over_mix", "a mix of the same cost")):
        ahead, half = row[name], row["over_half"]
        if ahead is None or half is None:
            continue
        tone = "good" if ahead > half else "bad" if ahead < -half else ""
        sure = "" if tone else "; within the noise"
        return tile("utility", f"{ahead:+.3f} ± {half:.3f}", f"over {label}{sure}", tone=tone)
    return tile("utility", number(row["utility"], ".3f"), "no control can be estimated yet")


def _quality(row: Row) -> Any:
    if row["quality"] is None:
        return tile("quality", "unknown", "nobody judged an answer", tone="warn")
    utility = f"utility {number(row['utility'], '.3f')}"
    return tile("quality", with_half(row["quality"], row["quality_half"]), utility)


def _spent(row: Row) -> Any:
    """What was spent, and of how many requests nobody knows the cost."""
    if row["mean_usd"] is None:
        return tile("spent", "unknown", "no backend has a price", tone="warn")
    more = f"{dollars(1000 * row['mean_usd'])} per 1,000"
    if row["unpriced"]:
        more += f"; without {number(row['unpriced'])} of unknown cost"
    return tile("spent", dollars(row["cost_usd"]), more, tone="warn" if row["unpriced"] else "")


def _saved(row: Row) -> Any:
    if not row["premium_usd"] and row["unpriced"]:
        return tile("saved", "unknown", "the premium plan, or what answered, has no price")
    saved, half = row["saved_usd"] or 0.0, row["half"]
    share = f"{saved / row['premium_usd']:.0%} of premium cost" if row["premium_usd"] else ""
    tone = "" if half is None else "good" if saved > half else "bad" if saved < -half else ""
    value = dollars(saved) + (f" ± {dollars(half)}" if half is not None else "")
    return tile("saved", value, share or "no backend has a price", tone=tone)


def regret(query: PanelQuery) -> str:
    """SQL for the figures of the macro `regret_curve`, but only for the requests of the view."""
    return f"""
with b as (
  select time_bucket({query.span.every}, minute) as bucket, coalesce(kind, '') as kind, plan,
         sum(quality_n) as n, sum(quality) as total
  from {query.sums} where {query.narrowed} group by all),
p as (
  select kind, sum(total) / sum(n) as quality from b
  group by kind, plan having sum(n) >= {controls.MIN_JUDGED}),
best as (select kind, max(quality) as best from p group by kind)
select bucket, sum(n)::bigint as judged, sum(n * best - total) as regret,
       sum(sum(n * best - total)) over (order by bucket) as cumulative_regret
from b join best using (kind) group by bucket having sum(n) > 0 order by bucket"""


def _regret(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "Regret needs judged answers: at least five from one plan on one kind of request."
        )
    drawn = lines(query, rows, "cumulative_regret", "regret", number=3, places=",.1f")
    return over_time(query, [drawn | {"fill": "tozeroy"}], "sum of quality lost")


def cost(query: PanelQuery) -> str:
    return f"""
select time_bucket({query.span.every}, minute) as bucket, sum(n)::bigint as n,
       1000 * {MEAN_USD} as usd_per_1k,
       1000 * mean_usd(sum(premium_cost_usd), sum(n), sum(unpriced)) as premium_usd_per_1k
from {query.sums} where {query.narrowed} group by all having sum(n) > 0 order by 1"""


def _cost(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    premium = [row for row in rows if row["premium_usd_per_1k"]]
    if not premium and not total(rows, "usd_per_1k"):
        return Empty(
            "No backend has a price. Give each backend a price in the configuration:",
            "price: {input: 0.15, output: 0.60}",
        )
    data = [lines(query, rows, "usd_per_1k", "spent", places="$,.4f", width=3)]
    if premium:
        data.append(
            lines(query, premium, "premium_usd_per_1k", "always premium", number=1, places="$,.4f")
        )
    return over_time(query, data, "$ per 1,000 requests", rangemode="tozero")


def shares(query: PanelQuery) -> str:
    return f"""
select time_bucket({query.span.every}, minute) as bucket, plan, sum(n)::bigint as n
from {query.sums} where {query.narrowed} group by all having sum(n) > 0 order by 1, 2"""


def _shares(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    names = sorted({row["plan"] for row in rows})
    hues = {name: colour(query, name) for name in names}
    drawn = stacked(query, rows, "plan", "n", names, hues=hues, unit=" requests")
    return over_time(
        query, drawn, "share of requests", bars="shares", ticksuffix="%", range=[0, 100]
    )


def explored(query: PanelQuery) -> str:
    return f"""
select time_bucket({query.span.every}, minute) as bucket, sum(n)::bigint as n,
       sum(explored) / sum(n) as explored_share, sum(quality_n) / sum(n) as judged_share
from {query.sums} where {query.narrowed} group by all having sum(n) > 0 order by 1"""


def _explored(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    data = [
        lines(query, rows, "explored_share", "explored", places=".1%", width=3),
        lines(query, rows, "judged_share", "judged", number=2, places=".1%"),
    ]
    return over_time(query, data, "share of requests", tickformat=".0%", rangemode="tozero")


PAGE = Page(
    "learning",
    "Learning",
    "Whether routing gets better, what it saves, and how it compares with simple controls.",
    (
        Panel(
            "strip",
            "At a glance",
            strip,
            _strip,
            form="parts",
            size="whole",
            note="“Saved” compares with always using the premium plan for the same tokens. "
            "Intervals are 95%. Requests whose caller named the plan are not counted. Controls are "
            "estimated from the quality, cost and latency of their plans on each kind of request.",
        ),
        Panel(
            "shadow",
            "What would auto do?",
            shadow,
            show_shadow,
            form="parts",
            size="whole",
            note="While objective.start is shadow, callers get what they name, and auto is only "
            "measured. The intervals are 95% and hold at every look. Foretold figures prove "
            "nothing.",
        ),
        Panel(
            "curve",
            "Utility",
            controls.curve,
            controls.show_curve,
            size="whole",
            tall=True,
            note="Utility is quality minus weighted cost and latency. Controls are estimated from "
            "the results of their plans on each kind of request. Drag along a curve to zoom in. "
            "▲ drift, ● new configuration, ◆ another strategy serves, or auto was switched.",
        ),
        Panel(
            "outlook",
            "Is there anything to learn?",
            outlook,
            show_outlook,
            form="parts",
            size="whole",
            note="Utility a request. Gain: how far the best plan of a kind beats the best single "
            "plan of all requests. Left: what could still be won by knowing every plan exactly. "
            "Exploring a day: what is lost because the draw does not always take the best plan.",
        ),
        Panel(
            "behaviours",
            "What do users do with answers?",
            behaviours,
            show_behaviours,
            form="parts",
            size="whole",
            note="How answers were rated after each behaviour, and how much the behaviour counts "
            "for answers that nobody rates: 0 until ratings bear it out, 1 as much as a rating.",
        ),
        Panel("cost", "Cost", cost, _cost),
        Panel(
            "shares",
            "Who answers",
            shares,
            _shares,
            note="One click on a plan's name hides it, two clicks show it alone.",
        ),
        Panel(
            "regret",
            "Regret",
            regret,
            _regret,
            note="Quality lost compared with the best plan for each kind of request, in hindsight.",
        ),
        Panel(
            "explored",
            "Exploration",
            explored,
            _explored,
            note="A request is explored if another plan was likelier to answer it.",
        ),
    ),
)
