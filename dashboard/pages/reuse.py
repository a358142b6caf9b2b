"""The page about reuse: how many answers come from memory, what they save, how many are wrong."""

from dashboard.components import dollars, link, number, table, tile, tiles, when
from dashboard.figures import INKS, SYMBOLS, axis, figure, over_time, plain, stacked
from dashboard.panel import Empty, Page, Panel, PanelQuery, Shown, nothing_yet, total
from dashboard.source import Rows

_TIERS = ("exact", "reuse", "adapt", "pattern", "novel")
_NEVER = Empty(
    "Nothing was reused in this time. Proven or well rated answers are reused if the "
    "configuration says:",
    "reuse: {mode: similar}",
)


def strip(query: PanelQuery) -> str:
    return f"""
with s as (
  select sum(n)::bigint as n, sum(n) filter (reuse_tier <> 'novel')::bigint as reused,
         sum(premium_cost_usd - compared_cost_usd) filter (reuse_tier <> 'novel') as saved_usd
  from {query.sums} where {query.narrowed}),
c as (
  select count(*) as checks, count(*) filter (state = 'wrong') as wrong
  from events where kind = 'reuse' and state in ('wrong', 'right') and {query.here})
select n, reused, saved_usd, checks, wrong, wrong / nullif(checks, 0) as share,
       (wrong + 1.92) / (checks + 3.84)
         + 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / nullif(checks, 0) + 0.96)
         as at_most
from s, c"""


def _strip(rows: Rows, query: PanelQuery) -> Shown:
    row = rows[0] if rows else None
    if row is None or not row["n"]:
        return nothing_yet(query)
    budget = query.facts.reuse_budget
    counts, tone = f"{number(row['wrong'])} of {number(row['checks'])} checked", ""
    value = "unknown"
    if row["checks"]:
        value = f"{row['share']:.1%}, at most {row['at_most']:.1%}"
        if budget is not None:
            counts += f"; budget {budget:.1%}"
            tone = (
                "good" if row["at_most"] <= budget else "bad" if row["share"] > budget else "warn"
            )
    return tiles(
        tile(
            "answered from memory",
            number(row["reused"]),
            f"{number((row['reused'] or 0) / row['n'], '.1%')} of {number(row['n'])}",
        ),
        tile("wrong among checked", value, counts, tone=tone),
        tile("saved by reuse", dollars(row["saved_usd"] or 0.0), "compared with the premium plan"),
    )


def tiers(query: PanelQuery) -> str:
    return f"""
select time_bucket({query.span.every}, minute) as bucket, coalesce(reuse_tier, 'novel') as tier,
       sum(n)::bigint as n, sum(premium_cost_usd - compared_cost_usd) as saved_usd
from {query.sums} where {query.narrowed} group by all having sum(n) > 0 order by 1, 2"""


def _order(rows: Rows) -> list[str]:
    tiers_seen = {row["tier"] for row in rows}
    return [*(t for t in _TIERS if t in tiers_seen), *sorted(tiers_seen.difference(_TIERS))]


def _hues(query: PanelQuery, rows: Rows) -> dict[str, tuple[str, int]]:
    """The colour and number of each tier, the same in all panels. New answers are grey."""
    ink = INKS[query.view.theme]
    hues = {tier: (ink.palette[at], at) for at, tier in enumerate(_TIERS)}
    hues |= {tier: (ink.palette[-1], 5) for tier in _order(rows) if tier not in hues}
    return hues | {"novel": (ink.grid, 0)}


def _tiers(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    drawn = stacked(
        query, rows, "tier", "n", _order(rows), hues=_hues(query, rows), unit=" requests"
    )
    return over_time(query, drawn, "requests", bars="stack", tall=True)


def _saved(rows: Rows, query: PanelQuery) -> Shown:
    reused = [row for row in rows if row["tier"] != "novel"]
    if not reused:
        return _NEVER
    if not total(reused, "saved_usd"):
        return Empty("No backend has a price, so reuse saved no money.")
    drawn = stacked(
        query, reused, "tier", "saved_usd", _order(reused), hues=_hues(query, reused), unit=" $"
    )
    return over_time(query, drawn, "dollars saved", bars="stack", tickprefix="$")


def checks(query: PanelQuery) -> str:
    return f"""
select coalesce(detail->>'bucket', 'any') as bucket, count(*) as checks,
       count(*) filter (state = 'wrong') as wrong, wrong / checks as share,
       greatest((wrong + 1.92) / (checks + 3.84)
         - 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / checks + 0.96), 0) as low,
       (wrong + 1.92) / (checks + 3.84)
         + 1.96 / (checks + 3.84) * sqrt(wrong * (checks - wrong) / checks + 0.96) as high
from events where kind = 'reuse' and state in ('wrong', 'right') and {query.here}
group by all order by checks desc limit 20"""


def _checks(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return Empty(
            "No reused answer was checked in this time. Some are answered anew as a check, and "
            "feedback from apps counts too."
        )
    ink = INKS[query.view.theme]
    names = [plain(row["bucket"]) for row in rows]
    budget = query.facts.reuse_budget
    shapes = []
    if budget is not None:
        line = {"color": ink.bad, "dash": "dash", "width": 1.5}
        ends = {"yref": "paper", "x0": budget, "x1": budget, "y0": 0, "y1": 1}
        shapes.append({"type": "line", "line": line, **ends})
    return figure(
        query,
        [
            {
                **{"type": "scatter", "mode": "markers", "y": names},
                "name": "wrong, 95%" + ("" if budget is None else f"; dashed: budget {budget:.1%}"),
                "x": [row["share"] for row in rows],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [row["high"] - row["share"] for row in rows],
                    "arrayminus": [row["share"] - row["low"] for row in rows],
                },
                "marker": {"size": 9, "color": ink.palette[0], "symbol": SYMBOLS[2]},
                "customdata": [[row["wrong"], row["checks"]] for row in rows],
                "hovertemplate": "%{y}: %{customdata[0]} of %{customdata[1]} wrong<extra></extra>",
                "showlegend": True,
            }
        ],
        shapes=shapes,
        xaxis=axis(
            query, "share of checked answers that were wrong", tickformat=".0%", rangemode="tozero"
        ),
        yaxis=axis(query, type="category"),
        hovermode="closest",
    )


def solutions(query: PanelQuery) -> str:
    return f"""
with recursive used as (
  select solution, count(*) as uses, list(distinct reuse_tier order by reuse_tier) as tiers,
         min(kind) as kind, count(quality) as judged, avg(quality) as quality,
         sum(premium_cost_usd - cost_usd) as saved_usd, max(ts) as last_used,
         arg_max(request_id, ts) as request_id
  from {query.rows} where solution is not null and reuse_tier <> 'novel' group by solution
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


def _solutions(rows: Rows, query: PanelQuery) -> Shown:  # noqa: ARG001
    if not rows:
        return _NEVER
    return [
        table(
            ("solution", "used", "as", "kind", "quality", "saved", "comes from", "last used (UTC)"),
            [
                (
                    link(str(row["solution"]), page="requests", request=row["request_id"]),
                    number(row["uses"]),
                    ", ".join(row["tiers"]),
                    row["kind"] or "",
                    number(row["quality"], ".3f") + f" ({row['judged']} judged)",
                    dollars(row["saved_usd"] or 0.0),
                    " ← ".join(map(str, row["lineage"] or ())),
                    when(row["last_used"]),
                )
                for row in rows
            ],
            numeric=(1, 5),
            label="solutions that were used most",
        )
    ]


PAGE = Page(
    "reuse",
    "Reuse",
    "Answers from memory: how many there are, how often they are wrong, and what they save.",
    (
        Panel(
            "reuse-strip",
            "At a glance",
            strip,
            _strip,
            form="parts",
            size="whole",
            note="“At most” is the upper end of a 95% interval (Wilson's).",
        ),
        Panel(
            "tiers",
            "Where answers came from",
            tiers,
            _tiers,
            size="whole",
            tall=True,
            note="exact: the same request again; reuse: a request with the same meaning; adapt and "
            "pattern: an earlier solution, changed to fit; novel: answered anew.",
        ),
        Panel(
            "checks",
            "False reuse",
            checks,
            _checks,
            note="Grouped by what the request had in common with the request that was solved.",
        ),
        Panel("saved", "Saved", tiers, _saved),
        Panel(
            "solutions",
            "Most used solutions",
            solutions,
            _solutions,
            form="parts",
            size="whole",
            note="From the newest requests in the span. “Comes from” lists the solutions that it "
            "was adapted from, youngest first; `waggle solutions lineage` shows more.",
        ),
    ),
)
