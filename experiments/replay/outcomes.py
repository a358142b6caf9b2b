"""Recorded answers of real models: the quality and cost of each model on each prompt.

The router's own functions compute the context of a prompt, with a lens that is fitted to the first
prompts of a stream.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from learner.policy import Arm, Context
from router.config.objective import LadderSettings
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.request.complexity import complexity
from router.request.context import context_of, numbers
from router.request.lens import ENOUGH, Lens, fitted, terms
from router.request.reading import reading_of

Matrix = np.ndarray[Any, np.dtype[np.float64]]
ORIGINS = {
    "llmrouter": "github.com/ulab-uiuc/LLMRouter",
    "routellm_mmlu": "github.com/lm-sys/RouteLLM",
    "bfcl_july": "github.com/HuanzhiMao/BFCL-Result (2024-07-25)",
    "open_bandit_small": "research.zozo.com/data.html",
}
# Dollars per million tokens of input and of output. llmrouter records no prices: these are the
# prices that `prices.csv` (CARROT) lists for the model, or else for models of the same size.
_PER_MTOK = {
    "llama-3.1-8b-instruct": 0.2,
    "mistral-7b-instruct-v0.3": 0.2,
    "codegemma-7b": 0.2,
    "llama3-chatqa-1.5-8b": 0.2,
    "qwen2.5-7b-instruct": 0.3,
    "gemma-2-9b-it": 0.3,
    "llama3-chatqa-1.5-70b": 0.9,
    "llama-3.1-nemotron-51b-instruct": 0.9,
    "llama-3.3-nemotron-super-49b-v1": 0.9,
}
_ROUTELLM = {"Mixtral-8x7B-Instruct-v0.1": (0.6, 0.6), "gpt-4-1106-preview": (10.0, 30.0)}
BFCL_POOL = (
    *("claude-3-5-sonnet-20240620", "claude-3-opus-20240229", "gpt-4-0125-preview"),
    *("gpt-4o-2024-05-13", "gemini-1.5-pro-preview-0514", "gemini-1.5-flash-preview-0514"),
    *("command-r-plus", "mistral-medium-2312", "mistral-small-2402", "claude-instant-1.2"),
    *("gpt-3.5-turbo-0125-FC", "claude-3-haiku-20240307"),
)
_MODELS = {
    "llmrouter": tuple(sorted(_PER_MTOK)),
    "routellm_mmlu": tuple(_ROUTELLM),
    "bfcl_july": BFCL_POOL,
}
_OUTPUT_TOKENS = 200  # for an answer whose length was not recorded


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

    @property
    def dearness(self) -> Matrix:
        """log10 of each model's mean cost, relative to the mean cost of the cheapest model."""
        mean = self.cost.mean(axis=0)
        return np.asarray(np.log10(mean / mean.min()))

    @property
    def rates(self) -> dict[Arm, float]:
        """Prices for which the cost term of the policy equals `dearness`."""
        mean = self.cost.mean(axis=0)
        rates = (mean / mean.min() - 1) / 1000
        return {arm: float(rate) for arm, rate in zip(self.arms, rates, strict=True)}

    def best(self, weight: float) -> int:
        """The arm with the highest mean worth, when a unit of dearness costs `weight`."""
        return int((self.quality - weight * self.dearness).mean(axis=0).argmax())

    def only(self, arms: Sequence[int], name: str) -> "Outcomes":
        at = list(arms)
        chosen = tuple(self.arms[n] for n in at)
        quality, cost = self.quality[:, at], self.cost[:, at]
        return replace(self, name=name, arms=chosen, quality=quality, cost=cost)


def load(name: str, data: Path, cache: Path) -> Outcomes:
    path = data / f"{name}.parquet"
    if not path.is_file():
        print(f"{path} is missing; its original is published at {ORIGINS[name]}", file=sys.stderr)
        raise SystemExit(2)
    frame = pl.read_parquet(path).with_columns(
        key=pl.concat_str("category", pl.col("prompt_id").cast(pl.String), separator="/")
    )
    models = _MODELS[name]
    frame = frame.filter(pl.col("model").is_in(list(models)))
    first = frame.unique("key", keep="first", maintain_order=True)
    table = first.select("key", "prompt", "category").join(
        frame.pivot(on="model", index="key", values="score"), on="key", how="left"
    )
    quality = table.select(models).to_numpy().astype(np.float64)
    prompts = tuple(table["prompt"].to_list())
    if name == "bfcl_july":
        costs = table.select("key").join(
            frame.pivot(on="model", index="key", values="cost_usd"), on="key", how="left"
        )
        cost = costs.select(models).to_numpy().astype(np.float64)
        cost = np.where(np.isnan(cost), np.nanmean(cost, axis=0), cost)
    else:
        cost = _estimated_cost(name, prompts, models)
    vectors = _vectors(name, prompts, cache)
    arms = tuple(Arm(model) for model in models)
    return Outcomes(name, prompts, tuple(table["category"]), arms, quality, cost, vectors)


def _estimated_cost(name: str, prompts: Sequence[str], models: Sequence[str]) -> Matrix:
    """The cost of each answer by listed prices and estimated tokens."""
    tokens = np.array([len(prompt) / 4 for prompt in prompts])
    prices = _ROUTELLM if name == "routellm_mmlu" else {m: (p, p) for m, p in _PER_MTOK.items()}
    inward = np.array([prices[model][0] for model in models])
    outward = np.array([prices[model][1] for model in models])
    # An answer to a question of MMLU is a single letter.
    out_tokens = 10 if name == "routellm_mmlu" else _OUTPUT_TOKENS
    return np.asarray((np.outer(tokens, inward) + out_tokens * outward) / 1e6)


def _vectors(name: str, prompts: Sequence[str], cache: Path) -> Matrix:
    """Sentence vectors of the prompts, cached in a file, because the encoder needs minutes."""
    path = cache / f"{name}-vectors.npy"
    if path.is_file():
        kept: Matrix = np.load(path)
        if len(kept) == len(prompts):
            return kept
    cache.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(prepared(packaged_model(), cache / "encoders"))
    order = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
    vectors: Any = np.zeros((len(prompts), 384), dtype=np.float32)
    for start in range(0, len(order), 32):
        at = order[start : start + 32]
        vectors[at] = encoder.encode([prompts[n][:2000] for n in at])
    np.save(path, vectors)
    return np.asarray(vectors)


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
    given = numbers(reading, score, sort=score.kind, tagged=tagged, lens=lens, vector=vector)
    context = context_of(given, outcomes.tasks[at], lens=lens.number if lens else 0)
    return {name: value for name, value in context.items() if name != "complexity"}


def features_seconds(outcomes: Outcomes, order: Sequence[int]) -> Matrix:
    """For each prompt: seconds to compute its context without a sentence vector."""
    lens = fitted([terms(outcomes.prompts[at]) for at in order[:ENOUGH]], [None] * ENOUGH)
    seconds = []
    for at in order[ENOUGH : ENOUGH + 2000]:
        reading = reading_of({"messages": [{"role": "user", "content": outcomes.prompts[at]}]})
        begun = time.perf_counter()
        score = complexity(reading, _WEIGHTS)
        given = numbers(reading, score, sort=score.kind, tagged=False, lens=lens)
        context_of(given, "", lens=lens.number)
        seconds.append(time.perf_counter() - begun)
    return np.array(seconds)
