"""What was measured beforehand about each kind of likeness, in the table `priors.txt`.

`experiments/reuse` writes the table, from pairs of requests that other people wrote. A prior counts
for at most `MOST` checks, so every kind has to earn its trust on real traffic. A kind that was not
measured starts from nothing.
"""

from functools import lru_cache
from pathlib import Path

MOST = 30.0  # checks that a prior counts for, at most
NOTHING = (0.5, 1.0)  # the weights of wrong answers and of all answers, before any evidence
FILE = Path(__file__).with_name("priors.txt")


def measured(bucket: str) -> tuple[float, float]:
    """The weights of wrong answers and of all answers that a bucket starts from."""
    return _table().get(bucket, NOTHING)


def prior_of(wrong: int, pairs: int) -> tuple[float, float]:
    """The prior after `wrong` of `pairs` pairs were taken for the same and were not."""
    share = min(1.0, MOST / max(pairs, 1))
    return 0.5 + wrong * share, min(1.0 + pairs, MOST)


def table_of(counts: dict[str, tuple[int, int]]) -> str:
    """The table with these counts of wrong pairs and of all pairs."""
    lines = [f"{bucket} {wrong} {pairs}" for bucket, (wrong, pairs) in sorted(counts.items())]
    return "\n".join(["# likeness:band, wrong pairs, pairs", *lines, ""])


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[float, float]]:
    rows = (line.split() for line in FILE.read_text("utf-8").splitlines() if line[:1] != "#")
    return {row[0]: prior_of(int(row[1]), int(row[2])) for row in rows if row}
