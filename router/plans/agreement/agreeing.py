"""How much two answers agree. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from router.plans.agreement.sense import sense_of
from router.plans.agreement.spelling import without_articles
from router.plans.agreement.text import each

_TOKEN = re.compile(r"\w+|[<>=!+*/%^|&~$€£¥°-]+")
_SHORT = 3  # words up to which an answer is a word or a name, and agrees as a whole or not at all
_MOST_COMPARED = 80  # words of texts that are compared place by place
_MOST_EXCHANGED = 2  # words in the place of others that make another answer of the same sentence
_NEGATIONS = frozenset(
    each(
        """
    no not never none nor neither without nobody nothing nicht kein keine nie niemals ohne
    pas jamais sans aucun nunca sin ninguno tampoco
    """
    )
)


def same_answer(first: str, second: str) -> bool:
    """Whether two answers are one answer in other words."""
    return first == second or sense_of(first).is_of(sense_of(second))


def agreement(first: str, second: str) -> float:
    """How much two answers agree: 1 if they are the same answer, else the share of common words.

    Articles do not count. Of two answers, one with few words agrees as a whole or not at all: "the
    fax" is no half of "the telephone". The same sentence with another word in one place is another
    answer: "it opens on Monday" and "it opens on Friday".
    """
    if first == second:
        return 1.0
    senses = sense_of(first), sense_of(second)
    if senses[0].is_of(senses[1]):
        return 1.0
    a, b = (without_articles(_TOKEN.findall(sense.plain)) for sense in senses)
    if min(_words(a), _words(b)) <= _SHORT:
        return 0.0
    if Counter(filter(_decides, a)) != Counter(filter(_decides, b)):
        return 0.0  # another number or negation makes it another answer
    if max(len(a), len(b)) > _MOST_COMPARED:
        shared = (Counter(a) & Counter(b)).total()
        return 2 * shared / (len(a) + len(b))
    matcher = SequenceMatcher(None, a, b, autojunk=False)  # the order of the words counts
    return 0.0 if _exchanged(matcher) else matcher.ratio()


def _words(tokens: Sequence[str]) -> int:
    return sum(token[0].isalnum() for token in tokens)


def _decides(token: str) -> bool:
    return (
        token in _NEGATIONS or not token[0].isalpha() or any(letter.isdigit() for letter in token)
    )


def _exchanged(matcher: SequenceMatcher[str]) -> bool:
    """Whether the two texts are one sentence with other words in a place or two."""
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    return 0 < len(changes) <= 2 and all(
        kind == "replace" and i2 - i1 <= _MOST_EXCHANGED and j2 - j1 <= _MOST_EXCHANGED
        for kind, i1, i2, j1, j2 in changes
    )
