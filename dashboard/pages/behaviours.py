"""What users did with answers, and what each behaviour weighs, as the learner wrote it last."""

from dash import html

from dashboard.components import number, table, when
from dashboard.panel import Empty, PanelQuery, Shown
from dashboard.source import Rows, moment

_BEHAVIOUR = (
    '[{"behaviour":"VARCHAR","claims":"VARCHAR","compared":"BIGINT","rated":"DOUBLE",'
    '"weight":"DOUBLE"}]'
)


def behaviours(query: PanelQuery) -> str:
    return f"""
with newest as (
  select ts, detail from events
  where kind = 'outlook' and ts < {moment(query.span.until)} order by ts desc limit 1),
each as (select ts, unnest(from_json(detail->'behaviours', '{_BEHAVIOUR}')) as b from newest)
select ts, b.behaviour, b.claims, b.compared, b.rated, b.weight
from each order by b.weight desc, b.compared desc, b.behaviour"""


def show_behaviours(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "No answer after which users did something was rated yet: without ratings, what users "
            "do weighs nothing. What the learner holds now:",
            "waggle scores",
        )
    return [
        table(
            ("behaviour", "claims", "rated answers", "their rating", "weight"),
            [
                (
                    *(row["behaviour"], row["claims"], number(row["compared"])),
                    *(number(row["rated"], ".3f"), number(row["weight"], ".3f")),
                )
                for row in rows
            ],
            numeric=(2, 3, 4),
            label="what users did",
        ),
        html.P(f"Worked out at {when(rows[0]['ts'])} UTC.", className="tile-more"),
    ]
