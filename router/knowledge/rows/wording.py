"""Says how a question was read and what the rows answer, in the question's language. Pure."""

from collections.abc import Sequence

from router.knowledge.rows.language.words import Language
from router.knowledge.rows.query import AnyOf, Condition, Measure, RowQuery, Where
from router.knowledge.rows.schema import Cell, Rows
from router.knowledge.rows.sql import group_name

_SHOWN = 20  # rows that a text lists

_WORDS: dict[str, tuple[str, str]] = {
    "count": ("the number of rows of {0}", "el número de filas de {0}"),
    "distinct": ("how many different `{1}` {0} has", "cuántos `{1}` distintos tiene {0}"),
    "sum": ("the sum of `{1}` in {0}", "la suma de `{1}` en {0}"),
    "avg": ("the average of `{1}` in {0}", "la media de `{1}` en {0}"),
    "median": ("the median of `{1}` in {0}", "la mediana de `{1}` en {0}"),
    "min": ("the least `{1}` in {0}", "el menor `{1}` en {0}"),
    "max": ("the greatest `{1}` in {0}", "el mayor `{1}` en {0}"),
    "where": (" where {0}", " donde {0}"),
    "and": (" and ", " y "),
    "or": (" or ", " o "),
    "is": ("`{0}` is {1}", "`{0}` es {1}"),
    "is not": ("`{0}` is not {1}", "`{0}` no es {1}"),
    "missing": ("`{0}` is empty", "`{0}` está vacío"),
    "there": ("`{0}` is not empty", "`{0}` no está vacío"),
    "true": ("`{0}` is yes", "`{0}` es sí"),
    "false": ("`{0}` is no", "`{0}` es no"),
    "between": ("`{0}` is from {1} to {2}", "`{0}` va de {1} a {2}"),
    ">": ("`{0}` is above {1}", "`{0}` es mayor que {1}"),
    ">=": ("`{0}` is at least {1}", "`{0}` es al menos {1}"),
    "<": ("`{0}` is below {1}", "`{0}` es menor que {1}"),
    "<=": ("`{0}` is at most {1}", "`{0}` es como máximo {1}"),
    "weekday": ("`{0}` is on a {1}", "`{0}` cae en {1}"),
    "during": ("`{0}` is in {1}", "`{0}` está en {1}"),
    "after": ("`{0}` is after {1}", "`{0}` es posterior a {1}"),
    "before": ("`{0}` is before {1}", "`{0}` es anterior a {1}"),
    "since": ("`{0}` is in or after {1}", "`{0}` es de {1} o posterior"),
    "until": ("`{0}` is in or before {1}", "`{0}` es de {1} o anterior"),
    "any year": ("{0} of any year", "{0} de cualquier año"),
    "not": ("not ({0})", "no ({0})"),
    "related": ("rows of {0} name it", "hay filas de {0} que lo nombran"),
    "unrelated": ("no row of {0} names it", "ninguna fila de {0} lo nombra"),
    "having": (", for each `{0}` where {1}", ", por cada `{0}` donde {1}"),
    "groups having": (
        ", for each `{0}`: how many have {1}",
        ", por cada `{0}`: cuántos tienen {1}",
    ),
    "=": ("`{0}` is {1}", "`{0}` es {1}"),
    "so many": ("the number of rows of {0} that name it: {1}", "filas de {0} que lo nombran: {1}"),
    "by": (", for each {0}", ", por cada {0}"),
    "most": (", the {0} greatest", ", los {0} mayores"),
    "least": (", the {0} least", ", los {0} menores"),
    "desc": (", the greatest first", ", de mayor a menor"),
    "asc": (", the least first", ", de menor a mayor"),
    "ranked": (
        "{0} of the {1} rows of {2} with the {3} `{4}`",
        "{0} de las {1} filas de {2} con {3} `{4}`",
    ),
    "greatest": ("greatest", "mayor"),
    "lowest": ("least", "menor"),
    "share": (
        "the percentage of {0} where {1}",
        "el porcentaje de {0} donde {1}",
    ),
    "rows": ("rows of {0}", "filas de {0}"),
    "values": ("the different values of {0} in {1}", "los valores distintos de {0} en {1}"),
    "list": ("{0} of each row of {1}", "{0} de cada fila de {1}"),
    "lookup": ("{0} in {1}", "{0} en {1}"),
    "none": ("No row fits.", "Ninguna fila lo cumple."),
    "yes": ("Yes, {0}.", "Sí, {0}."),
    "no": ("No, none.", "No, ninguna."),
    "so": ("Yes.", "Sí."),
    "not so": ("No.", "No."),
    "more": ("and more", "y más"),
    "empty": ("(empty)", "(vacío)"),
    "linked": (" (joined by `{0}`)", " (unido por `{0}`)"),
    "typos": (" ({0} read as {1})", " ({0} leído como {1})"),
}


_WEEK: dict[Language, tuple[str, ...]] = {
    "en": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "es": ("domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"),
}


def _say(key: str, language: Language, *parts: object) -> str:
    return _WORDS[key][language == "es"].format(*parts)


def reading_of(query: RowQuery, language: Language, typos: dict[str, str]) -> str:
    """How a question was read."""
    text = _measured(query, language)
    claims = query.share if query.form == "yes" else ()
    conditions = [_condition(where, language) for where in (*query.where, *claims)]
    if conditions:
        text += _say("where", language, _say("and", language).join(conditions))
    if query.having is not None:
        relation = "=" if query.having.relation == "in" else query.having.relation
        sign = _say(relation, language, query.measure.operation, cell_text(query.having.value))
        form = "having" if query.form == "groups" else "groups having"
        return text + _say(form, language, query.groups[0].field.name, sign)
    if query.groups:
        text += _say("by", language, _names([group_name(group) for group in query.groups]))
    if query.rank is not None and query.form == "groups":
        text += _say("most" if query.rank.descending else "least", language, query.rank.count)
    if query.sort:
        text += _say(query.sort, language)
    for link in query.links:
        text += _say("linked", language, link.source.name)
    for typed, meant in typos.items():
        text += _say("typos", language, f"`{typed}`", f"`{meant}`")
    return text


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _measured(query: RowQuery, language: Language) -> str:
    name = query.table.name
    shown = _names([field.name for field in query.shown])
    if query.form == "rows" and query.rank is not None and query.measure.field is not None:
        way = _say("greatest" if query.rank.descending else "lowest", language)
        return _say(
            "ranked", language, shown, query.rank.count, name, way, query.measure.field.name
        )
    match "share" if query.share and query.form == "groups" else query.form:
        case "share":
            of = _say("rows", language, name)
            if query.measure.field is not None:
                of = _figure(query.measure, name, language)
            parts = [_condition(where, language) for where in query.share]
            return _say("share", language, of, _say("and", language).join(parts))
        case "values":
            return _say("values", language, shown, name)
        case "rows":
            return _say("list", language, shown, name)
        case "lookup":
            return _say("lookup", language, shown, name)
        case _:
            return _figure(query.measure, name, language)


def _figure(measure: Measure, table: str, language: Language) -> str:
    column = measure.field.name if measure.field is not None else ""
    return _say(measure.operation, language, table, column)


def _condition(where: Where, language: Language) -> str:
    if isinstance(where, AnyOf):
        return "(" + _say("or", language).join(_condition(p, language) for p in where.parts) + ")"
    if isinstance(where, Condition):
        return _single(where, language)
    if where.relation is not None:
        sign = "=" if where.relation == "in" else where.relation
        count = f"{sign} {cell_text(where.count)}"
        return _say("so many", language, where.link.source.table.name, count)
    return _say("unrelated" if where.negated else "related", language, where.link.source.table.name)


def _single(condition: Condition, language: Language) -> str:
    name, relation = condition.field.name, condition.relation
    values = [cell_text(value) for value in condition.values]
    if relation == "in":
        key = "is not" if condition.negated else "is"
        return _say(key, language, name, _say("or", language).join(values))
    if condition.days is not None:
        words = condition.days.words
        if condition.last is not None:
            words += f" \u2013 {condition.last.words}"
        if condition.days.first is None:
            words = _say("any year", language, words)
        text = _say(relation, language, name, words)
    elif relation == "weekday":
        names = [_WEEK[language][int(value or 0)] for value in condition.values]
        text = _say(relation, language, name, _say("or", language).join(names))
    elif relation in ("missing", "there", "true", "false") and condition.negated:
        opposite = {"missing": "there", "there": "missing", "true": "false", "false": "true"}
        return _say(opposite[relation], language, name)
    else:
        text = _say(relation, language, name, *values)
    return _say("not", language, text) if condition.negated else text


def cell_text(value: Cell) -> str:
    """A value as a person writes it: 41.14, not 41.142857142857146."""
    if isinstance(value, float):
        shown = f"{value:.2f}".rstrip("0").rstrip(".")
        return shown if shown not in ("-0", "") else "0"
    return "" if value is None else str(value)


def text_of(query: RowQuery, rows: Rows, language: Language) -> str:
    """What the rows answer, in a sentence or a short list."""
    if query.form == "yes":
        count = rows.rows[0][0] if rows.rows else 0
        if count is None:
            return _say("none", language)
        if query.share:
            return _say("so" if count else "not so", language)
        return _say("yes", language, count) if count else _say("no", language)
    if not rows.rows or (all(cell is None for cell in rows.rows[0]) and len(rows.rows) == 1):
        return _say("none", language)
    unit = _unit(query)
    lines = [_line(row, unit, language) for row in rows.rows[:_SHOWN]]
    if len(rows.rows) > _SHOWN or rows.cut:
        lines.append(_say("more", language))
    return ", ".join(lines) if all(len(row) == 1 for row in rows.rows) else "\n".join(lines)


def listed(rows: Rows) -> str:
    """Rows as a short list, for a query that no rule wrote."""
    lines = [_line(row, "", "en") for row in rows.rows[:_SHOWN]]
    if len(rows.rows) > _SHOWN or rows.cut:
        lines.append(_say("more", "en"))
    return "\n".join(lines) or _say("none", "en")


def _unit(query: RowQuery) -> str:
    if query.form == "share" or (query.form == "groups" and query.share):
        return "%"
    field = query.measure.field if query.form in ("figure", "groups", "rows") else None
    if query.form == "lookup" and len(query.shown) == 1:
        field = query.shown[0]
    if field is None or (
        query.measure.operation in ("count", "distinct") and query.form != "lookup"
    ):
        return ""
    return field.column.unit


def _line(row: Sequence[Cell], unit: str, language: Language) -> str:
    cells = [_say("empty", language) if cell is None else cell_text(cell) for cell in row]
    if unit and isinstance(row[-1], int | float):
        money = unit in ("$", "£", "¥") and language == "en"
        cells[-1] = unit + cells[-1] if money else f"{cells[-1]} {unit}".replace(" %", "%")
    return ": ".join(cells) if len(cells) == 2 else ", ".join(cells)
