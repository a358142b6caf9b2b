"""When a fill is unsure: what tells variants of a form apart, and which of its answers held-out
rows do not bear out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from router.models.fill import Fill, bare_words
from router.training.calibration import NEVER, threshold_of, upper
from router.training.fill_drafts import Draft, Sheet

_ERRS = 0.05  # the share of a family's held-out answers that may be wrong
_LEAST_CHANCE = 0.05
_RARE_WORDS, _SLACK = 0.02, 0.9
_RIVALS = 0.5  # the share of words that variants of a form have in common


def doubting(fill: Fill, drafts: Sequence[Draft], train: Sheet, held_out: Sheet) -> Fill:
    """The fill with the words that tell variants of a form apart, and unsure where it knows fewer
    words than of nearly all held-out requests. Words that fill slots are not counted: names are new
    each time. So its heads do not count words."""
    heads = tuple(replace(h, doubts=replace(h.doubts, least_words=0.0)) for h in fill.heads)
    forms = list(fill.forms.values())
    seen = [
        Counter(w for n in d.rows for w in set(bare_words(form, train.requests[n])))
        for form, d in zip(forms, drafts, strict=True)
    ]
    families = _families(drafts)
    marked = {
        form.name: replace(form, family=family, rows=len(draft.rows), counts=dict(counts))
        for form, draft, family, counts in zip(forms, drafts, families, seen, strict=True)
    }
    fill = replace(fill, heads=heads, forms=marked)
    shares = [
        max((fill.share_known(form, request) for form in marked.values()), default=0.0)
        for request in held_out.requests
    ]
    least = float(np.quantile(shares, _RARE_WORDS)) * _SLACK if shares else 0.0
    return replace(fill, least_words=least)


def _families(drafts: Sequence[Draft]) -> list[int]:
    """A number for each form, the same for its variants."""
    numbers = list(range(len(drafts)))
    for n, first in enumerate(drafts):
        for m in range(n):
            if _rivals(first, drafts[m]):
                old, new = numbers[n], numbers[m]
                numbers = [new if each == old else each for each in numbers]
    return numbers


def _rivals(first: Draft, second: Draft) -> bool:
    """Whether two forms are variants of each other, such as with and without a voucher."""
    a, b = (set(" ".join(draft.template.words).split()) for draft in (first, second))
    return len(a & b) >= _RIVALS * len(a | b)


def settled_fill(fill: Fill, held_out: Sheet, allowed_loss: float) -> Fill:
    """The fill, unsure of families that err on held-out rows, and below the chance from which on
    the others lose what is allowed; of few rows, as much as no error among so many could prove."""
    each = [fill.of(example.words) for example in held_out.examples]
    wrong: dict[int, list[bool]] = {}
    families = []
    for guess, example, request in zip(each, held_out.examples, held_out.requests, strict=True):
        form, _ = fill.form_for(guess.chances, request)
        families.append(form.family if form is not None else -1)
        if not guess.unsure:
            wrong.setdefault(families[-1], []).append(plain(guess.answer) != plain(example.answer))
    erring = {family for family, errors in wrong.items() if sum(errors) > _ERRS * len(errors)}
    forms = {
        name: replace(form, right=0.0) if form.family in erring else form
        for name, form in fill.forms.items()
    }
    kept = [n for n, g in enumerate(each) if not g.unsure and families[n] not in erring]
    sure = np.array([each[n].probability for n in kept], float)
    losses = np.array(
        [float(plain(each[n].answer) != plain(held_out.examples[n].answer)) for n in kept], float
    )
    if losses.any():
        allowed = max(allowed_loss, 1.05 * upper(0.0, len(kept)))
        least = threshold_of(sure, losses, allowed).confidence
    else:
        least = _SLACK * float(sure.min()) if len(sure) else NEVER
    return replace(fill, forms=forms, least_chance=max(least, _LEAST_CHANCE))


def plain(answer: str) -> list[str]:
    """The lines of an answer, by which two answers are the same; spaces at their ends aside."""
    return [line.strip() for line in answer.strip().splitlines()]
