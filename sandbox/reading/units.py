"""Reads conversions of units: each quantity, and the unit into which it is to be converted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.spec import Analysis

_DIMENSIONS = {
    "length": """meter kilometer centimeter millimeter micrometer mile nautical_mile yard foot inch
        light_year""",
    "mass": "gram kilogram milligram microgram metric_ton ton pound ounce stone",
    "volume": """liter milliliter centiliter deciliter cubic_meter cubic_centimeter cubic_foot gallon
        imperial_gallon quart pint imperial_pint cup fluid_ounce tablespoon teaspoon""",
    "area": """square_meter square_kilometer square_foot square_inch square_mile hectare acre""",
    "time": "second minute hour day week millisecond",
    "speed": "kilometer_per_hour mile_per_hour meter_per_second knot foot_per_second",
    "temperature": "degree_Celsius degree_Fahrenheit kelvin",
    "pressure": "pascal kilopascal megapascal bar pound_force_per_square_inch atmosphere mmHg",
    "energy": "joule kilojoule kilocalorie calorie kilowatt_hour",
    "power": "watt kilowatt horsepower",
    "force": "newton",
    "data": "byte kilobyte megabyte gigabyte terabyte mebibyte gibibyte megabit",
    "angle": "degree radian",
}  # fmt: skip
_OF_UNIT = {unit: name for name, units in _DIMENSIONS.items() for unit in units.split()}
_UNITS = frozenset(f"unit:{unit}" for unit in _OF_UNIT)
# Parts of one length or time: 5 ft 11 in, 2 h 30 min. The inner unit's share of the outer unit.
_PARTS = {
    ("foot", "inch"): 12, ("hour", "minute"): 60, ("minute", "second"): 60, ("pound", "ounce"): 16,
    ("stone", "pound"): 14, ("day", "hour"): 24, ("meter", "centimeter"): 100,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Quantity:
    value: float
    unit: str


def _unit(reader: Reader, place: int) -> str:
    """The unit at a place; "" if there is none. `in` is an inch only after a number, never here."""
    if not 0 <= place < len(reader.tokens):
        return ""
    units = sorted(c for c in reader.tokens[place].concepts if c in _UNITS)
    return units[0].removeprefix("unit:") if len(units) == 1 else ""


def _quantities(reader: Reader) -> list[_Quantity]:
    quantities: list[_Quantity] = []
    last = -9
    for place in reader.free("number"):
        after = place + 1
        while after < len(reader.tokens) and reader.tokens[after].means("degrees"):
            after += 1
        unit = _unit(reader, after)
        token = reader.tokens[place]
        inches = (
            not unit
            and place == last + 1
            and reader.tokens[after - 1 : after]
            and (quantities[-1:] and quantities[-1].unit == "foot")
        )
        if (
            inches
            and after < len(reader.tokens)
            and reader.tokens[after].text.lower() in ("in", '"')
        ):
            unit = "inch"
        if not unit or token.unit not in ("", "th"):
            continue
        reader.taken.update(range(place, after + 1))
        between = reader.tokens[last + 1 : place]
        joined = place > last > -9 and all(t.text.lower() in ("and", "y") for t in between)
        pair = (quantities[-1].unit, unit) if quantities and joined else ("", "")
        if pair in _PARTS and token.value < _PARTS[pair]:
            outer = quantities.pop()
            quantities.append(_Quantity(outer.value + token.value / _PARTS[pair], outer.unit))
        else:
            quantities.append(_Quantity(token.value, unit))
        last = after
    return quantities or _single(reader)


def _single(reader: Reader) -> list[_Quantity]:
    """The quantity in `seconds in a day`: one of the unit after `a`."""
    for place in reader.places(*_UNITS):
        before = reader.tokens[place - 1].text.lower() if place else ""
        if before in ("a", "an", "un", "una") and _unit(reader, place):
            reader.taken.update((place - 1, place))
            return [_Quantity(1.0, _unit(reader, place))]
    return []


def _conversion(reader: Reader) -> Sequence[Analysis] | None:
    quantities = _quantities(reader)
    targets = [_unit(reader, place) for place in reader.places(*_UNITS)]
    if (
        quantities
        and not targets
        and any(t.stem.startswith(("conver", "convier")) for t in reader.tokens)
    ):
        words = ", ".join(f"`{token.text}`" for token in reader.left() if token.kind == "word")
        raise NotUnderstood(f"{words or 'what stands there'} is no unit that is known here")
    if not quantities or not targets or "" in targets:
        return None
    wanted = reader.has("convert") or any(
        t.text.lower() in ("in", "en", "a") for t in reader.tokens
    )
    if not wanted:
        return None
    reader.take_all("convert", "degrees")
    analyses = []
    for quantity in quantities:
        fitting = [
            u for u in targets if _OF_UNIT[u] == _OF_UNIT[quantity.unit] and u != quantity.unit
        ]
        if len(set(fitting)) != 1:
            raise NotUnderstood(
                f"it is not clear into which unit {quantity.value:g} {quantity.unit} is to be converted"
            )
        parameters = {"value": quantity.value, "unit": quantity.unit, "into": fitting[0]}
        analyses.append(Analysis("conversion", parameters=parameters))
    reader.take_all(*(f"unit:{analysis.parameters['into']}" for analysis in analyses))
    return analyses


def _fuel_use(reader: Reader) -> Analysis | None:
    if not reader.take_all("fuel_use"):
        return None
    by_unit = {quantity.unit: quantity.value for quantity in _quantities(reader)}
    if set(by_unit) != {"liter", "kilometer"}:
        return None
    reader.take_all("fuel_words")
    parameters = {"liters": by_unit["liter"], "kilometers": by_unit["kilometer"]}
    return Analysis("fuel_use", parameters=parameters)


RULES: tuple[Rule, ...] = (
    Rule(
        "the use of fuel",
        frozenset({"fuel_use"}),
        _fuel_use,
        "so many liters after so many kilometers, in L/100 km",
    ),
    Rule(
        "a conversion of units",
        _UNITS,
        _conversion,
        "an amount with its unit, and one other unit of the same kind",
    ),
)
