"""What was spent in the time of a report, and by which team, tag and key."""

from collections.abc import Iterable, Mapping

from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry
from router.keys import Key

_MOST = 15  # rows for each of teams, tags and keys


def spent(telemetry: ReportedTelemetry, names: Mapping[str, str]) -> ReportSection:
    """The section on spending; `names` are the names of keys by their ids."""
    begin, end = (
        f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'" for moment in (telemetry.begin, telemetry.end)
    )
    sql = f"""
select by_what, name, sum(n)::bigint as n, sum(usd) as usd, sum(unpriced)::bigint as unpriced
from spend(since := {begin}, until := {end})
group by by_what, name
qualify row_number() over (partition by by_what order by sum(usd) desc, name) <= {_MOST}
order by by_what desc, sum(usd) desc, name nulls last"""
    rows = telemetry.rows(sql)
    total = sum(row["usd"] for row in rows if row["by_what"] == "key")
    title = "What was spent, and by whom"
    # Without teams, tags and keys there is a single row of each, which says nothing.
    shown = [row for row in rows if row["name"] is not None or _has_others(rows, row["by_what"])]
    if not shown:
        return ReportSection(title, (f"${total:.4f}; no request had a key or a tag.",), sql=(sql,))
    lines = [
        (
            row["by_what"],
            _name(row["by_what"], row["name"], names),
            f"${row['usd']:.4f}",
            f"{row['usd'] / total:.0%}" if total else "",
            f"{row['n']:,}",
            f"{row['unpriced']:,}" if row["unpriced"] else "",
        )
        for row in shown
    ]
    head = ("by", "name", "spent", "share", "requests", "without a price")
    words = (f"${total:.4f} in all. A request with two tags counts in both rows.",)
    return ReportSection(title, words, head, lines, sql=(sql,))


def key_names(keys: Iterable[Key]) -> dict[str, str]:
    return {key.id: key.name for key in keys}


def _has_others(rows: Iterable[Mapping[str, object]], by_what: str) -> bool:
    return any(row["by_what"] == by_what and row["name"] is not None for row in rows)


def _name(by_what: str, name: str | None, names: Mapping[str, str]) -> str:
    if name is None:
        return f"no {by_what}"
    return names.get(name, name) if by_what == "key" else name
