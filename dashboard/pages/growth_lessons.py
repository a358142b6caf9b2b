"""The panels of continuous training: how far each lesson is, and every run with what it brought."""

from dash import html

from dashboard.components import UNKNOWN, badge, number, run_badge, table, when
from dashboard.panel import Empty, Panel, PanelQuery, Shown
from dashboard.source import Rows, moment


def lessons(query: PanelQuery) -> str:
    return f"""
select subject as lesson, arg_max(state, ts) as state, max(ts) as changed,
       arg_max(detail->>'model', ts) as model, arg_max(detail->>'trigger', ts) as trained_for,
       arg_max(detail->>'why', ts) as why
from events where kind = 'lesson' and ts < {moment(query.span.until)}
group by subject order by changed desc, lesson limit 100"""


def _lessons(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "Nothing was trained by itself yet. It takes 300 judged answers of a narrow task, and "
            "the words of requests and answers:",
            "telemetry: {prompts: true, answers: true}",
        )
    return [
        table(
            ("lesson", "state", "model", "last trained for", "why", "since (UTC)"),
            [
                (
                    html.Span(row["lesson"], className="name"),
                    badge(row["state"]),
                    row["model"] or UNKNOWN,
                    row["trained_for"] or "",
                    row["why"] or "",
                    when(row["changed"]),
                )
                for row in rows
            ],
            label="lessons",
        )
    ]


def runs(query: PanelQuery) -> str:
    return f"""
select run_id, name, state, changed, data, model, why, answered, loss, cpu_seconds
from training_runs where began < {moment(query.span.until)}
order by changed desc, run_id limit 100"""


def _runs(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("No model was trained yet:", "waggle models train NAME --data SET")
    return [
        table(
            (
                *("run", "state", "model", "data", "answers of test rows", "quality lost"),
                *("CPU s", "why not", "changed (UTC)"),
            ),
            [
                (
                    html.Span(row["run_id"], className="name"),
                    run_badge(row["state"], row["why"]),
                    row["model"] or UNKNOWN,
                    row["data"] or UNKNOWN,
                    number(row["answered"], ".0%"),
                    number(row["loss"], ".2%"),
                    number(row["cpu_seconds"], ".1f"),
                    row["why"] or "",
                    when(row["changed"]),
                )
                for row in rows
            ],
            numeric=(4, 5, 6),
            label="training runs",
        )
    ]


LESSON_PANELS = (
    Panel(
        "lessons",
        "What trains itself",
        lessons,
        _lessons,
        form="parts",
        size="whole",
        note="A lesson's plans stand among what was made, above: undo and forbid them there.",
    ),
    Panel("runs", "Training runs", runs, _runs, form="parts", size="whole"),
)
