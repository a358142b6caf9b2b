"""Looks at what a store's tables hold: values of texts, gaps, years, and keys that tables share."""

from dataclasses import dataclass

from router.knowledge.rows.loading import quoted
from router.knowledge.rows.schema import DATED, NUMERIC, Column, Run, TableSchema

MOST_VALUES = 20_000  # distinct values of a column that a question is compared with
_YEARS = (1500, 2100)  # between which whole numbers may be years
_LONGEST_VALUE = 60  # characters; longer texts are no labels


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table, with what its values show."""

    table: TableSchema
    column: Column
    present: int  # values that are there
    distinct: int
    values: tuple[str, ...] = ()  # of a text column with few enough different values
    zeros: int = 0
    years: tuple[int, int] = (0, 0)  # of a column of dates
    yearly: bool = False  # whether all numbers of a column may be years

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def sql(self) -> str:
        return f"{quoted(self.table.stored)}.{quoted(self.column.name)}"

    @property
    def numeric(self) -> bool:
        return self.column.kind in NUMERIC

    @property
    def dated(self) -> bool:
        return self.column.kind in DATED

    @property
    def gaps(self) -> int:
        return self.table.rows - self.present

    @property
    def unique(self) -> bool:
        return self.table.rows > 1 and self.distinct == self.table.rows


def fields_of(table: TableSchema, run: Run) -> tuple[Field, ...]:
    """The columns of a table with what one pass over its rows shows."""
    parts = ["count(*)"]
    for column in table.columns:
        name = quoted(column.name)
        parts += [f"count({name})", f"count(DISTINCT {name})"]
        if column.kind in DATED:
            parts += [f"substr(min({name}), 1, 4)", f"substr(max({name}), 1, 4)"]
        elif column.kind in NUMERIC:
            other = f"{name} NOT BETWEEN {_YEARS[0]} AND {_YEARS[1]}"
            parts += [f"count(*) FILTER (WHERE {name} = 0)", f"count(*) FILTER (WHERE {other})"]
        else:
            parts += ["0", "0"]
    row = run(f"SELECT {', '.join(parts)} FROM {quoted(table.stored)}").rows[0]
    rows = int(row[0] or 0)
    table = TableSchema(table.name, table.columns, rows, table.stored)
    fields = []
    for number, column in enumerate(table.columns):
        present, distinct, low, high = row[1 + 4 * number : 5 + 4 * number]
        dated = column.kind in DATED and low is not None
        fields.append(
            Field(
                table,
                column,
                int(present or 0),
                int(distinct or 0),
                _values(table, column, int(distinct or 0), run),
                zeros=int(low or 0) if column.kind in NUMERIC else 0,
                years=(int(low or 0), int(high or 0)) if dated else (0, 0),
                yearly=column.kind == "integer" and bool(present) and not int(high or 0),
            )
        )
    return tuple(fields)


def _values(table: TableSchema, column: Column, distinct: int, run: Run) -> tuple[str, ...]:
    if column.kind != "text" or not 0 < distinct <= MOST_VALUES:
        return ()
    name, values = quoted(column.name), []
    for page in range(0, distinct, 500):
        rows = run(
            f"SELECT DISTINCT {name} FROM {quoted(table.stored)} WHERE {name} IS NOT NULL "
            f"AND length({name}) <= {_LONGEST_VALUE} ORDER BY 1 LIMIT 500 OFFSET {page}"
        ).rows
        values += [str(value) for (value,) in rows]
    return tuple(values)


@dataclass(frozen=True, slots=True)
class Link:
    """A key by which each row of one table finds at most one row of another."""

    source: Field
    target: Field
