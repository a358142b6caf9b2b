"""The panel of patterns: which kinds of requests there are, how they are answered, what could be
gained, and what was made for each."""

from typing import Any

from dash import html

from dashboard.components import UNKNOWN, link, number, table
from dashboard.pages.requests import NO_PATTERN
from dashboard.panel import Panel, PanelQuery, Shown, nothing_yet
from dashboard.source import Rows, moment
from router.telemetry.self_analysis import AnalysedTime, newest_of


def analysed_time(query: PanelQuery) -> AnalysedTime:
    """The span of the view, or its newest part if there are too many rows."""
    facts, span = query.facts, query.span
    since = max(span.since, facts.tail or span.since)
    return AnalysedTime(since, span.until, newest_of(facts.rows), facts.weights)


def patterns(query: PanelQuery) -> str:
    time, until = analysed_time(query), moment(query.span.until)
    return f"""
with groups as ({time.groups()}),
counted as (
  select coalesce(pattern, '') as pattern,
         case when pattern is null then coalesce(kind, '') else '' end as kind, count(*) as n
  from all_requests where ts >= {moment(time.since)} and ts < {until} group by all),
names as (
  select subject as pattern, arg_max(detail->>'name', ts)
           filter (detail->>'name' not in ('', subject)) as name,
         arg_max((detail->>'spread')::double, ts) filter (detail->>'spread' <> '') as spread
  from events where kind = 'pattern' and ts < {until} group by subject),
made as (
  select pattern, string_agg(plan || ' (' || replace(state, 'kept', 'kept out') || ')', ', '
                             order by state = 'adopted' desc, changed desc) as made
  from (
    select subject as plan, any_value(detail->>'pattern') as pattern, max(ts) as changed,
           coalesce(any_value(state) filter (state in ('removed', 'forbidden')),
                    arg_max(state, (ts, state <> 'made'))) as state
    from (select subject, detail, state, ts from events where kind = 'growth'
          union all
          select name, null, case state when 'running' then 'on trial' else state end, ts
          from trial_history)
    where ts < {until} and subject in (select subject from events where kind = 'growth')
    group by subject)
  group by pattern)
select g.pattern as pattern, g.kind as kind, name, spread, c.n as n, weight as share, answers,
       answers_share, utility_now, best, utility_best, judged, made
from groups g left join counted c using (pattern, kind) left join names using (pattern)
     left join made on made.pattern = coalesce(nullif(g.pattern, ''), 'task ' || g.kind)
order by g.pattern = '', weight desc, kind limit 80"""


def _patterns(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    return [
        table(
            (
                *("requests that are alike", "requests", "share", "spread", "answered by"),
                *("utility now", "best known", "could gain", "judged", "made for it"),
            ),
            [
                (
                    _name(row),
                    link(number(row["n"]), **_place(row)),
                    number(row["share"], ".1%"),
                    number(row["spread"], ".2f"),
                    _answers(row),
                    number(row["utility_now"], ".4f"),
                    html.Span(link(row["best"], **_place(row), plan=row["best"]), className="name")
                    if row["best"]
                    else "not known",
                    _gain(row),
                    link(number(row["judged"]), **_place(row), outcome="judged"),
                    row["made"] or ("nothing yet" if row["pattern"] else ""),
                )
                for row in rows
            ],
            numeric=(1, 2, 3, 5, 7, 8),
            label="patterns and kinds of requests",
        )
    ]


def _name(row: Any) -> str:
    if not row["pattern"]:
        return f"no pattern, kind {row['kind']}" if row["kind"] else "no pattern"
    name = row["name"] or ""
    return row["pattern"] if name in ("", row["pattern"]) else f"{row['pattern']}: {name}"


def _place(row: Any) -> dict[str, str]:
    """The view of the requests of a pattern, or of those of a kind that belong to no pattern."""
    if row["pattern"]:
        return {"page": "requests", "pattern": row["pattern"]}
    return {"page": "requests", "pattern": NO_PATTERN, "kind": row["kind"]}


def _answers(row: Any) -> Any:
    if not row["answers"]:
        return UNKNOWN
    words = f"{row['answers']} ({row['answers_share']:.0%})"
    return html.Span(link(words, **_place(row), plan=row["answers"]), className="name")


def _gain(row: Any) -> str:
    if row["utility_best"] is None or row["utility_now"] is None:
        return "not known"
    return f"{max(row['utility_best'] - row['utility_now'], 0.0):.4f}"


PATTERNS_PANEL = Panel(
    "patterns",
    "Kinds of requests",
    patterns,
    _patterns,
    form="parts",
    size="whole",
    note="What answers now is told from the newest quarter of the requests in the span whose plan "
    "Waggle chose. “spread”, from 0 to 1, says how unlike its requests are. “could gain” is the "
    "utility that the best known plan would add to a request. “judged” counts the newest 400 "
    "judged answers of each plan, which the figures are made from.",
)
