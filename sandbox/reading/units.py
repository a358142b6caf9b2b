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
DIMENSION_OF = {unit: name for name, units in _DIMENSIONS.items() for unit in units.split()}
_UNITS = frozenset(f"unit:{unit}" for unit in DIMENSION_OF)
# Parts of one length or time: 5 ft 11 in, 2 h 30 min. The inner unit's share of the outer unit.
_PARTS = {
    ("foot", "inch"): 12, ("hour", "minute"): 60, ("minute", "second"): 60, ("pound", "ounce"): 16,
    ("stone", "pound"): 14, ("day", "hour"): 24, ("meter", "centimeter"): 100,
    ("kilometer", "meter"): 1000, ("kilogram", "gram"): 1000, ("liter", "milliliter"): 1000,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount with its unit, and where it stands."""

    value: float
    unit: str
    first: int = 0  # the place of its number, and of its last token
    last: int = 0

    @property
    def dimension(self) -> str:
        return DIMENSION_OF[self.unit]


def _unit(reader: Reader, place: int) -> str:
    """The unit at a place; "" if there is none. `in` is an inch only after a number, never here."""
    if not 0 <= place < len(reader.tokens):
        return ""
    units = sorted(c for c in reader.tokens[place].concepts if c in _UNITS)
    if not units and reader.tokens[place].means("degrees") and reader.has("unit:radian"):
        return "degree"
    return units[0].removeprefix("unit:") if len(units) == 1 else ""


def take_quantities(reader: Reader) -> list[Quantity]:
    quantities: list[Quantity] = []
    last = -9
    for place in reader.free("number"):
        after = place + 1
        while reader.tokens[after : after + 1] and reader.tokens[after].means("degrees"):
            if not _unit(reader, after + 1):
                break
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
        whole = bool(quantities) and _unit(reader, quantities[-1].last) == quantities[-1].unit
        if not between and place == last + 1 > 0 and _unlike_parts(*pair):
            raise NotUnderstood(f"{quantities[-1].unit} and {unit} side by side: use one unit")
        if pair in _PARTS and whole and token.value < _PARTS[pair]:
            outer = quantities.pop()
            value = outer.value + token.value / _PARTS[pair]
            quantities.append(Quantity(value, outer.unit, outer.first, after))
        else:
            quantities.append(Quantity(token.value, unit, place, after))
        last = after
    return quantities or _single(reader)


def _unlike_parts(outer: str, inner: str) -> bool:
    """Whether two units side by side are one amount in parts that are not known: `1 mile 300 yards`."""
    alike = bool(outer) and outer != inner and DIMENSION_OF[outer] == DIMENSION_OF[inner]
    return alike and (outer, inner) not in _PARTS


def _single(reader: Reader) -> list[Quantity]:
    """The quantity in `seconds in a day`: one of the unit after `a`."""
    for place in reader.places(*_UNITS):
        before = reader.tokens[place - 1].text.lower() if place else ""
        if before in ("a", "an", "un", "una") and _unit(reader, place):
            reader.taken.update((place - 1, place))
            return [Quantity(1.0, _unit(reader, place))]
    return []


def _conversion(reader: Reader) -> Sequence[Analysis] | None:
    quantities = take_quantities(reader)
    left = [i for i in range(len(reader.tokens)) if i not in reader.taken]
    at = {place: unit for place in left if (unit := _unit(reader, place))}
    targets = list(at.values())
    if (
        quantities
        and not targets
        and any(t.stem.startswith(("conver", "convier")) for t in reader.tokens)
    ):
        words = ", ".join(f"`{token.text}`" for token in reader.left() if token.kind == "word")
        raise NotUnderstood(f"{words or 'what stands there'} is no unit that is known here")
    if not quantities or not targets:
        return None
    into_words = ("in", "en", "into", *(("a",) if reader.language == "es" else ()))
    prepositions = [i for i, t in enumerate(reader.tokens) if t.text.lower() in into_words]
    if not reader.has("convert") and not prepositions:
        return None
    reader.take_all("convert", "degrees")
    for quantity in quantities:
        reader.label(quantity.first)
    reader.taken.update(i for i in prepositions if i + 1 in at)  # `100 km/h en mph`
    analyses = [_converted(quantity, targets) for quantity in quantities]
    into = {unit for a in analyses for unit in str(a.parameters["into"]).split(",")}
    reader.taken.update(place for place, unit in at.items() if unit in into)
    return analyses


def _converted(quantity: Quantity, targets: Sequence[str]) -> Analysis:
    """The conversion of a quantity into the only unit that fits, or into feet and inches."""
    kind = quantity.dimension
    fitting = tuple(
        dict.fromkeys(u for u in targets if DIMENSION_OF[u] == kind and u != quantity.unit)
    )
    parameters = {"value": quantity.value, "unit": quantity.unit, "into": ",".join(fitting)}
    if len(fitting) == 2 and fitting in _PARTS:
        return Analysis("conversion_in_parts", parameters=parameters)
    if len(fitting) != 1:
        raise NotUnderstood(
            f"it is not clear into which unit {quantity.value:g} {quantity.unit} is to be converted"
        )
    return Analysis("conversion", parameters=parameters)


_MOTION = {"motion_speed": "speed", "motion_time": "time", "motion_distance": "length"}


_ANSWERED = {
    "speed": ("kilometer_per_hour", "meter_per_second", "mile_per_hour"),
    "time": ("hour", "minute"),
    "length": ("kilometer", "meter", "mile"),
}


def _motion(reader: Reader) -> Analysis | None:
    """Distance, time and speed: the third from two of them."""
    quantities = {quantity.dimension: quantity for quantity in take_quantities(reader)}
    wanted = {"length", "time", "speed"} - set(quantities)
    if len(quantities) != 2 or len(wanted) != 1 or not reader.taken:
        return None
    (missing,) = wanted
    names = [name for name, kind in _MOTION.items() if kind == missing]
    if not reader.take_all(*names, *(f"unit:{unit}" for unit in _ANSWERED[missing])):
        return None
    reader.take_all("motion_words", "convert")
    names_of_units = {f"{kind}_unit": q.unit for kind, q in quantities.items()}
    return Analysis(
        "motion", parameters=names_of_units | {kind: q.value for kind, q in quantities.items()}
    )


def _fuel_use(reader: Reader) -> Analysis | None:
    if not reader.take_all("fuel_use"):
        return None
    by_unit = {quantity.unit: quantity.value for quantity in take_quantities(reader)}
    if set(by_unit) != {"liter", "kilometer"}:
        return None
    reader.take_all("fuel_words")
    parameters = {"liters": by_unit["liter"], "kilometers": by_unit["kilometer"]}
    return Analysis("fuel_use", parameters=parameters)


RULES: tuple[Rule, ...] = (
    Rule(
        "distance, time and speed",
        frozenset({*_MOTION, "motion_words"}),
        _motion,
        "two of a distance, a time and a speed, each with its unit",
        words="units",
    ),
    Rule(
        "the use of fuel",
        frozenset({"fuel_use"}),
        _fuel_use,
        "so many liters after so many kilometers, in L/100 km",
        words="units",
    ),
    Rule(
        "a conversion of units",
        _UNITS,
        _conversion,
        "an amount with its unit, and one other unit of the same kind",
        words="units",
    ),
)
