"""The panel of everything that happened to stores, their rights and proposals about them."""

import datetime as dt
import json

from dashboard.components import badge, table, when
from dashboard.panel import Empty, Panel, PanelQuery, Shown
from dashboard.source import Rows


def happened(query: PanelQuery) -> str:
    return f"""
select ts, subject as store, state, detail->>'by' as by_whom,
       json_merge_patch(detail, '{{"by": null, "number": null, "rows": null}}')::varchar as detail
from events where kind = 'knowledge' and state not in ('used', 'lag') and {query.here}
order by ts desc, event_id limit 100"""


def _words(detail: str | None) -> str:
    """What an event says, as names and values; a moment as a date."""
    facts = json.loads(detail or "{}")
    shown = []
    for name, value in facts.items():
        if name == "until" and isinstance(value, int | float):
            value = f"{dt.datetime.fromtimestamp(value, dt.UTC):%Y-%m-%d %H:%M}"
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items() if each is not None)
        if value not in ("", None):
            shown.append(f"{name}: {value}")
    return "; ".join(shown)[:400]


def _happened(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty("Nothing was declared, asked, granted, revoked or proposed in this time.")
    return [
        table(
            ("when (UTC)", "store", "what", "by", "detail"),
            [
                (
                    when(row["ts"]),
                    row["store"] or "",
                    badge(row["state"] or ""),
                    row["by_whom"] or "",
                    _words(row["detail"]),
                )
                for row in rows
            ],
            label="what happened",
        )
    ]


HAPPENED = Panel(
    "knowledge-events",
    "What happened",
    happened,
    _happened,
    form="parts",
    size="whole",
    note="Declarations, asks, decisions, grants, revocations, ends and proposals.",
)
