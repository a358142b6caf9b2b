"""Writes the SQL of a question, in SQLite's dialect. Pure."""

import datetime as dt
from collections.abc import Sequence

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.loading import quoted
from router.knowledge.rows.query import (
    AnyOf,
    Condition,
    Group,
    Having,
    Measure,
    Related,
    Relation,
    RowQuery,
    Where,
)
from router.knowledge.rows.schema import Cell

_DAY = dt.timedelta(days=1)
MOST_LISTED = 1_000


def sql_of(query: RowQuery) -> str:
    if query.having is not None:
        return _having(query, query.having)
    match query.form:
        case "figure" if query.measure.operation == "median":
            return _median(query)
        case "yes" if query.share:
            inner = " AND ".join(_where(each) for each in query.share)
            return f'SELECT sum({inner}) AS "yes"{_from(query)}'  # a gap is no answer
        case "figure" | "yes":
            return (
                f"SELECT {_figure(query.measure)} AS {quoted(_called(query.measure))}{_from(query)}"
            )
        case "share":
            return _share(query)
        case "groups" if query.share:
            return _shares(query)
        case "groups":
            return _groups(query)
        case "rows" if query.rank is not None:
            return _rows(query)
        case _:
            return _values(query)


def literal(value: Cell) -> str:
    """A value as SQL writes it; texts cannot end their quotes."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\0", "") + "'"
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


def _figure(measure: Measure) -> str:
    if measure.field is None:
        return "count(*)"
    column = measure.field.sql
    match measure.operation:
        case "count":
            return f"count({column})"
        case "distinct":
            return f"count(DISTINCT {column})"
        case operation:
            return f"{operation}({column})"


def _median(query: RowQuery) -> str:
    """The middle value, or the mean of the middle two."""
    field = query.measure.field
    if field is None:
        raise ValueError("a median needs a column")
    source = _from(query) + f"{' AND' if query.where else ' WHERE'} {field.sql} IS NOT NULL"
    many = f"(SELECT count(*){source})"
    return (
        f"SELECT avg(value) AS {quoted(_called(query.measure))} "
        f"FROM (SELECT {field.sql} AS value{source} ORDER BY 1 "
        f"LIMIT 2 - {many} % 2 OFFSET ({many} - 1) / 2)"
    )


def _called(measure: Measure) -> str:
    if measure.field is None:
        return "count"
    return f"{measure.operation} of {measure.field.name}"


def _from(query: RowQuery, where: Sequence[Where] | None = None) -> str:
    text = f" FROM {quoted(query.table.stored)}"
    for link in query.links:
        text += f" JOIN {quoted(link.target.table.stored)} ON {link.source.sql} = {link.target.sql}"
    conditions = [_where(each) for each in (query.where if where is None else where)]
    if query.none and where is None:
        conditions.append(_without(query))
    return text + (f" WHERE {' AND '.join(conditions)}" if conditions else "")


def _where(where: Where) -> str:
    if isinstance(where, AnyOf):
        return f"({' OR '.join(_where(part) for part in where.parts)})"
    if isinstance(where, Related):
        source, target = where.link.source, where.link.target
        if where.relation is not None:
            of = f"{quoted(source.table.stored)} WHERE {source.sql} = {target.sql}"
            return f"(SELECT count(*) FROM {of}) {_sign(where.relation)} {literal(where.count)}"
        inner = f"SELECT 1 FROM {quoted(source.table.stored)} WHERE {source.sql} = {target.sql}"
        return f"{'NOT ' if where.negated else ''}EXISTS ({inner})"
    return _holds(where)


def _without(query: RowQuery) -> str:
    """That no row of a listed value is what `none` says."""
    each = query.shown[0] if query.shown else query.measure.field
    if each is None:
        raise ValueError("the values of a column are listed, or counted")
    column = each.sql
    rows = _from(query, (*query.where, *query.none))
    return f"{column} NOT IN (SELECT {column}{rows} AND {column} IS NOT NULL)"


_OPPOSITES = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def _holds(condition: Condition) -> str:
    column = condition.field.sql
    match condition.relation:
        case "in":
            values = [literal(value) for value in condition.values]
            if len(values) == 1:
                return f"{column} {'<>' if condition.negated else '='} {values[0]}"
            return f"{column} {'NOT ' if condition.negated else ''}IN ({', '.join(values)})"
        case "missing" | "there":
            missing = (condition.relation == "missing") is not condition.negated
            return f"{column} IS {'' if missing else 'NOT '}NULL"
        case "true" | "false":
            return f"{column} = {int((condition.relation == 'true') is not condition.negated)}"
        case "between":
            low, high = map(literal, condition.values)
            return f"{column} {'NOT ' if condition.negated else ''}BETWEEN {low} AND {high}"
        case "weekday":
            days = ", ".join(f"'{day}'" for day in condition.values)
            word = "NOT IN" if condition.negated else "IN"
            return f"strftime('%w', {column}) {word} ({days})"
        case ">" | ">=" | "<" | "<=" as relation:
            sign = _OPPOSITES[relation] if condition.negated else relation
            return f"{column} {sign} {literal(condition.values[0])}"
        case _:
            text = _dated(condition)
            return f"NOT ({text})" if condition.negated else text


def _dated(condition: Condition) -> str:
    column, days = condition.field.sql, condition.days
    if days is None:
        raise ValueError(f"the condition on {condition.field.name} names no day")
    if days.first is None or days.last is None:
        first, last = days.months
        months = ", ".join(f"'{month:02}'" for month in range(first, last + 1))
        return f"strftime('%m', {column}) IN ({months})"
    after = f"{column} >= '{days.last + _DAY}'"
    before = f"{column} < '{days.first}'"
    match condition.relation:
        case "after":
            return after
        case "before":
            return before
        case "since":
            return f"{column} >= '{days.first}'"
        case "until":
            return f"{column} < '{days.last + _DAY}'"
        case _:
            end = condition.last.last if condition.last is not None else days.last
            end = end or days.last
            return f"{column} >= '{days.first}' AND {column} < '{end + _DAY}'"


def _share(query: RowQuery) -> str:
    return f"SELECT {_percent(query)}{_from(query)}"


def _shares(query: RowQuery) -> str:
    """The share in each group."""
    keys = [f"{_grouped(group)} AS {quoted(group_name(group))}" for group in query.groups]
    numbers = ", ".join(str(n) for n in range(1, len(keys) + 1))
    place = f"{len(keys) + 1} {query.sort.upper()}, " if query.sort else ""
    text = f"SELECT {', '.join(keys)}, {_percent(query)}{_from(query)}"
    return f"{text} GROUP BY {numbers} ORDER BY {place}{numbers}"


def _percent(query: RowQuery) -> str:
    inner = " AND ".join(_where(each) for each in query.share)
    if query.measure.field is None:
        part, whole = f"count(*) FILTER (WHERE {inner})", "count(*)"
    else:
        column = query.measure.field.sql
        part, whole = f"sum({column}) FILTER (WHERE {inner})", f"sum({column})"
    return f"100.0 * coalesce({part}, 0) / nullif({whole}, 0) AS percent"


_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_WEEKDAYS = " ".join(f"WHEN '{number}' THEN '{day}'" for number, day in enumerate(_DAYS))


def _grouped(group: Group) -> str:
    """The expression by which rows are grouped. Months of one year are numbers."""
    field = group.field
    several = field.years[0] != field.years[1]
    match group.bucket:
        case "":
            return field.sql
        case "year":
            return f"CAST(strftime('%Y', {field.sql}) AS INTEGER)"
        case "month":
            if several:
                return f"strftime('%Y-%m', {field.sql})"
            return f"CAST(strftime('%m', {field.sql}) AS INTEGER)"
        case "quarter":
            quarter = f"(CAST(strftime('%m', {field.sql}) AS INTEGER) + 2) / 3"
            return f"strftime('%Y', {field.sql}) || '-Q' || ({quarter})" if several else quarter
        case "weekday":
            return f"CASE strftime('%w', {field.sql}) {_WEEKDAYS} END"
        case _:
            return f"date({field.sql})"


def group_name(group: Group) -> str:
    return f"{group.bucket} of {group.field.name}" if group.bucket else group.field.name


def _sign(relation: Relation) -> str:
    return "=" if relation == "in" else relation


def _having(query: RowQuery, having: Having) -> str:
    """The groups whose figure fits, or how many there are."""
    group, figure = query.groups[0], _figure(query.measure)
    source = f"{_from(query)}{' AND' if query.where else ' WHERE'} {_grouped(group)} IS NOT NULL"
    text = (
        f"SELECT {_grouped(group)} AS {quoted(group_name(group))}, "
        f"{figure} AS {quoted(_called(query.measure))}{source} "
        f"GROUP BY 1 HAVING {figure} {_sign(having.relation)} {literal(having.value)}"
    )
    if query.form == "figure":
        return f'SELECT count(*) AS "count" FROM ({text})'
    return f"{text} ORDER BY 2 DESC, 1"


def _groups(query: RowQuery) -> str:
    keys = [f"{_grouped(group)} AS {quoted(group_name(group))}" for group in query.groups]
    names = ", ".join(quoted(group_name(group)) for group in query.groups)
    figure, called = _figure(query.measure), quoted(_called(query.measure))
    numbers = ", ".join(str(n) for n in range(1, len(keys) + 1))
    if query.rank is None:
        place = f"{len(keys) + 1} {query.sort.upper()}, " if query.sort else ""
        return (
            f"SELECT {', '.join(keys)}, {figure} AS {called}{_from(query)} "
            f"GROUP BY {numbers} ORDER BY {place}{numbers}"
        )
    direction = "DESC" if query.rank.descending else "ASC"
    present = [f"{_grouped(group)} IS NOT NULL" for group in query.groups]
    source = _from(query)
    source += (" AND " if query.where else " WHERE ") + " AND ".join(present)
    having = "" if query.measure.field is None else f" HAVING {figure} IS NOT NULL"
    return (
        f"SELECT {names}, {called} FROM (SELECT {', '.join(keys)}, {figure} AS {called}, "
        f"rank() OVER (ORDER BY {figure} {direction}) AS place{source} GROUP BY {numbers}{having}) "
        f"WHERE place <= {query.rank.count} ORDER BY place, {numbers}"
    )


def _rows(query: RowQuery) -> str:
    """The first rows by a column, with all that are level with the last of them."""
    ranked = query.measure.field
    if ranked is None or query.rank is None:
        raise ValueError("rows are ranked by a column")
    direction = "DESC" if query.rank.descending else "ASC"
    shown = (
        [*query.shown, ranked] if ranked.sql not in {f.sql for f in query.shown} else query.shown
    )
    columns = ", ".join(f"{field.sql} AS {quoted(field.name)}" for field in shown)
    names = ", ".join(quoted(field.name) for field in shown)
    source = _from(query) + f"{' AND' if query.where else ' WHERE'} {ranked.sql} IS NOT NULL"
    return (
        f"SELECT {names} FROM (SELECT {columns}, rank() OVER (ORDER BY {ranked.sql} {direction}) "
        f"AS place{source}) WHERE place <= {query.rank.count} ORDER BY place, 1"
    )


def _values(query: RowQuery) -> str:
    columns = ", ".join(f"{field.sql} AS {quoted(field.name)}" for field in query.shown)
    text = "SELECT " + ("" if query.form == "rows" else "DISTINCT ") + columns + _from(query)
    if query.form == "lookup":
        return f"{text} ORDER BY 1"
    present = _present(query.shown)
    narrowed = query.where or query.none
    return text + (" AND " if narrowed else " WHERE ") + f"{present} ORDER BY 1"


def _present(fields: Sequence[Field]) -> str:
    return " AND ".join(f"{field.sql} IS NOT NULL" for field in fields)
