"""`python -m router.reuse.graph_snapshot FOLDER ENCODER DIMENSIONS`: the graphs, written to disk.

In a process of its own, since saving a graph stops the interpreter for as long as it takes. It
begins with the graphs that are there, takes in what came since, and leaves when another is at it.
"""

import sys
from pathlib import Path

from router.files import lock_if_free
from router.reuse.index import SolutionIndex, gently
from router.reuse.solution_store import SolutionStore


def main(folder: Path, encoder: str, dimensions: int) -> None:
    if lock_if_free(folder / "graphs.lock") is None:
        return  # what is locked is let go when this process ends
    gently()
    store = SolutionStore(folder)
    index, _ = SolutionIndex.open(folder / "graphs", store, dimensions=dimensions, encoder=encoder)
    while index.tend():
        pass
    index.follow(store)
    index.save(folder / "graphs")
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
