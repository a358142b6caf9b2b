"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table


def readme_table(result: dict[str, Any]) -> str:
    fast, wait = result["writing"]["200"], result["acknowledging"]
    day, month = result["a day"], result["a month"]
    rows = [
        [f"a {name}", _worst(day[key]), _worst(month[key])]
        for key, name in (
            ("panels", "panel over all of it (learning curve, scores, savings, …)"),
            ("last five minutes", "question about the last five minutes"),
            ("explain", "request explained"),
        )
    ]
    for name in ("cost by plan", "quality by plan"):
        cells = [f"{part['raw'][name]['ms']:.0f} ms" for part in (day, month)]
        rows.append([f"every single row read: {name}", *cells])
    head = [f"{day['rows'] / 1e6:.0f} million requests", "in 28 hours", "in 30 days"]
    summary = (
        f"The slowest of each, opening the database included. One writer writes "
        f"{fast['rows_per_second']:,.0f} rows a second, made durable by the 200; a row costs "
        f"{fast['cpu_us_per_row']:.1f} µs of CPU from its trace to its Parquet segment. At "
        f"1000 a second, feedback is durable after {wait['p50_ms']:.1f} ms (p99 "
        f"{wait['p99_ms']:.1f} ms). {day['bytes'] / day['rows']:.0f} bytes a request on disk. "
        f"({result['machine']}.)"
    )
    return f"{table(head, rows)}\n\n{summary}"


def _worst(queries: dict[str, dict[str, float]]) -> str:
    return f"{max(query['ms'] for query in queries.values()):.0f} ms"
