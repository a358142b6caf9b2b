"""The panel of written functions and nodes: versions, reviews, what a trial says, and undoing."""

from typing import Any

from dash import html

from dashboard.components import UNKNOWN, act_button, badge, lift_of_trial, number, table, when
from dashboard.panel import Empty, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_ON_TRIAL = ("shadow", "running", "decided")
_IN_USE = (*_ON_TRIAL, "adopting", "adopted")


def written(query: PanelQuery) -> str:
    until = moment(query.span.until)
    return f"""
with w as (
  select subject as node, ts as made, detail->>'role' as role, detail->>'author' as author,
         detail->>'parent' as parent, detail->>'reviews' as reviews
  from events where kind = 'node' and state = 'reviewed' and ts < {until}
  qualify row_number() over (partition by subject order by ts desc) = 1),
t as (
  select candidate as node, arg_max(trial_id, ts) as trial_id, arg_max(state, ts) as state,
         arg_max(why, ts) as why, arg_max(lift_low, ts) filter (lift_low is not null) as low,
         arg_max(lift, ts) filter (lift_low is not null) as lift,
         arg_max(lift_high, ts) filter (lift_low is not null) as high,
         arg_max(requests, ts) filter (lift_low is not null) as compared
  from trial_history where ts < {until} group by candidate)
select w.node, made, role, author, parent, reviews, trial_id, state, why, low, lift, high, compared
from w left join t using (node) order by made desc, w.node limit 100"""


def _written(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "No function and no other node was written yet. This command asks for one that may "
            "gain something:",
            "waggle routes write --node",
        )
    return [
        table(
            (
                *("version", "kind", "by", "follows", "reviewers", "state", "lift", "compared"),
                *("why", "written (UTC)", ""),
            ),
            [
                (
                    html.Span(row["node"], className="name"),
                    row["role"] or UNKNOWN,
                    row["author"] or UNKNOWN,
                    row["parent"] or "",
                    row["reviews"] or "",
                    badge(row["state"]) if row["state"] else "not tried",
                    lift_of_trial(row),
                    number(row["compared"]),
                    row["why"] or "",
                    when(row["made"]),
                    _acts(row),
                )
                for row in rows
            ],
            numeric=(6, 7),
            label="written functions and nodes",
        )
    ]


def _acts(row: Any) -> Any:
    if row["state"] not in _IN_USE:
        return ""
    name = row["node"].rpartition("@")[0] or row["node"]
    acts = [act_button("take back", "remove", name, of="routes")]
    if row["state"] in _ON_TRIAL:
        acts.insert(0, act_button("approve", "approve", name, of="routes"))
    return html.Div(acts, className="acts")


WRITTEN_PANEL = Panel(
    "written",
    "Written functions and nodes",
    written,
    _written,
    form="parts",
    size="whole",
    note="“take back” ends what is in use at once: the version before it acts again, or none does. "
    "“approve” lets a version on trial act for all requests but a control. Both want an admin's "
    "key, where there are keys.",
)
