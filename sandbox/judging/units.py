"""Works conversions out again with pint, whose factors are not ours."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

_ZERO = {"degree_Celsius": -273.15, "degree_Fahrenheit": -459.67, "kelvin": 0.0}


_OTHER_NAMES = {
    "pound_force_per_square_inch": "pound_force_per_square_inch",
    "acre": "(4840 * yard**2)",  # of pint, an acre is the surveyors', which is 4 ppm larger
}


@cache
def _registry() -> Any:
    from pint import UnitRegistry  # it takes 0.2 s to load, and most requests need no unit

    return UnitRegistry()


def _written(unit: str) -> str:
    """The unit as pint reads it: `square_meter` is `meter**2`, `mile_per_hour` is `mile / hour`."""
    if unit in _OTHER_NAMES:
        return _OTHER_NAMES[unit]
    above, _, below = unit.partition("_per_")
    for name, power in (("square_", 2), ("cubic_", 3)):
        if above.startswith(name):
            above = f"{above.removeprefix(name)}**{power}"
    return f"{above} / {below}" if below else above


def _conversion(value: float, unit: str, into: str) -> Mapping[str, Any]:
    units = _registry()
    if unit in _ZERO:
        converted = units.Quantity(value, unit).to(into)
    else:
        converted = (value * units.parse_expression(_written(unit))) / units.parse_expression(
            _written(into)
        )
        converted = converted.to("dimensionless")
    return {into: float(converted.magnitude)}


def _impossible(value: float, unit: str, into: str) -> str:
    try:
        _conversion(value, unit, into)
    except Exception as error:  # pint has its own type for each kind of mistake
        return f"{unit} cannot be converted into {into}: {error}"
    if unit in _ZERO and value < _ZERO[unit]:
        return f"{value:g} {unit} is below absolute zero, {_ZERO[unit]:g}"
    return ""


def _in_parts(value: float, unit: str, into: str) -> Mapping[str, Any]:
    """The whole outer units, one after another, and what is left of the inner unit."""
    outer, inner = into.split(",")
    left, each, count = (
        *(_conversion(v, u, inner)[inner] for v, u in ((value, unit), (1, outer))),
        0,
    )
    while left >= each * (1 - 1e-12):
        left, count = left - each, count + 1
    return {outer: count, inner: max(left, 0.0)}


def _no_parts(value: float, unit: str, into: str) -> str:
    outer = into.split(",")[0]
    reason = _impossible(value, unit, outer)
    if reason:
        return reason
    few = 0 <= _conversion(value, unit, outer)[outer] < 10_000
    return "" if few else f"{value:g} {unit} are not written in two units"


def _motion(
    length: float | None = None,
    time: float | None = None,
    speed: float | None = None,
    **names: str,
) -> Mapping[str, Any]:
    units = _registry()
    amounts = {"length": length, "time": time, "speed": speed}
    quantities = {
        kind: value * units.parse_expression(_written(names[f"{kind}_unit"]))
        for kind, value in amounts.items()
        if value is not None
    }
    if speed is None:
        result = quantities["length"] / quantities["time"]
        wanted = {"km_per_hour": "km/hour", "m_per_second": "m/s", "miles_per_hour": "mile/hour"}
    elif time is None:
        result = quantities["length"] / quantities["speed"]
        wanted = {"hours": "hour", "minutes": "minute"}
    else:
        result = quantities["speed"] * quantities["time"]
        wanted = {"kilometers": "km", "meters": "m", "miles": "mile"}
    return {name: float(result.to(unit).magnitude) for name, unit in wanted.items()}


def _dose(
    per_kg: float,
    weight: float | None = None,
    pounds: float | None = None,
    concentration: float | None = None,
) -> Mapping[str, Any]:
    kilograms = weight if pounds is None else _conversion(pounds, "pound", "kilogram")["kilogram"]
    amount = Fraction(str(per_kg)) * Fraction(str(kilograms))
    if concentration is None:
        return {"dose": float(amount)}
    return {"dose": float(amount), "milliliters": float(amount / Fraction(str(concentration)))}


def _drop_rate(milliliters: float, hours: float, drops: float) -> Mapping[str, Any]:
    every = Fraction(str(hours)) * 60 / (Fraction(str(milliliters)) * Fraction(str(drops)))
    return {"drops_per_minute": float(1 / every)}  # `every` so many minutes there is a drop


def _all_above_0(**given: float | None) -> str:
    low = [name for name, value in given.items() if value is not None and value <= 0]
    return f"{low[0]} must be above 0" if low else ""


def _fuel_use(liters: float, kilometers: float) -> Mapping[str, Any]:
    hundreds = Fraction(kilometers) / 100
    return {"liters_per_100_km": float(Fraction(liters) / hundreds)}


def _no_distance(liters: float, kilometers: float) -> str:
    return (
        "" if kilometers > 0 <= liters else f"{liters:g} liters over {kilometers:g} km make no rate"
    )


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "conversion": _conversion,
    "conversion_in_parts": _in_parts,
    "motion": _motion,
    "dose": _dose,
    "drop_rate": _drop_rate,
    "infusion_rate": lambda milliliters, hours: {
        "milliliters_per_hour": float(Fraction(str(milliliters)) / Fraction(str(hours)))
    },
    "fuel_use": _fuel_use,
}
IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "conversion": _impossible,
    "conversion_in_parts": _no_parts,
    "motion": lambda **given: (
        ""
        if all(given.get(kind, 1) > 0 for kind in ("length", "time", "speed"))
        else "nothing moves"
    ),
    "dose": _all_above_0,
    "drop_rate": _all_above_0,
    "infusion_rate": _all_above_0,
    "fuel_use": _no_distance,
}
