"""The page about models that Waggle trained: each run and what became of it, how it learned, how
good it is on which requests, how true its confidence is, and what changed since the run before.
"""

from typing import Any

import orjson
from dash import html

from dashboard.components import UNKNOWN, act_button, link, number, run_badge, table, when
from dashboard.figures import DASHES, axis, figure, plain
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment

_FEW_MARKS = 15
_METRICS = {  # as cards name them; other names are shown as they are
    "answered": "share of rows that it answers",
    "loss_answered": "quality lost on these",
    "rows": "rows",
}
_NO_RUNS = Empty(
    "No model was trained yet. Make a data set of answers that were judged, and train on it:",
    "waggle data make tickets --task triage && waggle models train triage --data tickets",
)


def runs(query: PanelQuery) -> str:
    until = moment(query.span.until)
    return f"""
with promoted as (
  select split_part(subject, '@', 1) as name, arg_max(subject, ts) as model from (
    select subject, ts from events
    where kind = 'model' and state in ('promoted', 'rolled back to') and ts < {until}
    union all
    select model, changed from training_runs
    where (detail->>'promoted') = 'true' and changed < {until})
  group by 1),
made as (
  select detail->>'author' as model, any_value(subject) as plan from events
  where kind = 'growth' and state = 'made' and detail->>'way' = 'model' and ts < {until}
  group by 1),
gave as (
  select plan, backend, count(*) as n from requests
  where {query.tail} and gen_ai_provider_name in ('learned', 'twin') group by all),
answered_by as (
  select model, arg_max(plan, n) as plan, arg_max(backend, n) as backend, sum(n)::bigint as n from (
    select model, plan, backend, n from made join gave using (plan)
    union all
    select p.model, '', backend, sum(n) from promoted p join gave on backend = p.name
    where plan not in (select plan from made) group by all)
  group by model)
select r.name as name, r.model as model, r.kind as kind, data, state, answered, loss,
       cpu_seconds, why, r.changed as changed, p.model is not null as answers,
       coalesce(a.n, 0) as n, coalesce(a.plan, '') as plan, coalesce(a.backend, '') as backend
from training_runs r left join promoted p on p.model = r.model
     left join answered_by a on a.model = r.model
where r.changed < {until} order by r.changed desc, r.run_id limit 100"""


def _runs(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NO_RUNS
    return [
        table(
            (
                *("model", "kind", "data", "run", "answers now", "answered", "quality lost"),
                *("requests", "CPU s", "why not", "when (UTC)", ""),
            ),
            [
                (
                    html.Span(row["model"] or row["name"], className="name"),
                    row["kind"] or UNKNOWN,
                    row["data"] or UNKNOWN,
                    run_badge(row["state"], row["why"]),
                    "yes" if row["answers"] else "",
                    number(row["answered"], ".1%"),
                    number(row["loss"], ".2%"),
                    _requests(row),
                    number(row["cpu_seconds"], ".1f"),
                    row["why"] or "",
                    when(row["changed"]),
                    _acts(row),
                )
                for row in rows
            ],
            numeric=(5, 6, 7, 8),
            label="training runs",
        )
    ]


def _requests(row: Any) -> Any:
    """How many requests of this time the model answered, with the way to them."""
    if not row["n"]:
        return UNKNOWN
    return link(number(row["n"]), page="requests", plan=row["plan"], find=row["backend"])


def _acts(row: Any) -> Any:
    """Buttons for what an admin may do with a model that a run made."""
    if not row["model"] or (row["why"] and not row["answers"]):
        return ""  # what did not pass is promoted from the command line only, with --anyway
    if row["answers"]:
        act = act_button("roll back", "rollback", row["name"], of="learned")
    else:
        act = act_button("promote", "promote", row["model"], of="learned")
    return html.Div([act], className="acts")


def curves(query: PanelQuery) -> str:
    return f"""
select coalesce(model, name) as model, cast(detail->'curves' as varchar) as curves
from training_runs
where changed < {moment(query.span.until)} and cast(detail->'curves' as varchar) not in ('{{}}', '')
order by changed desc, run_id limit 8"""


def _curves(rows: Rows, query: PanelQuery) -> Shown:
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"{plain(row['model'])} {plain(name)}",
            "x": list(range(len(losses))),
            "y": losses,
            "line": {"dash": DASHES[at % len(DASHES)]},
        }
        for at, row in enumerate(rows)
        for name, losses in orjson.loads(row["curves"]).items()
    ]
    if not data:
        return Empty(
            "Adapters have a curve: their loss on rows that they do not learn from. None was "
            "trained in this time:",
            "waggle models train form --kind adapter --base small --data tickets",
        )
    return figure(
        query,
        data,
        xaxis=axis(query, "measurements, in their order", **_whole_steps(rows)),
        yaxis=axis(query, "loss on rows that are not learned from"),
    )


def _whole_steps(rows: Rows) -> dict[str, Any]:
    """Between two measurements there is nothing, so a short axis has a mark for each."""
    lengths = [len(losses) for row in rows for losses in orjson.loads(row["curves"]).values()]
    return {"dtick": 1} if max(lengths, default=0) <= _FEW_MARKS else {}


def slices(query: PanelQuery) -> str:
    return f"""
with latest as (
  select name, arg_max(model, changed) as model, arg_max(detail, changed) as detail
  from training_runs where state = 'finished' and changed < {moment(query.span.until)}
  group by name),
parts as (
  select name, model, unnest(cast(detail->'slices' as json[])) as part from latest)
select model, part->>'slice' as slice, part->>'value' as value,
       cast(part->>'rows' as bigint) as n, cast(part->>'answered' as double) as answered,
       cast(part->>'loss_answered' as double) as loss
from parts order by model, n desc, slice, value limit 80"""


def _slices(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No run has slices with enough rows yet.", "waggle models show NAME")
    return [
        table(
            ("model", "slice", "value", "test rows", "answered", "quality lost"),
            [
                (
                    *(row["model"], row["slice"], row["value"], number(row["n"])),
                    *(number(row["answered"], ".1%"), number(row["loss"], ".2%")),
                )
                for row in rows
            ],
            numeric=(3, 4, 5),
            label="slices of the test rows",
        )
    ]


def calibration(query: PanelQuery) -> str:
    return f"""
with latest as (
  select name, arg_max(model, changed) as model, arg_max(detail, changed) as detail
  from training_runs where state = 'finished' and changed < {moment(query.span.until)}
  group by name),
bins as (
  select name, model, unnest(cast(detail->'calibration'->'bins' as json[])) as bin from latest)
select model, cast(bin->>'predicted' as double) as predicted,
       cast(bin->>'right' as double) as happened, cast(bin->>'rows' as bigint) as n
from bins order by model, predicted limit 200"""


def _calibration(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty("No model with a confidence was trained yet.", _NO_RUNS.command)
    models = list(dict.fromkeys(row["model"] for row in rows))
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "true confidence",
            "x": [0, 1],
            "y": [0, 1],
            "line": {"dash": "dot", "width": 1},
        }
    ]
    for at, model in enumerate(models):
        own = [row for row in rows if row["model"] == model]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plain(model),
                "x": [row["predicted"] for row in own],
                "y": [row["happened"] for row in own],
                "text": [f"{row['n']:,} rows" for row in own],
                "line": {"dash": DASHES[at % len(DASHES)]},
            }
        )
    return figure(
        query,
        data,
        xaxis=axis(query, "confidence", range=[0, 1.02]),
        yaxis=axis(query, "as good as the teacher", range=[0, 1.02]),
    )


def compared(query: PanelQuery) -> str:
    return f"""
with ranked as (
  select *, row_number() over (partition by name order by changed desc, run_id) as nth
  from training_runs where state = 'finished' and changed < {moment(query.span.until)}),
measured as (
  select name, model, nth, metric, try_cast(detail->'metrics'->>metric as double) as figure
  from (select *, unnest(json_keys(detail->'metrics')) as metric from ranked where nth <= 2))
select name, metric, max(model) filter (nth = 2) as before, max(model) filter (nth = 1) as after,
       max(figure) filter (nth = 2) as was, max(figure) filter (nth = 1) as is_now
from measured group by name, metric
having was is not null and is_now is not null order by name, metric limit 100"""


def _compared(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "No model has two versions yet. Two others are compared by",
            "waggle models diff triage@1 triage@2",
        )
    return [
        table(
            ("", "measured on test rows", "before", "now", "change"),
            [
                (
                    f"{row['before']} → {row['after']}",
                    _METRICS.get(row["metric"], row["metric"].replace("_", " ")),
                    number(row["was"], ",.4g"),
                    number(row["is_now"], ",.4g"),
                    number(row["is_now"] - row["was"], "+,.4g"),
                )
                for row in rows
            ],
            numeric=(2, 3, 4),
            label="the latest two versions of each model",
        )
    ]


PAGE = Page(
    "models",
    "Models",
    "Models that were trained on this service's traffic: runs, curves, slices, confidence.",
    (
        Panel(
            "training",
            "Runs",
            runs,
            _runs,
            form="parts",
            size="whole",
            note="“answered” is the share of test rows of which a model is sure enough, and "
            "“quality lost” how much worse than its teacher its answers to these are. "
            "“promote” lets a version answer at once, “roll back” the version before it. Both want "
            "an admin's key, where there are keys. “requests” are those that the model answered, "
            "by a plan made for it or by a backend of its name.",
        ),
        Panel("curves", "How it learned", curves, _curves),
        Panel("calibration", "Is its confidence true?", calibration, _calibration),
        Panel("slices", "Where it is good", slices, _slices, form="parts", size="whole"),
        Panel(
            "compared", "Beside the version before", compared, _compared, form="parts", size="whole"
        ),
    ),
    filters=(),
)
