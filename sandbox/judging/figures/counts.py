"""Works out figures of counts again: chi-square tests, frequencies, modes, missing values."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sandbox.judging.figures.tails import chi2_above

_MOST_CELLS = 1_000_000
Table = Sequence[Sequence[float]]


def independence(table: Table) -> dict[str, float]:
    """Pearson's test of a table, with Yates's correction if it has two rows and two columns."""
    if min(min(row) for row in table) < 0:
        raise ValueError("a table of counts has no values below 0")
    rows = [math.fsum(row) for row in table]
    columns = [math.fsum(column) for column in zip(*table, strict=True)]
    total, dof = math.fsum(rows), (len(rows) - 1) * (len(columns) - 1)
    if dof == 0:
        return {"statistic": 0.0, "p_value": 1.0, "dof": 0}
    parts = []
    for row, row_total in zip(table, rows, strict=True):
        for seen, column_total in zip(row, columns, strict=True):
            wanted = row_total * column_total / total
            gap = abs(seen - wanted)
            parts.append((gap - min(0.5, gap) * (dof == 1)) ** 2 / wanted)
    statistic = math.fsum(parts)
    return {"statistic": statistic, "p_value": chi2_above(statistic, dof), "dof": dof}


def cross_table(first: Sequence[Any], second: Sequence[Any]) -> list[list[int]]:
    pairs = Counter(
        (a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None
    )
    rows, columns = (dict.fromkeys(pair[side] for pair in pairs) for side in (0, 1))
    if len(rows) * len(columns) > _MOST_CELLS:
        raise ValueError(f"a table of {len(rows)} by {len(columns)} cells is too large")
    return [[pairs[a, b] for b in columns] for a in rows]


def fit(observed: Sequence[float], expected: Sequence[float] | None = None) -> dict[str, float]:
    """Pearson's test of counts against expected counts, which otherwise are all equal."""
    total, cells = math.fsum(observed), len(observed)
    wanted = [total / cells] * cells if expected is None else list(expected)
    if not math.isclose(math.fsum(wanted), total, rel_tol=1e-7):
        raise ValueError("the observed and the expected counts have different sums")
    statistic = math.fsum((a - b) ** 2 / b for a, b in zip(observed, wanted, strict=True))
    return {"statistic": statistic, "p_value": chi2_above(statistic, cells - 1), "dof": cells - 1}


def frequencies(values: Sequence[Any]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for value in values:
        if value is not None:
            counts[str(value)] += 1
    return dict(counts)


def mode(values: Sequence[Any]) -> Any:
    """The value that occurs most often; a sorted list if there are several."""
    counts = Counter(value for value in values if value is not None)
    most = max(counts.values())
    modes = [value for value, times in counts.items() if times == most]
    return modes[0] if len(modes) == 1 else sorted(modes)


def missing(values: Sequence[Any]) -> int:
    return sum(value is None for value in values)
