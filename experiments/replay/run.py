"""Measures how well Waggle learns, beside its controls and other learners. `make bench-replay`

python -m experiments.replay.run [--sets NAME|FILE,...] [--half dev] [--seeds 8] [--quick]
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.readme import put
from experiments.replay.comparing import rivals_table
from experiments.replay.jobs import TABLES, Job, Places, run_all, todo
from experiments.replay.outcomes import Outcomes
from experiments.replay.report import (
    conditions_table,
    harm_table,
    held_table,
    learning_table,
    plots,
    readme_table,
    savings_table,
    sets_table,
    summed,
)
from experiments.replay.saving import savings
from experiments.replay.sets import DEV_SETS, add_places

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_QUICK_SEEDS, _QUICK_PROMPTS = 2, 1_500


def main() -> None:
    options = _options()
    places = Places(options.data, options.cache, options.half, options.most)
    tables = options.tables.split(",")
    sets = options.sets.split(",")
    result = json.loads(options.out.read_text()) if options.add and options.out.is_file() else {}
    called = options.players.split(",")
    runs = run_all(
        [job for name in tables for job in todo(name, sets, called, options.seeds, places)],
        places,
        options.jobs,
    )
    for table in tables:
        of_table = [(job, figures) for job, figures in runs if job.table == table]
        figures = summed(of_table) if table != "saved" else saved(of_table)
        for stream, players_of in figures.items():
            result.setdefault(table, {}).setdefault(stream, {}).update(players_of)
    described = {Path(name).stem: _described(places.outcomes(name)) for name in sets}
    result["sets"] = {**result.get("sets", {}), **described}
    result |= {"half": options.half, "seeds": options.seeds, "most": options.most}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    show(result)
    if options.publish:
        publish(result)
        plots(result, ROOT / "var" / "replay")


def saved(runs: Sequence[tuple[Job, Any]]) -> dict[str, Any]:
    points: dict[str, dict[str, dict[int, Any]]] = {}
    for job, figures in runs:
        points.setdefault(job.stream, {}).setdefault(job.name, {})[job.seed] = figures
    return {stream: savings(by_weight) for stream, by_weight in points.items()}


def show(result: dict[str, Any]) -> None:
    if "main" in result:
        print(harm_table(result), rivals_table(result), learning_table(result), sep="\n\n")
    for name, report in (("conditions", conditions_table), ("saved", savings_table)):
        if name in result:
            print(report(result), sep="\n\n")
    for name in ("budget", "timings"):
        if name in result:
            print(name, json.dumps(result[name], indent=1))


def publish(result: dict[str, Any]) -> None:
    """Write the figures and the tables that the pages show."""
    text = json.dumps(result, indent=1)
    text = re.sub(r"\[\s+([-\d.,e\s]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)
    (HERE / "result.json").write_text(text + "\n")
    put("replay", readme_table(result))
    put("sets", sets_table(result), "replay")
    put("held", held_table(result), "replay")
    put("savings", savings_table(result), "replay")
    put("learning", learning_table(result), "replay")
    put("rivals", rivals_table(result), "replay")
    put("conditions", conditions_table(result), "replay")


def _described(outcomes: Outcomes) -> dict[str, Any]:
    return {
        "prompts": len(outcomes.prompts),
        "models": len(outcomes.arms),
        "notes": list(outcomes.notes),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_places(parser)
    add = parser.add_argument
    add("--sets", default=",".join(DEV_SETS), help="names of sets, or paths of tables")
    add("--half", choices=("dev", "held", "all"), default="dev", help="the part of each set")
    add("--seeds", type=int, default=0, help="shuffled streams of each set; default: 8")
    add("--most", type=int, default=0, help="the most prompts of a set")
    add("--players", default="", help="beginnings of names of players and conditions")
    add("--tables", default="", help=f"with commas: {', '.join(TABLES)}; quick: main")
    add("--add", action="store_true", help="add to the figures in --out")
    add("--publish", action="store_true", help="write result.json and the tables of the pages")
    add("--quick", action="store_true", help="2 seeds, and at most 1,500 prompts of a set")
    add("--jobs", type=int, default=1, help="processes")
    add("--out", type=Path, default=ROOT / "var" / "replay" / "result.json")
    options = parser.parse_args()
    options.tables = options.tables or ("main" if options.quick else ",".join(TABLES))
    options.seeds = options.seeds or (_QUICK_SEEDS if options.quick else 8)
    options.most = options.most or (_QUICK_PROMPTS if options.quick else 0)
    return options


if __name__ == "__main__":
    main()
