"""The index of a store's vectors, which follows the store's numbers.

A small store is compared whole. Of a large store, most vectors are in a graph of hnswlib, a file
beside the store that says which number it has reached; what came later is compared whole, and what
was taken out is left out. The graph is never changed while it is asked: a new one replaces it.

Each process that searches follows by itself: it reads what came after the numbers that it knows.
"""

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from router.knowledge.graph import VectorGraph, load_graph
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_AT_ONCE = 20_000  # vectors of one read
_MOST_COMPARED = 1_000  # passages of a filter that are compared one by one, not by the graph


class FollowingIndex:
    """The nearest passages of one store; several threads may ask at once."""

    def __init__(self, store: KnowledgeStore) -> None:
        self._store, self._vectors = store, StoreVectors(store)
        self._lock = threading.Lock()
        self._begin("")

    def _begin(self, encoder: str) -> None:
        import numpy as np

        self.encoder = encoder
        self.reached = 0  # the number of the last vector that is known here
        self._gone = 0  # the number of the last removal that is known here
        # What SQLite said of changes when this index last looked; each connection counts its own.
        self._seen: tuple[int, int, int] = (0, 0, 0)
        self._graph: VectorGraph | None = None
        self._out: set[int] = set()  # passages of the graph that were taken out
        self._rows: Any = np.empty((0, 1), dtype=np.float32)
        self._passages: Any = np.empty(0, dtype=np.int64)
        self._count = 0
        self._places: dict[int, int] = {}  # passage to row

    @property
    def size(self) -> int:
        inside = 0 if self._graph is None else len(self._graph.passages) - len(self._out)
        return inside + len(self._places)

    @property
    def held_bytes(self) -> int:
        """About how much memory the vectors take."""
        graph = 0 if self._graph is None else self._graph.held_bytes
        return int(self._rows.nbytes + self._passages.nbytes) + graph

    def follow(self) -> None:
        """Take in what changed in the store since the last look."""
        with self._lock:
            (version,) = self._store.looking.execute("pragma data_version").fetchone()
            changed = self._store.looking.total_changes
            if (version, changed, threading.get_ident()) == self._seen:
                return
            encoder = self._vectors.encoder
            if encoder != self.encoder:
                self._begin(encoder)
            self._take_graph()
            self._gone, gone = self._vectors.gone_after(self._gone)
            self._take_out(gone)
            while True:
                number, passages, rows = self._vectors.after(self.reached, _AT_ONCE)
                if not passages:
                    break
                self._take_in(passages, rows)
                self.reached = number
            self._seen = (version, changed, threading.get_ident())

    def nearest(
        self,
        vector: "Vectors",
        most: int,
        among: Collection[int] | None = None,
        *,
        encoder: str,
    ) -> list[tuple[int, float]]:
        """The passages nearest to a vector and their cosines; `among`: these passages alone. None
        while the store's vectors are another encoder's than the question's."""
        with self._lock:
            if encoder != self.encoder:
                return []
            pairs = self._of_rows(vector, most, among)
            if self._graph is not None:
                pairs += self._of_graph(vector, most, among)
        pairs.sort(key=lambda pair: (-pair[1], pair[0]))
        return pairs[:most]

    def _of_rows(
        self, vector: "Vectors", most: int, among: Collection[int] | None
    ) -> list[tuple[int, float]]:
        import numpy as np

        if among is not None:
            own = [place for passage in among if (place := self._places.get(passage)) is not None]
        else:
            own = list(self._places.values()) if len(self._places) < self._count else []
        if not self._places or (among is not None and not own):
            return []
        places = np.array(own) if own else np.arange(self._count)
        rows = self._rows[places] if own else self._rows[: self._count]
        cosines = rows @ vector
        if len(cosines) > most:
            best = np.argpartition(-cosines, most - 1)[:most]
            places, cosines = places[best], cosines[best]
        return list(zip(self._passages[places].tolist(), cosines.tolist(), strict=True))

    def _of_graph(
        self, vector: "Vectors", most: int, among: Collection[int] | None
    ) -> list[tuple[int, float]]:
        assert self._graph is not None
        if among is None:
            return self._graph.nearest(vector, most, self._out)
        if len(among) > _MOST_COMPARED:
            return self._graph.nearest_among(vector, most, self._out, among)
        inside = [id_ for id_ in among if id_ in self._graph.passages and id_ not in self._out]
        vectors = self._vectors.of(inside)
        return [(id_, float(own.vector @ vector)) for id_, own in vectors.items()]

    def _take_graph(self) -> None:
        """Use the newest graph, if there is one that knows more than this index had from a graph.

        Rows that the graph holds are forgotten here.
        """
        graph = load_graph(self._store, self._graph)
        if graph is None or graph.encoder != self.encoder or graph is self._graph:
            return
        self._begin(self.encoder)
        self._graph, self.reached, self._gone = graph, graph.reached, graph.gone

    def _take_out(self, passages: Collection[int]) -> None:
        for passage in passages:
            self._places.pop(passage, None)
            if self._graph is not None and passage in self._graph.passages:
                self._out.add(passage)

    def _take_in(self, passages: list[int], rows: "Vectors") -> None:
        import numpy as np

        needed = self._count + len(passages)
        if needed > len(self._passages) or self._rows.shape[1] != rows.shape[1]:
            room = max(needed, 2 * len(self._passages), 1024)
            grown = np.empty((room, rows.shape[1]), dtype=np.float32)
            ids = np.empty(room, dtype=np.int64)
            grown[: self._count], ids[: self._count] = (
                self._rows[: self._count],
                self._passages[: self._count],
            )
            self._rows, self._passages = grown, ids
        self._rows[self._count : needed] = rows
        self._passages[self._count : needed] = passages
        for place, passage in enumerate(passages, self._count):
            self._places[passage] = place
        self._count = needed
