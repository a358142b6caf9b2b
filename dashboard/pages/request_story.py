"""The story of one request: the plans that could have answered it, its calls and its judgements."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.components import (
    UNKNOWN,
    code,
    dollars,
    number,
    table,
    tile,
    tiles,
    when,
)
from dashboard.panel import MEAN_USD, Empty, PanelQuery, Shown
from dashboard.source import Row, Rows, moment
from router.telemetry.sql import quoted


def around(request_id: str) -> str:
    """An SQL condition for rows near the request's moment, or "" if the id holds no time.

    Request ids begin with the time, so a query need not read all rows to find one request.
    """
    try:
        parsed = uuid.UUID(request_id)
    except ValueError:
        return ""
    if parsed.version != 7:
        return ""
    at = dt.datetime.fromtimestamp((parsed.int >> 80) / 1000, dt.UTC).replace(tzinfo=None)
    hour = dt.timedelta(hours=1)
    return f"ts >= {moment(at - hour)} and ts < {moment(at + hour)}"


def _is_chosen(query: PanelQuery) -> str:
    request_id = query.view.request
    here = around(request_id)
    return f"request_id = {quoted(request_id)}" + (f" and {here}" if here else "")


def none_chosen(query: PanelQuery) -> str:
    return "" if query.view.request else "Choose a request from the list to read its story here."


def story(query: PanelQuery) -> str:
    request_id = quoted(query.view.request)
    return f"""
select r.*, (select list(s order by s.ts) from signals s where s.request_id = {request_id}
             and s.request_ts = r.ts) as said
from requests r where {_is_chosen(query)} limit 1"""


def show_story(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            f"There is no request {query.view.request} in this telemetry: it may have been pruned "
            "or forgotten."
        )
    row = rows[0]
    parts: list[Any] = [
        *tiles(
            tile("plan", row["plan"] or "none", f"{row['strategy'] or ''} {_chance(row)}"),
            tile(
                "status",
                str(row["status"] or UNKNOWN),
                row["error_type"] or "",
                tone="bad" if row["error_type"] else "",
            ),
            tile(
                "latency",
                number(row["latency_ms"], ",.1f", " ms"),
                f"{number(row['overhead_ms'], ',.2f')} ms in Waggle itself",
            ),
            tile(
                "cost",
                dollars(row["cost_usd"]),
                f"{row['premium_plan'] or 'premium'}: {dollars(row['premium_cost_usd'])}",
            ),
            tile(
                "quality",
                number(row["quality"], ".3f"),
                f"by {row['quality_source']}" if row["quality_source"] else "not judged",
            ),
            tile("from", row["reuse_tier"] or "novel", _recalled(row)),
            *([tile("checked", row["level"], _unchecked(row))] if row["level"] else []),
        ),
        html.P(row["reason"] or "", className="said"),
        html.H3("Plans that could have answered"),
        _choices(row),
        html.H3("Calls to backends"),
        _calls(row["attempts"] or ()),
        html.H3("Judgements and feedback"),
        _signals(row["said"] or ()),
        html.H3("Features of the request"),
        _features(row),
    ]
    for name in ("error", "prompt", "answer"):
        if row[name]:
            parts += [html.H3(name.capitalize()), code(row[name], name)]
    parts.append(html.P(_hashes(row), className="quiet"))
    return parts


def _chance(row: Row) -> str:
    chance = row["propensity"]
    return "" if chance is None else f"with probability {chance:.3f}"


def _recalled(row: Row) -> str:
    if row["solution"] is None:
        return ""
    similar = "" if row["similarity"] is None else f", similarity {row['similarity']:.3f}"
    return f"solution {row['solution']}{similar}"


def _unchecked(row: Row) -> str:
    """What nobody checked: the parts themselves only if the telemetry keeps prompts."""
    if not row["unchecked"]:
        return ""
    return f"unchecked: {', '.join(row['unchecked_parts'] or ()) or row['unchecked']}"


def _choices(row: Row) -> html.Div:
    """A table of the plans, their probabilities, and the results that the policy expected."""
    estimates = {estimate["plan"]: estimate for estimate in row.get("expected") or ()}
    chances = row["probabilities"] or {}
    rows = []
    for plan, chance in sorted(chances.items(), key=lambda pair: -pair[1]):
        estimate = estimates.get(plan, {})
        rows.append(
            (
                f"▶ {plan}" if plan == row["plan"] else plan,
                f"{chance:.4f}",
                number(estimate.get("quality"), ".3f"),
                dollars(estimate.get("cost_usd")),
                number(estimate.get("latency_ms"), ",.1f", " ms"),
                "chosen" if plan == row["plan"] else "",
            )
        )
    for plan, why in (row["ineligible"] or {}).items():
        rows.append((plan, "0", UNKNOWN, UNKNOWN, UNKNOWN, f"not possible: {why}"))
    return table(
        ("plan", "probability", "expected quality", "expected cost", "expected latency", ""),
        rows,
        numeric=(1, 2, 3, 4),
        label="plans that could have answered",
    )


def _calls(attempts: Sequence[Row]) -> Any:
    if not attempts:
        return html.P("No backend was called.", className="quiet")
    return table(
        ("step", "parent", "backend", "role", "status", "ms", "tokens in, out", "cost", "error"),
        [
            (
                str(row["step"]),
                str(row["parent"] or ""),
                row["backend"],
                row["role"] or "ask",
                str(row["status"] or ""),
                number(row["latency_ms"], ",.1f"),
                f"{number(row['gen_ai_usage_input_tokens'])}, "
                f"{number(row['gen_ai_usage_output_tokens'])}"
                + (" (estimated)" if row["tokens_estimated"] else ""),
                dollars(row["cost_usd"]),
                " ".join(filter(None, (row["error_type"], row["detail"]))),
            )
            for row in attempts
        ],
        numeric=(0, 1, 5, 6, 7),
        label="calls to backends",
    )


def _signals(signals: Sequence[Row]) -> Any:
    if not signals:
        return html.P("Nobody judged this answer yet.", className="quiet")
    return table(
        ("when (UTC)", "source", "metric", "score", "weight", "comment"),
        [
            (
                when(row["ts"]),
                row["source"],
                row["metric"],
                number(row["score"], ".3f"),
                number(row["weight"], ".2f"),
                row["comment"] or row["value"] or "",
            )
            for row in signals
        ],
        numeric=(3, 4),
        label="signals",
    )


def _features(row: Row) -> Any:
    features = {name: value for name, value in (row["features"] or {}).items() if value}
    if not features:
        return html.P("No features were kept.", className="quiet")
    general = {"kind": row["kind"], "requested model": row["gen_ai_request_model"]}
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(f"{value:g}" if isinstance(value, float) else value)])
            for name, value in (general | features).items()
            if value
        ],
        className="features",
    )


def _hashes(row: Row) -> str:
    names = [f"request {row['request_id']}", f"policy {row['policy_version']}"]
    names += [
        f"{name} {row[name]}"
        for name in ("session", "key_id", "request_hash", "answer_hash")
        if row[name]
    ]
    return " · ".join(names)


def others(query: PanelQuery) -> str:
    return f"""
with r as (select coalesce(kind, '') as its from all_requests where {_is_chosen(query)} limit 1)
select plan, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
       sum(quality) / nullif(sum(quality_n), 0) as quality, {MEAN_USD} as cost_usd,
       sum(latency_ms) / sum(n) as mean_ms
from (select * from {query.sums}) s join r on coalesce(s.kind, '') = its
where plan is not null and strategy not in ('named', 'compared')
group by plan having sum(n) > 0 order by quality desc nulls last, plan"""


def show_others(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("There are no other requests of this kind in this time.")
    return [
        table(
            ("plan", "requests", "judged", "quality", "cost", "mean ms"),
            [
                (
                    row["plan"],
                    number(row["n"]),
                    number(row["judged"]),
                    number(row["quality"], ".3f"),
                    dollars(row["cost_usd"]),
                    number(row["mean_ms"], ",.1f"),
                )
                for row in rows
            ],
            numeric=range(1, 6),
            label="results of each plan on requests of this kind",
        )
    ]
