"""Draws how traffic flows: from kinds of requests to plans, and from plans to backends."""

from typing import Any

from dashboard.figures import INKS, colour, faded, figure, plain
from dashboard.panel import PanelQuery, Shown, nothing_yet
from dashboard.source import Rows, moment

_MOVED = 0.05  # of all requests; a plan's label shows a change in its share that is larger
_RARE = 0.01  # of all requests; plans with a smaller share are drawn as one plan


def topology(query: PanelQuery) -> str:
    half = query.span.since + (query.span.until - query.span.since) / 2
    return f"""
with s as (
  select coalesce(kind, 'any') as kind, plan, minute >= {moment(half)} as late, n
  from {query.sums} where {query.narrowed}),
k as (
  select kind, plan, sum(n)::bigint as n,
         case when (select sum(n) from s where not late) >= 20 then
           coalesce(sum(n) filter (late) / nullif((select sum(n) from s where late), 0), 0)
           - coalesce(sum(n) filter (not late)
                      / nullif((select sum(n) from s where not late), 0), 0)
         else 0 end as moved
  from s group by all),
c as (
  select plan, backend, count(*) as calls, avg((error_type is not null)::int) as failed
  from {query.calls} where backend is not null group by all)
select 'plan' as what, kind as source, plan as target, n, moved, null as failed from k
union all by name
select 'backend' as what, plan as source, backend as target, calls as n, null as moved, failed
from c order by what desc, source, target"""


def show_topology(rows: Rows, query: PanelQuery) -> Shown:
    if not rows:
        return nothing_yet(query)
    ink = INKS[query.view.theme]
    nodes, links, moved = _flows(_gathered(rows), query)
    labels = []
    for floor, name in nodes:
        change = moved.get(name, 0.0) if floor == "plan" else 0.0
        sign = f" ▲ {change:+.0%}" if change > _MOVED else f" ▼ {change:+.0%}"
        labels.append(plain(name) + (sign if abs(change) > _MOVED else ""))
    hues = [colour(query, name)[0] if floor == "plan" else ink.muted for floor, name in nodes]
    return figure(
        query,
        [
            {
                "type": "sankey",
                "arrangement": "snap",
                "node": {
                    "label": labels,
                    "color": hues,
                    "pad": 16,
                    "thickness": 14,
                    "line": {"width": 0},
                    "hovertemplate": "%{label}<extra></extra>",
                },
                "link": {
                    **links,
                    "hovertemplate": "%{source.label} → %{target.label}<br>"
                    "%{customdata}<extra></extra>",
                },
                "textfont": {"color": ink.text, "size": 12, "shadow": "none"},
            }
        ],
        tall=True,
        margin={"l": 10, "r": 10, "t": 20, "b": 20},
    )


def _flows(
    rows: Rows, query: PanelQuery
) -> tuple[dict[tuple[str, str], int], dict[str, list[Any]], dict[str, float]]:
    """The nodes, the links between the nodes, and the change in each plan's share."""
    nodes: dict[tuple[str, str], int] = {}
    links: dict[str, list[Any]] = {
        name: [] for name in ("source", "target", "value", "color", "customdata")
    }
    routed = sum(row["n"] for row in rows if row["what"] == "plan") or 1
    called = sum(row["n"] for row in rows if row["what"] == "backend") or 1
    moved: dict[str, float] = {}
    for row in rows:
        sort = ("kind", "plan") if row["what"] == "plan" else ("plan", "backend")
        named = ((sort[0], row["source"]), (sort[1], row["target"]))
        ends = [nodes.setdefault(end, len(nodes)) for end in named]
        plan = row["target"] if row["what"] == "plan" else row["source"]
        links["source"].append(ends[0])
        links["target"].append(ends[1])
        # Shares make both halves equally wide: only the calls of the newest requests are read.
        whole = routed if row["what"] == "plan" else called
        links["value"].append(max(row["n"] / whole, 1e-4))
        links["color"].append(faded(colour(query, plan)[0], 0.45))
        if row["what"] == "plan":
            moved[plan] = moved.get(plan, 0.0) + row["moved"]
            links["customdata"].append(
                f"{row['n']:,} requests, {row['moved']:+.1%} of all since the first half"
            )
        else:
            links["customdata"].append(f"{row['n']:,} calls, {row['failed']:.1%} failed")
    return nodes, links, moved


def _gathered(rows: Rows) -> Rows:
    """Merge all rare plans into one, so that the labels of the others stay readable."""
    plans: dict[str, int] = {}
    for row in rows:
        if row["what"] == "plan":
            plans[row["target"]] = plans.get(row["target"], 0) + row["n"]
    whole = sum(plans.values()) or 1
    rare = {plan for plan, n in plans.items() if n < _RARE * whole}
    if len(rare) < 2:
        return rows
    name = f"{len(rare)} rare plans"
    gathered: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        end = "target" if row["what"] == "plan" else "source"
        row = {**row, end: name if row[end] in rare else row[end]}
        key = str(row["what"]), str(row["source"]), str(row["target"])
        have = gathered.setdefault(key, {**row, "n": 0, "moved": 0.0, "failed": 0.0})
        have["moved"] += row["moved"] or 0.0
        have["failed"] = (have["failed"] * have["n"] + (row["failed"] or 0.0) * row["n"]) / (
            have["n"] + row["n"]
        )
        have["n"] += row["n"]
    return list(gathered.values())
