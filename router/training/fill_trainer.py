"""Trains a fill: templates found in the best answers, and rules that fill their slots.

Rules are made from training rows and proven on validation rows. A head learns which form a
request wants. The test rows, which nothing of this has seen, say how often the fill writes what
the teacher wrote.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from router.models.card import Card
from router.models.features import FEATURES
from router.models.fill import NO_FORM, Chosen, Fill, Filler, Form
from router.models.head import Guess, Head, head_in
from router.training.calibration import reliability, upper
from router.training.data_query import DataRefused
from router.training.data_sets import DataSet
from router.training.evaluation import metrics, slices
from router.training.examples import GOOD, Example
from router.training.fill_doubts import doubting, plain, settled_fill
from router.training.fill_drafts import LEAST_OF_CHOICE, Draft, drafts_of, sheet_of
from router.training.head_trainer import head_from, read_splits
from router.training.trainer import Trained, Wish, Work

LEAST_ROWS = 30
_LEAST_NONE = 5  # rows without a form, from which on the head learns to leave them
_MOST_ALLOWED = 0.1  # loss of a head, where few rows cannot prove less


def train_fill(data: DataSet, wish: Wish, work: Work) -> Trained:
    splits = read_splits(data, wish, LEAST_ROWS, "a fill")
    work.tell(0.05, "looking for templates")
    train, held_out = (
        sheet_of([e for e in splits[name] if e.quality >= GOOD]) for name in ("train", "validation")
    )
    best = drafts_of(train, held_out)
    if not best:
        raise DataRefused(
            f"{data.reference}: no template was found that later rows prove: the answers have too "
            "few words in common, or hold values that are not in the requests"
        )
    work.tell(0.7, "learning which form a request wants")
    fill, facts = _with_heads(best, splits, wish, work)
    fill = doubting(fill, best, train, held_out)
    fill = settled_fill(fill, held_out, wish.allowed_loss)
    work.tell(0.95, "evaluating")
    return _evaluated(fill, splits["test"] or splits["validation"], wish, facts)


def _with_heads(
    drafts: Sequence[Draft], splits: Mapping[str, Sequence[Example]], wish: Wish, work: Work
) -> tuple[Fill, dict[str, Any]]:
    """The forms with the heads that choose among them and fill their closed slots."""
    names = [f"form {number}" for number in range(1, len(drafts) + 1)]
    marks = {name: _marks(drafts, names, rows) for name, rows in splits.items()}
    heads = [_head(marks, wish, work, least=_LEAST_NONE)]
    forms, facts = {}, {"forms": len(drafts), "slots": sum(len(d.slots) for d in drafts)}
    for name, draft in zip(names, drafts, strict=True):
        slots: list[Filler] = []
        for at, slot in enumerate(draft.slots):
            if not isinstance(slot, frozenset):
                slots.append(slot)
                continue
            labels = {value: f"value {n}" for n, value in enumerate(sorted(slot))}
            chosen = {
                split: [
                    (rows[n], labels.get(values[at], NO_FORM)) for n, values in _values(draft, rows)
                ]
                for split, rows in splits.items()
            }
            slots.append(Chosen(len(heads), {label: value for value, label in labels.items()}))
            heads.append(_head(chosen, wish, work, least=LEAST_OF_CHOICE))
        forms[name] = Form(name, draft.template.words, tuple(slots), max(draft.right, 0.0))
    by = Counter(type(slot).__name__.lower() for form in forms.values() for slot in form.slots)
    return Fill(forms, tuple(heads)), {**facts, "heads": len(heads), "filled_by": dict(by)}


Marked = Mapping[str, list[tuple[Example, str]]]


def _marks(
    drafts: Sequence[Draft], names: Sequence[str], rows: Sequence[Example]
) -> list[tuple[Example, str]]:
    """Rows with the name of the form that their answer has."""
    marks = [NO_FORM] * len(rows)
    for name, draft in reversed(list(zip(names, drafts, strict=True))):
        for n, _ in _values(draft, rows):
            marks[n] = name
    return list(zip(rows, marks, strict=True))


def _values(draft: Draft, rows: Sequence[Example]) -> list[tuple[int, tuple[str, ...]]]:
    read_rows = draft.template.read([row.answer for row in rows])
    if read_rows is None:
        return []
    return list(zip(read_rows.rows, read_rows.values, strict=True))


def _head(marked: Marked, wish: Wish, work: Work, *, least: int) -> Head:
    """A head for the marks of rows, of which few rows may differ from what it says."""
    counts = Counter(mark for _, mark in marked["train"])
    few = {mark for mark, count in counts.items() if count < least}
    splits = {
        name: [replace(e, answer=mark, soft={}) for e, mark in rows if mark not in few]
        for name, rows in marked.items()
    }
    rows = len(splits["train"]) + len(splits["validation"])
    allowed = min(_MOST_ALLOWED, max(wish.allowed_loss, 1.05 * upper(0.0, max(rows, 1))))
    made = head_from(splits, replace(wish, allowed_loss=allowed, vectors=False), work)
    return head_in(NO_CARD, made.files)


NO_CARD = Card("form", 1, "fill", "answer", FEATURES, 0.0, "", {})


def _evaluated(
    fill: Fill, test: Sequence[Example], wish: Wish, facts: Mapping[str, Any]
) -> Trained:
    begun = time.thread_time()
    each: list[Guess] = [fill.of(example.words) for example in test]
    seconds = (time.thread_time() - begun) / max(1, len(test))
    answered = np.array([not guess.unsure for guess in each], bool)
    same = np.array([plain(g.answer) == plain(e.answer) for g, e in zip(each, test, strict=True)])
    quality = np.array([example.quality for example in test], float)
    losses = np.where(same, 0.0, quality)
    sure = np.array([guess.probability for guess in each], float)
    measured = metrics(test, answered, losses, sure)
    lost = measured.get("loss_answered", 0.0)
    why = ""
    if not answered.any():
        why = "it is unsure of every test row"
    elif lost > wish.allowed_loss + float(2 * np.sqrt(0.01 / answered.sum())):
        why = f"its answers to test rows lose {lost:.3f} against its teacher"
    names = [""] * len(test)  # each answer is another
    reasons = Counter(_reason(guess) for guess in each if guess.unsure)
    return Trained(
        files=fill.files(),
        parameters={**facts, "encoder": "", "vector": False},
        metrics={**measured, "unsure": dict(reasons.most_common(5))},
        slices=slices(test, names, answered, losses, sure),
        calibration=reliability(sure[answered], losses[answered]),
        threshold=fill.least_chance,
        cost={"usd_per_1000": 0.0, "ms": 1000 * seconds},
        why=why,
    )


def _reason(guess: Guess) -> str:
    """Why a fill was unsure, without the words of the request."""
    if "stands after" in guess.why:
        return "a slot is not in the request"
    return "the form is not known"
