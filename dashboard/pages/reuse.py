"""How much is answered from memory, how often that is wrong, and what it saves."""

from dashboard.figures import INKS, SYMBOLS, axis, figure, over_time, plain, stacked
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet, total
from dashboard.parts import dollars, link, number, table, tile, tiles, when
from dashboard.source import Rows

_TIERS = ("exact", "reuse", "adapt", "pattern", "novel")
_NEVER = Empty(
    "Nothing was reused in this time. Answers are given again once they were verified or well "
    "rated, where the configuration has:",
    "reuse: {mode: similar}",
)


def strip(asked: PanelQuery) -> str:
    return f"""
with s as (
  select sum(n)::bigint as n, sum(n) filter (reuse_tier <> 'novel')::bigint as reused,
         sum(premium_cost_usd - cost_usd) filter (reuse_tier <> 'novel') as saved_usd
  from {asked.sums} where {asked.narrowed}),
c as (
  select count(*) as checks, count(*) filter (state = 'wrong') as wrong
  from events where kind = 'reuse' and {asked.here})
select n, reused, saved_usd, checks, wrong, wrong / nullif(checks, 0) as share,
       (wrong + 1.92) / (checks + 3.84)
         + 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / nullif(checks, 0) + 0.96)
         as at_most
from s, c"""


def _strip(rows: Rows, asked: PanelQuery) -> Shown:
    one = rows[0] if rows else None
    if one is None or not one["n"]:
        return nothing_yet(asked)
    budget = asked.facts.reuse_budget
    told, tone = f"{number(one['wrong'])} of {number(one['checks'])} checked", ""
    value = "unknown"
    if one["checks"]:
        value = f"{one['share']:.1%}, at most {one['at_most']:.1%}"
        if budget is not None:
            told += f"; budget {budget:.1%}"
            tone = (
                "good" if one["at_most"] <= budget else "bad" if one["share"] > budget else "warn"
            )
    return tiles(
        tile(
            "answered from memory",
            number(one["reused"]),
            f"{number((one['reused'] or 0) / one['n'], '.1%')} of {number(one['n'])}",
        ),
        tile("wrong, as far as checked", value, told, tone=tone),
        tile("saved by it", dollars(one["saved_usd"] or 0.0), "against always the premium plan"),
    )


def tiers(asked: PanelQuery) -> str:
    return f"""
select time_bucket({asked.span.every}, minute) as bucket, coalesce(reuse_tier, 'novel') as tier,
       sum(n)::bigint as n, sum(premium_cost_usd - cost_usd) as saved_usd
from {asked.sums} where {asked.narrowed} group by all having sum(n) > 0 order by 1, 2"""


def _order(rows: Rows) -> list[str]:
    found = {one["tier"] for one in rows}
    return [*(t for t in _TIERS if t in found), *sorted(found.difference(_TIERS))]


def _hues(asked: PanelQuery, rows: Rows) -> dict[str, tuple[str, int]]:
    """The same for a tier wherever it is; what was made anew is the ground."""
    ink = INKS[asked.view.theme]
    told = {tier: (ink.palette[at], at) for at, tier in enumerate(_TIERS)}
    told |= {tier: (ink.palette[-1], 5) for tier in _order(rows) if tier not in told}
    return told | {"novel": (ink.grid, 0)}


def _tiers(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(asked)
    drawn = stacked(
        asked, rows, "tier", "n", _order(rows), hues=_hues(asked, rows), unit=" requests"
    )
    return over_time(asked, drawn, "requests", bars="stack", tall=True)


def _saved(rows: Rows, asked: PanelQuery) -> Shown:
    told = [one for one in rows if one["tier"] != "novel"]
    if not told:
        return _NEVER
    if not total(told, "saved_usd"):
        return Empty("Nothing here has a price, so nothing that was reused saved any.")
    drawn = stacked(
        asked, told, "tier", "saved_usd", _order(told), hues=_hues(asked, told), unit=" $"
    )
    return over_time(asked, drawn, "dollars saved", bars="stack", tickprefix="$")


def checks(asked: PanelQuery) -> str:
    return f"""
select coalesce(detail->>'bucket', 'any') as bucket, count(*) as checks,
       count(*) filter (state = 'wrong') as wrong, wrong / checks as share,
       greatest((wrong + 1.92) / (checks + 3.84)
         - 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / checks + 0.96), 0) as low,
       (wrong + 1.92) / (checks + 3.84)
         + 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / checks + 0.96) as high
from events where kind = 'reuse' and {asked.here} group by all order by checks desc limit 20"""


def _checks(rows: Rows, asked: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "No reused answer was checked in this time. A share of them is made anew to see; what "
            "the app says of one counts too."
        )
    ink = INKS[asked.view.theme]
    names = [plain(one["bucket"]) for one in rows]
    budget = asked.facts.reuse_budget
    shapes = []
    if budget is not None:
        line = {"color": ink.bad, "dash": "dash", "width": 1.5}
        ends = {"yref": "paper", "x0": budget, "x1": budget, "y0": 0, "y1": 1}
        shapes.append({"type": "line", "line": line, **ends})
    return figure(
        asked,
        [
            {
                **{"type": "scatter", "mode": "markers", "y": names},
                "name": "wrong, 95%" + ("" if budget is None else f"; dashed: budget {budget:.1%}"),
                "x": [one["share"] for one in rows],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [one["high"] - one["share"] for one in rows],
                    "arrayminus": [one["share"] - one["low"] for one in rows],
                },
                "marker": {"size": 9, "color": ink.palette[0], "symbol": SYMBOLS[2]},
                "customdata": [[one["wrong"], one["checks"]] for one in rows],
                "hovertemplate": "%{y}: %{customdata[0]} of %{customdata[1]} wrong<extra></extra>",
                "showlegend": True,
            }
        ],
        shapes=shapes,
        xaxis=axis(
            asked, "share of checked answers that were wrong", tickformat=".0%", rangemode="tozero"
        ),
        yaxis=axis(asked, type="category"),
        hovermode="closest",
    )


def solutions(asked: PanelQuery) -> str:
    return f"""
with recursive used as (
  select solution, count(*) as uses, list(distinct reuse_tier order by reuse_tier) as tiers,
         min(kind) as kind, count(quality) as judged, avg(quality) as quality,
         sum(premium_cost_usd - cost_usd) as saved_usd, max(ts) as last_used,
         arg_max(request_id, ts) as request_id
  from {asked.rows} where solution is not null and reuse_tier <> 'novel' group by solution
  order by uses desc, solution limit 50),
born as (
  select subject::bigint as id, any_value((detail->>'parent')::bigint) as parent
  from events where kind = 'solutions' and state = 'adapted' group by all),
line as (
  select solution, solution as id, [solution] as path from used
  union all
  select line.solution, born.parent, list_append(path, born.parent)
  from line join born on born.id = line.id where len(path) < 12)
select used.*, (select arg_max(path, len(path)) from line where line.solution = used.solution)
         as lineage
from used order by uses desc, solution"""


def _solutions(rows: Rows, asked: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NEVER
    return [
        table(
            ("solution", "used", "as", "kind", "quality", "saved", "comes from", "last used (UTC)"),
            [
                (
                    link(str(one["solution"]), page="requests", request=one["request_id"]),
                    number(one["uses"]),
                    ", ".join(one["tiers"]),
                    one["kind"] or "",
                    number(one["quality"], ".3f") + f" ({one['judged']} judged)",
                    dollars(one["saved_usd"] or 0.0),
                    " ← ".join(map(str, one["lineage"] or ())),
                    when(one["last_used"]),
                )
                for one in rows
            ],
            numeric=(1, 5),
            label="solutions that were used most",
        )
    ]


PAGE = Page(
    "reuse",
    "Reuse",
    "Answers from memory: how many, how often wrong, what they save.",
    (
        Panel(
            "reuse-strip",
            "At a glance",
            strip,
            _strip,
            form="parts",
            size="whole",
            note="At most: the upper end of a 95% interval (Wilson's).",
        ),
        Panel(
            "tiers",
            "Answered from",
            tiers,
            _tiers,
            size="whole",
            tall=True,
            note="exact: the same request again; reuse: one that means the same; adapt, pattern: "
            "what was solved, changed to fit; novel: made anew.",
        ),
        Panel(
            "checks",
            "False reuse",
            checks,
            _checks,
            note="By what a reused request had in common with the one that was solved.",
        ),
        Panel("saved", "Saved", tiers, _saved),
        Panel(
            "solutions",
            "Most used solutions",
            solutions,
            _solutions,
            form="parts",
            size="whole",
            note="Of the newest requests in the span. Comes from: the solutions it was adapted "
            "from, youngest first; `waggle solutions lineage` tells more.",
        ),
    ),
)
