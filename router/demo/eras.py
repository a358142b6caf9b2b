"""Shows the weeks of the demo's office: a table of eras, a picture, and the report of all of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from router.cli.report import learning_report, write_report
from router.cli.terminal import out
from router.demo.office_weeks import LIBRARY, office_weeks

PICTURE = "eras.svg"
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 860, 330, 56, 44, 40


def eras(
    count: int, *, requests: int, seed: int, data: Path, config_file: Path | None
) -> list[dict[str, Any]]:
    """Simulate the weeks, show them, and write a picture and a report beside their telemetry."""
    rows, config, seconds = office_weeks(
        count, requests=requests, seed=seed, data=data, config_file=config_file
    )
    out.print(table_of(rows))
    for row in rows:
        if row["events"]:
            out.print(escape(f"week {row['week']}: {'; '.join(row['events'])}"))
    out.print("The eras:")
    for line in story(rows):
        out.print(escape(line))
    out.print(conclusion(rows))
    folder = config.data
    (folder / PICTURE).write_text(picture(rows), "utf-8")
    report = write_report(learning_report(config, days=len(rows) * 7.0 + 1), folder)
    out.print(f"The picture: {folder / PICTURE}. The report: {report} ({seconds:.0f} s)")
    out.print(
        f"Read on: waggle solutions report --data {folder}; waggle trial list --data {folder}"
    )
    query = "select subject, detail from events where kind = 'demo' order by ts"
    out.print(f'Each week as a row: waggle sql "{query}" --data {folder}')
    return rows


def cost_beside_large(row: Mapping[str, Any]) -> float:
    return float(row["usd_per_1k"]) / max(float(row["premium_usd_per_1k"]), 1e-9)


def table_of(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Week by week", box=None)
    for name in ("week", "served by", "library", "of repeats", "quality", "cost", "paths"):
        table.add_column(name, justify="right" if name not in ("served by", "paths") else "left")
    for row in rows:
        library = sum(row["paths"].get(name, 0.0) for name in LIBRARY)
        paths = ", ".join(f"{name} {share:.0%}" for name, share in row["paths"].items())
        table.add_row(
            str(row["week"]),
            row["serving"],
            f"{library:.0%}",
            f"{row['reuse_of_repeats']:.0%}",
            f"{row['quality']:.3f}",
            f"{cost_beside_large(row):.0%}",
            paths,
        )
    return table


def story(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each era: the weeks in which the same strategy served, and what they brought."""
    parts: list[list[Mapping[str, Any]]] = []
    for row in rows:
        if not parts or parts[-1][-1]["serving"] != row["serving"]:
            parts.append([])
        parts[-1].append(row)
    return [_era(weeks) for weeks in parts]


def _era(weeks: Sequence[Mapping[str, Any]]) -> str:
    first, last = weeks[0], weeks[-1]
    span = f"{first['week']}-{last['week']}" if len(weeks) > 1 else str(first["week"])
    quality = sum(week["quality"] for week in weeks) / len(weeks)
    paths = max((name for name in last["paths"]), key=lambda name: float(last["paths"][name]))
    return (
        f"week{'s' if len(weeks) > 1 else ''} {span}, {first['serving']}: repeats from the library "
        f"{first['reuse_of_repeats']:.0%} → {last['reuse_of_repeats']:.0%}, cost "
        f"{cost_beside_large(first):.0%} → {cost_beside_large(last):.0%}, quality {quality:.3f}; "
        f"in the end most came by {paths}"
    )


def rollbacks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was adopted or kept and went back, with its week: strategies and answers."""
    return [
        f"week {row['week']}: {event}"
        for row in rows
        for event in row["events"]
        if "rolled back" in event
    ]


def conclusion(rows: Sequence[Mapping[str, Any]]) -> str:
    """The last week beside the first, and what the library got wrong."""
    first, last = rows[0], rows[-1]
    wrong, back = sum(row["wrong_near"] for row in rows), rollbacks(rows)
    return (
        f"Repeats from the library: {first['reuse_of_repeats']:.0%} → "
        f"{last['reuse_of_repeats']:.0%}. Cost beside always large: "
        f"{cost_beside_large(first):.0%} → {cost_beside_large(last):.0%}. Quality: "
        f"{first['quality']:.3f} → {last['quality']:.3f}. Near misses that the library answered "
        f"wrongly: {wrong}. Times that something was rolled back: {len(back)}"
        + (f" ({'; '.join(back)})." if back else ".")
    )


def picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """The eras as an SVG: three curves from 0 to 1, and a mark at each week with an event."""
    right, low = _WIDTH - 24, _HEIGHT - _BOTTOM

    def x(at: int) -> float:
        return _LEFT + (right - _LEFT) * at / max(len(rows) - 1, 1)

    def y(value: float) -> float:
        return low - (low - _TOP) * min(max(value, 0.0), 1.25) / 1.25

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25):
        parts.append(
            f'<path d="M{_LEFT} {y(tick):.1f}H{right}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>'
        )
    for at, row in enumerate(rows):
        parts.append(
            f'<text x="{x(at):.1f}" y="{low + 18}" text-anchor="middle">{row["week"]}</text>'
        )
        if any("rolled back" in event for event in row["events"]):
            parts.append(
                f'<path d="M{x(at):.1f} {_TOP}V{low}" stroke="#b00" stroke-dasharray="3 3">'
                f"<title>week {row['week']}: rolled back</title></path>"
            )
    curves = (
        ("share of repeats from the library", "#0072b2", [r["reuse_of_repeats"] for r in rows]),
        ("cost beside always large", "#c25700", [cost_beside_large(row) for row in rows]),
        ("quality", "#00795a", [row["quality"] for row in rows]),
    )
    for n, (name, color, figures) in enumerate(curves):
        points = " ".join(f"{x(at):.1f},{y(figure):.1f}" for at, figure in enumerate(figures))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"/>'
            f'<text x="{_LEFT + 260 * n}" y="20" fill="{color}">{name}</text>'
        )
    parts.append(
        f'<text x="{right}" y="36" text-anchor="end" fill="#b00">dashed: rolled back</text>'
    )
    return "\n".join((*parts, "</svg>\n"))
