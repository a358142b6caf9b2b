"""The panel of made plans: where each came from, why, what it brought, and how to undo it."""

from typing import Any

from dash import html

from dashboard.components import (
    UNKNOWN,
    act_button,
    badge,
    lift_of_trial,
    link,
    number,
    table,
    when,
)
from dashboard.panel import Empty, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_ALIVE = ("made", "waiting", "approved", "running", "decided", "adopted")
_BY_HAND = "('removed', 'forbidden', 'waiting')"


def made(query: PanelQuery) -> str:
    until = moment(query.span.until)
    return f"""
with e as (select * from events where kind = 'growth' and ts < {until}),
plans as (
  select subject as plan, min(ts) as made_at, max(ts) as changed,
         any_value(detail->>'pattern') as pattern, any_value(detail->>'parent') as parent,
         any_value(detail->>'author') as author, any_value(detail->>'way') as way,
         any_value(detail->>'evidence') as evidence, arg_max(state, ts) as noted,
         arg_max(state, ts) filter (state in {_BY_HAND}) as by_hand,
         arg_max(detail->>'why', ts) filter (detail->>'why' <> '') as why
  from e group by subject),
tried as (
  select name as plan, arg_max(trial_id, ts) as trial_id, arg_max(state, ts) as state,
         arg_max(lift_low, ts) filter (lift_low is not null) as low,
         arg_max(lift, ts) filter (lift_low is not null) as lift,
         arg_max(lift_high, ts) filter (lift_low is not null) as high,
         arg_max(requests, ts) filter (lift_low is not null) as compared,
         arg_max(why, ts) filter (why <> '') as why
  from trial_history where ts < {until} group by name),
served as (
  select plan, count(*) as n, avg(quality) as quality from requests
  where {query.tail} group by plan)
select p.plan as plan, pattern, parent, author, way, evidence, made_at, changed,
       case when by_hand in ('removed', 'forbidden') then by_hand
            else coalesce(t.state, noted) end as state,
       coalesce(t.why, p.why) as why, trial_id, low, lift, high, compared,
       coalesce(n, 0) as n, quality
from plans p left join tried t using (plan) left join served using (plan)
order by state in ('adopted', 'decided', 'waiting', 'running') desc, changed desc, plan limit 100"""


def _made(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "Nothing was made yet. Plans are made for patterns of requests with judged answers, if "
            "waggle.yaml lets Waggle open trials:",
            "trials: {propose: true, adopt: true}",
        )
    return [
        table(
            (
                *("plan", "for", "made from", "state", "what it brought", "compared", "requests"),
                *("quality", "why", "made (UTC)", ""),
            ),
            [
                (
                    html.Span(row["plan"], className="name"),
                    _pattern(row["pattern"]),
                    " by ".join(filter(None, (row["parent"], row["author"]))) or UNKNOWN,
                    badge(row["state"]),
                    lift_of_trial(row),
                    number(row["compared"]),
                    link(number(row["n"]), page="requests", plan=row["plan"]),
                    number(row["quality"], ".3f"),
                    row["why"] or row["evidence"] or "",
                    when(row["made_at"]),
                    _acts(row),
                )
                for row in rows
            ],
            numeric=(4, 5, 6, 7),
            label="made plans",
        )
    ]


def _pattern(name: str | None) -> Any:
    return link(name, page="requests", find=name) if name else UNKNOWN


def _acts(row: Any) -> Any:
    """Buttons for what an admin may do with a plan that still lives."""
    if row["state"] not in _ALIVE:
        return ""
    acts = [act_button("undo", "remove", row["plan"], of="growth")]
    if row["state"] in ("waiting", "decided"):
        acts.insert(0, act_button("approve", "approve", row["plan"], of="growth"))
    acts.append(act_button("forbid", "forbid", row["plan"], of="growth"))
    return html.Div(acts, className="acts")


MADE_PANELS = (
    Panel(
        "made",
        "What was made",
        made,
        _made,
        form="parts",
        size="whole",
        note="What a plan brought is the utility that it added per request of its pattern in its "
        "trial. “undo” ends a plan at once, and its pattern is answered as before; “forbid” also "
        "keeps one like it from being made again. Both want an admin's key, where there are keys.",
    ),
)
