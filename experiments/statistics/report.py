"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table


def readme_table(result: dict[str, Any]) -> str:
    read, other = result["paraphrases"], result["ordinary"]
    rows = [[name, f"{took['p50_ms']:.1f} ms"] for name, took in result["endpoint"].items()]
    summary = (
        f"Through the endpoint of `waggle serve`, whole answers, median. Of {read['tried']} ways "
        f"to ask for data or figures {read['exact']} are read exactly; of {other['all']:,} "
        f"prompts of other kinds {other['of_all']} are taken for statistical, at "
        f"{other['microseconds_each']:.0f} µs each."
    )
    return f"{table(['asked for', 'answered and verified after'], rows)}\n\n{summary}"
