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

_MOST_RANKED = 4_000  # passages that BM25 ranks for one question
_MOST_COUNTED = 1_000  # passages with one word that are counted one by one
_SAMPLED = 64  # passages that show the language of a store
_FILTERS_KEPT = 4
_WAITING_KEPT = 256  # passages whose vectors a question needed before the store had them
_MOST_WORDS = 2_000  # of the vocabulary, for one beginning


class StoreSource:
    """Safe for several threads; it follows the store's changes by itself."""

    def __init__(self, store: KnowledgeStore, index: FollowingIndex, encoder: Encodes) -> None:
        """`encoder`: that of the questions; vectors of another one are never compared."""
        self._store, self._index, self._encoder = store, index, encoder
        self._vectors = StoreVectors(store)
        self._lock = Lock()
        self._waiting: OrderedDict[int, PassageVectors] = OrderedDict()
        self._admitted: OrderedDict[tuple[Where, int], frozenset[int]] = OrderedDict()
        self._language: tuple[int, str] = (-1, ENGLISH)

    @property
    def language(self) -> str:
        size = self.size()
        counted, language = self._language
        if counted < 0 or not counted <= size <= 2 * counted:
            language = self._spoken(size)
            self._language = (size, language)
        return language

    def _spoken(self, size: int) -> str:
        """The language of most passages, by a sample that is spread over the store."""
        step = max(size // _SAMPLED, 1)
        texts = self._store.looking.execute(
            "select text from passages where id % ? = 0 limit ?", (step, _SAMPLED)
        ).fetchall()
        hispanic = sum(language_of(text) == SPANISH for (text,) in texts)
        return SPANISH if 2 * hispanic > len(texts) else ENGLISH

    def size(self) -> int:
        if self._index.size:
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
        telling: list[str] = []
        ranked = 0
        counts = sorted(zip(self.holding(words), words, strict=True))
        for holding, word in counts:
            if holding and (not telling or ranked + holding <= _MOST_RANKED):
                telling.append(word)
                ranked += holding
        if not telling:
            return []
        query = " OR ".join(map(_quoted, telling))
        if ranked > _MOST_RANKED:  # one word, which too many passages hold to rank them all
            rows = self._store.looking.execute(
                "select rowid from passages_fts where passages_fts match ? limit ?",
                (query, _MOST_RANKED),
            )
        else:
            rows = self._store.looking.execute(
                "select rowid from passages_fts where passages_fts match ? "
                "order by bm25(passages_fts) limit ?",
                (query, most if among is None else _MOST_RANKED),
            )
        return [number for (number,) in rows if among is None or number in among][:most]

    def by_meaning(self, vector: "Vectors", most: int, among: Collection[int] | None) -> list[int]:
        self._index.follow()
        return [
            number
            for number, _ in self._index.nearest(vector, most, among, encoder=self._encoder.name)
        ]

    def read(self, numbers: Sequence[int]) -> list[StoredPassage]:
        kept_passages = self._store.passages(numbers)
        vectors = self._with_vectors(kept_passages)
        passages = []
        for kept in kept_passages:
            own = vectors[kept.id]
            document = self._store.document(kept.document)
            passages.append(
                StoredPassage(
                    kept.id,
                    kept.document,
                    kept.version,
                    document.title if document else "",
                    kept.title,
                    kept.text,
                    document.source if document else "",
                    own.vector,
                    own.sentences,
                )
            )
        return passages

    def _with_vectors(self, passages: Sequence[KeptPassage]) -> Mapping[int, PassageVectors]:
        """The vectors of passages. A passage that still waits for its vectors gets them here, or
        it would lose to every passage that has them."""
        fits = self._vectors.encoder == self._encoder.name
        vectors = dict(self._vectors.of([each.id for each in passages])) if fits else {}
        with self._lock:
            vectors |= {
                each.id: self._waiting[each.id]
                for each in passages
                if each.id not in vectors and each.id in self._waiting
            }
        missing = [each for each in passages if each.id not in vectors]
        if missing:
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
        return [self._holding(word) for word in words]

    def _holding(self, word: str) -> int:
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

    def vocabulary(self, beginning: str) -> list[str]:
        rows = self._store.looking.execute(
            "select term from vocabulary where term >= ? and term < ? limit ?",
            (beginning, f"{beginning}\U0010ffff", _MOST_WORDS),
        )
        return [term for (term,) in rows]


def _quoted(word: str) -> str:
    return '"' + word.replace('"', "") + '"'
