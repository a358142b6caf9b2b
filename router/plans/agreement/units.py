"""Amounts with their units: `5 km` is `5 kilometers`, `$2.50` is `2.50 USD`, `90 min` is `1.5 h`.

An amount is a number of a dimension: lengths are in metres, money in units of its own currency.
A unit that stands in no table is a dimension of its own: `12 apples`. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from router.plans.agreement.number_words import leading_words, magnitude
from router.plans.agreement.numbers import leading_figures, with_ratios
from router.plans.agreement.text import each, folded
from router.value import value

# Each line: a dimension, then units as `factor name name ...`; names with a capital letter or of
# one or two letters are compared as they are written, others in lower case and without accents.
_TABLE = """
length: 1 m meter metre metro mètre; 1000 km kilometer kilometre kilometro kilomètre; 0.01 cm \
centimeter centimetre centimetro zentimeter; 0.001 mm millimeter millimetre milimetro; 1609.344 mi \
mile milla meile; 0.9144 yd yard yarda; 0.3048 ft foot feet pie fuss pied; 0.0254 in inch inches \
pulgada zoll pouce; 0.000001 µm micrometer micron; 0.000000001 nm nanometer
mass: 1 g gram gramm gramo gramme; 1000 kg kilogram kilogramm kilogramo kilogramme kilo; 0.001 mg \
milligram milligramm miligramo milligramme; 0.000001 µg mcg microgram; 1000000 t tonne tonelada; \
453.59237 lb lbs pound libra pfund; 28.349523125 oz ounce onza
time: 1 s sec second segundo sekunde seconde; 60 min mins minute minuto; 3600 h hr hrs hour hora \
stunde heure; 86400 d day dia tag tage tagen jour; 604800 wk week semana woche semaine; 0.001 ms \
millisecond; 0.000001 µs microsecond; 0.000000001 ns nanosecond
months: 1 month mes meses monat monate mois; 12 yr yrs year ano jahr jahre jahren annee an ans; \
120 decade decada; 1200 century centuries siglo
volume: 1 l L liter litre litro; 0.001 ml mL milliliter millilitre mililitro; 0.01 cl cL centiliter
gallons: 1 gal gallon
area: 1 m^2 m2 sqm; 1000000 km^2 km2; 10000 ha hectare hectarea hektar
celsius: 1 °C C celsius centigrade
fahrenheit: 1 °F F fahrenheit
kelvin: 1 K kelvin
angle: 1 ° degree grado grad degre
data: 1 bit bits; 8 B byte octet; 8000 kB KB kilobyte; 8000000 MB megabyte; \
8000000000 GB gigabyte; \
8000000000000 TB terabyte; 8192 KiB kibibyte; 8388608 MiB mebibyte; 8589934592 GiB gibibyte; 1000 \
kbit kb kilobit; 1000000 Mbit Mb megabit; 1000000000 Gbit Gb gigabit
frequency: 1 Hz hertz; 1000 kHz kilohertz; 1000000 MHz megahertz; 1000000000 GHz gigahertz
power: 1 W watt vatio; 1000 kW kilowatt; 1000000 MW megawatt; 1000000000 GW gigawatt
energy: 1 J joule julio; 1000 kJ kilojoule; 3600000 kWh; 4184 kcal kilocalorie
voltage: 1 V volt voltio; 0.001 mV millivolt; 1000 kV kilovolt
current: 1 A amp ampere amperio; 0.001 mA milliamp milliampere
force: 1 N newton
pressure: 1 Pa pascal; 1000 kPa; 100000 bar
percent: 1 % percent pct prozent; 1 percentage
speed: 1 mps; 0.44704 mph
usd: 1 $ US$ USD usd dollar dolar bucks; 0.01 cent ¢ centavo
eur: 1 € EUR eur euro; 0.01 cent centime centimo
gbp: 1 £ GBP gbp pound libra pfund sterling; 0.01 penny pence p
jpy: 1 ¥ JPY jpy yen
cny: 1 CNY RMB yuan
inr: 1 ₹ INR rupee rupia
chf: 1 CHF chf franc franken franco
krw: 1 ₩ KRW won
rub: 1 ₽ RUB rouble ruble
mxn: 1 MXN peso
aud: 1 A$ AU$ AUD
cad: 1 C$ CA$ CAD
bc: 1 BC BCE bc bce
"""
_PHRASES = {
    "degrees celsius": "celsius", "degree celsius": "celsius", "grados celsius": "celsius",
    "grad celsius": "celsius", "degres celsius": "celsius", "degrees fahrenheit": "fahrenheit",
    "degrees c": "celsius", "degrees f": "fahrenheit", "degrees centigrade": "celsius",
    "° c": "celsius", "° f": "fahrenheit", "per cent": "percent", "por ciento": "percent",
    "pour cent": "percent", "us dollars": "usd", "us dollar": "usd", "u.s. dollars": "usd",
    "american dollars": "usd", "dolares estadounidenses": "usd", "pounds sterling": "gbp",
    "pound sterling": "gbp", "british pounds": "gbp", "japanese yen": "jpy",
    "chinese yuan": "cny", "swiss francs": "chf", "schweizer franken": "chf",
    "australian dollars": "aud", "canadian dollars": "cad", "mexican pesos": "mxn",
    "indian rupees": "inr", "square meters": "m^2", "square metres": "m^2",
    "metros cuadrados": "m^2", "quadratmeter": "m^2", "metres carres": "m^2",
    "square kilometers": "km^2", "square kilometres": "km^2", "kilometros cuadrados": "km^2",
    "quadratkilometer": "km^2", "miles per hour": "mph", "meters per second": "mps",
    "metres per second": "mps", "m/s": "mps", "bytes": "byte", "b.c.": "bc", "b.c": "bc",
    "before christ": "bc", "a.c.": "bc", "v. chr.": "bc", "av. j.-c.": "bc",
}  # fmt: skip
_IDLE = frozenset({"ad", "ce", "a.d.", "d.c.", "n. chr.", "uhr"})  # that change no year or hour
CURRENCIES = frozenset(each("usd eur gbp jpy cny inr chf krw rub mxn aud cad"))
_MONEY_MARK = re.compile(r"(?:US\$|AU?\$|CA?\$|[$€£¥₹₩₽]|(?:USD|EUR|GBP|JPY|CHF|INR)(?=\s?\d))\s?")
_SHORT_LARGE = {"k": 10**3, "K": 10**3, "M": 10**6, "m": 10**6, "B": 10**9, "bn": 10**9}
_APPROXIMATELY = re.compile(
    r"(?:about|approximately|approx\.?|roughly|around|circa|ca\.|c\.|~|≈|etwa|ungefähr|rund|"
    r"environ|aproximadamente|alrededor de|unos|unas)\s*+(?=\S)",
    re.I,
)
_MINUS = re.compile(r"(?:minus|negative|menos|moins)\s(?=\w)", re.I)
_FEET = re.compile(r"\A(\d{1,2})'\s?(\d{1,2})\Z")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|º|ª)(?!\w)")
_UNIT = re.compile(r"[^\d\s()][^\d()]{0,40}|m[²2]|km[²2]|(?:m|km)\^2")
_RATE = re.compile(r"\s*/\s*|\s+(?:per|pro|por|par|an|a)\s+(?=\w)")
_MOST_PARTS = 3
# Units that people write of one amount together: 5 feet 10 inches, 2 h 35 min.
_JOINED = frozenset({"length", "mass", "time", "months"})


@value
class Amount:
    """A number of a dimension; `dimension` is empty for a bare number."""

    number: Fraction
    dimension: str


@lru_cache(maxsize=1)
def _units() -> Mapping[str, tuple[tuple[str, Fraction], ...]]:
    """Each name of a unit: the dimensions that it may have, with its factor there."""
    units: dict[str, list[tuple[str, Fraction]]] = {}
    for line in _TABLE.strip().splitlines():
        dimension, rest = line.split(": ", 1)
        for entry in rest.split(";"):
            factor, *names = entry.split()
            for name in names:
                units.setdefault(name, []).append((dimension, Fraction(factor)))
                if len(name) > 2 and name.islower():
                    for plural in (f"{name}s", f"{name}es", f"{name}n", f"{name}en"):
                        units.setdefault(plural, []).append((dimension, Fraction(factor)))
    return {name: tuple(dict.fromkeys(readings)) for name, readings in units.items()}


def amounts_of(text: str) -> tuple[Amount, ...]:
    """What amount a text is, in each way to read it; none if it is no amount, or more than one."""
    text = with_ratios(_APPROXIMATELY.sub("", text.strip(), count=1)).strip()
    text = _FEET.sub(r"\1 ft \2 in", _MINUS.sub("-", text, count=1))
    readings: tuple[Amount, ...] = ()
    for n in range(_MOST_PARTS):
        part = _first_amount(text)
        if part is None:
            return ()
        here, text = part
        readings = here if n == 0 else _added(readings, here)
        text = re.sub(r"^(?:,|\s|and\b|y\b|und\b|et\b)+", "", text)
        if not readings or not text:
            return readings
    return ()


def _added(readings: tuple[Amount, ...], more: tuple[Amount, ...]) -> tuple[Amount, ...]:
    return tuple(
        Amount(a.number + b.number, a.dimension)
        for a in readings
        for b in more
        if a.dimension == b.dimension and a.dimension in _JOINED
    )


def _first_amount(text: str) -> tuple[tuple[Amount, ...], str] | None:
    sign = re.match(r"[-+]\s?(?=[\w.$€£¥])", text)
    text = text[sign.end() :] if sign else text
    mark = _MONEY_MARK.match(text)
    if mark and not sign:
        sign = re.match(r"-(?=\d)", text[mark.end() :])
        text = text[: mark.end()] + text[mark.end() + bool(sign) :]
    rest = text[mark.end() :] if mark else text
    begun = leading_figures(rest) or leading_words(rest)
    if begun is None or (mark and not rest[:1].isdigit() and rest[:1] != "."):
        return None
    number, rest = begun
    if _ORDINAL.match(rest):
        return None
    number, rest = _magnified(number, rest, money=bool(mark))
    if sign and sign[0][0] == "-":
        number = -number
    if mark:
        dimension = _units()[mark[0].strip()][0][0]
        named = _read_unit(number, rest)
        if named and named[0] and all(a.dimension in CURRENCIES for a in named[0]):
            return tuple(a for a in named[0] if a.dimension == dimension), named[1]
        rate = re.fullmatch(r"\s*(/|per|an?)\s*([^\W\d]+)", rest)
        if rate and (period := _named(rate[2])):
            return tuple(Amount(number / f, f"{dimension}/{d}") for d, f in period), ""
        return (Amount(number, dimension),), rest
    return _read_unit(number, rest)


def _magnified(number: Fraction, rest: str, *, money: bool) -> tuple[Fraction, str]:
    for _ in range(2):  # `3 mil millones`
        word = re.match(r"[\s-]?([^\W\d_]+\.?)(?!\w)", rest)
        if word is None:
            break
        times = _SHORT_LARGE.get(word[1]) if money else None
        times = times or magnitude(word[1])
        if times is None or (word[1] in ("k", "K") and word[0] != word[1]):
            break
        number, rest = number * times, rest[word.end() :]
    return number, re.sub(r"^ (?:(?:de|of|d')\s)?(?:an?\s)?(?=\w)", " ", rest)


def _read_unit(number: Fraction, rest: str) -> tuple[tuple[Amount, ...], str] | None:
    if not rest.strip():
        return (Amount(number, ""),), ""
    if not rest[0].isspace() and rest[0] in "-:/,.'_":
        rest = rest[1:] if re.match(r"-[a-z]", rest) else rest  # a 5-minute walk
        if rest[0] in "-:/,.'_" and not re.match(r", [a-z]|,? and\b", rest):
            return None
        if rest[0] == ",":
            return (Amount(number, ""),), rest
    match = _UNIT.match(rest.strip())
    if match is None:
        return None
    unit, after = match[0].strip(), rest.strip()[match.end() :]
    if folded(unit).strip("() ") in _IDLE:
        return (Amount(number, ""),), after
    if after:  # another amount follows: `2 h 35 min`
        unit = re.sub(r"[\s,]*(?:\b(?:and|y|und|et))?\s*$", "", unit)
    readings = tuple(_of_unit(number, unit))
    return (readings, after) if readings else None


def _of_unit(number: Fraction, unit: str) -> Iterator[Amount]:
    readings = _named(unit)
    if readings:
        yield from (Amount(number * factor, dimension) for dimension, factor in readings)
        return
    rate = _RATE.search(unit)
    if rate and rate.start():
        above, below = _named(unit[: rate.start()]), _named(unit[rate.end() :])
        for over, factor in above or ():
            for under, divisor in below or ():
                dimension = "speed" if (over, under) == ("length", "time") else f"{over}/{under}"
                yield Amount(number * factor / divisor, dimension)
        if above and below:
            return
    if re.fullmatch(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}", unit):
        plain = folded(unit).replace("-", " ")
        yield Amount(number, f"of {plain[:-1] if len(plain) > 3 and plain[-1] == 's' else plain}")


def _named(unit: str) -> tuple[tuple[str, Fraction], ...]:
    units = _units()
    unit = unit.strip().rstrip(".") or unit.strip()
    phrase = _PHRASES.get(" ".join(folded(unit).split()), unit)
    if phrase in CURRENCIES:
        return ((phrase, Fraction(1)),)
    if phrase in units:
        return units[phrase]
    plain = folded(phrase)
    return units.get(plain, ()) if len(plain) > 2 else ()


_FROM_TO = re.compile(
    r"(?:(?:from|von|de|desde)\s+)?([^\s-][^-]{0,30}?)\s*(?:-|\s(?:to|bis|a|à|hasta)\s)\s*(.{1,40})"
)
_BETWEEN = re.compile(r"(?:between|zwischen|entre)\s+(.{1,30}?)\s+(?:and|und|y|et)\s+(.{1,40})")


def range_of(text: str) -> list[tuple[Amount, Amount]]:
    """The two ends of a range, in each way to read them: `10-20 EUR`, `between 10 and 20 euros`."""
    match = _BETWEEN.fullmatch(text.lower()) or _FROM_TO.fullmatch(text)
    if match is None:
        return []
    low, high = match[1], match[2]
    mark, begun, end = _MONEY_MARK.match(low), leading_figures(low), leading_figures(high)
    if begun and end and not begun[1].strip():
        low += end[1]  # the unit stands at the second number only
    elif mark and end:
        high = mark[0] + high
    return [(a, b) for a in amounts_of(low) for b in amounts_of(high) if a.dimension == b.dimension]
