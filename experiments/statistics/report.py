"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table
from experiments.statistics.judging import judging_table
from experiments.statistics.suites import suites_table


def readme_table(result: dict[str, Any]) -> str:
    read, other = result["paraphrases"], result["ordinary"]
    rows = [[name, f"{took['p50_ms']:.1f} ms"] for name, took in result["endpoint"].items()]
    summary = (
        f"Median times of whole answers of `waggle serve` to one request asked again and again, "
        f"which memory may answer; new requests take about ten times as long. "
        f"{read['exact']} of {read['tried']} paraphrases are read exactly. "
        f"{other['of_all']} of {other['all']:,} other prompts are taken as computations "
        f"(`result.json` lists them; most are arithmetic and equations); reading one takes "
        f"{other['microseconds_each']:.0f} µs."
    )
    times = f"{table(['request', 'time to a `spec` answer'], rows)}\n\n{summary}"
    judged, blind = result.get("judging"), result.get("blind")
    parts = [times]
    clauses = result.get("added_clauses")
    if clauses:
        parts.append(
            f"{clauses['tried']:,} times a clause that changes the request was added to a request: "
            f"{clauses['refused']:,} refused by name, {clauses['read']:,} read, "
            f"{clauses['ignored']:,} ignored."
        )
    if blind:
        parts.append(suites_table(blind))
    if judged:
        parts.append(judging_table(judged))
    return "\n\n".join(parts)
