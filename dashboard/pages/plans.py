"""The page about plans: what each is worth on which requests, and where money and time go."""

from dashboard.figures import lines, over_time
from dashboard.pages import plan_calls, plan_worth
from dashboard.panel import Page, Panel, PanelQuery, Shown, nothing_yet, quantile
from dashboard.source import Rows
from router.telemetry.sql import quoted


def latency(query: PanelQuery) -> str:
    quantiles = ", ".join(f"{quantile(q)} as p{round(100 * q)}_ms" for q in (0.5, 0.95, 0.99))
    plan = f" and plan = {quoted(query.view.plan)}" if query.view.plan else ""
    return f"""
select time_bucket({query.span.every}, minute) as bucket, sum(n)::bigint as n, {quantiles},
       sum(overhead_ms) / sum(n) as overhead_ms
from {query.sums} where {query.narrowed}{plan} group by all having sum(n) > 0 order by 1"""


def _latency(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    data = [
        lines(query, rows, name, label, number=at, places=",.2f", unit=" ms")
        for at, (name, label) in enumerate(
            (
                ("p50_ms", "p50"),
                ("p95_ms", "p95"),
                ("p99_ms", "p99"),
                ("overhead_ms", "Waggle itself, mean"),
            )
        )
    ]
    return over_time(query, data, "milliseconds (log)", tall=True, type="log")


PAGE = Page(
    "plans",
    "Plans",
    "Quality, cost and latency of each plan on each kind of request.",
    (
        Panel(
            "map",
            "Quality, cost, latency",
            plan_worth.worth,
            plan_worth.show_map,
            tall=True,
            note="One point for each plan on each kind of request. Its colour shows the plan, its "
            "shape the kind, its size the latency. Bars are 95% intervals.",
        ),
        Panel(
            "heat",
            "Kind by plan",
            plan_worth.worth,
            plan_worth.show_heat,
            tall=True,
            broad=True,
            note="Utility, and the number of requests behind it. A ? means that no answer was "
            "judged.",
        ),
        Panel(
            "calibration",
            "Expected and judged quality",
            plan_worth.calibration,
            plan_worth.show_calibration,
            note="From the newest requests in the span, at most 20,000.",
        ),
        Panel(
            "latency",
            "Latency",
            latency,
            _latency,
            tall=True,
            note="Percentiles are exact to a few percent. The time that Waggle itself takes has "
            "its own line.",
        ),
        Panel(
            "stages",
            "Where the money goes",
            plan_calls.stages,
            plan_calls.show_stages,
            tall=True,
            note="By the plan's stages and their backends, from the newest requests in the span.",
        ),
        Panel(
            "health",
            "Backends",
            plan_calls.health,
            plan_calls.show_health,
            tall=True,
            note="Solid: the backend was in use. Crossed: the breaker of a router was open.",
        ),
    ),
)
