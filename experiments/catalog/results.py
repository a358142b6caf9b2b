"""Write results.csv: public results of models on benchmarks, from copies of their sources.

    git clone https://github.com/LiveBench/livebench.github.io LIVEBENCH
    git clone https://github.com/Aider-AI/aider AIDER
    git clone https://github.com/ShishirPatil/gorilla GORILLA      # branch gh-pages
    git clone https://github.com/openai/simple-evals SIMPLE_EVALS
    python -m experiments.catalog.results LIVEBENCH AIDER GORILLA SIMPLE_EVALS

Only results that somebody other than the model's maker measured, with one exception: simple-evals
are OpenAI's own, measured alike for all models in its table. `NAMES` says which model, at which
effort, a name in a source means; a name that means none for sure is left out.
"""

import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

TABLE = Path(__file__).parent / "results.csv"
NAMES = Path(__file__).parent / "names_of_results.csv"
SOURCES = {
    "livebench": "https://github.com/LiveBench/livebench.github.io at 4bf96c8d, of 2026-07-01",
    "aider": "https://github.com/Aider-AI/aider (polyglot_leaderboard) at 5dc9490b, of 2026-05-22",
    "bfcl": "https://github.com/ShishirPatil/gorilla (data_overall.csv) at ea03bc8d, of 2025-12-16",
    "simple-evals": "https://github.com/openai/simple-evals (README.md) at ee3b031, of 2025-07-09",
}
# The categories of LiveBench, and the kinds of requests that they are like; of the tables of three
# years, since each has other questions. What it calls data analysis is like none of them.
_CATEGORIES = {
    "reasoning": ("web_of_lies_v2", "web_of_lies_v3", "zebra_puzzle", "spatial",
                  "theory_of_mind", "logic_with_navigation"),
    "math": ("AMPS_Hard", "integrals_with_game", "math_comp", "olympiad"),
    "coding": ("LCB_generation", "coding_completion", "code_generation", "code_completion"),
    "language": ("connections", "plot_unscrambling", "typos"),
    "instructions": ("paraphrase", "simplify", "story_generation", "summarize"),
    "data": ("cta", "consecutive_events", "tablejoin", "tablereformat"),
}  # fmt: skip
_LIVEBENCH = ("2024_11_25", "2025_04_25", "2025_05_30", "2026_01_08")
_SIMPLE_EVALS = {2: "MMLU", 3: "GPQA", 4: "MATH", 5: "HumanEval", 8: "SimpleQA"}


class Result(NamedTuple):
    model: str
    effort: str
    benchmark: str
    score: float
    source: str  # a key of SOURCES


def main(livebench: Path, aider: Path, gorilla: Path, simple_evals: Path) -> None:
    results = [
        *_livebench(livebench),
        *_aider(aider),
        *_bfcl(gorilla),
        *_simple_evals(simple_evals),
    ]
    with TABLE.open("w", newline="") as file:
        file.writelines(f"# {name}: {address}\n" for name, address in SOURCES.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Result._fields)
        writer.writerows(sorted(set(results)))


def names(source: str) -> dict[str, tuple[str, str]]:
    """The model and the effort that each name of a source means."""
    rows = csv.DictReader(NAMES.read_text().splitlines())
    return {row["name"]: (row["model"], row["effort"]) for row in rows if row["source"] == source}


def _livebench(folder: Path) -> Iterator[Result]:
    meant = names("livebench")
    for table in _LIVEBENCH:
        text = (folder / f"public/table_{table}.csv").read_text()
        for row in csv.DictReader(io.StringIO(text)):
            if row["model"] not in meant:
                continue
            for category, tasks in _CATEGORIES.items():
                scores = [float(row[task]) for task in tasks if row.get(task)]
                if scores:
                    mean = round(sum(scores) / len(scores), 1)
                    benchmark = f"livebench-{table[:7]}-{category}"
                    yield Result(*meant[row["model"]], benchmark, mean, "livebench")


def _aider(folder: Path) -> Iterator[Result]:
    meant, path = names("aider"), "aider/website/_data/polyglot_leaderboard.yml"
    for row in yaml.safe_load((folder / path).read_text()):
        if row["model"] in meant and row["edit_format"] != "architect":
            yield Result(*meant[row["model"]], "aider-polyglot", row["pass_rate_2"], "aider")


def _bfcl(folder: Path) -> Iterator[Result]:
    meant = names("bfcl")
    for row in csv.DictReader((folder / "data_overall.csv").read_text().splitlines()):
        if row["Model"] in meant:
            score = float(row["Overall Acc"].rstrip("%"))
            yield Result(*meant[row["Model"]], "bfcl-v4", score, "bfcl")


def _simple_evals(folder: Path) -> Iterator[Result]:
    meant = names("simple-evals")
    for line in (folder / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        name = re.sub(r"\s*\[\^\d+\]|\[(.+)\]\(.*\)", r"\1", cells[1]) if len(cells) > 8 else ""
        if name not in meant:
            continue
        for column, benchmark in _SIMPLE_EVALS.items():
            at = column + 1
            if re.fullmatch(r"\d+(\.\d+)?", cells[at]):
                yield Result(*meant[name], benchmark, float(cells[at]), "simple-evals")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:5]))
