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
_TASK = "task "  # what the place of a plan begins with if the plan was made for a task
_WORDS = {"kept": "kept out", "running": "on trial", "decided": "won, waits"}
_BY_HAND = "('removed', 'forbidden', 'waiting')"


def made(query: PanelQuery) -> str:
    until = moment(query.span.until)
    return f"""
with e as (select * from events where kind = 'growth' and ts < {until}),
plans as (
  select subject as plan, min(ts) as made_at, max(ts) as changed,
         any_value(detail->>'pattern') as pattern, any_value(detail->>'parent') as parent,
         any_value(detail->>'author') as author, any_value(detail->>'way') as way,
         any_value(detail->>'evidence') as evidence,
         arg_max(state, (ts, state <> 'made')) as noted,
         arg_max(state, ts) filter (state in {_BY_HAND}) as by_hand,
         arg_max(detail->>'why', ts) filter (detail->>'why' <> '') as why
  from e group by subject),
steps as (
  select *, lift_low is not null and ts <= coalesce(min(ts) filter (state = 'adopted')
           over (partition by trial_id), ts) as of_trial
  from trial_history where ts < {until}),
tried as (
  select name as plan, arg_max(trial_id, ts) as trial_id, arg_max(state, ts) as state,
         arg_max(lift_low, ts) filter (of_trial) as low,
         arg_max(lift, ts) filter (of_trial) as lift,
         arg_max(lift_high, ts) filter (of_trial) as high,
         arg_max(requests, ts) filter (of_trial) as compared,
         arg_max(why, ts) filter (why <> '') as why
  from steps group by name),
served as (
  select plan, count(*) as n, avg(quality) as quality from requests
  where {query.tail} group by plan)
select p.plan as plan, pattern, parent, author, way, evidence, made_at, changed,
       case when by_hand in ('removed', 'forbidden') then by_hand
            else coalesce(t.state, noted) end as state,
       case when t.state = 'running' then null else coalesce(t.why, p.why) end as became,
       trial_id, low, lift, high, compared, coalesce(n, 0) as n, quality
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
                *("quality", "why", "made (UTC)", "what to do"),
            ),
            [
                (
                    html.Span(row["plan"], className="name"),
                    link_of_place(row["pattern"]),
                    " by ".join(filter(None, (row["parent"], row["author"]))) or UNKNOWN,
                    state_badge(row["state"]),
                    lift_of_trial(row),
                    _compared(row),
                    link(number(row["n"]), page="requests", plan=row["plan"]),
                    number(row["quality"], ".3f"),
                    _why(row),
                    when(row["made_at"]),
                    _acts(row),
                )
                for row in rows
            ],
            numeric=(4, 5, 6, 7),
            label="made plans",
        )
    ]


def _why(row: Any) -> Any:
    """Why the plan was made; after its trial, also what became of it and why."""
    words = [html.Div(text, className="words") for text in (row["evidence"], row["became"]) if text]
    return words or ""


def _compared(row: Any) -> Any:
    """The answers that its trial compared; they are exposures of the trial."""
    words = number(row["compared"])
    return link(words, page="trials", trial=row["trial_id"]) if row["compared"] else words


def link_of_place(name: str | None, words: str = "") -> Any:
    """A link to the requests of a pattern, or of a task, as made plans name it."""
    if not name:
        return UNKNOWN
    if name.startswith(_TASK):
        return link(words or name, page="requests", kind=name.removeprefix(_TASK))
    return link(words or name, page="requests", pattern=name)


def state_badge(state: str) -> html.Span:
    """The state of a made plan. The book of trials says `kept` if it kept what served before."""
    return badge(_WORDS.get(state, state))


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
        "trial. “approve” begins the trial of a plan that waits, and adopts one that won; “undo” "
        "ends a plan at once, and its pattern is answered as before; “forbid” also keeps one like "
        "it from being made again. All want an admin's key, where there are keys.",
    ),
)
