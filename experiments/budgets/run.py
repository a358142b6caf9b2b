"""Measures by how much budgets of keys, teams and tags are exceeded under calls side by side.

    make bench-budgets

Each round sends waves of fifty calls through two routers, until a wave is refused as a whole. The
same calls are also sent once without budgets.
"""

import asyncio
import json
import os
import platform
import statistics
from pathlib import Path
from typing import Any

from experiments.budgets.report import readme_table
from experiments.budgets.scene import CALLS, Figures, round_of
from experiments.readme import put

HERE = Path(__file__).parent
ROUNDS = 30


def main() -> None:
    rounds = [asyncio.run(round_of(seed)) for seed in range(ROUNDS)]
    free = [asyncio.run(round_of(seed, bounded=False)) for seed in range(5)]
    result = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", **figures(rounds, free)}
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    put("budgets", readme_table(result))
    print(json.dumps(result, indent=2))


def figures(rounds: list[Figures], free: list[Figures]) -> dict[str, Any]:
    return {
        "rounds": len(rounds),
        "calls side by side": CALLS,
        "budgets": len(rounds[0].excess),
        "calls": sum(each.calls for each in rounds),
        "answered": sum(each.answered for each in rounds),
        "budgets exceeded": sum(usd > 1e-9 for each in rounds for usd in each.excess.values()),
        "budgets exceeded by more than one call": sum(each.worst > 1 for each in rounds),
        "worst excess in calls": round(max(each.worst for each in rounds), 3),
        "worst excess in dollars": round(
            max(usd for each in rounds for usd in each.excess.values()), 4
        ),
        "granted of the widest budget": round(statistics.mean(each.granted for each in rounds), 3),
        "least granted": round(min(each.granted for each in rounds), 3),
        "one wave without budgets, in calls": round(max(each.worst for each in free), 2),
        "widest budget": 4.5,
    }


if __name__ == "__main__":
    main()
