"""The words by which patterns may be named: only those that several different requests used.

A router has the words of prompts, and the learner has not. A word leaves the router once five
different requests of one pattern used it, and never if it may be a name or a number: no word beside
a digit or an `@`, and none that somebody wrote with a capital in the middle of a sentence.
"""

import re
from collections import deque
from collections.abc import Iterable

from router.request.patterns import bucket, own_words

ENOUGH = 5  # different requests of a pattern that use a word
_WAITING = 40  # requests whose words are still to be counted; others are not counted
_WORDS = 400  # counted words of a pattern
_PATTERNS = 64
_MOST_SENT = 40  # words of a pattern
_NAMES = 4_000  # the latest words that may be names, which are not told
_READ = 600  # characters of a message
_TOKEN = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDS = (".", "!", "?", ":", "\n")


class PatternWords:
    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str]] = deque(maxlen=_WAITING)
        self._counts: dict[str, dict[str, set[int]]] = {}  # by pattern and word: requests
        self._sent: dict[str, set[str]] = {}
        self._names: dict[str, None] = {}  # words that may be names, those seen last at the end

    def see(self, pattern: str, text: str) -> None:
        """Remember a request of a pattern. Its words are counted by `take`, off the path."""
        self._waiting.append((pattern, text))

    def take(self) -> list[tuple[str, str]]:
        """Count the words of the requests that wait; the words that may be told now."""
        while self._waiting:
            self._count(*self._waiting.popleft())
        words = []
        for pattern, counts in self._counts.items():
            sent = self._sent.setdefault(pattern, set())
            for word, requests in counts.items():
                ready = len(requests) >= ENOUGH and word not in sent
                if ready and word not in self._names and len(sent) < _MOST_SENT:
                    sent.add(word)
                    words.append((pattern, word))
        return words

    def restore(self, words: Iterable[tuple[str, str]]) -> None:
        """Tell these words again later: they did not reach the learner."""
        for pattern, word in words:
            self._sent.get(pattern, set()).discard(word)

    def _count(self, pattern: str, text: str) -> None:
        text = text[:_READ]
        plain, names = sorted_words(text)
        for name in sorted(names):
            self._names.pop(name, None)
            self._names[name] = None
            if len(self._names) > _NAMES:
                del self._names[next(iter(self._names))]
        if pattern not in self._counts and len(self._counts) >= _PATTERNS:
            del self._counts[next(iter(self._counts))]
        counts = self._counts.setdefault(pattern, {})
        own = frozenset(own_words(text))
        request = hash(own)  # the same words again are the same request
        for word in plain & own:
            if word in counts:
                if len(counts[word]) < ENOUGH:
                    counts[word].add(request)
            elif len(counts) < _WORDS and bucket(word) >= 0:
                counts[word] = {request}


def sorted_words(text: str) -> tuple[set[str], set[str]]:
    """The words of a text that may be told, and those that may be names.

    A text in capitals says of no word whether it is a name, so none of it is told.
    """
    plain: set[str] = set()
    names: set[str] = set()
    if sum(map(str.isupper, text)) * 2 > sum(map(str.isalpha, text)):
        return plain, names
    begins = True  # whether the next word is the first of a sentence
    for match in _TOKEN.finditer(text):
        token = match[0]
        words = _LETTERS.findall(token)
        lone = len(words) == 1 and not any(c.isdigit() or c in "@/\\_#=&%" for c in token)
        for word in words:
            small = own_words(word)
            if word[0].isupper() and not begins:
                names.update(small)
            elif lone and word[1:].islower():
                plain.update(small)
        ahead = text[match.end() : match.end() + 1]
        begins = token.endswith(_ENDS) or ahead == "\n"
    return plain - names, names
