"""Compares figures of a program with figures that were worked out again outside the sandbox.

The names must be the same, none missing and none added, at every depth; texts and truths must be
equal; numbers must agree to the tolerance, or to the rounding that the request states.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.judging.check import SHOWN

_MOST_FIGURES = 100_000
_MOST_DIFFERENCES = 5
_ERRORS = 4.5  # a simulated figure may lie so many standard errors from the exact value


@dataclass(frozen=True, slots=True)
class Estimate:
    """The exact value of a figure that a program simulates or approximates, and the standard error
    of the simulation or approximation."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a figure may lie from the recomputed figure, and to how many places it is rounded."""

    relative: float = 1e-6
    absolute: float = 1e-12
    decimals: int | None = None


def differences(figures: Any, expected: Any, tolerance: Tolerance, path: str = "") -> Iterator[str]:
    """Each difference in words, such as `slope: -99, recomputed: 1.99`."""
    if isinstance(figures, np.ndarray):
        figures = figures.tolist()
    match expected:
        case Mapping():
            yield from _of_objects(figures, expected, tolerance, path)
        case list() | tuple():
            yield from _of_lists(figures, expected, tolerance, path)
        case Estimate():
            if not _is_number(figures):
                yield f"{path}: {_short(figures)} is not a number"
            elif not abs(figures - expected.value) <= _reach(expected, tolerance):
                yield (
                    f"{path}: {figures:.{SHOWN}g}, exactly {expected.value:.{SHOWN}g} with a "
                    f"standard error of {expected.error:.2g}"
                )
        case bool() | str() | None:
            if type(figures) is not type(expected) or figures != expected:
                yield f"{path}: {_short(figures)}, recomputed: {_short(expected)}"
        case _:
            if not _is_number(figures) or not _agree(figures, expected, tolerance):
                yield f"{path}: {_short(figures)}, recomputed: {_short(expected)}"


def first_differences(figures: Any, expected: Any, tolerance: Tolerance, path: str = "") -> str:
    """The first few differences, or "" if there is none."""
    few = itertools.islice(differences(figures, expected, tolerance, path), _MOST_DIFFERENCES)
    return "; ".join(few)


def _of_objects(
    figures: Any, expected: Mapping[str, Any], tolerance: Tolerance, path: str
) -> Iterator[str]:
    if not isinstance(figures, dict):
        yield f"{path or 'result'}: {_short(figures)}, recomputed: {_short(dict(expected))}"
        return
    for name in expected:
        if name not in figures:
            yield f"{_below(path, name)} is missing"
    for name, figure in figures.items():
        if name not in expected:
            yield f"{_below(path, name)} was not asked for"
        else:
            yield from differences(figure, expected[name], tolerance, _below(path, name))


def _of_lists(figures: Any, expected: Any, tolerance: Tolerance, path: str) -> Iterator[str]:
    if not isinstance(figures, list | tuple) or len(figures) != len(expected):
        yield f"{path}: {_short(figures)}, recomputed: {_short(list(expected))}"
        return
    for position, (figure, other) in enumerate(zip(figures, expected, strict=True)):
        yield from differences(figure, other, tolerance, f"{path}[{position}]")


def _reach(expected: Estimate, tolerance: Tolerance) -> float:
    places = tolerance.decimals
    rounding = 0.5 * 10.0**-places * (1 + 1e-9) if places is not None else 0.0
    return _ERRORS * expected.error + rounding


def _agree(figure: float, expected: float, tolerance: Tolerance) -> bool:
    if isinstance(figure, int) and isinstance(expected, int):
        return figure == expected
    if not math.isfinite(figure) or not math.isfinite(expected):
        return False
    places = tolerance.decimals
    if places is None:
        return math.isclose(
            figure, expected, rel_tol=tolerance.relative, abs_tol=tolerance.absolute
        )
    # The program may have rounded a value that lies a hair above or below ours.
    half = 0.5 * 10.0**-places * (1 + 1e-9) + 1e-12 * abs(expected)
    return math.isclose(figure, round(figure, places), rel_tol=1e-15) and (
        abs(figure - expected) <= half
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)


def _short(value: Any) -> str:
    text = f"{value:.{SHOWN}g}" if isinstance(value, float) else repr(value)[:80]
    return text


def too_many(result: Any) -> bool:
    """Whether a result holds more numbers than anybody asks for, counted before comparing."""
    return sum(1 for _ in itertools.islice(leaves(result), _MOST_FIGURES + 1)) > _MOST_FIGURES


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Each number of a result with the name nearest above it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, name)
    elif isinstance(value, np.ndarray):
        for item in value.flat:
            yield name, float(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
