"""The words of answers that nobody has proved yet: they are in memory, and never on disk.

Until somebody proves an answer, its row in the store has a hash and a vector, and no words. A
rating that proves the answer marks the row; the process that holds the words then writes them. If
that process ended meanwhile, the answer is not kept.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from router.reuse.solution import Solution

_SECONDS = 3600.0
_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Words:
    request: str
    answer: str
    until: float

    @property
    def size(self) -> int:
        return len(self.request) + len(self.answer)


@dataclass
class UnprovenWords:
    """The latest words by their solution's id, for at most an hour and up to a number of bytes."""

    most_bytes: int = _BYTES
    _by_id: OrderedDict[int, Words] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def hold(self, id_: int, solution: Solution, now: float) -> None:
        words = Words(solution.request, solution.answer, now + _SECONDS)
        self._by_id[id_] = words
        self._bytes += words.size
        while self._by_id:
            oldest = next(iter(self._by_id))
            if self._bytes <= self.most_bytes and self._by_id[oldest].until > now:
                return
            self.take(oldest)

    def take(self, id_: int) -> Words | None:
        words = self._by_id.pop(id_, None)
        if words is not None:
            self._bytes -= words.size
        return words

    def drop(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self.take(id_)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)
