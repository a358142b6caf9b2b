"""Applies a request's `where` to a question on rows: conditions on columns of the rows' own table.

A table without the column is refused by name, because what is not known to be inside a filter is
outside. Pure.
"""

import datetime as dt
from dataclasses import replace

from router.knowledge.finding.where import DATE, Where, comparable
from router.knowledge.rows.language.column_words import key_name
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.tokens import Days
from router.knowledge.rows.parts.days import default_date
from router.knowledge.rows.query import Condition, RowQuery
from router.knowledge.rows.schema import Cell, NoSuchColumn, Unclear


def filtered(query: RowQuery, where: Where, names: Names) -> RowQuery:
    """The query for the rows that a filter admits. Raises `NoSuchColumn`."""
    conditions = [_equal(names, key, values) for key, values in where.equal]
    conditions += _days(names, where) if where.after or where.before else []
    rival = query.rival
    if rival is not None:
        rival = replace(rival, where=(*rival.where, *conditions))
    return replace(query, where=(*query.where, *conditions), rival=rival)


def _column(names: Names, key: str) -> Field:
    fields = [each for each in names.fields if key_name(each.name) == key_name(key)]
    if len(fields) != 1:
        raise NoSuchColumn(f"`where.{key}` is no column of {names.table.name}: leave it out")
    return fields[0]


def _equal(names: Names, key: str, wanted: tuple[str, ...]) -> Condition:
    each = _column(names, key)
    match each.column.kind:
        case "text":
            if each.distinct and not each.values:
                raise NoSuchColumn(f"`{each.name}` has too many values for `where.{key}`")
            same = [value for value in each.values if {*comparable(value)} & {*wanted}]
            return Condition(each, "in", tuple(same or wanted))
        case "boolean":
            flags: dict[str, Cell] = {"true": 1, "false": 0}
            if not flags.keys() >= {*wanted}:
                raise NoSuchColumn(f"`where.{key}` is true or false in {names.table.name}")
            return Condition(each, "in", tuple(flags[value] for value in wanted))
        case "integer" | "number":
            try:
                return Condition(each, "in", tuple(float(value) for value in wanted))
            except ValueError:
                raise NoSuchColumn(f"`where.{key}` is a number in {names.table.name}") from None
        case _:
            raise NoSuchColumn(f"`where.{key}` is a day: write after or before")


def _days(names: Names, where: Where) -> list[Condition]:
    """`after` is the first day that passes, and `before` the first that does not."""
    named = [each for each in names.fields if each.dated and key_name(each.name) == DATE]
    try:
        each = named[0] if len(named) == 1 else default_date(names)
    except Unclear as unclear:
        raise NoSuchColumn(f"`where` names days, but {unclear}") from None
    conditions = []
    if where.after:
        conditions.append(Condition(each, "since", days=_day(where.after)))
    if where.before:
        conditions.append(Condition(each, "before", days=_day(where.before)))
    return conditions


def _day(text: str) -> Days:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise NoSuchColumn(f"`where` has the day {text}, which no calendar has") from None
    return Days(day, day, words=text)
