"""Closed-answer tasks out of recorded data: each request with an answer that somebody else gave.

Labels of requests are those of the data sets; decisions follow from recorded scores of two models.
Rows are drawn into training, validation and test at random, since the sets have no times.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from router.training.data_rows import SPLITS, DataRow, Message
from router.training.data_sets import DataSet

_CUTS = (0.6, 0.8, 1.0)
_DOLLARS_PER_TOKEN = 0.4e-6  # of a small hosted model; a teacher of any task costs at least this
_ANSWER_TOKENS = 5


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its rows, and what its teacher costs for a request at the median."""

    data: DataSet
    teacher_usd: float


def task(name: str, pairs: Iterable[tuple[str, str]], *, most: int, seed: int = 7) -> Task:
    """A task of prompts and answers."""
    rows = sorted(set(pairs))
    random.Random(seed).shuffle(rows)
    data = [
        DataRow(str(n), n, (Message("user", prompt),), answer, 1.0, "judged", plan="recorded")
        for n, (prompt, answer) in enumerate(rows[:most])
    ]
    cuts = [0, *(round(len(data) * cut) for cut in _CUTS)]
    splits = {split: tuple(data[cuts[n] : cuts[n + 1]]) for n, split in enumerate(SPLITS)}
    tokens = sorted(len(row.text) / 4 for row in data)[len(data) // 2]
    return Task(DataSet(name, 1, {}, splits), (tokens + _ANSWER_TOKENS) * _DOLLARS_PER_TOKEN)


def recorded(folder: Path, most: int) -> list[Task]:
    """The tasks of the recorded data in a folder."""
    return [
        *(
            task(name, _labels(folder / file, name_of), most=most)
            for name, file, name_of in _LABELS
        ),
        *(
            task(name, _decisions(folder / file, *models), most=most)
            for name, file, models in _DECISIONS
        ),
    ]


def _labels(path: Path, name_of: Callable[[str], str]) -> list[tuple[str, str]]:
    rows = pl.read_parquet(path, columns=["prompt", "category"]).unique("prompt")
    return [(prompt, name_of(category)) for prompt, category in rows.iter_rows()]


def _decisions(path: Path, small: str, large: str) -> list[tuple[str, str]]:
    """Whether the small model's answer is as good as the large model's."""
    rows = pl.read_parquet(path, columns=["prompt", "model", "score"])
    table = rows.filter(pl.col("model").is_in([small, large])).pivot(
        "model", index="prompt", values="score", aggregate_function="first"
    )
    return [
        (prompt, "yes" if first >= second else "no")
        for prompt, first, second in table.select("prompt", small, large).iter_rows()
        if first is not None and second is not None
    ]


_LABELS: Sequence[tuple[str, str, Callable[[str], str]]] = (
    ("benchmark of a prompt (llmrouter, 14)", "llmrouter.parquet", str),
    ("kind of a function call (bfcl, 11)", "bfcl_july.parquet", str),
    (
        "sort of a puzzle (reasoning_gym, 11)",
        "reasoning_gym_easy.parquet",
        lambda category: category.partition("/")[0],
    ),
    ("subject of a question (mmlu, 57)", "routellm_mmlu.parquet", str),
)
_DECISIONS = (
    (
        "is the 8b model as good? (llmrouter)",
        "llmrouter.parquet",
        ("llama-3.1-8b-instruct", "llama-3.1-nemotron-51b-instruct"),
    ),
    (
        "is Mixtral as good? (mmlu)",
        "routellm_mmlu.parquet",
        ("Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"),
    ),
)
