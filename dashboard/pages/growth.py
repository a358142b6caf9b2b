"""The page about growth: which kinds of requests there are, what was made for each, why, what it
brought and what went; how efficient all of it is, and what could be better.

An operator with an admin's key undoes each made plan from here. Every number links to its rows.
"""

from typing import Any

from dash import html

from dashboard.components import (
    UNKNOWN,
    badge,
    link,
    number,
    table,
    tile,
    tiles,
    when,
)
from dashboard.figures import lines, over_time
from dashboard.pages.growth_lessons import LESSON_PANELS
from dashboard.pages.growth_made import MADE_PANELS
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.source import Rows, moment
from router.telemetry.self_analysis import AnalysedTime, issue_of, newest_of, score_words

_POINTS = 24  # of the course: few requests say little about how they were answered


def _time(query: PanelQuery) -> AnalysedTime:
    """The span of the view, or its newest part if there are too many rows."""
    facts, span = query.facts, query.span
    since = max(span.since, facts.tail or span.since)
    return AnalysedTime(since, span.until, newest_of(facts.rows), facts.weights)


def efficiency(query: PanelQuery) -> str:
    return _time(query).efficiency()


def _efficiency(rows: Rows, query: PanelQuery) -> Shown:
    row = rows[0] if rows else None
    if row is None or not row["n"]:
        return nothing_yet(query)
    score = UNKNOWN if row["score"] is None else f"{row['score']:.0f} of 100"
    half = "" if row["half"] is None else f"± {row['half']:.0f}, 95% interval"
    covered = "not known" if row["known"] is None else f"{row['known']:.0%} of requests"
    return [
        *tiles(
            tile("efficiency", score, half or "not known"),
            tile("utility of a request", number(row["utility_now"], ".4f"), "now"),
            tile(
                "by the cheapest plan",
                number(row["utility_cheapest"], ".4f"),
                f"always {row['cheapest']}" if row["cheapest"] else "",
            ),
            tile("by the best known plans", number(row["utility_best"], ".4f"), "of each pattern"),
            tile("lost on idle arms", number(row["idle"], ".4f"), "plans that are best nowhere"),
            tile("known for", covered, f"patterns among them: {row['patterns']}"),
        ),
        html.P(score_words(row)[0], className="quiet"),
    ]


def course(query: PanelQuery) -> str:
    time = _time(query)
    seconds = (time.until - time.since).total_seconds() / _POINTS
    return time.curve(max(seconds, query.span.bucket_seconds))


def _course(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "Too little is known to say how efficient routing is: it takes judged answers of "
            "several plans. Send feedback:",
            'POST /v1/feedback  {"request_id": "…", "score": 0.8}',
        )
    drawn = lines(query, rows, "score", "efficiency", places=".0f", width=3)
    return over_time(query, [drawn], "efficiency, 0 to 100", range=[0, 102])


def issues(query: PanelQuery) -> str:
    return _time(query).issues()


def _issues(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nothing was found that could be better, as far as rows tell.")
    mendable = [issue_of(row) for row in rows]
    return [
        table(
            ("what", "utility", "ms", "$ per 1,000", "one command away"),
            [
                (issue.what, issue.utility, issue.ms, issue.usd, html.Code(issue.command))
                for issue in mendable
            ],
            numeric=(1, 2, 3),
            label="what could be better",
        )
    ]


def patterns(query: PanelQuery) -> str:
    time, until = _time(query), moment(query.span.until)
    return f"""
with w as materialized (from {time.worth()}),
groups as (
  select pattern, kind, any_value(weight) as share,
         arg_max(plan, share) as answers, max(share) as answers_share,
         sum(share * utility) as utility_now, any_value(plan) filter (best) as best,
         max(utility) filter (best) as utility_best, sum(judged)::bigint as judged
  from w group by pattern, kind),
counted as (
  select pattern, kind, count(*) as n
  from worth_rows(since := {moment(time.since)}, until := {until}) group by pattern, kind),
names as (
  select subject as pattern, arg_max(detail->>'name', ts) filter (detail->>'name' <> '') as name,
         arg_max((detail->>'spread')::double, ts) filter (detail->>'spread' <> '') as spread
  from events where kind = 'pattern' and ts < {until} group by subject),
made as (
  select pattern, string_agg(plan || ' (' || state || ')', ', ' order by changed desc) as made
  from (
    select subject as plan, any_value(detail->>'pattern') as pattern, arg_max(state, ts) as state,
           max(ts) as changed
    from events where kind = 'growth' and ts < {until} group by subject)
  group by pattern)
select g.pattern as pattern, g.kind as kind, name, spread, c.n as n, share, answers,
       answers_share, utility_now, best, utility_best, judged, made
from groups g left join counted c using (pattern, kind) left join names using (pattern)
     left join made using (pattern)
order by g.pattern = '', share desc, kind limit 80"""


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
                    _rows_of(row),
                    number(row["share"], ".1%"),
                    number(row["spread"], ".2f"),
                    f"{row['answers']} ({row['answers_share']:.0%})" if row["answers"] else UNKNOWN,
                    number(row["utility_now"], ".4f"),
                    row["best"] or "not known",
                    _gain(row),
                    number(row["judged"]),
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


def _rows_of(row: Any) -> Any:
    if row["pattern"]:
        return link(number(row["n"]), page="requests", find=row["pattern"])
    return link(number(row["n"]), page="requests", kind=row["kind"])


def _gain(row: Any) -> str:
    if row["utility_best"] is None or row["utility_now"] is None:
        return "not known"
    return f"{max(row['utility_best'] - row['utility_now'], 0.0):.4f}"


def history(query: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail->>'why' as why, detail->>'by' as by,
       detail->>'name' as name, detail->>'evidence' as evidence
from events where {query.here}
  and (kind = 'growth' or kind = 'pattern' and state <> 'named' and subject in (
         select detail->>'pattern' from events where kind = 'growth'))
order by ts desc, subject limit 100"""


def _history(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nothing grew and nothing went in this time.")
    return [
        table(
            ("when (UTC)", "what", "state", "why", "by"),
            [
                (
                    when(row["ts"]),
                    " ".join(filter(None, (row["kind"], row["subject"], row["name"] or ""))),
                    badge(row["state"]),
                    row["why"] or row["evidence"] or "",
                    row["by"] or "",
                )
                for row in rows
            ],
            label="what grew and what went",
        )
    ]


PAGE = Page(
    "growth",
    "Growth",
    "The kinds of requests there are, what was made for each, what it brought, and what went.",
    (
        Panel(
            "efficiency",
            "Efficiency",
            efficiency,
            _efficiency,
            form="parts",
            size="whole",
        ),
        Panel(
            "patterns",
            "Kinds of requests",
            patterns,
            _patterns,
            form="parts",
            size="whole",
            note="What answers now is told from the newest quarter of the requests in the span.",
        ),
        *MADE_PANELS,
        *LESSON_PANELS,
        Panel(
            "course",
            "The course of efficiency",
            course,
            _course,
            size="whole",
            note="Each point is measured on the same requests and by what is known now, so that "
            "only the way of answering moves it.",
        ),
        Panel(
            "issues",
            "What could be better",
            issues,
            _issues,
            form="parts",
            size="whole",
            note="Expected effects on the mean of all requests, with 95% intervals where rows give "
            "them.",
        ),
        Panel("history", "What grew, and what went", history, _history, form="parts", size="whole"),
    ),
    filters=(),
)
