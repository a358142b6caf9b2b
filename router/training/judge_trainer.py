"""Trains a head that says how likely an answer is good: for `accept: {confidence: {head: NAME}}`.

It learns from judged answers, and from the rejected answers of pairs. Words alone are its features,
since a router evaluates it between two calls of a cascade.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.models.features import Asked, Features
from router.models.head import GOOD, Doubts, Head, Slot
from router.training.calibration import Numbers, calibrated, reliability
from router.training.data_query import DataRefused
from router.training.data_sets import DataSet
from router.training.examples import GOOD as GOOD_ENOUGH
from router.training.examples import Example
from router.training.fitting import Columns, Recipe, columns_of, fitted
from router.training.head_trainer import read_splits
from router.training.trainer import Trained, Wish, Work

_STRENGTHS = (0.1, 1.0)
_FOLDS = 3
_LEAST_OF_EACH = 20  # good and bad answers
_LEASTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Answers:
    """Requests with an answer each, and whether the answer was good."""

    features: list[Features]
    good: NDArray[np.bool_]


def train_judge(data: DataSet, wish: Wish, work: Work) -> Trained:
    splits = {
        name: _answers(name, examples, work) for name, examples in read_splits(data, wish).items()
    }
    train, validation, test = splits["train"], splits["validation"], splits["test"]
    few = min(int(train.good.sum()), int((~train.good).sum()))
    if few < _LEAST_OF_EACH:
        raise DataRefused(
            f"{data.reference} has {few} training answers of the rarer sort, good or "
            f"bad, and {_LEAST_OF_EACH} are needed: make it with bad answers, too, or with pairs"
        )
    columns = columns_of(train.features)
    heads = []
    for number, strength in enumerate(_STRENGTHS):
        work.tell(0.5 + 0.2 * number, "fitting")
        recipe = Recipe("words", vector=False, strength=strength)
        heads.append((recipe, _fit(recipe, columns, train)))
    recipe, head = min(heads, key=lambda pair: _surprise(_raw(pair[1], validation), validation))
    work.tell(0.8, "calibrating")
    raw, good = [_raw(head, validation)], [validation.good]
    fold = np.random.default_rng(wish.seed).integers(0, _FOLDS, len(train.features))
    for number in range(_FOLDS):
        inside, outside = _part(train, fold != number), _part(train, fold == number)
        if inside.good.all() or not inside.good.any():
            continue
        raw.append(_raw(_fit(recipe, columns, inside), outside))
        good.append(outside.good)
    pooled, truth = np.concatenate(raw), (~np.concatenate(good)).astype(np.float64)
    sure_at, right_at = calibrated(pooled, truth)
    head = replace(head, sure_at=sure_at.astype(np.float32), right_at=right_at.astype(np.float32))
    return _evaluated(head, recipe, test, reliability(np.interp(pooled, sure_at, right_at), truth))


def _answers(split: str, examples: Sequence[Example], work: Work) -> Answers:
    words, good = [], []
    for example in examples:
        pair = ((example.answer, example.quality >= GOOD_ENOUGH), (example.rejected, False))
        for answer, is_good in pair:
            if answer:
                words.append(Asked(example.words.last, example.words.before, answer))
                good.append(is_good)
    return Answers(work.features(split, words, vectors=False), np.array(good, bool))


def _part(answers: Answers, chosen: NDArray[np.bool_]) -> Answers:
    features = [row for row, inside in zip(answers.features, chosen, strict=True) if inside]
    return Answers(features, answers.good[chosen])


def _fit(recipe: Recipe, columns: Columns, answers: Answers) -> Head:
    rows = [columns.inputs(row, vector=False) for row in answers.features]
    labels = np.where(answers.good, 0, 1).astype(np.intp)
    scoring = fitted(recipe, rows, labels, np.ones(len(rows)), len(columns.buckets), 2)
    line = np.array([0.0, 1.0], np.float32)
    slot = Slot(GOOD, (True, False))
    return Head((slot,), (scoring,), columns.buckets, columns.rarity, line, line, Doubts(0.0))


def _raw(head: Head, answers: Answers) -> Numbers:
    """The chances of a good answer, as `head` has them."""
    return np.array([head.goodness(row) for row in answers.features], float)


def _surprise(chance: Numbers, answers: Answers) -> float:
    right = np.where(answers.good, chance, 1 - chance)
    return float(-np.log(np.maximum(right, 1e-9)).mean())


def _evaluated(head: Head, recipe: Recipe, test: Answers, calibration: Any) -> Trained:
    chance, good = _raw(head, test), test.good.astype(float)
    share = float(good.mean()) if len(good) else 0.0
    brier, blind = float(((chance - good) ** 2).mean()), share * (1 - share)
    accepted = []
    for least in _LEASTS:
        inside = chance >= least
        quality = float(good[inside].mean()) if inside.any() else None
        accepted.append(
            {"least": least, "accepted": float(inside.mean()), "good_of_accepted": quality}
        )
    area = _area(chance, test.good)
    why = "" if brier < blind and area > 0.55 else "it knows no more of answers than their average"
    return Trained(
        files=head.files(),
        parameters={"recipe": recipe.name, "strength": recipe.strength, "vector": False},
        metrics={
            "rows": len(good),
            "good": share,
            "area_under_curve": area,
            "brier": brier,
            "brier_of_the_average": blind,
            "accepted": accepted,
        },
        slices=(),
        calibration=calibration,
        threshold=0.0,
        cost={"usd_per_1000": 0.0},
        why=why,
    )


def _area(chance: Numbers, good: NDArray[np.bool_]) -> float:
    """How often a good answer has the higher chance than a bad one: half for a coin."""
    from scipy.stats import rankdata

    right, wrong = int(good.sum()), int((~good).sum())
    if not right or not wrong:
        return 0.5
    ranks = rankdata(chance)[good].sum()
    return float((ranks - right * (right + 1) / 2) / (right * wrong))
