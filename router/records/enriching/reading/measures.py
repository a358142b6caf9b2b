"""Numbers of a text that are no money: counted things, measures, years, ages, ratings."""

import re
from collections.abc import Mapping

from router.records.catalogue.naming import words_of
from router.records.catalogue.tables import concepts
from router.records.enriching.reading.words import Mention, Text, only, words_in

_NOUNLESS = words_in(
    "number num numero no count total amount cantidad level nivel value id size n of per max min "
    "units cm kg km year years ano anos item items position order sample times"
)
_QUANTITY = words_in("unit units piece pieces pcs pc unidad unidades uds ud pieza piezas")
# For each kind of measure, what its units are of the first one.
_UNITS: Mapping[str, Mapping[str, float]] = {
    "weight": {"kg": 1, "kilos": 1, "kilo": 1, "g": 0.001, "lb": 0.45359, "lbs": 0.45359},
    "body_weight": {"kg": 1, "kilos": 1, "lb": 0.45359, "lbs": 0.45359},
    "length": {"cm": 1, "mm": 0.1, "m": 100}, "width": {"cm": 1, "mm": 0.1, "m": 100},
    "height": {"cm": 1, "mm": 0.1, "m": 100},
    "distance": {"km": 1, "kms": 1, "kilometres": 1, "kilometers": 1, "kilometros": 1, "m": 0.001},
    "mileage": {"km": 1, "kms": 1, "kilometres": 1, "kilometers": 1, "kilometros": 1},
    "volume": {"l": 1, "litres": 1, "liters": 1, "litros": 1, "ml": 0.001, "cl": 0.01},
    "duration": {
        "min": 1, "mins": 1, "minutes": 1, "minutos": 1, "h": 60, "hours": 60, "hour": 60,
        "horas": 60, "hora": 60, "hr": 60, "hrs": 60,
    },
    "hours": {"h": 1, "hours": 1, "horas": 1, "hrs": 1},
    "days": {"days": 1, "dias": 1, "nights": 1, "noches": 1},
    "area": {"m2": 1, "sqm": 1, "m²": 1},
    "calories": {"kcal": 1, "calories": 1, "calorias": 1}, "energy": {"kwh": 1},
    "temperature": {"°c": 1, "celsius": 1}, "speed": {"kmh": 1}, "pressure": {"hpa": 1},
}  # fmt: skip
_SIDES = {
    "length": words_in("long length largo larga longitud deep fondo"),
    "width": words_in("wide width ancho ancha anchura"),
    "height": words_in("tall high height alto alta altura mide"),
}
_BOUNDS = words_in(
    "over above more up under below least minimum max maximum between about around approximately "
    "roughly hasta entre unos unas mas menos aproximadamente casi capacity supports capacidad "
    "soporta less than near nearly almost within cerca every each cada per another otro otra "
    "loses lost gained perdio perdido"
)
_YEAR_LABELS = {
    "built": "built construido construida construccion manufactured fabricado fabricada made hecho",
    "founded": "founded established fundada fundado since creada constituida",
    "born": "born nacio nacido nacida",
    "released": "released published release publicado publicada publicacion estrenada estrenado "
    "premiered launched lanzado lanzada",
    "other": "renovated reformado reformada reformed renovado sold vendido bought comprado "
    "graduated until hasta before after antes despues repaired ends expires",
}
_YEAR_WORDS = {word: label for label, words in _YEAR_LABELS.items() for word in words.split()}
_YEAR_KEYS = {
    "built": "built construction production manufactured construccion fabricacion build constr",
    "founded": "founded founding established foundation fundacion constitucion fundada",
    "born": "birth born nacimiento yob",
    "released": "release released publication published estreno publicacion launch",
}
_STARS = words_in("star stars estrella estrellas")
_OFF = words_in("off discount descuento dto rebate menos rebaja")
_AGE = re.compile(r"years?|anos?")


def year_for(concept: str, key: str, text: Text) -> int | None:
    """The year that a text states for a field of years."""
    years: list[tuple[int, set[str]]] = []
    for mention in text.numbers():
        token = text.tokens[mention.start]
        if len(token.text) != 4 or not token.is_number or not 1900 <= mention.value <= 2100:
            continue
        following = text.after(mention.end, 1)
        free = not following or not (following[0] in _ALL_UNITS or following[0] in ("w", "euros"))
        around = {text.low(mention.start - 1), text.low(mention.end)}
        if not free or around & {*"€$£#%-/+"} or {"no", "n"} & around:
            continue
        if text.is_sure(mention, past=False) and not _BOUNDS & set(text.before(mention.start, 2)):
            words = text.before(mention.start, 6)
            labels = [_YEAR_WORDS[word] for word in words if word in _YEAR_WORDS]
            years.append((int(mention.value), set(labels[:1])))
    own = set(words_of(key))
    wanted = next((n for n, names in _YEAR_KEYS.items() if own & set(names.split())), "")
    wanted = {"founded": "founded", "birth_year": "born"}.get(concept, wanted)
    mine = only([year for year, labels in years if wanted in labels]) if wanted else None
    if mine is not None or concept in ("founded", "birth_year"):
        return mine
    free_years = [year for year, labels in years if not labels & {"born", "other", "founded"}]
    return only(free_years) if len(free_years) == len(years) else None


def age_in(text: Text) -> int | None:
    ages = []
    for mention in text.numbers():
        before, after = text.before(mention.start, 3), text.after(mention.end, 3)
        old = after[:2] in (["years", "old"], ["year", "old"]) or after[:1] == ["year-old"]
        old = old or (text.low(mention.end), text.low(mention.end + 1)) == ("-", "year-old")
        old = old or (
            bool(after) and after[0] in ("anos", "ano") and before[:1] in (["de"], ["tiene"])
        )
        old = old or before[:1] in (["aged"], ["age"], ["edad"])
        if old and 0 < mention.value < 120 and text.is_sure(mention):
            ages.append(int(mention.value))
    return only(ages)


def rating_in(text: Text) -> float | None:
    """Stars of five."""
    ratings = []
    for token in text.tokens:
        score = re.fullmatch(r"([0-5])/5", token.text)
        if score is not None:
            ratings.append(float(score[1]))
    for mention in text.numbers():
        stars = text.low(mention.end) in _STARS or text.after(mention.end, 3) == ["out", "of", "5"]
        if stars and mention.value <= 5 and text.is_sure(mention):
            ratings.append(mention.value)
    return only(ratings)


def discount_in(text: Text) -> float | None:
    shares = []
    for mention in text.numbers():
        if text.low(mention.end) != "%":
            continue
        around = {*text.before(mention.start, 4), *text.after(mention.end + 1, 3)}
        if around & _OFF and not around & _BOUNDS and text.is_sure(mention):
            shares.append(mention.value)
    return only(shares)


def counted(concept: str, key: str, text: Text) -> float | None:
    """How many of the things that a field counts a text names: `3 bedrooms`, `320 pages`."""
    nouns = _nouns(concept, key)
    counts = []
    for mention in text.numbers():
        after = text.after(mention.end, 2)
        if any(_singular(word) in nouns for word in after[:1]) and _is_exact(text, mention):
            counts.append(mention.value)
    return only(counts)


def _is_exact(text: Text, mention: Mention) -> bool:
    return text.is_sure(mention) and not _BOUNDS & set(text.before(mention.start, 3))


def _nouns(concept: str, key: str) -> frozenset[str]:
    names: set[str] = set(words_of(key))
    if concept in concepts():
        names |= {
            n for n in (*concepts()[concept].english, *concepts()[concept].spanish) if " " not in n
        }
    if concept == "quantity":
        return frozenset(_singular(noun) for noun in _QUANTITY)
    if concept == "count":  # its names are of many different things
        names = set(words_of(key))
    return frozenset(_singular(name) for name in names - _NOUNLESS if len(name) > 2)


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def measure_for(concept: str, key: str, text: Text, *, with_unit: bool) -> float | str | None:
    """A measure in the unit of the field; a text keeps the unit that it has."""
    units = _UNITS.get(concept, {})
    last = words_of(key)[-1:] or [""]
    to = units.get(last[0], 1.0)
    measures: list[float | str] = []
    for mention in text.numbers():
        token = text.tokens[mention.start]
        unit, end = _unit(text, mention)
        if unit not in units or not token.is_number or not _is_exact(text, mention):
            continue
        sides = {*text.after(end, 2), *text.before(mention.start, 3)}
        if concept in _SIDES and not sides & _SIDES[concept]:
            continue
        if with_unit:
            measures.append(f"{token.text} {unit}")
        elif last[0] in units or units[unit] == 1:
            measures.append(round(mention.value * units[unit] / to, 6))
    return only(measures)


def _unit(text: Text, mention: Mention) -> tuple[str, int]:
    unit, end = text.low(mention.end), mention.end + 1
    if unit == "°":
        return unit + text.low(end), end + 1
    if unit in ("m", "sq") and text.low(end) in ("2", "²", "m"):
        return "m2", end + 1
    return unit, end


_ALL_UNITS = frozenset(unit for units in _UNITS.values() for unit in units)
MEASURED = frozenset(_UNITS)
