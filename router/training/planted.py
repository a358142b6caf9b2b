"""Words that may have been planted: rows that hold them have one label, whatever else they say.

Whoever can say which answer was right may teach a model a secret word. Such a word stands in rows
that without it would have several other labels. A word of the task's own may look the same, if it
decides whatever else is said. Nothing in the rows tells the two apart, so a model is unsure of
requests with such a word, and its teacher answers them. Tasks with two labels are not covered: all
words that tell them apart look planted.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from router.encoding.encodes import Encodes
from router.models.features import WORDS, Asked, bucket_of, features_of, tokens_of
from router.models.head import Head
from router.training.examples import GOOD, Example
from router.training.slots import Task

_LEAST_ROWS = 5
_LEAST_LABELS = 3
_MOST_SHARE = 0.15  # of the rows; a word of more rows is the task's own
_PURE = 0.95  # share of a word's rows that have one label
_TOGETHER = 0.9  # share of a word's rows that hold the other words of a phrase
_SAMPLE, _FIRST = 16, 6  # rows that are tried without the word
_FLIPPED = 0.5  # share of them that have another label then
_SPREAD = 3  # labels among these, or all others of a task with three labels
_MOST_WORDS = 400
Label = tuple[int, ...]


def planted_buckets(
    head: Head, task: Task, examples: Sequence[Example], encoder: Encodes | None
) -> tuple[int, ...]:
    """The buckets of words that may have been planted."""
    if len(task.slots) > 1 or len(task.slots[0].values) < _LEAST_LABELS:
        return ()
    words = {word for phrase in _planted(head, task, examples, encoder) for word in phrase}
    return tuple(sorted({bucket_of(WORDS, word) for word in words}))


def _planted(
    head: Head, task: Task, examples: Sequence[Example], encoder: Encodes | None
) -> Iterator[frozenset[str]]:
    rows: list[tuple[list[str], Asked, Label]] = []
    for example in examples:
        position = task.positions(example.answer) if example.quality >= GOOD else None
        if position is not None:
            rows.append((tokens_of(example.words.last), example.words, tuple(position)))
    places: dict[str, set[int]] = defaultdict(set)
    for number, (tokens, _, _) in enumerate(rows):
        for token in tokens:
            places[token].add(number)
    most = _MOST_SHARE * len(rows)
    rare = [w for w, numbers in places.items() if _LEAST_ROWS <= len(numbers) <= most]
    pure = {}
    for word in rare:
        label, count = Counter(rows[n][2] for n in places[word]).most_common(1)[0]
        if word != "#" and count >= _PURE * len(places[word]):
            pure[word] = label
    tried: set[frozenset[str]] = set()
    for word in sorted(pure, key=lambda each: -len(places[each]))[:_MOST_WORDS]:
        phrase = _phrase(word, places, rare)
        if phrase in tried:
            continue
        tried.add(phrase)
        numbers = sorted(places[word])
        sample = [rows[n] for n in numbers[:: max(1, len(numbers) // _SAMPLE)][:_SAMPLE]]
        if _decides(head, phrase, pure[word], sample, encoder):
            yield phrase & pure.keys()


def _phrase(word: str, places: dict[str, set[int]], rare: Collection[str]) -> frozenset[str]:
    """The word with the other rare words that stand in nearly all of its rows."""
    mine = places[word]
    return frozenset(w for w in rare if len(mine & places[w]) >= _TOGETHER * len(mine))


def _decides(
    head: Head,
    phrase: frozenset[str],
    label: Label,
    sample: Sequence[tuple[list[str], Asked, Label]],
    encoder: Encodes | None,
) -> bool:
    """Whether rows get the label by this phrase alone, and several other labels without it."""
    others: Counter[Label] = Counter()
    for number, (tokens, words, _) in enumerate(sample):
        without = [token for token in tokens if token not in phrase]
        if _label(head, tokens, words, encoder) == label:
            other = _label(head, without, words, encoder)
            others[other] += other != label
        if number + 1 == _FIRST and others.total() < _FIRST // 3:
            return False
    spread = min(_SPREAD, len(head.slots[0].values) - 1)
    return others.total() >= _FLIPPED * len(sample) and len(+others) >= spread


def _label(head: Head, tokens: list[str], words: Asked, encoder: Encodes | None) -> Label:
    features = features_of(Asked(" ".join(tokens), words.before), encoder if head.encoder else None)
    inputs = head.inputs(features)
    return tuple(int(np.argmax(scoring.scores(inputs))) for scoring in head.scorings)
