"""Measures the cost of plans and patterns, and the search of specialists. `make bench-plans`"""

import asyncio
import json
import tempfile
from pathlib import Path

from rich.progress import Progress

from experiments.plans import batch, committees, patterns, specialists
from experiments.plans.report import readme_table
from experiments.readme import put

HERE = Path(__file__).parent
QUESTIONS, RECORDS, CONFERRED = 2000, 10_000, 1000


def main() -> None:
    with Progress() as progress:
        task = progress.add_task("plans", total=4 + len(patterns.PLANS))

        def advance() -> None:
            progress.advance(task)

        result = asyncio.run(patterns.measured(QUESTIONS, advance))
        result["overhead"] = asyncio.run(patterns.overhead(200))
        advance()
        result["committees"] = asyncio.run(committees.measured(CONFERRED))
        advance()
        with tempfile.TemporaryDirectory() as home:
            result["specialists"] = specialists.measured(Path(home))
        advance()
        result["batch"] = batch.measured(RECORDS)
        advance()
    (HERE / "result.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    put("plans", readme_table(result))
    print(readme_table(result))


if __name__ == "__main__":
    main()
