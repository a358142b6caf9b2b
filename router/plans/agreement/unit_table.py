"""Units of four languages with their dimensions, and what else names them. Pure."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from router.plans.agreement.text import each, folded

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
volume: 1000 m^3 m3; 1 l L liter litre litro; 0.001 ml mL milliliter millilitre \
mililitro; 0.01 cl cL centiliter
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
    "quadratkilometer": "km^2", "cubic meters": "m^3", "cubic metres": "m^3",
    "kubikmeter": "m^3", "metros cubicos": "m^3",
    "miles per hour": "mph", "meters per second": "mps",
    "metres per second": "mps", "m/s": "mps", "bytes": "byte", "b.c.": "bc", "b.c": "bc",
    "before christ": "bc", "a.c.": "bc", "v. chr.": "bc", "av. j.-c.": "bc",
}  # fmt: skip
CURRENCIES = frozenset(each("usd eur gbp jpy cny inr chf krw rub mxn aud cad"))


@lru_cache(maxsize=1)
def units() -> Mapping[str, tuple[tuple[str, Fraction], ...]]:
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


def readings_of(unit: str) -> tuple[tuple[str, Fraction], ...]:
    """The dimensions that a unit may have, with its factor in each; none if nobody knows it."""
    table = units()
    unit = unit.strip().rstrip(".") or unit.strip()
    phrase = _PHRASES.get(" ".join(folded(unit).split()), unit)
    if phrase in CURRENCIES:
        return ((phrase, Fraction(1)),)
    if phrase in table:
        return table[phrase]
    plain = folded(phrase)
    return table.get(plain, ()) if len(plain) > 2 else ()
