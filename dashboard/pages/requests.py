"""One request after another: find one, and see why it went where it went."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet
from dashboard.parts import UNKNOWN, badge, code, dollars, link, number, table, tile, tiles, when
from dashboard.source import Row, Rows, moment
from router.telemetry.sql import quoted

_SHOWN = 100
_OUTCOMES = {
    "failed": "error_type is not null",
    "explored": "explored",
    "judged": "quality is not null",
    "unjudged": "quality is null",
}


def _filters(asked: PanelQuery) -> str:
    view = asked.view
    told = [
        f"{name} = {quoted(value)}"
        for name, value in (
            ("kind", view.kind),
            ("plan", view.plan),
            ("strategy", view.strategy),
            ("reuse_tier", view.tier),
        )
        if value
    ]
    if view.outcome:
        told.append(_OUTCOMES[view.outcome])
    if view.find:
        looked = quoted(view.find)
        part = quoted(
            "%" + view.find.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        )
        text = f"ilike {part} escape '\\'"
        told.append(
            f"(request_id = {looked} or session = {looked} or key_id = {looked} "
            f"or backend = {looked} or policy_version = {looked} or error_type {text} "
            f"or reason {text} or prompt {text})"
        )
    return "".join(f"\n  and {one}" for one in told)


def found(asked: PanelQuery) -> str:
    here = asked.tail
    if asked.view.find and (known := _around(asked.view.find)):
        here = known
    return f"""
select ts, request_id, kind, strategy, plan, backend, status, error_type, latency_ms, cost_usd,
       quality, explored, reuse_tier
from requests where {here}{_filters(asked)}
order by ts desc limit {_SHOWN}"""


def _found(rows: Rows, asked: PanelQuery) -> Shown:
    view = asked.view
    if not rows:
        if any((view.kind, view.plan, view.strategy, view.tier, view.outcome, view.find)):
            return Empty(
                "No request of this time is like that: leave out a filter, or choose a longer time."
            )
        return nothing_yet(asked)
    return [
        table(
            (
                "when (UTC)",
                "request",
                "kind",
                "strategy",
                "plan",
                "from",
                "status",
                "ms",
                "cost",
                "quality",
            ),
            [
                (
                    when(one["ts"]),
                    link(f"…{one['request_id'][-12:]}", request=one["request_id"]),
                    one["kind"] or UNKNOWN,
                    (one["strategy"] or UNKNOWN) + (" (explored)" if one["explored"] else ""),
                    one["plan"] or "none",
                    one["reuse_tier"] or UNKNOWN,
                    badge("ok" if not one["error_type"] else "failed")
                    if (one["status"] or 200) < 400 and not one["error_type"]
                    else f"✗ {one['status'] or ''} {one['error_type'] or ''}",
                    number(one["latency_ms"], ",.1f"),
                    dollars(one["cost_usd"]),
                    number(one["quality"], ".2f"),
                )
                for one in rows
            ],
            numeric=(7, 8, 9),
            label="requests",
        ),
        html.P(
            f"{len(rows)} shown" + (", the newest" if len(rows) == _SHOWN else ""),
            className="quiet",
        ),
    ]


def _around(request_id: str) -> str:
    """When a request was, from its id, which begins with the time: nothing else has to be read."""
    try:
        known = uuid.UUID(request_id)
    except ValueError:
        return ""
    if known.version != 7:
        return ""
    at = dt.datetime.fromtimestamp((known.int >> 80) / 1000, dt.UTC).replace(tzinfo=None)
    hour = dt.timedelta(hours=1)
    return f"ts >= {moment(at - hour)} and ts < {moment(at + hour)}"


def _one(asked: PanelQuery) -> str:
    looked = asked.view.request
    here = _around(looked)
    return f"request_id = {quoted(looked)}" + (f" and {here}" if here else "")


def _unpicked(asked: PanelQuery) -> str:
    return "" if asked.view.request else "Choose a request from the list, and its story is here."


def story(asked: PanelQuery) -> str:
    looked = quoted(asked.view.request)
    return f"""
select r.*, (select list(s order by s.ts) from signals s where s.request_id = {looked}
             and s.request_ts = r.ts) as said
from requests r where {_one(asked)} limit 1"""


def _story(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return Empty(f"No request {asked.view.request} is known here: was it pruned or forgotten?")
    one = rows[0]
    told: list[Any] = [
        *tiles(
            tile("plan", one["plan"] or "none", f"{one['strategy'] or ''} {_chance(one)}"),
            tile(
                "status",
                str(one["status"] or UNKNOWN),
                one["error_type"] or "",
                tone="bad" if one["error_type"] else "",
            ),
            tile(
                "latency",
                number(one["latency_ms"], ",.1f", " ms"),
                f"{number(one['overhead_ms'], ',.2f')} ms of it Waggle's own",
            ),
            tile(
                "cost",
                dollars(one["cost_usd"]),
                f"{one['premium_plan'] or 'premium'}: {dollars(one['premium_cost_usd'])}",
            ),
            tile(
                "quality",
                number(one["quality"], ".3f"),
                f"by {one['quality_source']}" if one["quality_source"] else "nobody judged it",
            ),
            tile("from", one["reuse_tier"] or "novel", _recalled(one)),
        ),
        html.P(one["reason"] or "", className="said"),
        html.H3("What could have answered"),
        _choices(one),
        html.H3("What was done"),
        _steps(one["attempts"] or ()),
        html.H3("What was said of it"),
        _signals(one["said"] or ()),
        html.H3("What was known of it"),
        _features(one),
    ]
    for name in ("error", "prompt", "answer"):
        if one[name]:
            told += [html.H3(name.capitalize()), code(one[name], name)]
    told.append(html.P(_hashes(one), className="quiet"))
    return told


def _chance(one: Row) -> str:
    chance = one["propensity"]
    return "" if chance is None else f"with probability {chance:.3f}"


def _recalled(one: Row) -> str:
    if one["solution"] is None:
        return ""
    similar = "" if one["similarity"] is None else f", similarity {one['similarity']:.3f}"
    return f"solution {one['solution']}{similar}"


def _choices(one: Row) -> html.Div:
    """Each plan with its probability, and what was expected of it at that moment."""
    expected = {each["plan"]: each for each in one.get("expected") or ()}
    chances = one["probabilities"] or {}
    rows = []
    for plan, chance in sorted(chances.items(), key=lambda pair: -pair[1]):
        known = expected.get(plan, {})
        took = known.get("latency_ms")
        rows.append(
            (
                f"▶ {plan}" if plan == one["plan"] else plan,
                f"{chance:.4f}",
                number(known.get("quality"), ".3f"),
                dollars(known.get("cost_usd")),
                number(took, ",.1f", " ms"),
                "chosen" if plan == one["plan"] else "",
            )
        )
    for plan, why in (one["ineligible"] or {}).items():
        rows.append((plan, "0", UNKNOWN, UNKNOWN, UNKNOWN, f"could not: {why}"))
    return table(
        ("plan", "probability", "quality expected", "cost expected", "time expected", ""),
        rows,
        numeric=(1, 2, 3, 4),
        label="plans that could have answered",
    )


def _steps(attempts: Sequence[Row]) -> Any:
    if not attempts:
        return html.P("No backend was asked.", className="quiet")
    return table(
        ("step", "of", "backend", "as", "status", "ms", "tokens in, out", "cost", "trouble"),
        [
            (
                str(one["step"]),
                str(one["parent"] or ""),
                one["backend"],
                one["role"] or "ask",
                str(one["status"] or ""),
                number(one["latency_ms"], ",.1f"),
                f"{number(one['gen_ai_usage_input_tokens'])}, "
                f"{number(one['gen_ai_usage_output_tokens'])}"
                + (" (estimated)" if one["tokens_estimated"] else ""),
                dollars(one["cost_usd"]),
                " ".join(filter(None, (one["error_type"], one["detail"]))),
            )
            for one in attempts
        ],
        numeric=(0, 1, 5, 6, 7),
        label="calls to backends",
    )


def _signals(said: Sequence[Row]) -> Any:
    if not said:
        return html.P("Nobody said anything of it yet.", className="quiet")
    return table(
        ("when (UTC)", "source", "metric", "score", "weight", "comment"),
        [
            (
                when(one["ts"]),
                one["source"],
                one["metric"],
                number(one["score"], ".3f"),
                number(one["weight"], ".2f"),
                one["comment"] or one["value"] or "",
            )
            for one in said
        ],
        numeric=(3, 4),
        label="signals",
    )


def _features(one: Row) -> Any:
    known = {name: value for name, value in (one["features"] or {}).items() if value}
    if not known:
        return html.P("No features were kept.", className="quiet")
    rest = {"kind": one["kind"], "asked for": one["gen_ai_request_model"]}
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(f"{value:g}" if isinstance(value, float) else value)])
            for name, value in (rest | known).items()
            if value
        ],
        className="features",
    )


def _hashes(one: Row) -> str:
    told = [f"request {one['request_id']}", f"policy {one['policy_version']}"]
    told += [
        f"{name} {one[name]}"
        for name in ("session", "key_id", "request_hash", "answer_hash")
        if one[name]
    ]
    return " · ".join(told)


def others(asked: PanelQuery) -> str:
    return f"""
with r as (select coalesce(kind, '') as its from all_requests where {_one(asked)} limit 1)
select plan, sum(n)::bigint as n, sum(quality_n)::bigint as judged,
       sum(quality) / nullif(sum(quality_n), 0) as quality, sum(cost_usd) / sum(n) as cost_usd,
       sum(latency_ms) / sum(n) as mean_ms
from (select * from {asked.sums}) s join r on coalesce(s.kind, '') = its
where plan is not null and strategy <> 'named'
group by plan having sum(n) > 0 order by quality desc nulls last, plan"""


def _others(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No other request of its kind in this time.")
    return [
        table(
            ("plan", "requests", "judged", "quality came", "cost", "mean ms"),
            [
                (
                    one["plan"],
                    number(one["n"]),
                    number(one["judged"]),
                    number(one["quality"], ".3f"),
                    dollars(one["cost_usd"]),
                    number(one["mean_ms"], ",.1f"),
                )
                for one in rows
            ],
            numeric=range(1, 6),
            label="what each plan brought on requests of this kind",
        )
    ]


PAGE = Page(
    "requests",
    "Requests",
    "Any request, and the whole story of one.",
    (
        Panel(
            "story",
            "The story of one request",
            story,
            _story,
            form="parts",
            size="whole",
            needs=_unpicked,
        ),
        Panel(
            "others",
            "What each plan brought on its kind, in this time",
            others,
            _others,
            form="parts",
            size="whole",
            needs=_unpicked,
        ),
        Panel(
            "found",
            "Requests",
            found,
            _found,
            form="parts",
            size="whole",
            note="The newest first, of the newest 20,000 in the span. Prompts and answers are "
            "there only where the configuration keeps them.",
        ),
    ),
    filters=("find", "kind", "plan", "strategy", "tier", "outcome"),
)
