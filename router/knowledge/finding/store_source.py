"""A store as a source: words by FTS5, meaning by the index that follows the store.

The work on words is bounded: words that very many passages hold propose none, because they tell
little; they still count in the ranking. `experiments/knowledge/million.py` measures a large store.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from router.documents.languages import ENGLISH, SPANISH, language_of
from router.encoding.encodes import Encodes
from router.knowledge.finding.source import StoredPassage
from router.knowledge.finding.where import Where
from router.knowledge.following import FollowingIndex
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import KeptPassage
from router.knowledge.vectors import PassageVectors, StoreVectors, vectors_of

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_MOST_RANKED = 1_000  # passages that BM25 ranks for one question
_MOST_COUNTED = 1_000  # passages with one word that are counted one by one
_MOST_CROSSED = 50_000  # passages with a word that is looked for together with another word
_MOST_PAIRED = 5_000  # passages with a word that is looked for beside another word
_COUNTS_KEPT = 4_096  # words whose passages were counted
_BEGINNINGS_KEPT = 256  # whose words are kept
_LARGE = 50_000  # passages; in a larger store, a new word need not be known at once
_GROWN = 1.1  # a store that grew by more has other counts of frequent words
_SAMPLED = 64  # passages that show the language of a store
_FILTERS_KEPT = 4
_WAITING_KEPT = 256  # passages whose vectors a question needed before the store had them
_MOST_WORDS = 2_000  # of the vocabulary, for one beginning


def language_in(store: KnowledgeStore) -> str:
    """The language of most passages, by a sample that is spread over the store."""
    (last,) = store.looking.execute("select max(id) from passages").fetchone()
    numbers = {1 + n * (last or 0) // _SAMPLED for n in range(_SAMPLED)}
    texts = store.looking.execute(
        f"select text from passages where id in ({', '.join('?' * len(numbers))})",
        tuple(numbers),
    ).fetchall()
    hispanic = sum(language_of(text) == SPANISH for (text,) in texts)
    return SPANISH if 2 * hispanic > len(texts) else ENGLISH


class StoreSource:
    """Safe for several threads; it follows the store's changes by itself."""

    def __init__(
        self, store: KnowledgeStore, index: FollowingIndex | None, encoder: Encodes
    ) -> None:
        """`encoder`: that of the questions; vectors of another one are never compared. Without an
        index, nothing is proposed by meaning."""
        self._store, self._index, self._encoder = store, index, encoder
        self._vectors = StoreVectors(store)
        self._lock = Lock()
        self._waiting: OrderedDict[int, PassageVectors] = OrderedDict()
        self._admitted: OrderedDict[tuple[Where, int], frozenset[int]] = OrderedDict()
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()  # count, event, size
        # Words by their beginning, with the event and the size of the store then.
        self._vocabulary: OrderedDict[str, tuple[list[str], int, int]] = OrderedDict()
        self._language: tuple[int, str] = (-1, ENGLISH)

    @property
    def language(self) -> str:
        size = self.size()
        counted, language = self._language
        if counted < 0 or not counted <= size <= 2 * counted:
            language = language_in(self._store)
            self._language = (size, language)
        return language

    def size(self) -> int:
        if self._index is not None and self._index.size:
            return self._index.size
        (last,) = self._store.looking.execute("select max(id) from passages").fetchone()
        return int(last or 0)

    def admitted(self, where: Where) -> Collection[int] | None:
        if where.open:
            return None
        key = (where, self._store.newest)
        with self._lock:
            if key not in self._admitted:
                self._admitted[key] = frozenset(self._admitted_now(where))
                while len(self._admitted) > _FILTERS_KEPT:
                    self._admitted.popitem(last=False)
            self._admitted.move_to_end(key)
            return self._admitted[key]

    def _admitted_now(self, where: Where) -> Collection[int]:
        documents = {each.id for each in self._store.documents() if where.admits(each.metadata)}
        rows = self._store.looking.execute("select id, document from passages")
        return [number for number, document in rows if document in documents]

    def by_words(self, words: Sequence[str], most: int, among: Collection[int] | None) -> list[int]:
        counts = sorted((n, word) for n, word in zip(self.holding(words), words, strict=True) if n)
        ranked = 0
        rare: list[str] = []
        for holding, word in counts:
            if ranked + holding <= _MOST_RANKED:
                rare.append(word)
                ranked += holding
        if rare:
            rows = self._store.looking.execute(
                "select rowid from passages_fts where passages_fts match ? order by rank limit ?",
                (" OR ".join(map(_quoted, rare)), most if among is None else _MOST_RANKED),
            ).fetchall()
        else:
            rows = self._crossed([word for n, word in counts if n <= _MOST_CROSSED])
        return [number for (number,) in rows if among is None or number in among][:most]

    def _crossed(self, words: Sequence[str]) -> list[tuple[int]]:
        """Passages that hold several frequent words, the rarest of them first: as many words as
        some passage holds together."""
        for most in range(min(len(words), 3), 0, -1):
            rows: list[tuple[int]] = self._store.looking.execute(
                "select rowid from passages_fts where passages_fts match ? limit ?",
                (" AND ".join(map(_quoted, words[:most])), _MOST_RANKED),
            ).fetchall()
            if rows:
                return rows
        return []

    def by_meaning(self, vector: "Vectors", most: int, among: Collection[int] | None) -> list[int]:
        if self._index is None:
            return []
        self._index.follow()
        nearest = self._index.nearest(vector, most, among, encoder=self._encoder.name)
        return [number for number, _ in nearest]

    def read(self, numbers: Sequence[int]) -> list[StoredPassage]:
        kept_passages = self._store.passages(numbers)
        vectors = self._with_vectors(kept_passages)
        titles = self._store.titles({kept.document for kept in kept_passages})
        return [
            StoredPassage(
                kept.id,
                kept.document,
                kept.version,
                titles.get(kept.document, ("", ""))[0],
                kept.title,
                kept.text,
                titles.get(kept.document, ("", ""))[1],
                vectors[kept.id].vector,
                vectors[kept.id].sentences,
            )
            for kept in kept_passages
        ]

    def _with_vectors(self, passages: Sequence[KeptPassage]) -> Mapping[int, PassageVectors]:
        """The vectors of passages. A passage that still waits for its vectors gets them here, or
        it would lose to every passage that has them; without an index, it goes without."""
        fits = self._vectors.encoder == self._encoder.name
        vectors = dict(self._vectors.of([each.id for each in passages])) if fits else {}
        with self._lock:
            vectors |= {
                each.id: self._waiting[each.id]
                for each in passages
                if each.id not in vectors and each.id in self._waiting
            }
        missing = [each for each in passages if each.id not in vectors]
        if missing and self._index is None:
            vectors |= {each.id: _no_vectors(each.id) for each in missing}
        elif missing:
            made = {each.passage: each for each in vectors_of(missing, self._encoder)}
            vectors |= made
            with self._lock:
                self._waiting |= made
                while len(self._waiting) > _WAITING_KEPT:
                    self._waiting.popitem(last=False)
        return vectors

    def holding(self, words: Sequence[str]) -> list[int]:
        """For each word, how many passages hold it; for a word that very many hold, about how
        many, by the first of them."""
        newest, size = self._store.newest, self.size()
        return [self._holding(word, newest, size) for word in words]

    def _holding(self, word: str, newest: int, size: int) -> int:
        with self._lock:
            count, number, size_then = self._counts.get(word, (0, -1, 0))
        alike = count >= _MOST_COUNTED and size_then <= size <= _GROWN * size_then
        if number == newest or alike:
            return count
        count = self._count(word)
        with self._lock:
            self._counts[word] = count, newest, size
            if len(self._counts) > _COUNTS_KEPT:
                self._counts.popitem(last=False)
        return count

    def _count(self, word: str) -> int:
        if not re.search(r"[a-z0-9]", word):
            return 0
        count, last = self._store.looking.execute(
            "select count(*), max(rowid) from "
            "(select rowid from passages_fts where passages_fts match ? limit ?)",
            (_quoted(word), _MOST_COUNTED),
        ).fetchone()
        if count < _MOST_COUNTED:
            return int(count)
        (newest,) = self._store.looking.execute("select max(id) from passages").fetchone()
        return int(count * (newest or last) / last)

    def holds_side_by_side(self, pairs: Sequence[tuple[str, str]]) -> bool:
        words = list(dict.fromkeys(word for pair in pairs for word in pair))
        counts = dict(zip(words, self.holding(words), strict=True))
        bounded = [pair for pair in pairs if 0 < min(counts[w] for w in pair) <= _MOST_PAIRED]
        if not bounded:
            return False
        query = " OR ".join(f'"{_bare(first)} {_bare(second)}"' for first, second in bounded)
        row = self._store.looking.execute(
            "select 1 from passages_fts where passages_fts match ? limit 1", (query,)
        ).fetchone()
        return row is not None

    def vocabulary(self, beginning: str) -> list[str]:
        """In a large store this counts every passage of each word, so the words are kept."""
        newest, size = self._store.newest, self.size()
        with self._lock:
            words, number, size_then = self._vocabulary.get(beginning, ([], -1, 0))
        large = size_then >= _LARGE and size_then <= size <= _GROWN * size_then
        if number == newest or large:
            return words
        words = self._words(beginning)
        with self._lock:
            self._vocabulary[beginning] = words, newest, size
            if len(self._vocabulary) > _BEGINNINGS_KEPT:
                self._vocabulary.popitem(last=False)
        return words

    def _words(self, beginning: str) -> list[str]:
        rows = self._store.looking.execute(
            "select term from vocabulary where term >= ? and term < ? limit ?",
            (beginning, f"{beginning}\U0010ffff", _MOST_WORDS),
        )
        return [term for (term,) in rows]


def _no_vectors(passage: int) -> PassageVectors:
    import numpy as np

    return PassageVectors(passage, np.empty(0, np.float32), np.empty((0, 0), np.float32))


def _quoted(word: str) -> str:
    return f'"{_bare(word)}"'


def _bare(word: str) -> str:
    return word.replace('"', "")
