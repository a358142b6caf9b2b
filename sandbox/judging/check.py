"""Defines one check of a result, and a verification, which holds all checks of a result."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

ALPHA = 0.0004  # at most this share of right results is rejected, by all tests of chance together
SHOWN = 6  # significant digits of a figure in a message
Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StatisticalCheck:
    """One requirement on a result: whether it holds, what was measured, and, for a test of chance,
    which wrong results it could have missed."""

    name: str
    holds: bool
    detail: str
    statistic: float | None = None
    p_value: float | None = None
    power: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """All checks of one result. It holds if there are checks and each of them holds.

    `unchecked` names the parts of the request that no check covers.
    """

    checks: tuple[StatisticalCheck, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks)

    @property
    def level(self) -> Literal["spec", "unverified"]:
        return "spec" if self.holds and not self.unchecked else "unverified"

    @property
    def failed(self) -> tuple[StatisticalCheck, ...]:
        return tuple(check for check in self.checks if not check.holds)

    @property
    def score(self) -> float:
        """The share of checks that hold. Telemetry records this share as the answer's quality."""
        return sum(check.holds for check in self.checks) / max(len(self.checks), 1)

    def as_json(self) -> dict[str, Any]:
        checks = [
            {
                name: value
                for name, value in asdict(check).items()
                if value is not None and (value or name != "power")
            }
            for check in self.checks
        ]
        return {"level": self.level, "checks": checks, "unchecked": list(self.unchecked)}


def listed(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def numbers(name: str, values: Any) -> Column:
    """A column's values as numbers. Raises `ValueError` for texts, truths and tables: a text that
    looks like a number is none, and the tests of a table would explode."""
    column = np.asarray(values)
    if column.dtype.kind == "O":  # missing values, or integers beyond 64 bits
        if any(isinstance(value, str | bytes | bool) for value in column.flat):
            raise ValueError(f"{name} holds texts or truths")
        column = column.astype(np.float64)
    if column.ndim != 1:
        raise ValueError(f"{name} has {column.ndim} dimensions, and a column has one")
    if column.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds no numbers")
    return column.astype(np.float64, copy=False)
