"""Says which columns of numbers can be added up, and which only tell rows apart. Pure."""

from router.knowledge.rows.language.column_words import IDENTIFIERS, KEYS, name_words
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import canonical, concept_kind, pieces, unit_of_word


def is_key(names: Names, each: Field) -> bool:
    """Whether a column of numbers only tells rows apart, so that no figure of it means anything."""
    words = frozenset(name_words(each.name))
    bare = KEYS.issuperset(words) or any(link.source.sql == each.sql for link in names.links)
    first = each.table.columns[0].name == each.name
    return each.column.kind == "integer" and (
        bare
        or bool(IDENTIFIERS & words)
        or (each.unique and bool(KEYS & words))
        or (each.unique and first and not names.has(each, *concept_kind("numeric")))
    )


_RATES = frozenset(
    (
        *("per", "por", "rate", "ratio", "tasa", "avg", "average", "mean", "media", "medio"),
        *("promedio", "percent", "percentage", "porcentaje", "score", "max", "min", "maximum"),
        *("minimum", "year", "ano", "age", "edad", "level", "nivel", "price", "precio", "index"),
        *("indice", "temperature", "temperatura"),
    )
)
_COUNTABLE = frozenset(
    (
        *("children", "adults", "employees", "bedroom", "bathroom", "pages", "capacity"),
        *("stock", "weight", "area_size", "calories"),
    )
)


_LENGTHS = frozenset(("meter", "cm", "mm", "foot"))


def adds_up(names: Names, each: Field, *, counted: bool = False) -> bool:
    """Whether the sum of a column is a figure that people ask for without the word.

    `counted`: behind `how many`, which asks for a sum of what each row holds several of.
    """
    concepts = names.concepts.get(each.sql, frozenset()) & concept_kind("numeric")
    if concepts and concepts <= concept_kind("additive"):
        return each.column.unit != "%"
    lengths = {unit_of_word(word) for word in pieces(each.name)} & _LENGTHS
    if lengths and not names.has(each, "distance"):
        return False  # `depth (m)`
    words = name_words(each.name)
    rates = bool(_RATES & {*words})
    brought = each.column.unit in _MONEY and not names.people
    if each.numeric and brought and _TAKINGS & {*words} and not _EACH & {*words}:
        return True
    if each.numeric and (all(map(unit_of_word, words)) or is_cost(each)):
        return True
    if not each.numeric or is_key(names, each) or each.column.unit == "%" or rates:
        return False
    if not concepts and any(map(unit_of_word, pieces(each.name))) and not rates:
        return True  # `honey (kg)`
    if concepts:
        return counted and concepts <= _COUNTABLE | concept_kind("additive")
    return any(canonical(word) != word for word in words if word.endswith("s"))


_COSTS = frozenset(("cost", "costs", "coste", "costo", "costes", "gasto", "gastos", "expense"))
_EACH = frozenset(("unit", "unitario", "monthly", "mensual", "hourly", "daily", "per", "por"))


def is_cost(each: Field) -> bool:
    """Whether a column says what each row cost altogether."""
    words = frozenset(name_words(each.name))
    return each.numeric and bool(_COSTS & words) and not _EACH & words


def figures(names: Names) -> list[Field]:
    """The columns of a table of which a figure means something."""
    return [each for each in names.fields if each.numeric and not is_key(names, each)]


_NEVER = frozenset(("year", "ano", "rating", "score", "avg", "average", "mean", "media", "rate"))


def never_added(names: Names, each: Field) -> bool:
    """Whether the sum of a column says nothing: years, marks, averages."""
    marks = names.has(each, "rating", "satisfaction", "age", "temperature")
    return marks or not _NEVER.isdisjoint(name_words(each.name))


def only_total(names: Names) -> Field | None:
    """The column that a total without a noun adds up: the total, else the only figure of rows."""
    every = figures(names)
    totals = [f for f in every if names.has(f, "total")]
    if not totals and len(every) == 1 and adds_up(names, every[0]):
        totals = every
    return totals[0] if len(totals) == 1 else None


_MONEY = ("$", "€", "£")
_TAKINGS = frozenset(
    (
        *("charge", "charges", "charged", "fee", "fees", "amount", "revenue", "income", "takings"),
        *("bill", "billed", "invoiced", "importe", "cobrado", "facturado", "ingresos", "ingreso"),
    )
)


def is_money(names: Names, each: Field) -> bool:
    """Whether a column holds amounts of money."""
    costs = is_cost(each) or not _CURRENCIES.isdisjoint(name_words(each.name))
    return each.column.unit in _MONEY or names.has(each, *concept_kind("money")) or costs


_CURRENCIES = frozenset(("usd", "eur", "gbp", "euros", "dollars"))


def takings(names: Names) -> Field | None:
    """The only column of money, if it says what each row brought altogether; else the total."""
    total = only_total(names)
    money = [f for f in figures(names) if is_money(names, f)]
    if total is not None or len(money) != 1:
        return total if total is not None and total in money else None
    words = frozenset(name_words(money[0].name))
    return money[0] if _TAKINGS & words and not _EACH & words else None


def size_of(names: Names) -> Field | None:
    """By what `the largest farm` is the largest: an area, else the only total."""
    areas = [f for f in figures(names) if names.has(f, "area_size")]
    return areas[0] if len(areas) == 1 else only_total(names)


def parent_of(names: Names, stored: set[str]) -> Field | None:
    """What stands for the rows of a linked table: their name, else their key."""
    own = names.table.stored
    links = [
        link
        for link in names.links
        if link.source.table.stored == own and link.target.table.stored in stored
    ]
    if len(links) != 1:
        return None
    called = [f for f in names.linked(links[0]) if f.unique and names_row(names, f)]
    return called[0] if len(called) == 1 else links[0].source


def person_of(names: Names) -> Field | None:
    """The only column of a table that says who did what each row is about."""
    people = concept_kind("who")
    fields = [f for f in names.fields if f.column.kind == "text" and names.has(f, *people)]
    called = [f for f in fields if not _CALLED.isdisjoint(name_words(f.name))]
    fields = called if len(fields) > 1 else fields
    return fields[0] if len(fields) == 1 else None


_CALLED = frozenset(("name", "nombre"))
_TITLES = frozenset(("name", "nombre", "title", "titulo"))


def names_row(names: Names, each: Field) -> bool:
    """Whether a text is what a row is called: `name`, `title`, or `plant name` of plants."""
    if names.has(each, "name"):
        return True
    words = [canonical(word) for word in name_words(each.name)]
    rows = {canonical(word) for word in _TITLES} | names.words_for(each.table)
    return each.column.kind == "text" and (each.unique or names.people) and rows.issuperset(words)
