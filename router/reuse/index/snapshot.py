"""Graphs on disk: one file for each space, and a manifest with the files' names and checksums.

The reader trusts no file. It loads a graph only if the file has the size and checksum in the
manifest, and if a sample of the graph's vectors equals the vectors in the store.
"""

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from router.files import replace_durably, write_durably
from router.reuse.index.graph import Graph
from router.reuse.index.matrix import IdSet
from router.reuse.index.space import Space, room_for
from router.reuse.solution_store import SolutionStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANIFEST = "manifest.json"
_SAMPLED = 64  # number of a graph's vectors that the reader compares with the store

_MOST_ROOM = 64  # a graph has room for so many times the solutions that are left in its space


class DamagedGraph(RuntimeError):
    """The file of a graph was changed after it was saved, or its vectors differ from the store."""


def write_snapshot(
    folder: Path, graphs: Mapping[bytes, Graph], *, encoder: str, dimensions: int, position: int
) -> None:
    """Write every graph, then the manifest, then delete the files of earlier snapshots."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for space, graph in graphs.items():
        path = folder / f"{space.hex()}-{position}.hnsw"
        beside = path.with_name(f"{path.name}.new")
        graph.save(beside)
        replace_durably(beside, path)
        size = path.stat().st_size
        entry = {"space": space.hex(), "file": path.name, "crc32": _crc(path), "bytes": size}
        entries.append(entry | {"room": graph.room})
    manifest = {
        "encoder": encoder,
        "dimensions": dimensions,
        "position": position,
        "graphs": entries,
    }
    write_durably(folder / _MANIFEST, json.dumps(manifest).encode())
    names = {entry["file"] for entry in entries}
    for path in folder.glob("*.hnsw*"):
        if path.name not in names:
            path.unlink(missing_ok=True)


def read_snapshot(
    folder: Path, store: SolutionStore, *, encoder: str, dimensions: int
) -> tuple[dict[bytes, Space], list[str]]:
    """The spaces whose graphs agree with the store, and a message for each other graph."""
    taken: dict[bytes, Space] = {}
    problems: list[str] = []
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        of_this_encoder = (manifest["encoder"], manifest["dimensions"]) == (encoder, dimensions)
        entries = [_Entry.read(entry) for entry in manifest["graphs"]] if of_this_encoder else []
    except FileNotFoundError:
        return taken, problems
    except (OSError, ValueError, KeyError, TypeError) as error:
        return taken, [f"{_MANIFEST}: {error!r}; all graphs are made anew"]
    for entry in entries:
        try:
            taken[entry.space] = _space(folder / entry.file, entry, store, dimensions)
        except (OSError, RuntimeError) as error:
            problems.append(f"{entry.file}: {error}; it is made anew")
    return taken, problems


@dataclass(frozen=True, slots=True)
class _Entry:
    """A graph's line in the manifest."""

    space: bytes
    file: str
    bytes: int
    crc32: int
    room: int

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "_Entry":
        name = Path(str(entry["file"])).name
        sizes = [int(entry[field]) for field in ("bytes", "crc32", "room")]
        return cls(bytes.fromhex(entry["space"]), name, *sizes)


def _space(path: Path, entry: _Entry, store: SolutionStore, dimensions: int) -> Space:
    size = path.stat().st_size
    if size != entry.bytes:
        raise DamagedGraph(f"it has {size} bytes, not {entry.bytes}")
    # The checksum comes first: hnswlib believes every size that it reads from the file.
    if _crc(path) != entry.crc32:
        raise DamagedGraph("its checksum is another")
    proven = np.array(store.proven(entry.space), dtype=np.int64)
    if entry.room > _MOST_ROOM * room_for(len(proven)):
        raise DamagedGraph(f"it claims room for {entry.room} solutions")
    graph = Graph.load(path, dimensions, max(entry.room, room_for(len(proven))))
    ids = np.sort(np.array(graph.ids(), dtype=np.int64))
    kept = np.intersect1d(ids, proven, assume_unique=True)
    _compare_sample(graph, kept, store)
    for id_ in np.setdiff1d(ids, proven, assume_unique=True).tolist():
        graph.remove(id_)
    return Space(dimensions, graph, IdSet(kept.tolist()))


def _compare_sample(graph: Graph, ids: "NDArray[np.int64]", store: SolutionStore) -> None:
    """Refuse a graph whose ids point at the vectors of other solutions."""
    sample = ids[:: max(1, len(ids) // _SAMPLED)].tolist()
    for id_, content, _ in store.vectors(sample):
        vector = np.frombuffer(content, np.float32)
        if len(vector) == graph.dimensions and not np.allclose(
            graph.vectors([id_])[0], vector, atol=1e-5
        ):
            raise DamagedGraph(f"it has another vector for solution {id_}")


def _crc(path: Path) -> int:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return 0
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            return zlib.crc32(content)
