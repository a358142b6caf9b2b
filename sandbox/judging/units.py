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


def _fuel_use(liters: float, kilometers: float) -> Mapping[str, Any]:
    hundreds = Fraction(kilometers) / 100
    return {"liters_per_100_km": float(Fraction(liters) / hundreds)}


def _no_distance(liters: float, kilometers: float) -> str:
    return (
        "" if kilometers > 0 <= liters else f"{liters:g} liters over {kilometers:g} km make no rate"
    )


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "conversion": _conversion,
    "fuel_use": _fuel_use,
}
IMPOSSIBLE: Mapping[str, Callable[..., str]] = {"conversion": _impossible, "fuel_use": _no_distance}
