"""What `auto` would do while it is in the shadow, as the learner wrote it last."""

from typing import Any

import orjson
from dash import html

from dashboard.components import badge, dollars, number, tile, tiles, when
from dashboard.panel import Empty, PanelQuery, Shown
from dashboard.source import Rows, moment


def shadow(query: PanelQuery) -> str:
    return f"""
select ts, state, detail from events
where kind = 'shadow' and ts < {moment(query.span.until)} order by ts desc limit 1"""


def show_shadow(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return Empty(
            "`auto` is not in the shadow. To see what it would save before it decides anything, "
            "let callers name their models as they do, and set:",
            "objective: {start: shadow}",
        )
    row = rows[0]
    standing = orjson.loads(row["detail"])
    return [
        html.P([badge("live" if row["state"] == "live" else "shadow"), " ", standing["words"]]),
        *tiles(*_tiles(standing)),
        html.P(f"Worked out at {when(row['ts'])} UTC.", className="tile-more"),
    ]


def _tiles(standing: dict[str, Any]) -> list[html.Div]:
    measured, foretold = standing["measured"], standing["foretold"]
    noted = tile(
        "noted",
        number(standing["noted"]),
        f"auto would choose otherwise for {number(standing['apart'], '.0%')}",
    )
    if measured["requests"]:
        return [noted, _saving(measured), _quality(measured)]
    saving, quality = foretold["saving_usd"], foretold["quality"]
    return [
        noted,
        tile("saving, foretold", dollars(saving), "not measured", tone="warn"),
        tile("quality, foretold", number(quality, "+.3f"), "not measured", tone="warn"),
    ]


def _saving(measured: dict[str, Any]) -> html.Div:
    saving = measured["saving_usd"]
    if saving["high"] is None:
        return tile("saving", "not known yet", f"{number(measured['requests'])} measured")
    half = (saving["high"] - saving["low"]) / 2
    tone = "good" if saving["low"] > 0 else "bad" if saving["high"] < 0 else ""
    value = f"{dollars(saving['mean'])} ± {dollars(half)}"
    return tile("saving", value, f"over {number(measured['requests'])} requests", tone=tone)


def _quality(measured: dict[str, Any]) -> html.Div:
    quality = measured["quality"]
    if not measured["enough"]:
        judged = number(measured["judged"])
        return tile("quality gained", "not known yet", f"{judged} judged", tone="warn")
    half = (quality["high"] - quality["low"]) / 2
    tone = {True: "good", False: "bad", None: ""}[measured["equal"]]
    more = f"equal is no loss of more than {measured['margin']:g}"
    return tile("quality gained", f"{quality['mean']:+.3f} ± {half:.3f}", more, tone=tone)
