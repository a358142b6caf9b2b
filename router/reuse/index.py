"""Solutions by nearness: in this process's memory, following the journal.

A space that is small is a matrix and is searched whole, which is exact. A large one is an hnswlib
graph with a short matrix of what is newest before it. hnswlib cannot grow under readers, nor take
additions beside them, nor does it notice a damaged file: so a graph grows by being built anew
beside the old one and taking its place, one addition at a time has the lock, and files carry a
checksum. Vectors that are no numbers never come in.
"""

import contextlib
import json
import mmap
import os
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from router.files import replace_durably, write_durably
from router.reuse.solution_store import SolutionStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_FLAT = 5_000  # up to here a matrix answers as fast as a graph
_ROOM = 1.25  # a new graph has room for a quarter more
_LEAST_ROOM = 20_000
_M, _BUILT_WITH, _ASKED_WITH = 16, 140, 160
_DELETED = 0.25  # share of a graph that is dead when it is built anew
_STEP = 2_000  # additions to a graph that nobody reads yet
_SAMPLED = 64  # vectors that are held against the store at a start


@dataclass(frozen=True, slots=True)
class Near:
    solution: int
    similarity: float


class Graph:
    """An hnswlib index, and the rules it needs."""

    def __init__(self, dimensions: int, room: int) -> None:
        self.dimensions, self.room = dimensions, room
        self.dead = 0
        self._index = _hnsw(dimensions)
        self._index.init_index(room, M=_M, ef_construction=_BUILT_WITH)
        self._index.set_ef(_ASKED_WITH)
        self._index.set_num_threads(1)

    @classmethod
    def read(cls, path: Path, dimensions: int, room: int) -> "Graph":
        made = cls.__new__(cls)
        made.dimensions, made.room, made.dead = dimensions, room, 0
        made._index = _hnsw(dimensions)
        made._index.load_index(str(path), max_elements=room)
        made._index.set_ef(_ASKED_WITH)
        made._index.set_num_threads(1)
        return made

    @property
    def count(self) -> int:
        return int(self._index.get_current_count())

    @property
    def living(self) -> int:
        return self.count - self.dead

    def add(self, ids: Sequence[int], vectors: "Matrix", *, threads: int = 1) -> None:
        self._index.add_items(vectors, ids, num_threads=threads)

    def remove(self, id_: int) -> None:
        self._index.mark_deleted(id_)
        self.dead += 1

    def ids(self) -> list[int]:
        return list(self._index.get_ids_list())

    def vectors(self, ids: Sequence[int]) -> "Matrix":
        return np.asarray(self._index.get_items(ids), dtype=np.float32)

    def nearest(self, vector: "Matrix", k: int) -> list[Near]:
        k = min(k, self.living)
        while k > 0:
            try:
                ids, distances = self._index.knn_query(vector, k=k, num_threads=1)
            except RuntimeError:  # what is dead stands in the way of so many
                k //= 2
                continue
            pairs = zip(ids[0].tolist(), distances[0].tolist(), strict=True)
            return [Near(id_, 1 - distance) for id_, distance in pairs]
        return []

    def save(self, path: Path) -> None:
        self._index.save_index(str(path))


def _hnsw(dimensions: int) -> Any:
    import hnswlib

    return hnswlib.Index("ip", dimensions)


class Ids:
    """A set of ids that grow from one on: a byte each, where a set of a million takes 90 MB."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._held = bytearray()
        for id_ in ids:
            self.add(id_)

    def __contains__(self, id_: int) -> bool:
        return id_ < len(self._held) and self._held[id_] == 1

    def __iter__(self) -> Iterator[int]:
        yield from np.flatnonzero(np.frombuffer(self._held, np.uint8)).tolist()

    def add(self, id_: int) -> None:
        if id_ >= len(self._held):
            self._held.extend(bytes(max(id_ + 1 - len(self._held), len(self._held) // 2)))
        self._held[id_] = 1

    def discard(self, id_: int) -> None:
        if id_ < len(self._held):
            self._held[id_] = 0


class Rows:
    """Vectors by id, in a matrix that grows."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._matrix: Matrix = np.zeros((0, dimensions), dtype=np.float32)
        self._at: dict[int, int] = {}
        self.ids: list[int] = []

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._at

    def __getitem__(self, id_: int) -> "Matrix":
        row: Matrix = self._matrix[self._at[id_]]
        return row

    def append(self, id_: int, vector: "Matrix") -> None:
        count = len(self.ids)
        if count >= len(self._matrix):
            grown = np.zeros((max(1, 2 * count), self._dimensions), dtype=np.float32)
            grown[:count] = self._matrix[:count]
            self._matrix = grown
        self._matrix[count] = vector
        self.ids.append(id_)
        self._at[id_] = count

    def remove(self, id_: int) -> None:
        """The last takes its place."""
        if id_ not in self._at:
            return
        place, last = self._at.pop(id_), len(self.ids) - 1
        moved = self.ids.pop()
        if place != last:
            self._matrix[place] = self._matrix[last]
            self.ids[place], self._at[moved] = moved, place
        if len(self._matrix) > 4 * max(len(self.ids), 64):
            self._matrix = self._matrix[: max(len(self.ids), 1)].copy()

    def all(self) -> tuple[list[int], "Matrix"]:
        return list(self.ids), self._matrix[: len(self.ids)].copy()

    def likeness(self, vector: "Matrix") -> "Matrix":
        found: Matrix = self._matrix[: len(self.ids)] @ vector
        return found


@dataclass
class IndexShelf:
    """One space: a graph, if it has one, and in rows what is not in it yet."""

    rows: Rows
    graph: Graph | None = None
    in_graph: Ids = field(default_factory=Ids)
    leaving: set[int] = field(default_factory=set)  # deleted while a new graph was being built
    building: bool = False

    def __len__(self) -> int:
        return len(self.rows) + (self.graph.living if self.graph else 0)

    def __contains__(self, id_: int) -> bool:
        return id_ in self.rows or id_ in self.in_graph

    def remove(self, id_: int) -> None:
        if self.building:
            self.leaving.add(id_)
        if id_ in self.rows:
            self.rows.remove(id_)
        elif id_ in self.in_graph and self.graph is not None:
            self.graph.remove(id_)
            self.in_graph.discard(id_)

    def nearest(self, vector: "Matrix", k: int) -> list[Near]:
        found: list[Near] = []
        if self.rows.ids:
            scores = self.rows.likeness(vector)
            some = np.argpartition(-scores, k - 1)[:k] if len(scores) > k else range(len(scores))
            found = [Near(self.rows.ids[at], float(scores[at])) for at in some]
        if self.graph is not None:
            found += self.graph.nearest(vector, k)
        return sorted(found, key=lambda near: -near.similarity)[:k]


class SolutionIndex:
    """All spaces. Readers and the one who follows the journal share it under a lock that nobody
    holds for longer than one addition takes."""

    def __init__(self, dimensions: int, encoder: str) -> None:
        self.dimensions, self.encoder = dimensions, encoder
        self.position = 0  # of the journal
        self._shelves: dict[bytes, IndexShelf] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def nearest(self, space: bytes, vector: "Matrix", k: int = 8) -> list[Near]:
        shelf = self._shelves.get(space)
        if shelf is None or not len(shelf):
            return []
        vector = _sound(vector, self.dimensions)
        with self._lock:
            return shelf.nearest(vector, k)

    def empty(self, space: bytes) -> bool:
        shelf = self._shelves.get(space)
        return shelf is None or not len(shelf)

    def add(self, space: bytes, id_: int, vector: "Matrix") -> None:
        vector = _sound(vector, self.dimensions)
        shelf = self._shelves.get(space)
        with self._lock:
            if shelf is None:
                shelf = self._shelves[space] = IndexShelf(Rows(self.dimensions))
            if id_ not in shelf:
                shelf.rows.append(id_, vector)

    def remove(self, space: bytes, id_: int) -> None:
        shelf = self._shelves.get(space)
        if shelf is not None:
            with self._lock:
                shelf.remove(id_)

    def follow(self, store: SolutionStore) -> int:
        """Take in what the journal says since; how many changes that was."""
        seen = 0
        while changes := store.changes(self.position):
            vectors = store.vectors([c.solution for c in changes if c.what == "in"])
            for change in changes:
                if change.what == "out":
                    self.remove(change.space, change.solution)
                elif change.solution in vectors:
                    vector, encoder = vectors[change.solution]
                    if encoder == self.encoder and vector:
                        told = np.frombuffer(vector, np.float32)
                        self.add(change.space, change.solution, told)
            self.position = changes[-1].seq
            seen += len(changes)
        return seen

    # -- graphs ---------------------------------------------------------------------------------

    def tend(self, *, threads: int = 1) -> bool:
        """Move what a matrix holds too much of into its graph, building one where it must be.
        Takes its time, and readers do not wait for it. Whether there was anything to do."""
        busy = False
        for shelf in list(self._shelves.values()):
            if len(shelf.rows) > _FLAT or _worn(shelf.graph):
                busy = True
                graph = shelf.graph
                wanted = len(shelf.rows) + (graph.count if graph else 0)
                if graph is None or wanted > graph.room or _worn(graph):
                    self._build(shelf, threads=threads)
                else:
                    self._move(shelf, graph)
        return busy

    def _move(self, shelf: IndexShelf, graph: Graph) -> None:
        """Into the graph that is being read: one at a time, so that no reader waits for long."""
        for id_ in list(shelf.rows.ids):
            with self._lock:
                if id_ in shelf.rows:
                    graph.add([id_], shelf.rows[id_][None, :])
                    shelf.in_graph.add(id_)
                    shelf.rows.remove(id_)

    def _build(self, shelf: IndexShelf, *, threads: int) -> None:
        """A new graph of all that live, which then takes the old one's place."""
        with self._lock:
            shelf.building, shelf.leaving = True, set()
            old, kept = shelf.graph, list(shelf.in_graph)
            fresh, vectors = shelf.rows.all()
        room = max(int(_ROOM * (len(kept) + len(fresh))), _LEAST_ROOM)
        made = Graph(self.dimensions, room)
        for start in range(0, len(kept), _STEP):
            some = kept[start : start + _STEP]
            assert old is not None
            with self._lock:
                theirs = old.vectors(some)
            made.add(some, theirs, threads=threads)
        for start in range(0, len(fresh), _STEP):
            stop = start + _STEP
            made.add(fresh[start:stop], vectors[start:stop], threads=threads)
        with self._lock:
            shelf.building = False
            shelf.in_graph = Ids((*kept, *fresh))
            shelf.graph = made
            for id_ in fresh:
                shelf.rows.remove(id_)
            for id_ in shelf.leaving:
                if id_ in shelf.in_graph:
                    made.remove(id_)
                    shelf.in_graph.discard(id_)

    # -- files ----------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Graphs into files, and a manifest that names them: written beside, synced and renamed."""
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for space, shelf in list(self._shelves.items()):
            if shelf.graph is None:
                continue
            name = f"{space.hex()}-{self.position}.hnsw"
            beside = folder / f"{name}.new"
            shelf.graph.save(beside)
            replace_durably(beside, folder / name)
            entries.append(
                {
                    "space": space.hex(),
                    "file": name,
                    "crc32": _crc(folder / name),
                    "bytes": (folder / name).stat().st_size,
                    "room": shelf.graph.room,
                }
            )
        told = {
            "encoder": self.encoder,
            "dimensions": self.dimensions,
            "position": self.position,
            "graphs": entries,
        }
        write_durably(folder / "manifest.json", json.dumps(told).encode())
        names = {entry["file"] for entry in entries}
        for path in folder.glob("*.hnsw*"):
            if path.name not in names:
                path.unlink(missing_ok=True)

    @classmethod
    def open(
        cls,
        folder: Path,
        store: SolutionStore,
        *,
        dimensions: int,
        encoder: str,
    ) -> tuple["SolutionIndex", list[str]]:
        """From the graphs that are on disk, proven against the store; what cannot be proven is
        made anew from it. Beside the index: what was wrong."""
        made, wrong = cls(dimensions, encoder), []
        made.position = store.position()
        manifest = _manifest(folder)
        if manifest and manifest["encoder"] == encoder and manifest["dimensions"] == dimensions:
            for entry in manifest["graphs"]:
                problem = made._take(folder, entry, store)
                if problem:
                    wrong.append(f"{entry['file']}: {problem}; it is made anew")
        for space, _ in store.spaces():
            shelf = made._shelves.get(space)
            known = shelf.in_graph if shelf is not None else Ids()
            for id_, vector in _missing(store, space, known, encoder):
                made.add(space, id_, vector)
        return made, wrong

    def _take(self, folder: Path, entry: Mapping[str, Any], store: SolutionStore) -> str:
        path, space = folder / entry["file"], bytes.fromhex(entry["space"])
        try:
            if path.stat().st_size != entry["bytes"]:
                return f"it has {path.stat().st_size} bytes, not {entry['bytes']}"
            sums: list[int] = []  # worked out beside the loading, which the interpreter waits for
            thread = threading.Thread(target=lambda: sums.append(_crc(path)))
            thread.start()
            living = np.fromiter(store.living(space), np.int64)
            room = max(entry["room"], int(1.1 * len(living)), _LEAST_ROOM)
            graph = Graph.read(path, self.dimensions, room)
            thread.join()
            if sums != [entry["crc32"]]:
                return "its checksum is another"
        except (OSError, RuntimeError) as error:
            return str(error)
        ids = np.sort(np.array(graph.ids(), dtype=np.int64))
        kept = np.intersect1d(ids, living, assume_unique=True)
        problem = _unlike(graph, kept, store)
        if problem:
            return problem
        shelf = IndexShelf(Rows(self.dimensions), graph)
        for id_ in np.setdiff1d(ids, living, assume_unique=True).tolist():
            graph.remove(id_)
        shelf.in_graph = Ids(kept.tolist())
        self._shelves[space] = shelf
        return ""

    def differs(self, store: SolutionStore) -> list[str]:
        """Everything in which index and store disagree: nothing, if all is well."""
        found: list[str] = []
        for space, _ in store.spaces():
            shelf = self._shelves.get(space)
            held = {*shelf.rows.ids, *shelf.in_graph} if shelf is not None else set()
            living = store.living(space)
            stored = store.vectors(living)
            for id_ in living:
                vector, encoder = stored.get(id_, (b"", ""))
                if encoder != self.encoder or not vector:
                    continue
                if id_ not in held:
                    found.append(f"solution {id_} is not in the index")
                elif shelf is not None and not np.allclose(
                    _of(shelf, id_), np.frombuffer(vector, np.float32), atol=1e-5
                ):
                    found.append(f"the index has another vector for solution {id_}")
            found += [f"{id_} is in the index and not in the store" for id_ in held - {*living}]
        return found

    @property
    def graphs(self) -> int:
        return sum(shelf.graph is not None for shelf in self._shelves.values())

    def sizes(self) -> Iterator[tuple[bytes, int]]:
        for space, shelf in list(self._shelves.items()):
            yield space, len(shelf)


def _worn(graph: Graph | None) -> bool:
    return graph is not None and graph.dead > _DELETED * graph.count


def _sound(vector: "Matrix", dimensions: int) -> "Matrix":
    """hnswlib takes what is no number, and it becomes everybody's nearest."""
    told = np.ascontiguousarray(vector, dtype=np.float32)
    length = float(told @ told) if told.shape == (dimensions,) else float("nan")
    if not 0.98 < length < 1.02:
        raise ValueError(
            f"a vector must be {dimensions} numbers of length 1, not {told.shape} of {length**0.5}"
        )
    return told


def _of(shelf: IndexShelf, id_: int) -> "Matrix":
    if id_ in shelf.rows:
        return shelf.rows[id_]
    assert shelf.graph is not None
    vector: Matrix = shelf.graph.vectors([id_])[0]
    return vector


def _missing(
    store: SolutionStore, space: bytes, known: Ids, encoder: str
) -> Iterator[tuple[int, "Matrix"]]:
    ids = [id_ for id_ in store.living(space) if id_ not in known]
    for start in range(0, len(ids), 500):
        for id_, (vector, theirs) in store.vectors(ids[start : start + 500]).items():
            if theirs == encoder and vector:
                yield id_, np.frombuffer(vector, np.float32)


def _unlike(graph: Graph, kept: "NDArray[np.int64]", store: SolutionStore) -> str:
    """Whether ids point at the vectors of others: a sample, spread over all."""
    some = kept[:: max(1, len(kept) // _SAMPLED)].tolist()
    stored = store.vectors(some)
    for id_ in some:
        vector = np.frombuffer(stored.get(id_, (b"", ""))[0], np.float32)
        if len(vector) == graph.dimensions and not np.allclose(
            graph.vectors([id_])[0], vector, atol=1e-5
        ):
            return f"it has another vector for solution {id_}"
    return ""


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        return None
    return told


def _crc(path: Path) -> int:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return 0
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            return zlib.crc32(content)


def gently() -> None:
    """This thread gives way to those that answer."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
