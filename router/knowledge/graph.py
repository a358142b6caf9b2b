"""The graph of a large store's vectors: a file beside the store, with the numbers it has reached.

`index.json` names the file, the passages' numbers and a checksum. It is renamed into place last, so
a reader sees a whole graph or the one before. A graph grows by a copy that is built further and
saved now and then: a killed builder goes on from the last saved state.
"""

import hashlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from router.files import replace_durably, write_durably
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

MANIFEST = "index.json"
WHOLE = 10_000  # most vectors that are compared whole; more of them go into the graph
_AT_ONCE = 5_000  # vectors that are added between two looks at the store
_SAVED_EVERY = 100_000  # vectors
_MOST_DEAD = 0.2  # share of overwritten points; beyond it the graph is made anew
_SPARE = 64  # neighbours that are asked for in place of those that were taken out
_M, _EF_BUILD, _EF, _MOST_EF = 16, 100, 100, 5_000
_LINKS_BYTES = 8 * _M + 100  # of a point: its neighbours, and its number in our sets


class VectorGraph:
    """A graph in memory. It is asked, and never changed. `passages`: those of its points that were
    in the store when the graph was loaded."""

    def __init__(self, index: Any, passages: Collection[int], state: dict[str, Any]) -> None:
        self._index, self.passages = index, frozenset(passages)
        self.reached, self.gone = int(state["reached"]), int(state["gone"])
        self.encoder, self.name = str(state["encoder"]), str(state["file"])

        self._points = int(state["count"])

    @property
    def held_bytes(self) -> int:
        return self._points * (4 * int(self._index.dim) + _LINKS_BYTES)

    def nearest(
        self, vector: "Vectors", most: int, taken_out: Collection[int]
    ) -> list[tuple[int, float]]:
        """The nearest passages, without those that were taken out since the graph was loaded."""
        spare = min(self._points - len(self.passages) + len(taken_out), _SPARE)
        count = min(most + spare, self._points)
        self._index.set_ef(max(_EF, 2 * count))
        labels, distances = self._index.knn_query(vector, k=count, num_threads=1)
        pairs = zip(labels[0].tolist(), (1.0 - distances[0]).tolist(), strict=True)
        return [
            (passage, cosine)
            for passage, cosine in pairs
            if passage in self.passages and passage not in taken_out
        ]

    def nearest_among(
        self, vector: "Vectors", most: int, taken_out: Collection[int], among: Collection[int]
    ) -> list[tuple[int, float]]:
        """The nearest of these passages, as many as the graph finds."""
        rarity = self._points / max(len(among), 1)
        self._index.set_ef(int(min(max(_EF, 2 * most * rarity), _MOST_EF)))

        def admits(passage: int) -> bool:
            return passage in among and passage in self.passages and passage not in taken_out

        for count in (most, max(most // 4, 1), 1):
            with suppress(RuntimeError):  # fewer than `count` were found
                labels, distances = self._index.knn_query(
                    vector, k=count, num_threads=1, filter=admits
                )
                return list(zip(labels[0].tolist(), (1.0 - distances[0]).tolist(), strict=True))
        return []


def load_graph(store: KnowledgeStore, before: VectorGraph | None) -> VectorGraph | None:
    """The newest graph of a store; `before` if that is still the newest; None without a graph."""
    state = _state(store.folder)
    if state is None:
        return None
    if before is not None and before.name == state["file"]:
        return before
    with suppress(OSError, RuntimeError, ValueError):
        index = _opened(store.folder, state)
        # By the index on passages alone (`+`): the table's own pages hold the vectors, gigabytes.
        rows = store.looking.execute(
            "select passage from vectors where +number <= ?", (state["reached"],)
        )
        return VectorGraph(index, [int(passage) for (passage,) in rows], state)
    return None


def build_graph(store: KnowledgeStore) -> bool:
    """Bring the graph up to the store's vectors, if they are many; whether there is a new one.

    Only one process builds: the one that feeds the stores. What was taken out of the store is
    overwritten, so that no vector of it stays in the file.
    """
    vectors = StoreVectors(store)
    state = _state(store.folder)
    if state is not None and state["encoder"] != vectors.encoder:
        state = None
    if state is not None:
        gone, taken_out = vectors.gone_after(state["gone"])
        if int(state["dead"]) + len(taken_out) > _MOST_DEAD * int(state["count"]):
            state = None  # many dead points make a graph slow and inexact
    if state is None:
        gone, taken_out = vectors.gone_after(0)
        state = {"reached": 0, "count": 0, "dead": 0, "encoder": vectors.encoder}
        taken_out = []
    (waiting,) = store.looking.execute(
        "select count(*) from vectors where +number > ?", (state["reached"],)
    ).fetchone()
    if waiting < WHOLE and not taken_out:
        return False
    _Builder(store, {**state, "gone": gone}).build(taken_out, waiting)
    return True


class _Builder:
    def __init__(self, store: KnowledgeStore, state: dict[str, Any]) -> None:
        self._store, self._state = store, state

    def build(self, taken_out: Collection[int], waiting: int) -> None:
        state, vectors = self._state, StoreVectors(self._store)
        index = self._index(state["count"] + state["dead"] + waiting)
        self._overwrite(index, taken_out)
        since = 0
        while True:
            number, passages, rows = vectors.after(state["reached"], _AT_ONCE)
            rest = index.get_max_elements() - index.get_current_count()
            if not passages or len(passages) > rest:  # what came meanwhile waits for the next time
                break
            index.add_items(rows, passages, num_threads=1)
            state |= {"reached": number, "count": state["count"] + len(passages)}
            since += len(passages)
            if since >= _SAVED_EVERY:
                since = 0
                self._save(index)
        self._save(index)

    def _index(self, room: int) -> Any:
        if self._state["count"]:
            return _opened(self._store.folder, self._state, room=room)
        import hnswlib

        (blob,) = self._store.looking.execute("select vector from vectors limit 1").fetchone()
        self._state["dim"] = len(blob) // 2
        index: Any = hnswlib.Index(space="ip", dim=self._state["dim"])
        index.init_index(max_elements=room, M=_M, ef_construction=_EF_BUILD, random_seed=1)
        return index

    def _overwrite(self, index: Any, taken_out: Collection[int]) -> None:
        import numpy as np

        inside = set(index.get_ids_list()) if taken_out else set()
        dead = sorted(inside.intersection(taken_out))
        if dead:
            empty = np.zeros((len(dead), index.dim), dtype=np.float32)
            index.add_items(empty, dead, num_threads=1)
            for passage in dead:
                index.mark_deleted(passage)
            self._state["dead"] += len(dead)
            self._state["count"] -= len(dead)

    def _save(self, index: Any) -> None:
        folder, state = self._store.folder, self._state
        beside = folder / "index.new"
        index.save_index(str(beside))
        beside.chmod(0o600)
        state |= {"file": f"index-{state['reached']}-{state['gone']}.hnsw", "sum": _sum(beside)}
        replace_durably(beside, folder / state["file"])
        write_durably(folder / MANIFEST, orjson.dumps(state))
        for path in folder.glob("index-*.hnsw"):
            if path.name != state["file"]:
                path.unlink(missing_ok=True)


def _opened(folder: Path, state: dict[str, Any], *, room: int = 0) -> Any:
    """The graph in a file. Raises `ValueError` if the file is not what was written."""
    import hnswlib

    path = folder / state["file"]
    if _sum(path) != state["sum"]:
        raise ValueError(f"{path} is damaged")
    index: Any = hnswlib.Index(space="ip", dim=int(state["dim"]))
    index.load_index(str(path), max_elements=room)
    return index


def _state(folder: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        state: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        return state
    return None


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
