"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table


def readme_table(result: dict[str, Any]) -> str:
    fast, wait = result["writing"]["200"], result["acknowledging"]
    day, month = result["a day"], result["a month"]
    rows = [
        [f"slowest {name}", _worst(day[key]), _worst(month[key])]
        for key, name in (
            ("panels", "panel over all requests (learning curve, scores, savings, …)"),
            ("last five minutes", "query over the last five minutes"),
            ("explain", "explanation of one request"),
        )
    ]
    for name in ("cost by plan", "quality by plan"):
        cells = [f"{part['raw'][name]['ms']:.0f} ms" for part in (day, month)]
        rows.append([f"{name}, read from every row", *cells])
    head = [f"{day['rows'] / 1e6:.0f} million requests", "in 28 hours", "in 30 days"]
    summary = (
        f"Times include the opening of the database. One writer writes "
        f"{fast['rows_per_second']:,.0f} durable rows a second, in batches of 200; a row costs "
        f"{fast['cpu_us_per_row']:.1f} µs of CPU from its trace to its Parquet segment. At "
        f"1000 signals a second, a signal is durable after {wait['p50_ms']:.1f} ms (p99 "
        f"{wait['p99_ms']:.1f} ms). A request takes {day['bytes'] / day['rows']:.0f} bytes on "
        f"disk. ({result['machine']}.)"
    )
    return f"{table(head, rows)}\n\n{summary}"


def _worst(queries: dict[str, dict[str, float]]) -> str:
    return f"{max(query['ms'] for query in queries.values()):.0f} ms"
