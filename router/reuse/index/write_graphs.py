"""`python -m router.reuse.index.write_graphs FOLDER ENCODER DIMENSIONS`: save the graphs to disk.

hnswlib holds the GIL while it saves a graph, so a process of its own does it. The process loads the
graphs on disk, adds newer solutions and saves again. It ends at once if another such process runs.
"""

import sys
from pathlib import Path

from router.files import lock_if_free
from router.reuse.index.solution_index import SolutionIndex, lower_priority
from router.reuse.solution_store import SolutionStore


def main(folder: Path, encoder: str, dimensions: int) -> None:
    if lock_if_free(folder / "graphs.lock") is None:
        return  # another process is saving; the kernel frees the lock when that process ends
    lower_priority()
    store = SolutionStore(folder)
    index, _ = SolutionIndex.open(folder / "graphs", store, dimensions=dimensions, encoder=encoder)
    while index.tend():
        pass
    index.follow(store)
    index.save(folder / "graphs")
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
