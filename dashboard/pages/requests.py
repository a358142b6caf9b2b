"""The page about requests: a list to search, and the story of the request that the viewer chose."""

from dash import html

from dashboard.components import (
    UNKNOWN,
    badge,
    dollars,
    link,
    number,
    table,
    when,
)
from dashboard.pages import request_story
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.source import Rows
from router.telemetry.sql import quoted

_SHOWN = 100
NO_PATTERN = "none"  # as a filter: requests that belong to no pattern
_OUTCOMES = {
    "failed": "error_type is not null",
    "explored": "explored",
    "judged": "quality is not null",
    "unjudged": "quality is null",
}


def _filters(query: PanelQuery) -> str:
    view = query.view
    conditions = [
        f"{name} = {quoted(value)}"
        for name, value in (
            ("kind", view.kind),
            ("plan", view.plan),
            ("pattern", view.pattern if view.pattern != NO_PATTERN else ""),
            ("strategy", view.strategy),
            ("reuse_tier", view.tier),
        )
        if value
    ]
    if view.pattern == NO_PATTERN:
        conditions.append("pattern is null")
    if view.outcome:
        conditions.append(_OUTCOMES[view.outcome])
    if view.find:
        whole = quoted(view.find)
        part = quoted(
            "%" + view.find.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        )
        contains = f"ilike {part} escape '\\'"
        conditions.append(
            f"(request_id = {whole} or session = {whole} or key_id = {whole} "
            f"or backend = {whole} or policy_version = {whole} or pattern = {whole} "
            f"or error_type {contains} "
            f"or reason {contains} or prompt {contains})"
        )
    return "".join(f"\n  and {condition}" for condition in conditions)


def listed(query: PanelQuery) -> str:
    here = request_story.around(query.view.find) or query.tail
    return f"""
select ts, request_id, kind, pattern, strategy, plan, backend, status, error_type, latency_ms,
       cost_usd, quality, explored, reuse_tier, level, count(*) over ()::bigint as matching
from requests where {here}{_filters(query)}
order by ts desc limit {_SHOWN}"""


def _show_list(rows: Rows, query: PanelQuery) -> Shown:
    view = query.view
    if not rows:
        if any(
            (view.kind, view.plan, view.pattern, view.strategy, view.tier, view.outcome, view.find)
        ):
            return Empty(
                "No request of this time matches: remove a filter, or choose a longer time."
            )
        return nothing_yet(query)
    return [
        table(
            (
                "when (UTC)",
                "request",
                "kind",
                "pattern",
                "strategy",
                "plan",
                "from",
                "checked",
                "status",
                "ms",
                "cost",
                "quality",
            ),
            [
                (
                    when(row["ts"]),
                    link(f"…{row['request_id'][-12:]}", request=row["request_id"]),
                    row["kind"] or UNKNOWN,
                    row["pattern"] or UNKNOWN,
                    (row["strategy"] or UNKNOWN) + (" (explored)" if row["explored"] else ""),
                    row["plan"] or "none",
                    row["reuse_tier"] or UNKNOWN,
                    row["level"] or "",
                    badge("ok" if not row["error_type"] else "failed")
                    if (row["status"] or 200) < 400 and not row["error_type"]
                    else f"✗ {row['status'] or ''} {row['error_type'] or ''}",
                    number(row["latency_ms"], ",.1f"),
                    dollars(row["cost_usd"]),
                    number(row["quality"], ".2f"),
                )
                for row in rows
            ],
            numeric=(9, 10, 11),
            label="requests",
        ),
        html.P(
            f"{len(rows):,} shown"
            + (f", the newest of {most:,}" if (most := rows[0]["matching"]) > len(rows) else ""),
            className="quiet",
        ),
    ]


PAGE = Page(
    "requests",
    "Requests",
    "A list of requests, and the whole story of the request that you choose.",
    (
        Panel(
            "story",
            "The story of one request",
            request_story.story,
            request_story.show_story,
            form="parts",
            size="whole",
            needs=request_story.none_chosen,
        ),
        Panel(
            "others",
            "Results of each plan on requests of the same kind",
            request_story.others,
            request_story.show_others,
            form="parts",
            size="whole",
            needs=request_story.none_chosen,
        ),
        Panel(
            "found",
            "Requests",
            listed,
            _show_list,
            form="parts",
            size="whole",
            note="The newest first, from the newest 20,000 in the span. Prompts and answers are "
            "kept only if the configuration says so.",
        ),
    ),
    filters=("find", "kind", "pattern", "plan", "strategy", "tier", "outcome"),
)
