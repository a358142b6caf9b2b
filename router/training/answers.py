"""What the answers of two requests say about whether the requests want the same.

In some data sets, requests that want the same get answers with the same content; where answers are
in free words, they do not. A data set shows which by its own sure copies: answers count only if
copies of requests agree in theirs, but for words that copies often have more, such as `sure`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, log

from router.training.wording import words_of

_FEWEST_COPIES = 20  # that show whether answers of copies agree
_LEAST_AGREEING = 0.8
_LEAST_IDLE = 0.01  # the share of copies that differ in an idle word
_FEW = 4  # words of an answer, not of its request, that need not be repeated by chance
_REPEATING = 0.6  # the share of own words of an answer that mostly repeats its request
_SAYS_LESS = 0.6  # than its rarity, an answer of one word or of its request's words
_EACH_WORD, _MOST_COUNTED = 0.6, 8  # nats for each own word beyond a few
_MOST_IDLE = 8  # words that the answer to a copy may have more


@dataclass
class Answers:
    """The contents of all answers; two are compared by their places."""

    texts: Sequence[str]
    tell: bool = False  # whether answers say anything here
    _words: list[Counter[str]] = field(default_factory=list)
    _contents: list[frozenset[tuple[str, int]]] = field(default_factory=list)
    _sizes: Counter[frozenset[tuple[str, int]]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._words = [Counter(words_of(text)) for text in self.texts]

    def learn(self, copies: Sequence[tuple[str, str]]) -> None:
        """See by the answers of sure copies whether answers agree, and which words are idle."""
        pairs = [(Counter(words_of(a)), Counter(words_of(b))) for a, b in copies]
        if len(pairs) < _FEWEST_COPIES:
            return
        more = [(a - b) + (b - a) for a, b in pairs]
        counts = Counter(word for words in more if words.total() <= _MOST_IDLE for word in words)
        least = max(2.0, _LEAST_IDLE * len(pairs))
        idle = {
            word for word, n in counts.items() if n >= least and not any(map(str.isdigit, word))
        }
        agreeing = sum(idle.issuperset(words) for words in more)
        self.tell = agreeing >= _LEAST_AGREEING * len(pairs)
        self._contents = [
            frozenset((word, n) for word, n in words.items() if word not in idle)
            for words in self._words
        ]
        self._sizes = Counter(self._contents)

    def surprise(self, first: int, second: int, shared: Collection[str]) -> float | None:
        """How surprising it is that two answers have one content, in nats; minus infinity if they
        have not, and None if answers say nothing here. `shared`: the words of both requests.

        Answers that repeat their requests agree because the requests share these words, and short
        answers agree by chance. So long contents that are in no request surprise most.
        """
        if not self.tell:
            return None
        content = self._contents[first]
        if content != self._contents[second]:
            return -inf
        if not content:
            return 0.0
        nats = log(len(self.texts) / self._sizes[content])
        own = sum(word not in shared for word, _ in content)
        repeats = own <= _REPEATING * len(content) and self._sizes[content] > 2
        if own <= _FEW and (len(content) == 1 or repeats):
            return _SAYS_LESS * nats
        return nats + _EACH_WORD * min(max(own - _FEW, 0), _MOST_COUNTED)

    def alike(self) -> Iterable[list[int]]:
        """Groups of places whose answers have one content."""
        if not self.tell:
            return
        groups: dict[frozenset[tuple[str, int]], list[int]] = {}
        for place, content in enumerate(self._contents):
            groups.setdefault(content, []).append(place)
        yield from (group for group in groups.values() if len(group) > 1)
