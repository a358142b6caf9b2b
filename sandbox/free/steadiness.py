"""Compares the runs of one program: same seed, same bytes; other seeds, consistent results.

A figure that every seed gives alike is fixed. One that varies is simulated, and its spread over the
seeds says how exact it is. A program whose truths, texts or shape depend on the seed is not steady.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.free.answers import FreeAnswer, bare

Kind = Literal["fixed", "simulated", "column"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure or column over several seeds. A column pools the values of all seeds."""

    name: str
    kind: Kind
    value: Any  # of the first seed
    mean: float = 0.0
    deviation: float = 0.0  # from seed to seed
    seeds: int = 1
    pooled: tuple[Any, ...] = ()

    @property
    def error(self) -> float:
        """The standard error of the mean over the seeds."""
        return self.deviation / math.sqrt(self.seeds)


class Unsteady(ValueError):
    """The runs of a program contradict each other; the message says how."""


def same_bytes(first: FreeAnswer, again: FreeAnswer) -> bool:
    """Whether two runs with one seed gave the same."""
    return _bytes(first) == _bytes(again)


def _bytes(answer: FreeAnswer) -> str:
    return json.dumps([answer.figures, answer.parameters, answer.template], sort_keys=True)


def varies(runs: Sequence[FreeAnswer]) -> bool:
    """Whether the figures depend on the seed."""
    return any(run.figures != runs[0].figures for run in runs[1:])


def measured(runs: Sequence[FreeAnswer]) -> Mapping[str, Measured]:
    """Each figure over runs with different seeds, by its bare name. Raises `Unsteady`."""
    first, *others = runs
    if any(run.parameters != first.parameters for run in others):
        raise Unsteady("the parameters differ from seed to seed")
    if any(run.template != first.template for run in others):
        raise Unsteady("the text differs from seed to seed")
    flat = [run.flat for run in runs]
    for other in flat[1:]:
        if set(other) != set(flat[0]):
            name = sorted(set(other) ^ set(flat[0]))[0]
            raise Unsteady(f"{name} is not there with every seed")
    figures = {name: _measured(name, [run[name] for run in flat]) for name in flat[0]}
    if len({bare(name) for name in figures}) < len(figures):
        raise Unsteady("two figures have the same name")
    return {bare(name): figure for name, figure in figures.items()}


def _measured(name: str, values: Sequence[Any]) -> Measured:
    first = values[0]
    if isinstance(first, list):
        if not all(isinstance(value, list) for value in values):
            raise Unsteady(f"{name} is not a column with every seed")
        fixed = all(value == first for value in values)
        pooled = first if fixed else [cell for value in values for cell in value]
        return Measured(name, "fixed" if fixed else "column", first, pooled=tuple(pooled))
    if all(value == first and type(value) is type(first) for value in values):
        return Measured(name, "fixed", first)
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        raise Unsteady(f"{name} is {first!r} with one seed, and something else with another")
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Measured(name, "simulated", first, mean, math.sqrt(spread), len(values))
