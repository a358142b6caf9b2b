"""Recorded answers of real models, from any table: the quality and cost of each model's answers.

A table has a row for each answer: prompt, model and score (0 to 1); category, prompt_id, cost_usd,
cost_est_usd, input_tokens and output_tokens where they are known. Only prompts that every model
answered are kept. `notes` says what was left out, and where the costs come from.

Not covered: scores on another scale, and what an answer says.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from learner.policy import Arm, Context
from router.config.objective import LadderSettings
from router.request.complexity import complexity
from router.request.context import context_of, numbers
from router.request.lens import ENOUGH, Lens, fitted
from router.request.reading import reading_of
from router.request.terms import terms

Matrix = np.ndarray[Any, np.dtype[np.float64]]
ORIGINS = {
    "llmrouter": "github.com/ulab-uiuc/LLMRouter",
    "routellm_mmlu": "github.com/lm-sys/RouteLLM",
    "bfcl_july": "github.com/HuanzhiMao/BFCL-Result (2024-07-25)",
    "reasoning_gym_easy": "github.com/open-thought/reasoning-gym-eval",
}
BFCL_POOL = (
    *("claude-3-5-sonnet-20240620", "claude-3-opus-20240229", "gpt-4-0125-preview"),
    *("gpt-4o-2024-05-13", "gemini-1.5-pro-preview-0514", "gemini-1.5-flash-preview-0514"),
    *("command-r-plus", "mistral-medium-2312", "mistral-small-2402", "claude-instant-1.2"),
    *("gpt-3.5-turbo-0125-FC", "claude-3-haiku-20240307"),
)
_OUTPUT_TOKENS = 200  # for an answer whose length was not recorded
_CHARACTERS_A_TOKEN = 4
_RECORDED = 0.9  # the share of a model's answers that must have a cost; the rest get its mean
_FREE = 10  # a model without a price counts as this much cheaper than the cheapest priced model


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The quality and the cost of each model's answer to each prompt."""

    name: str
    prompts: tuple[str, ...]
    tasks: tuple[str, ...]
    arms: tuple[Arm, ...]
    quality: Matrix  # A row is a prompt, a column a model.
    cost: Matrix
    vectors: Matrix
    notes: tuple[str, ...] = ()

    @property
    def dearness(self) -> Matrix:
        """log10 of each model's mean cost, relative to the mean cost of the cheapest model."""
        mean = self.cost.mean(axis=0)
        if not mean.any():
            return np.zeros(len(mean))
        mean = np.maximum(mean, mean[mean > 0].min() / _FREE)
        return np.asarray(np.log10(mean / mean.min()))

    @property
    def rates(self) -> dict[Arm, float]:
        """Dollars for which the cost term of the policy equals `dearness`."""
        rates = (10**self.dearness - 1) / 1000
        return {arm: float(rate) for arm, rate in zip(self.arms, rates, strict=True)}

    def best(self, weight: float) -> int:
        """The arm with the highest mean worth, when a unit of dearness costs `weight`."""
        return int((self.quality - weight * self.dearness).mean(axis=0).argmax())

    def only(self, arms: Sequence[int], name: str) -> "Outcomes":
        at = list(arms)
        chosen = tuple(self.arms[n] for n in at)
        quality, cost = self.quality[:, at], self.cost[:, at]
        return replace(self, name=name, arms=chosen, quality=quality, cost=cost)

    def at(self, rows: Sequence[int]) -> "Outcomes":
        """The outcomes of these prompts."""
        chosen = list(rows)
        return replace(
            self,
            prompts=tuple(self.prompts[n] for n in chosen),
            tasks=tuple(self.tasks[n] for n in chosen),
            quality=self.quality[chosen],
            cost=self.cost[chosen],
            vectors=self.vectors[chosen] if len(self.vectors) else self.vectors,
        )


def read_table(path: Path, prices: Path, *, models: Sequence[str] = ()) -> Outcomes:
    """The outcomes in a table, without sentence vectors. With `models`, only of these models."""
    name = path.stem
    if not path.is_file():
        origin = f"; its original is published at {ORIGINS[name]}" if name in ORIGINS else ""
        print(f"{path} is missing{origin}", file=sys.stderr)
        raise SystemExit(2)
    frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    absent = {"prompt", "model", "score"} - set(frame.columns)
    if absent:
        print(f"{path} has no column {', '.join(sorted(absent))}", file=sys.stderr)
        raise SystemExit(2)
    if models:
        frame = frame.filter(pl.col("model").is_in(list(models)))
    parts = [pl.col(part).cast(pl.String) for part in _key_parts(frame)]
    frame = frame.with_columns(key=pl.concat_str(*parts, separator="/", ignore_nulls=True))
    frame = frame.unique(["key", "model"], keep="first", maintain_order=True)
    names = tuple(sorted(frame["model"].unique()))
    scores = _wide(frame, "score", names)
    complete = scores.filter(pl.all_horizontal(pl.col(m).is_not_null() for m in names))
    if complete.is_empty():
        print(f"{path}: no prompt has a score of each of its {len(names)} models", file=sys.stderr)
        raise SystemExit(2)
    first = frame.unique("key", keep="first", maintain_order=True)
    table = first.join(complete.select("key"), on="key", how="semi")
    rest = frame.join(table.select("key"), on="key", how="semi")
    keys = table.select("key")
    quality = keys.join(complete, on="key", how="left").select(names).to_numpy()
    cost, source = _costs(rest, keys, names, prices)
    left_out = len(scores) - len(complete)
    notes = (source, *([f"{left_out} prompts lack a score and are left out"] if left_out else []))
    tasks = table["category"].to_list() if "category" in table.columns else [""] * len(table)
    return Outcomes(
        name,
        tuple(table["prompt"].to_list()),
        tuple(task or "" for task in tasks),
        tuple(Arm(model) for model in names),
        quality.astype(np.float64),
        cost,
        np.zeros((0, 0)),
        notes,
    )


def _key_parts(frame: pl.DataFrame) -> list[str]:
    parts: tuple[str, ...] = ("dataset", "category", "prompt_id")
    named = [part for part in parts if part in frame.columns]
    return named if "prompt_id" in named else [*named, "prompt"]


def _wide(frame: pl.DataFrame, column: str, models: Sequence[str]) -> pl.DataFrame:
    wide = frame.pivot(on="model", index="key", values=column)
    return wide.with_columns(pl.col(model).cast(pl.Float64) for model in models)


def _costs(
    frame: pl.DataFrame, keys: pl.DataFrame, models: Sequence[str], prices: Path
) -> tuple[Matrix, str]:
    """Dollars of each answer, and where they come from: the first source that has all models."""
    for column, source in (
        ("cost_usd", "costs as recorded"),
        ("cost_est_usd", "costs as the table estimates them"),
    ):
        if column in frame.columns:
            cost = keys.join(_wide(frame, column, models), on="key", how="left")
            given = cost.select(models).to_numpy().astype(np.float64)
            if (np.isfinite(given).mean(axis=0) >= _RECORDED).all():
                return np.where(np.isnan(given), np.nanmean(given, axis=0), given), source
    listed = _listed_prices(prices)
    matched = {model: listed.get(_plain(model)) for model in models}
    missing = [model for model, price in matched.items() if price is None]
    if missing:
        return (
            np.full((len(keys), len(models)), 0.001),
            f"one price for all models: no cost is recorded, and {len(missing)} of {len(models)} "
            "models have no listed price",
        )
    inward, outward = np.array([matched[model] for model in models], dtype=np.float64).T
    tokens_in = _tokens(frame, keys, models, "input_tokens", "prompt")
    tokens_out = _tokens(frame, keys, models, "output_tokens", "output_chars")
    cost = (tokens_in * inward + tokens_out * outward) / 1e6
    return cost, f"costs by listed prices; an answer of unknown length has {_OUTPUT_TOKENS} tokens"


def _tokens(
    frame: pl.DataFrame, keys: pl.DataFrame, models: Sequence[str], column: str, text: str
) -> Matrix:
    """Tokens as recorded, else by the characters of `text`, else the usual number."""
    frame = frame.with_columns(
        tokens=pl.coalesce(
            pl.col(column).cast(pl.Float64) if column in frame.columns else pl.lit(None),
            _characters(frame, text) / _CHARACTERS_A_TOKEN,
            pl.lit(float(_OUTPUT_TOKENS)),
        )
    )
    wide = keys.join(_wide(frame, "tokens", models), on="key", how="left")
    return np.asarray(wide.select(models).to_numpy().astype(np.float64))


def _characters(frame: pl.DataFrame, column: str) -> pl.Expr:
    if column not in frame.columns:
        return pl.lit(None, dtype=pl.Float64)
    value = pl.col(column)
    return value.str.len_chars() if frame[column].dtype == pl.String else value.cast(pl.Float64)


def _listed_prices(path: Path) -> Mapping[str, tuple[float, float]]:
    """Dollars per million tokens of input and output, by a model's plain name; a price of the
    model's own name goes before a price of its name at a provider."""
    if not path.is_file():
        return {}
    listed: dict[str, tuple[float, float]] = {}
    with path.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: "/" in row["model"])
    for row in rows:
        price = float(row["input_usd_per_mtok"]), float(row["output_usd_per_mtok"])
        listed.setdefault(_plain(row["model"]), price)
    return listed


def _plain(model: str) -> str:
    return model.rpartition("/")[2].lower()


def contexts(
    outcomes: Outcomes, order: Sequence[int], *, tagged: bool, early: bool = False
) -> list[Context]:
    """The context of each prompt, in the order of the table.

    The lens is fitted to the first prompts of the stream. The contexts of these prompts have no
    features of the lens, unless `early` says that the lens was fitted before the stream began.
    """
    first = list(order[:ENOUGH])
    lens = fitted(
        [terms(outcomes.prompts[at]) for at in first],
        [outcomes.vectors[at].tolist() for at in first],
    )
    without = set() if early else set(first)
    return [
        _context(outcomes, at, None if at in without else lens, tagged=tagged)
        for at in range(len(outcomes.prompts))
    ]


_WEIGHTS = LadderSettings().all_weights


def _context(outcomes: Outcomes, at: int, lens: Lens | None, *, tagged: bool) -> Context:
    reading = reading_of({"messages": [{"role": "user", "content": outcomes.prompts[at]}]})
    score = complexity(reading, _WEIGHTS)
    vector = outcomes.vectors[at].tolist()
    given = numbers(reading, score, tagged=tagged, lens=lens, vector=vector)
    context = context_of(given, outcomes.tasks[at], lens=lens.number if lens else 0)
    return {name: value for name, value in context.items() if name != "complexity"}
