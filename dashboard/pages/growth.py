"""The page about growth: which kinds of requests there are, what was made for each, why, what it
brought and what went; how efficient all of it is, and what could be better.

An operator with an admin's key undoes each made plan from here. Every number links to its rows.
"""

import re
from typing import Any

from dash import html

from dashboard.components import (
    UNKNOWN,
    link,
    number,
    table,
    tile,
    tiles,
    when,
)
from dashboard.figures import lines, over_time
from dashboard.pages.growth_lessons import LESSON_PANELS
from dashboard.pages.growth_made import MADE_PANELS, link_of_place, state_badge
from dashboard.pages.growth_patterns import PATTERNS_PANEL, analysed_time
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.source import Rows
from router.telemetry.self_analysis import issue_of, score_of, score_words

_PATTERN = re.compile(r"p\d+")
_POINTS = 24  # of the course: few requests say little about how they were answered


def efficiency(query: PanelQuery) -> str:
    return analysed_time(query).efficiency()


def _efficiency(rows: Rows, query: PanelQuery) -> Shown:
    row = rows[0] if rows else None
    if row is None or not row["n"]:
        return nothing_yet(query)
    score = UNKNOWN if row["score"] is None else score_of(row)
    half = "" if row["half"] is None else "95% interval: more judged answers narrow it"
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
    time = analysed_time(query)
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
    return analysed_time(query).issues()


def _issues(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nothing was found that could be better, as far as rows tell.")
    return [
        table(
            ("what", "utility", "ms", "$ per 1,000", "judged", "one command away"),
            [
                (
                    *(issue.what, issue.utility, issue.ms, issue.usd),
                    _rows_of_issue(row),
                    html.Code(issue.command),
                )
                for row, issue in zip(rows, map(issue_of, rows), strict=True)
            ],
            numeric=(1, 2, 3, 4),
            label="what could be better",
        )
    ]


def _rows_of_issue(row: Any) -> Any:
    """The judged answers behind an issue, which lead to their requests."""
    words, subject = number(row["judged"]), row["subject"]
    if row["issue"] not in ("specialist", "untried pattern"):
        return link(words, page="requests", plan=subject, outcome="judged")
    if subject == "any kind":
        return link(words, page="requests", outcome="judged")
    if _PATTERN.fullmatch(subject):
        return link(words, page="requests", pattern=subject, outcome="judged")
    return link(words, page="requests", kind=subject, outcome="judged")


def history(query: PanelQuery) -> str:
    return f"""
select ts, kind, subject, state, detail->>'why' as why, detail->>'by' as by,
       detail->>'name' as name, detail->>'evidence' as evidence,
       coalesce('into ' || nullif(detail->>'into', ''), 'out of ' || nullif(detail->>'out_of', ''))
         as other
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
                    _subject(row),
                    state_badge(row["state"]),
                    row["why"] or row["evidence"] or row["other"] or "",
                    row["by"] or "",
                )
                for row in rows
            ],
            label="what grew and what went",
        )
    ]


def _subject(row: Any) -> list[Any]:
    """What an event is about; its name leads to its rows."""
    if row["kind"] == "pattern":
        name = row["name"] if row["name"] != row["subject"] else ""
        return ["pattern ", link_of_place(row["subject"]), f": {name}" if name else ""]
    return ["plan ", link(row["subject"], page="requests", plan=row["subject"])]


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
        PATTERNS_PANEL,
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
