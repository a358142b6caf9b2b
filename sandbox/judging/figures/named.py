"""Works out again figures of values with names: beside the mean, and from a name to another."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from sandbox.judging.figures.more import greatest_change

Names = Sequence[Any] | None


def _beside_mean(values: Sequence[Any], names: Names, *, above: bool) -> dict[str, Any]:
    """Compare the sum with each value, as many times as there are values."""
    numbers = [Fraction(str(v)) for v in values if v is not None]  # the digits as people wrote them
    labels = [str(n) for n, v in zip(names or values, values, strict=True) if v is not None]
    total, count = sum(numbers), len(numbers)
    chosen = [
        i for i, v in enumerate(numbers) if (v * count > total if above else v * count < total)
    ]
    figures: dict[str, Any] = {
        "mean": float(total / count),
        "count": len(chosen),
        "percentage": float(Fraction(100 * len(chosen), count)),
        "values": [float(numbers[i]) for i in chosen],
    }
    return figures | ({"names": [labels[i] for i in chosen]} if names else {})


def _from_mean(values: Sequence[Any], names: Names, *, name: str) -> dict[str, float]:
    """How far the other values lie from this one, on average over all."""
    value = Fraction(_of_name(values, names, name))
    numbers = [Fraction(v) for v in values if v is not None]
    difference = sum(value - other for other in numbers) / len(numbers)
    return {
        "value": float(value),
        "mean": float(value - difference),
        "difference": float(difference),
    }


def _change_between(
    values: Sequence[Any], names: Names, *, first: str, last: str
) -> dict[str, float]:
    begin, end = (Fraction(_of_name(values, names, name)) for name in (first, last))
    if begin == 0:
        raise ValueError("no percentage of 0 is defined")
    return {
        "from": float(begin),
        "to": float(end),
        "change": float(end - begin),
        "percent": float(100 * end / begin - 100),
    }


def _of_name(values: Sequence[Any], names: Names, name: str) -> Any:
    chosen = [v for v, n in zip(values, names or (), strict=True) if str(n) == name]
    if len(chosen) != 1 or chosen[0] is None:
        raise ValueError(f"{name} has {len(chosen)} values")
    return chosen[0]


OF_VALUES_AND_NAMES: Mapping[str, Callable[..., Any]] = {
    "above_mean": lambda values, names: _beside_mean(values, names, above=True),
    "below_mean": lambda values, names: _beside_mean(values, names, above=False),
    "from_mean": _from_mean,
    "change_between": _change_between,
    "greatest_change": lambda values, names, **given: greatest_change(
        [float(v) for v in values], names, **given
    ),
}
