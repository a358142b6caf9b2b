"""Real-world shares that ship with this project, each with its source: see README.md here."""

from sandbox.tables.companies import industries
from sandbox.tables.people import (
    ages,
    first_names,
    jobs,
    occupations,
    sexes,
    surnames,
)
from sandbox.tables.phrases import RowTables, row_tables_for, table_for
from sandbox.tables.places import (
    Place,
    cities,
    countries,
    country_densities,
    country_names,
    places,
    state_densities,
    state_names,
    states,
)
from sandbox.tables.table import Table

__all__ = [
    "Place",
    "RowTables",
    "Table",
    "ages",
    "cities",
    "countries",
    "country_densities",
    "country_names",
    "first_names",
    "industries",
    "jobs",
    "occupations",
    "places",
    "row_tables_for",
    "sexes",
    "state_densities",
    "state_names",
    "states",
    "surnames",
    "table_for",
]
