"""The phrases by which questions name the values of a column. Pure."""

from collections import Counter
from collections.abc import Iterator

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import (
    Phrase,
    Sense,
    alike_values,
    beside_only,
    canonical,
    canonical_phrase,
    concept_kind,
    concepts_of,
    function_words,
    pieces,
)

_LONGEST = 8  # words of a value that a question repeats
_MOST_NAMES = 4_000  # values of a column whose single words are compared
_PARTICIPLES = ("ado", "ada", "ido", "ida")
_MOST_ALIKE = 6  # names that share a word, and are named in the refusal


def value_phrases(each: Field, concepts: frozenset[str]) -> Iterator[tuple[Phrase, Sense]]:
    """What names each value of a column, whose name stands for `concepts`."""
    for value in each.values:
        yield from _whole(each, value, concepts)
    doer = name_words(each.name)[-1:] in (("by",), ("por",))  # `sold by`
    called = doer or not concepts.isdisjoint(concept_kind("called"))
    if len(each.values) <= _MOST_NAMES:
        yield from _parts(each, initials=not called)


def _whole(each: Field, value: str, concepts: frozenset[str]) -> Iterator[tuple[Phrase, Sense]]:
    words = pieces(value)
    phrase = tuple(map(canonical, words))
    if not phrase or len(phrase) > _LONGEST:
        return
    yield phrase, Sense("val", (each, value), 7)
    yield words, Sense("val", (each, value), 7)
    if len(phrase) == 1 and phrase[0].endswith(_PARTICIPLES):
        other_gender = phrase[0][:-1] + ("o" if phrase[0].endswith("a") else "a")
        yield (other_gender,), Sense("val", (each, value), 6)  # `quemadas`
    letter = len(phrase) == 1 and len(phrase[0]) == 1
    if letter and "gender" not in concepts:
        return
    if letter and phrase[0] in ("m", "h") and "H" in each.values:
        phrase = ("woman",) if phrase[0] == "m" else ("man",)
    for other in alike_values().get(phrase, ()):
        beside = len(other) == 1 and other[0] in beside_only()
        yield other, Sense("beside" if beside else "val", (each, value), 5)


def _parts(each: Field, *, initials: bool) -> Iterator[tuple[Phrase, Sense]]:
    """`Ana` for `Ana P.`, `Greenleaf` for `Greenleaf Ltd`: a word that few names have.

    `initials`: only for a name and an initial, which any column may hold.
    """
    phrases = {value: canonical_phrase(value) for value in each.values}
    counts = Counter(word for phrase in phrases.values() for word in {*phrase})
    for value, phrase in phrases.items():
        parts = {*phrase} if len(phrase) > 1 else set()
        if initials:
            initial = len(phrase) == 2 and len(phrase[1]) == 1 and phrase[1].isalpha()
            parts = {phrase[0]} if initial else set()
        for word in parts:
            single = len(word) > 2 and word.isalpha() and counts[word] <= _MOST_ALIKE
            if single and not _means_something(word):
                yield (word,), Sense("val", (each, value), 4)


def _means_something(word: str) -> bool:
    """Whether a word has another meaning in questions: the `City` of `City Council`."""
    return (
        (word,) in concepts_of()
        or (word,) in function_words("en")
        or (word,) in function_words("es")
    )
