"""Which forms of a shelf are compared with a request: those with most words in common. Pure."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from router.reuse.forms.differences import Words
from router.reuse.forms.form import marks_in

_MOST = 16  # forms that are compared with a request
_WEIGHED = 128  # forms from which those are chosen
_SHARED = 0.4  # share of the shorter form's words that both have, at least


@dataclass
class FormIndex:
    """The words of forms, among forms whose values are of the same kinds."""

    _holding: defaultdict[tuple[Words, str], set[Words]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def add(self, form: Words) -> None:
        for word in form:
            self._holding[marks_in(form), word].add(form)

    def remove(self, form: Words) -> None:
        for word in form:
            self._holding[marks_in(form), word].discard(form)

    def nominated(self, form: Words) -> list[Words]:
        """The forms that share most of their own or of this form's words; rare words weigh most. A
        phrase that many requests end with brings none of them before the question itself."""
        kinds, words = marks_in(form), dict.fromkeys(form)
        weights: dict[str, float] = {}

        def weight_of(some: Iterable[str]) -> float:
            total = 0.0
            for word in some:
                if word not in weights:
                    holding = self._holding.get((kinds, word), ())
                    weights[word] = 1 / (1 + len(holding)) ** 0.5
                total += weights[word]
            return total

        shared: Counter[Words] = Counter()
        for word in words:
            for other in self._holding.get((kinds, word), ()):
                shared[other] += weight_of((word,))
        whole = weight_of(words)

        # Ties are broken by the words: the order of a set is another one in each process.
        def overlap(other: Words) -> tuple[float, float, Words]:
            shorter = min(whole, weight_of(dict.fromkeys(other)))
            return shared[other] / shorter, shared[other], other

        some = heapq.nlargest(_WEIGHED, shared, key=lambda other: (shared[other], other))
        return [
            other
            for other in heapq.nlargest(_MOST, some, key=overlap)
            if len(words.keys() & other) >= _SHARED * min(len(words), len(set(other)))
        ]
