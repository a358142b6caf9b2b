"""Write router/catalog/cards.csv: what public results let expect of models, by kind of request.

    python -m experiments.catalog.cards

Each result is read as the strength of the model at its effort, plus the ease of the benchmark. The
strengths are shrunk towards their mean, by how many results they rest on, and a card is the lower
bound of a strength that holds with 95 % certainty. So a model with one lucky result has no better
card than one with many.

Not covered: whether a benchmark resembles the traffic to come, and models that learned a benchmark
by heart. The learner counts a card as two answers.
"""

import csv
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.catalog.results import SOURCES, Result
from experiments.catalog.results import TABLE as RESULTS
from router.catalog.cards import TABLE as CARDS

ANY = "any"
_SURE = 1.645  # deviations below the mean: one-sided, 95 %
_KINDS = {
    "coding": "code", "aider-polyglot": "code", "HumanEval": "code",
    "reasoning": "reasoning", "math": "reasoning", "GPQA": "reasoning", "MATH": "reasoning",
    "language": "text", "instructions": "text",
    "MMLU": "question", "SimpleQA": "question",
    "bfcl-v4": "tools",
}  # fmt: skip
# The effort of a request that sets none, by the makers' documentation.
DEFAULTS = {
    "gpt-5": "medium", "gpt-5-mini": "medium", "gpt-5-nano": "medium", "gpt-5-1": "none",
    "gpt-5-2": "none", "o1": "medium", "o3": "medium", "o3-mini": "medium", "o4-mini": "medium",
    "gemini-3-pro-preview": "high", "gemini-3-flash-preview": "high", "qwen3-32b": "high",
}  # fmt: skip


class Card(NamedTuple):
    model: str
    effort: str
    kind: str
    quality: float  # a lower bound
    results: int  # on how many results it rests


def kind_of(benchmark: str) -> str:
    """The kind of request that a benchmark is like; empty for none."""
    return _KINDS.get(benchmark, _KINDS.get(benchmark.rpartition("-")[2], ""))


def read() -> list[Result]:
    lines = [line for line in RESULTS.read_text().splitlines() if not line.startswith("#")]
    return [
        Result(row["model"], row["effort"], row["benchmark"], float(row["score"]), row["source"])
        for row in csv.DictReader(lines)
    ]


def cards(results: Sequence[Result]) -> list[Card]:
    made = []
    for kind in (ANY, *dict.fromkeys(_KINDS.values())):
        about = [r for r in results if kind in (ANY, kind_of(r.benchmark))]
        for (model, effort), (bound, count) in bounds(about).items():
            quality = round(min(max(bound, 0.05), 0.95), 2)
            made.append(Card(model, effort, kind, quality, count))
            if DEFAULTS.get(model) == effort:
                made.append(Card(model, "", kind, quality, count))
    return sorted(made)


def bounds(results: Sequence[Result]) -> Mapping[tuple[str, str], tuple[float, int]]:
    """The lower bound of the strength of each model at each effort, and its number of results."""
    models = {key: at for at, key in enumerate(dict.fromkeys(r[:2] for r in results))}
    tests = {name: at for at, name in enumerate(dict.fromkeys(r.benchmark for r in results))}
    who = np.array([models[result[:2]] for result in results])
    what = np.array([tests[result.benchmark] for result in results])
    scores = np.array([result.score / 100 for result in results])
    strength, ease = np.zeros(len(models)), np.zeros(len(tests))
    count = np.bincount(who, minlength=len(models))
    noise = spread = 0.01  # variances of a result about its expectation, and of strengths
    for _ in range(200):
        ease = np.bincount(what, scores - strength[who]) / np.bincount(what)
        kept = spread * count / (spread * count + noise)
        strength = kept * np.bincount(who, scores - ease[what], len(models)) / count
        noise = float(np.mean((scores - strength[who] - ease[what]) ** 2)) + 1e-4
        spread = float(np.mean(strength**2 + spread * (1 - kept))) + 1e-4
    deviation = np.sqrt(spread * noise / (spread * count + noise))
    bound = ease.mean() + strength - _SURE * deviation
    return {key: (float(bound[at]), int(count[at])) for key, at in models.items()}


def main() -> None:
    with CARDS.open("w", newline="") as file:
        file.writelines(f"# {name}: {address}\n" for name, address in SOURCES.items())
        file.write(
            "# Written by experiments/catalog/cards.py from experiments/catalog/results.csv\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Card._fields)
        writer.writerows(cards(read()))


if __name__ == "__main__":
    main()
