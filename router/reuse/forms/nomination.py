"""Which forms of a shelf are compared with a request: those with most words in common. Pure."""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from router.reuse.forms.differences import Words
from router.reuse.forms.form import is_mark, marks_in

_MOST = 12  # forms that are compared with a request
_WEIGHED = 400  # forms, about, from which those are chosen: what holds the rarest words comes first
_COMMON = 1_000  # a word that so many forms hold nominates none beside rarer words
_SHARED = 0.4  # share of the shorter form's words that both have, at least


@dataclass
class FormIndex:
    """The words of forms, among forms whose values are of the same kinds."""

    _holding: defaultdict[tuple[Words, str], set[Words]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def add(self, form: Words) -> None:
        for word in set(form):
            self._holding[marks_in(form), word].add(form)

    def remove(self, form: Words) -> None:
        for word in set(form):
            self._holding[marks_in(form), word].discard(form)

    def nominated(self, form: Words) -> list[Words]:
        """The forms that share most of their own or of this form's words; rare words weigh most. A
        phrase that many requests end with brings none of them before the question itself."""
        kinds = marks_in(form)
        words = {w: self._holding.get((kinds, w), set()) for w in form if not is_mark(w)}
        shared: Counter[Words] = Counter()
        weights: dict[Words, float] = {}
        for holding in sorted(words.values(), key=len):
            if len(shared) >= _WEIGHED or (shared and len(holding) > _COMMON):
                break
            weight = 1 / (1 + len(holding)) ** 0.5
            for other in holding:
                shared[other] += 1
                weights[other] = weights.get(other, 0.0) + weight

        def overlap(other: Words) -> float:
            return shared[other] / max(min(len(words), len(other) - len(kinds)), 1)

        # Ties are broken by the words: the order of a set is another one in each process.
        best = heapq.nlargest(_MOST, shared, key=lambda f: (overlap(f), weights[f], f))
        return [other for other in best if overlap(other) >= _SHARED]
