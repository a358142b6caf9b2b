"""The units and currencies that names of fields and values of texts state. Pure."""

import re
from decimal import Decimal

from router.records.catalogue.naming import words_of

CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "us$": "USD",
    "dollars": "USD", "dollar": "USD", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY",
    "yen": "JPY", "mxn": "MXN", "chf": "CHF", "cad": "CAD", "aud": "AUD", "sek": "SEK",
    "brl": "BRL", "r$": "BRL", "inr": "INR", "₹": "INR", "cny": "CNY", "pln": "PLN", "zł": "PLN",
}  # fmt: skip
# Each unit: its dimension, and how many of the dimension's base it is.
UNITS: dict[str, tuple[str, Decimal]] = {}
for _dimension, _listed in {
    "mass": "mg 0.001 milligram 0.001 g 1 gr 1 gram 1 gramo 1 kg 1000 kilo 1000 "
    "kilogram 1000 kilogramo 1000 lb 453.59237 pound 453.59237 oz 28.349523125 "
    "ounce 28.349523125 ton 1000000 tonne 1000000 tonelada 1000000",
    "length": "mm 0.001 cm 0.01 m 1 metre 1 meter 1 metro 1 mt 1 km 1000 kilometre 1000 "
    "kilometer 1000 kilometro 1000 in 0.0254 inch 0.0254 ft 0.3048 foot 0.3048 feet 0.3048 "
    "yd 0.9144 mi 1609.344 mile 1609.344 milla 1609.344",
    "time": "ms 0.001 millisecond 0.001 s 1 sec 1 second 1 seg 1 segundo 1 min 60 minute 60 "
    "minuto 60 h 3600 hr 3600 hour 3600 hora 3600 d 86400 day 86400 dia 86400 week 604800 "
    "semana 604800",
    "volume": "ml 0.001 cl 0.01 l 1 lt 1 litre 1 liter 1 litro 1 gal 3.785411784",
    "size": "b 1 byte 1 kb 1000 mb 1000000 gb 1000000000 tb 1000000000000",
    "speed": "kmh 1 kph 1 km/h 1 mph 1.609344",
    "voltage": "mv 0.001 millivolt 0.001 v 1 volt 1 voltio 1 kv 1000",
    "power": "w 1 watt 1 vatio 1 kw 1000 kilowatt 1000",
    "area": "m\u00b2 1 sqm 1 ha 10000 hectare 10000 hectarea 10000 acre 4046.8564224 "
    "sqft 0.09290304",
    "energy": "wh 1 kwh 1000 mwh 1000000",
    "pressure": "pa 1 hpa 100 mbar 100 kpa 1000 bar 100000 psi 6894.757293",
    "frequency": "hz 1 khz 1000 mhz 1000000 ghz 1000000000",
    "temperature": "c 0 °c 0 celsius 0 f 0 °f 0 fahrenheit 0 k 0 kelvin 0",
    "money": "whole 1 cent 0.01 céntimo 0.01 centimo 0.01 pence 0.01 penny 0.01",
}.items():
    _pairs = _listed.split()
    UNITS |= {
        word: (_dimension, Decimal(base))
        for word, base in zip(_pairs[::2], _pairs[1::2], strict=True)
    }
_NAMED_UNITS = frozenset(UNITS) - {
    "in",
    "whole",
    "d",
    "b",
    "l",
    "h",
    "s",
    "k",
    "day",
    "dia",
    "v",
    "w",
    "pa",
}


_LASTING = frozenset(
    [
        "duration",
        "time",
        "length",
        "wait",
        "run",
        "runtime",
        "delay",
        "elapsed",
        "late",
        "call",
        "tiempo",
        "duracion",
        "espera",
        "session",
        "travel",
        "prep",
        "cook",
        "ride",
        "walk",
        "total",
    ]
)  # beside these, `min` is minutes, and else a least
_ALONE = frozenset(["min", "sec", "hr", "kg", "km", "cm", "ms", "kb", "mb", "gb"])


def unit_of_name(name: str, description: str = "") -> str:
    """The unit in a field's name or description: `temp_f`, `price_cents`, `in grams`."""
    words = words_of(name)
    if len(words) > 1:
        for word in (words[-1], words[-1].removesuffix("s"), words[0].removesuffix("s")):
            plain_unit = word in _NAMED_UNITS or (word in UNITS and word == words[-1])
            if plain_unit and word not in ("in", "day", "dia", "b", "time"):
                return "" if word == "min" and not {*words} & _LASTING else word
    else:
        for word in (w for single in words for w in (single.removesuffix("s"), single)):
            if word in UNITS and (len(word) > 3 or word in _ALONE):
                return word
    match = re.search(r"\bin (°?[a-z]{1,12}?)s?\b", description.lower())
    return match[1] if match and match[1] in UNITS else ""


def currency_of_name(name: str) -> str:
    words = words_of(name)
    return CURRENCIES.get(words[-1], "") if len(words) > 1 else ""
