"""Panels of the page about knowledge: what is proposed, and how far stores are behind."""

import json
from typing import Any

from dash import html

from dashboard.components import UNKNOWN, act_button, badge, dollars, number, table, when
from dashboard.figures import lines, over_time
from dashboard.panel import Empty, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_MOST_CURVES = 8
_STATES = "('proposed', 'accepted', 'refused', 'withdrawn')"


def proposals(query: PanelQuery) -> str:
    return f"""
from (
select (detail->>'proposal')::bigint as proposal, min(ts) as proposed, max(ts) as changed,
       arg_max(state, (detail->>'number')::bigint) as state,
       arg_max(detail->>'by', (detail->>'number')::bigint) as by_whom,
       any_value(detail->>'proposes') as proposes, any_value(detail->>'purpose') as purpose,
       any_value(detail->>'owner') as owner, any_value(detail->>'locale') as locale,
       any_value(detail->'saving')::varchar as saving, any_value(detail->>'rows') as query
from events
where kind = 'knowledge' and state in {_STATES} and ts < {moment(query.span.until)}
group by all)
order by state = 'proposed' desc, changed desc limit 100"""


def _proposals(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "Nothing is proposed. Waggle looks every quarter of an hour, and at once by:",
            "waggle knowledge propose",
        )
    return [
        table(
            (
                *("no.", "what", "purpose", "owner", "announced to", "would have saved"),
                *("state", "since (UTC)", ""),
            ),
            [
                (
                    number(row["proposal"]),
                    row["proposes"] or "",
                    _purpose(row),
                    row["owner"] or "the admins",
                    row["locale"] or "",
                    _saving(row["saving"]),
                    badge("waiting" if row["state"] == "proposed" else row["state"]),
                    when(row["changed"]),
                    _acts(row),
                )
                for row in rows
            ],
            numeric=(0,),
            label="proposals",
        )
    ]


def _purpose(row: Any) -> Any:
    if not row["query"]:
        return row["purpose"] or ""
    rows = html.Details([html.Summary("the rows"), html.Code(row["query"])])
    return html.Div([row["purpose"] or "", rows])


def _saving(text: str | None) -> str:
    if not text:
        return UNKNOWN
    saving = json.loads(text)
    ms = "" if saving.get("ms") is None else f", {number(saving['ms'] / 1000, ',.1f')} s"
    return (
        f"{number(saving.get('tokens'))} tokens, {dollars(saving.get('usd'))}{ms} "
        f"in {number(saving.get('days'))} days"
    )


def _acts(row: Any) -> Any:
    if row["state"] != "proposed":
        return row["by_whom"] or ""
    name = str(row["proposal"])
    acts = [act_button(do, do, name, of="proposals") for do in ("accept", "refuse")]
    return html.Div(acts, className="acts")


def lag(query: PanelQuery) -> str:
    span = query.span
    return f"""
select time_bucket({span.every}, ts, {moment(span.since)}) as bucket, subject as store,
       max((detail->>'lag_seconds')::double) as lag_seconds
from events where kind = 'knowledge' and state = 'lag' and {query.here}
group by all order by bucket, store"""


def _lag(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty("No store changed in this time.")
    stores = sorted({row["store"] for row in rows})[:_MOST_CURVES]
    curves = [
        lines(
            query,
            [row for row in rows if row["store"] == store],
            "lag_seconds",
            store,
            number=n,
            places=".2f",
            unit=" s",
        )
        for n, store in enumerate(stores)
    ]
    return over_time(query, curves, "seconds behind", rangemode="tozero")


PROPOSALS = Panel(
    "proposals",
    "What is proposed",
    proposals,
    _proposals,
    form="parts",
    size="whole",
    note="A store is for what recurs in requests, a merge for two stores that hold the same, "
    "archiving for what nobody reads. Only its owner or an admin accepts or refuses: both want "
    "a key, where there are keys.",
)
LAG = Panel(
    "knowledge-lag",
    "How far behind was each store?",
    lag,
    _lag,
    size="whole",
    note="The age of the oldest change whose meaning was not searched yet, looked at each five "
    "seconds. Its words are searched from the change on.",
)
