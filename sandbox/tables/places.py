"""Cities, states and countries, in proportion to the people who live there."""

from dataclasses import dataclass
from functools import cache

from sandbox.tables.table import Table, read_file, whole_table

LARGEST_CITIES = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A city. `label` is its name, with its state or country where a larger city has that name.

    `country` is the two-letter code; `region` the code of the state, and empty outside the US.
    """

    label: str
    country: str
    region: str
    population: float


@cache
def places(country: str = "", state: str = "") -> tuple[Place, ...]:
    """The cities of a country, of a US state, or the largest of the world; the largest first."""
    nation, region = country_code(country), state_code(state)
    rows = [
        row
        for row in read_file("cities").rows
        if nation in ("", row["country"]) and region in ("", row["region"])
    ]
    names: set[str] = set()
    shown = []
    for row in rows if nation or region else rows[:LARGEST_CITIES]:
        label = row["city"]
        if label in names:
            label = f"{label}, {row['region'] or country_names()[row['country']]}"
        if label not in names:
            names.add(label)
            shown.append(Place(label, row["country"], row["region"], float(row["weight"])))
    return tuple(shown)


@cache
def cities(country: str = "", state: str = "") -> Table:
    """Cities by population; its labels are those of `places`, in the same order."""
    shown = places(country, state)
    country_name = country_names()[country_code(country)] if country else ""
    if not shown:
        raise ValueError(f"no city of {country or state} is in the table of cities")
    where = state_names()[state_code(state)] if state else country_name
    which = f", {len(shown)} cities of {where}" if where else f", the {len(shown)} largest cities"
    labels = tuple(place.label for place in shown)
    return read_file("cities").table(labels, tuple(place.population for place in shown), which)


def countries() -> Table:
    """Countries by population."""
    return whole_table("countries")


def states() -> Table:
    """The states of the US and the District of Columbia, by population."""
    return whole_table("states")


@cache
def state_densities() -> dict[str, float]:
    """People per square mile of land, by state; without the District of Columbia."""
    areas = ((row, float(row["square_miles"])) for row in read_file("states").rows)
    return {row["label"]: float(row["weight"]) / area for row, area in areas if area > 0}


@cache
def country_densities() -> dict[str, float]:
    """People per square kilometre, by country; countries without a stated area are left out."""
    areas = ((row, float(row["area_km2"])) for row in read_file("countries").rows)
    return {row["label"]: float(row["weight"]) / area for row, area in areas if area > 0}


@cache
def country_names() -> dict[str, str]:
    """The name of each country, by its two-letter code."""
    return {row["iso2"]: row["label"] for row in read_file("countries").rows}


@cache
def state_names() -> dict[str, str]:
    """The name of each state of the US, by its two-letter code."""
    return {row["code"]: row["label"] for row in read_file("states").rows}


def state_code(state: str) -> str:
    """The two-letter code of a state of the US that is given by code or by name."""
    if not state:
        return ""
    for code, name in state_names().items():
        if state.casefold() in (code.casefold(), name.casefold()):
            return code
    raise ValueError(f"no state of the US is called {state!r}: give its name or its code")


def country_code(country: str) -> str:
    """The two-letter code of a country that is given by code or by name."""
    if not country:
        return ""
    for row in read_file("countries").rows:
        if country.casefold() in (
            row["iso2"].casefold(), row["iso3"].casefold(), row["label"].casefold()
        ):  # fmt: skip
            return row["iso2"]
    raise ValueError(f"no country is called {country!r}: give its English name or its ISO code")
