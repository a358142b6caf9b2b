"""What there is left to learn on each kind of request, as the learner wrote it last."""

from dash import html

from dashboard.components import badge, dollars, number, table, when, with_half
from dashboard.panel import Empty, PanelQuery, Shown
from dashboard.source import Row, Rows, moment
from router.telemetry.sql import quoted

_KIND = (
    '[{"kind":"VARCHAR","outlook":"VARCHAR","verdict":"VARCHAR","gain":"DOUBLE",'
    '"gain_deviation":"DOUBLE","left":"DOUBLE","utility_per_day":"DOUBLE","usd_per_day":"DOUBLE"}]'
)


def outlook(query: PanelQuery) -> str:
    kind = f"where k.kind in ('any', {quoted(query.view.kind)})" if query.view.kind else ""
    return f"""
with newest as (
  select ts, detail from events
  where kind = 'outlook' and ts < {moment(query.span.until)} order by ts desc limit 1),
kinds as (
  select ts, unnest(from_json(detail->'kinds', '{_KIND}')) as k,
         generate_subscripts(from_json(detail->'kinds', '{_KIND}'), 1) as place
  from newest)
select ts, k.kind, k.outlook, k.verdict, k.gain, 1.96 * k.gain_deviation as gain_half, k.left,
       k.utility_per_day, k.usd_per_day
from kinds {kind} order by place"""


def show_outlook(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "The learner has not written yet what there is to learn. It does so within a minute of "
            "the first requests, if a service runs. What it holds now:",
            "waggle scores",
        )
    return [
        table(
            (
                *("requests", "anything to learn?", "gain", "left", "exploring a day", "$ a day"),
                "in words",
            ),
            [_cells(row) for row in rows],
            numeric=(2, 3, 4, 5),
            label="what is left to learn",
        ),
        html.P(f"Worked out at {when(rows[0]['ts'])} UTC.", className="tile-more"),
    ]


def _cells(row: Row) -> tuple[object, ...]:
    return (
        "all" if row["kind"] == "any" else row["kind"],
        badge(row["outlook"]),
        with_half(row["gain"], row["gain_half"]),
        number(row["left"], ".3f"),
        number(row["utility_per_day"], ",.2f"),
        dollars(row["usd_per_day"]),
        row["verdict"],
    )
