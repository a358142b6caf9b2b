"""Trains a head: closed answers from the features of a request, in seconds of one processor.

Several recipes are fitted to the training rows and compared on the validation rows, which are
later. The one that may answer the largest share of them wins; the cheapest of those that are about
as good. Its confidence is calibrated on the validation rows and on training rows that a fold left
out, and its threshold is the lowest at which its answers lose at most what is allowed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.models.features import BEFORE, WORDS, Features, features_of, share_known
from router.models.head import Doubts, Head
from router.training.calibration import (
    NEVER,
    Numbers,
    Threshold,
    calibrated,
    reliability,
    threshold_of,
)
from router.training.closed import reader_of
from router.training.data_query import DataRefused
from router.training.data_rows import SPLITS
from router.training.data_sets import DataSet
from router.training.evaluation import metrics, slices
from router.training.examples import GOOD, Example, examples_of
from router.training.fitting import RECIPES, Columns, Recipe, columns_of
from router.training.planted import planted_buckets
from router.training.slots import Guesses, Targets, Task, assembled, fit, guesses, task_of, tempered
from router.training.trainer import Trained, Wish, Work

LEAST_ROWS = 50
_FOLDS = 3
_PLENTY = 0.9  # a share of answered rows at which no dearer recipe is tried
_ABOUT = 0.02  # a share of answered rows that a cheaper recipe may lack
_RARE_WORDS, _SLACK = 0.005, 0.8


@dataclass(frozen=True, slots=True)
class Split:
    examples: list[Example]
    features: list[Features]


@dataclass(frozen=True, slots=True)
class Candidate:
    recipe: Recipe
    head: Head
    guesses: Guesses  # of the validation rows
    threshold: Threshold


def train_head(data: DataSet, wish: Wish, work: Work) -> Trained:
    return head_from(read_splits(data, wish), wish, work)


def head_from(splits: dict[str, list[Example]], wish: Wish, work: Work) -> Trained:
    """A head for the closed answers of examples."""
    good = [e for e in (*splits["train"], *splits["validation"]) if e.quality >= GOOD]
    task = task_of(reader_of([example.answer for example in good]), good)
    sets = featured(splits, work, vectors=False)
    columns = columns_of(sets["train"].features)
    targets = task.targets(sets["train"].examples)
    encoder = work.encoder.name if wish.vectors and work.encoder is not None else ""
    candidates: list[Candidate] = []
    for number, recipe in enumerate(RECIPES):
        if recipe.vector and (not encoder or _best(candidates).threshold.share >= _PLENTY):
            continue
        if recipe.vector and not len(sets["train"].features[0].vector):
            sets = featured(splits, work, vectors=True)
        work.tell(0.5 + 0.3 * number / len(RECIPES), f"fitting {recipe.name}")
        head = _fitted(task, recipe, columns, sets["train"], targets, encoder)
        validation = sets["validation"]
        head = tempered(head, validation.features, task.targets(validation.examples))
        ruling = guesses(head, task, validation.features, validation.examples)
        limit = threshold_of(ruling.confidences, ruling.losses, wish.allowed_loss, 0.0)
        candidates.append(Candidate(recipe, head, ruling, limit))
    best = _best(candidates)
    train, validation = sets["train"], sets["validation"]
    work.tell(0.8, "calibrating")
    aside = _aside(task, best, columns, train, targets, encoder, wish.seed)
    confidences = np.concatenate([best.guesses.confidences, aside.confidences])
    losses = np.concatenate([best.guesses.losses, aside.losses])
    head, threshold = settled(best.head, confidences, losses, wish.allowed_loss, validation)
    work.tell(0.9, "looking for planted words")
    encoder_used = work.encoder if head.encoder else None
    planted = planted_buckets(head, task, train.examples, encoder_used)
    head = replace(head, doubts=replace(head.doubts, planted=planted))
    work.tell(0.95, "evaluating")
    return evaluated(head, task, sets["test"], best, candidates, threshold, (confidences, losses))


def read_splits(
    data: DataSet, wish: Wish, least: int = LEAST_ROWS, what: str = "a head"
) -> dict[str, list[Example]]:
    """The examples of each split; the newest training rows, and validation rows cut from them if
    the data set has too few."""
    splits: dict[str, list[Example]] = {name: examples_of(data.rows[name]) for name in SPLITS}
    splits["train"] = splits["train"][-wish.most_rows :]
    if len(splits["train"]) < least:
        raise DataRefused(
            f"{data.reference} has {len(splits['train'])} training rows, and {what} "
            f"needs {least}: make the data set wider, or wait for more traffic"
        )
    if len(splits["validation"]) < least // 2:
        rows = [*splits["train"], *splits["validation"]]
        cut = len(rows) * 4 // 5
        splits["train"], splits["validation"] = rows[:cut], rows[cut:]
    return splits


def featured(splits: dict[str, list[Example]], work: Work, *, vectors: bool) -> dict[str, Split]:
    sets = {}
    for name, examples in splits.items():
        words = [example.words for example in examples]
        sets[name] = Split(examples, work.features(name, words, vectors=vectors))
    return sets


def _fitted(
    task: Task, recipe: Recipe, columns: Columns, split: Split, targets: Targets, encoder: str
) -> Head:
    scorings = fit(task, recipe, columns, split.features, targets)
    return assembled(task, recipe, columns, scorings, encoder)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """The cheapest of the candidates that may answer about the most rows; if none may answer
    any, the one that loses least."""
    most = max(each.threshold.share for each in candidates)
    if most == 0:
        return min(candidates, key=lambda each: float(each.guesses.losses.mean()))
    near = [each for each in candidates if each.threshold.share >= most - _ABOUT]
    return min(near, key=lambda each: (each.recipe.vector, float(each.guesses.losses.mean())))


def _aside(
    task: Task,
    best: Candidate,
    columns: Columns,
    train: Split,
    targets: Targets,
    encoder: str,
    seed: int,
) -> Guesses:
    """What the recipe says of training rows that it was not fitted to."""
    fold = np.random.default_rng(seed).integers(0, _FOLDS, len(train.examples))
    parts = []
    for number in range(_FOLDS):
        inside = fold[targets.rows] != number
        own = Targets(targets.rows[inside], targets.labels[inside], targets.weights[inside])
        if not len(own.rows):
            continue
        head = _fitted(task, best.recipe, columns, train, own, encoder)
        head = replace(head, slots=best.head.slots)
        out = np.flatnonzero(fold == number)
        rows = [train.features[n] for n in out]
        parts.append(guesses(head, task, rows, [train.examples[n] for n in out]))
    return Guesses(
        np.concatenate([part.confidences for part in parts]),
        [answer for part in parts for answer in part.answers],
        np.concatenate([part.losses for part in parts]),
        np.concatenate([part.equal for part in parts]),
    )


def settled(
    head: Head, confidences: Numbers, losses: Numbers, allowed: float, validation: Split
) -> tuple[Head, Threshold]:
    """The head with its calibration, its threshold, and what it must know of a request."""
    threshold = threshold_of(confidences, losses, allowed)
    sure_at, right_at = calibrated(confidences, losses)
    words = [share_known(row, head.columns, WORDS) for row in validation.features]
    before = [share_known(row, head.columns, BEFORE) for row in validation.features]
    doubts = Doubts(
        threshold.confidence,
        float(np.quantile(words, _RARE_WORDS)) * _SLACK if words else 0.0,
        min(before) * _SLACK if before else 0.0,
    )
    floats = (sure_at.astype(np.float32), right_at.astype(np.float32))
    return replace(head, sure_at=floats[0], right_at=floats[1], doubts=doubts), threshold


def evaluated(
    head: Head,
    task: Task,
    test: Split,
    best: Candidate,
    candidates: Sequence[Candidate],
    threshold: Threshold,
    calibration: tuple[Numbers, Numbers],
) -> Trained:
    """The head's card: measured on the test rows, which nothing above has seen."""
    ruling = guesses(head, task, test.features, test.examples)
    each = [head.guess(row) for row in test.features]
    sure = np.array([guess.probability for guess in each], float)
    answered = np.array([not guess.unsure for guess in each], bool)
    facts = metrics(test.examples, answered, ruling.losses, sure)
    facts["differs"] = float((~ruling.equal[answered]).mean()) if answered.any() else 0.0
    pooled = np.interp(calibration[0], head.sure_at, head.right_at)
    why = ""
    if threshold.confidence >= NEVER:
        why = "at no confidence are its answers as good as its teacher's"
    elif test.examples and not answered.any():
        why = "it is unsure of every test row"
    elif facts.get("loss_answered", 0.0) > 2 * threshold.bound + _slack(answered):
        why = f"its answers to test rows lose {facts['loss_answered']:.3f} against its teacher"
    return Trained(
        files=head.files(),
        parameters={
            "recipe": best.recipe.name,
            "vector": bool(head.encoder),
            "encoder": head.encoder,
            "columns": len(head.columns),
            "slots": {slot.name or "answer": len(slot.values) for slot in head.slots},
            "frames": sorted(task.reader.frames),
            "temperatures": [slot.temperature for slot in head.slots],
            "least_words": head.doubts.least_words,
            "least_before": head.doubts.least_before,
            "planted_words": len(head.doubts.planted),
        },
        metrics={**facts, **_chosen(threshold), "candidates": [_row(c) for c in candidates]},
        slices=slices(test.examples, ruling.answers, answered, ruling.losses, sure),
        calibration=reliability(pooled, calibration[1]),
        threshold=threshold.confidence,
        cost={"usd_per_1000": 0.0, "ms": _milliseconds(head, test)},
        why=why,
    )


def _slack(answered: NDArray[np.bool_]) -> float:
    """What chance may add to a loss among so few rows: two deviations of a loss of one percent."""
    return float(2 * np.sqrt(0.01 / max(1, int(answered.sum()))))


def _chosen(threshold: Threshold) -> dict[str, float]:
    return {
        "validation_answered": threshold.share,
        "validation_loss": threshold.loss,
        "validation_loss_bound": threshold.bound,
    }


def _row(candidate: Candidate) -> dict[str, Any]:
    return {
        "recipe": candidate.recipe.name,
        "answered": candidate.threshold.share,
        "loss_of_all": float(candidate.guesses.losses.mean()),
    }


def _milliseconds(head: Head, test: Split) -> float:
    """The time of a processor that an answer takes at the median, without a sentence vector."""
    times = []
    for example, row in list(zip(test.examples, test.features, strict=True))[:200]:
        begun = time.thread_time()
        features_of(example.words)
        head.guess(row)
        times.append(time.thread_time() - begun)
    return 1000 * float(np.median(times)) if times else 0.0
