"""Cards from public results: the quality to believe of a plan beforehand, by kind of request.

Models are compared on equal terms: where they did not all answer everything, each score is read as
the model's strength plus the ease of what was asked (a two-way fit), so a model that was tried on
easy things only gets no better card for it. A card rests on at least `least` answers or benchmarks.

Not covered: whether a benchmark resembles the traffic to come. The learner counts a card as a few
answers, and believes its own answers soon.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.outcomes.names import NameMatches
from router.outcomes.scores import Scale
from router.outcomes.table import OutcomeTable, ScoredAnswer
from router.request.kinds import SORTS

Floats = npt.NDArray[np.float64]
ANY = "any"
_ROUNDS = 50
_MOST_SHARE = 10.0  # a benchmark that uses less than this part of the scale may have another one

# What benchmarks ask for, in the words of Waggle's kinds of requests.
_BENCHMARKS: Mapping[str, str] = {
    "humaneval": "code",
    "mbpp": "code",
    "livecodebench": "code",
    "bigcodebench": "code",
    "swebench": "code",
    "codeforces": "code",
    "multipl": "code",
    "bfcl": "tools",
    "toolbench": "tools",
    "nexus": "tools",
    "tau": "tools",
    "mmmu": "images",
    "mathvista": "images",
    "docvqa": "images",
    "chartqa": "images",
    "gpqa": "reasoning",
    "bbh": "reasoning",
    "bigbench": "reasoning",
    "arc": "reasoning",
    "musr": "reasoning",
    "aime": "reasoning",
    "math": "reasoning",
    "gsm": "reasoning",
    "mgsm": "reasoning",
    "drop": "reasoning",
    "mmlu": "question",
    "triviaqa": "question",
    "naturalquestions": "question",
    "simpleqa": "question",
    "truthfulqa": "question",
    "openbookqa": "question",
    "commonsenseqa": "question",
}


@dataclass(frozen=True, slots=True)
class CardSet:
    """Cards by plan and kind, on how many answers each rests, and what was left out and why."""

    cards: Mapping[str, Mapping[str, float]]
    counts: Mapping[tuple[str, str], int]
    left_out: Mapping[str, str]


def cards_of(
    table: OutcomeTable,
    matches: NameMatches,
    scale: Scale,
    kind_of: Callable[[str], str],
    *,
    least: int,
) -> CardSet:
    """Cards of all matched plans. `kind_of` reads the kind of request from a prompt."""
    answers, left_out = _on_one_scale(table.answers, scale)
    kinds = {answer.prompt: kind_of(answer.prompt) for answer in answers if answer.prompt}
    by_kind: dict[str, list[ScoredAnswer]] = {ANY: answers}
    for answer in answers:
        kind = answer_kind(answer, kinds)
        if kind:
            by_kind.setdefault(kind, []).append(answer)
    cards: dict[str, dict[str, float]] = {}
    counts: dict[tuple[str, str], int] = {}
    for kind, its_answers in by_kind.items():
        strengths = _strengths(its_answers, scale)
        needed = 1 if kind == ANY else least
        for plan in dict.fromkeys(p for plans in matches.plans.values() for p in plans):
            measured = [strengths[m] for m in matches.models_of(plan) if m in strengths]
            count = sum(answered for _, answered in measured)
            if count >= needed:
                quality = sum(strength * answered for strength, answered in measured) / count
                cards.setdefault(plan, {})[kind] = round(min(max(quality, 0.0), 1.0), 3)
                counts[plan, kind] = count
    return CardSet(cards, counts, left_out)


def answer_kind(answer: ScoredAnswer, kinds: Mapping[str, str]) -> str:
    """The kind of request: read from the prompt, else named by the table or by the benchmark."""
    if answer.kind in SORTS:
        return answer.kind
    if answer.task:
        return answer.task
    if answer.prompt:
        return kinds[answer.prompt]
    return benchmark_kind(answer.benchmark)


def benchmark_kind(benchmark: str) -> str:
    """The kind of request that a benchmark asks; empty if its name says nothing that is known."""
    plain = "".join(sign for sign in benchmark.lower() if sign.isalnum())
    if plain in SORTS:
        return plain
    hits = [name for name in _BENCHMARKS if plain.startswith(name)]
    return _BENCHMARKS[max(hits, key=len)] if hits else ""


def _on_one_scale(
    answers: Sequence[ScoredAnswer], scale: Scale
) -> tuple[list[ScoredAnswer], dict[str, str]]:
    """The answers without those of benchmarks that seem to have a scale of their own."""
    highest: dict[str, float] = {}
    for answer in answers:
        highest[answer.benchmark] = max(highest.get(answer.benchmark, 0.0), answer.score)
    odd = {
        name: f"its best score is {best:g}: {name} may have another scale than 0..{scale.high:g}"
        for name, best in highest.items()
        if scale.low == 0 and scale.high > 1 and best <= scale.high / _MOST_SHARE
    }
    if len(odd) == len(highest):
        return list(answers), {}
    return [answer for answer in answers if answer.benchmark not in odd], odd


def _strengths(answers: Sequence[ScoredAnswer], scale: Scale) -> dict[str, tuple[float, int]]:
    """Each model's mean score as if it had answered everything, and how much it answered."""
    models = {name: at for at, name in enumerate(dict.fromkeys(a.model for a in answers))}
    items = {item: at for at, item in enumerate(dict.fromkeys(a.item for a in answers))}
    who = np.array([models[answer.model] for answer in answers])
    what = np.array([items[answer.item] for answer in answers])
    score = np.array([scale.share(answer.score) for answer in answers])
    strength = _two_way(who, what, score, len(models), len(items))
    counts = np.bincount(who, minlength=len(models))
    return {name: (float(strength[at]), int(counts[at])) for name, at in models.items()}


def _two_way(
    who: npt.NDArray[np.int64],
    what: npt.NDArray[np.int64],
    score: Floats,
    models: int,
    items: int,
) -> Floats:
    """Least squares of score = strength of the model + ease of the item, by turns."""
    by_model, by_item = np.bincount(who, minlength=models), np.bincount(what, minlength=items)
    ease = np.zeros(items)
    strength = np.zeros(models)
    for _ in range(_ROUNDS):
        strength = np.bincount(who, score - ease[what], models) / by_model
        ease = np.bincount(what, score - strength[who], items) / by_item
    return np.asarray(strength + ease.mean())
