"""Reads lists, look-ups, and phrases without a verb: `unpaid orders`, `members per plan`."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import concept_kind, pieces
from router.knowledge.rows.parts.columns import adds_up, person_of
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.parts.target import (
    Target,
    form_of,
    label_of,
    made,
    names_rows,
    only_column,
    refuse_sum_or_count,
    use,
)
from router.knowledge.rows.query import Condition, Measure, RowQuery, Where
from router.knowledge.rows.schema import Unclear


def read_list(target: Target) -> RowQuery | None:
    reader = target.reader
    if not target.has("list", "which", "who", "when"):
        return None
    listing = target.take("list")
    who, when = target.take("who"), target.take("when")
    target.take("which")
    different = target.take("distinct")
    if reader.groups:
        raise Unclear("it does not say what is wanted in each group")
    texts, numeric, dated = target.texts(), target.numeric(), target.dated()
    if when:
        return _looked_up(target, dated, "when may be")
    if who:
        return _who(target, different=different)
    if numeric and not texts and not listing:
        return _looked_up(target, numeric, "the value of which column")
    shown = tuple(dict.fromkeys(f for _, f in (*texts, *numeric)))
    if shown and _of_each(target):
        use(target, *shown)
        return made(target, "rows", shown=(label_of(target), *shown))
    if shown:
        use(target, *shown)
        return made(target, "values", shown=shown)
    rows = names_rows(target) or _plural_value(reader)
    if rows and (reader.placed or reader.related or listing or dated):
        return made(target, "rows", shown=(label_of(target),))
    if dated and listing:
        _, each = only_column(dated, "which dates")
        use(target, each)
        return made(target, "values", shown=(each,))
    return None


_THEIRS = frozenset(("their", "its", "his", "her", "su", "sus"))


def _of_each(target: Target) -> bool:
    """Whether columns are listed beside the rows: `list the members with their phones`."""
    reader, first = target.reader, min(i for i, _ in target.columns)
    before = reader.step(first, -1)
    between = {word for span in reader.items[before + 1 : first] for word in span.words}
    if not (names_rows(target) and _THEIRS & between):
        return False
    if reader.items[before].means("and"):
        reader.take(before)
    return True


def _who(target: Target, *, different: bool) -> RowQuery:
    reader = target.reader
    texts, numeric, dated = target.texts(), target.numeric(), target.dated()
    row = _who_is(reader) or any(of_one_row(placed.where) for placed in reader.placed)
    if len(texts) == 1 and not (numeric or dated or different) and row:
        return _looked_up(target, texts, "who")
    if _doer(target) and not (texts or numeric or different):
        return made(target, "lookup", shown=_doer(target))
    if len(texts) == 1 and not (numeric or dated or different) and reader.placed:
        each = texts[0][1]
        if not reader.names.people and reader.names.has(each, *concept_kind("who")):
            use(target, each)
            return made(target, "values", shown=(each,))  # `who hosts Small Print?`
    if texts or numeric or different:
        raise Unclear("who and another column together are not read")
    if not reader.placed and not dated:
        raise Unclear("it does not say who is meant")
    return made(target, "rows", shown=(label_of(target, who=True),))


_IS = frozenset(("is", "was", "es", "era", "fue"))


def _who_is(reader: Reader) -> bool:
    """Whether a column of a row is asked: `who is the owner of P025`, not `who owns`."""
    first = next((i for i, span in enumerate(reader.items) if span.means("who")), -1)
    verb = reader.items[first + 1] if first + 1 < len(reader.items) else None
    named = first >= 0 and "who's" in reader.items[first].words
    return named or (verb is not None and not _IS.isdisjoint(verb.words))


def _doer(target: Target) -> tuple[Field, ...]:
    """Who did what the row of a key is about: `who gave donation 504`."""
    person = person_of(target.reader.names)
    single = any(of_one_row(placed.where) for placed in target.reader.placed)
    return (person,) if person is not None and single else ()


def of_one_row(where: Where) -> bool:
    """Whether a condition names a row by its key."""
    single = isinstance(where, Condition) and where.relation == "in" and len(where.values) == 1
    return single and where.field.unique and not where.negated  # type: ignore[union-attr]


_TOTALS = frozenset((("in", "total"), ("altogether",), ("en", "total"), ("all", "told")))


def _looked_up(target: Target, fields: list[tuple[int, Field]], what: str) -> RowQuery:
    _, each = only_column(fields, what)
    use(target, each)
    if not target.reader.placed:
        raise Unclear(f"`{each.name}` of which row")
    total = any(span.words in _TOTALS for span in target.reader.items)
    if total and adds_up(target.reader.names, each):
        return made(target, "figure", measure=Measure("sum", each))
    return made(target, "lookup", shown=(each,))


_MEAN = frozenset(("media", "medio", "average", "avg", "mean", "promedio"))


def read_bare(target: Target) -> RowQuery | None:
    """A phrase without a verb: `unpaid orders`, `members per plan`, `Harvey Shaw's age`."""
    reader = target.reader
    different = target.take("distinct")
    texts, numeric, dated = target.texts(), target.numeric(), target.dated()
    _not_bare(reader, texts, dated)
    if numeric:
        return _bare_number(target, numeric, texts)
    if texts:
        _, each = only_column(texts, "which column")
        rows = [i for i, span in enumerate(reader.items) if span.means("entity")]
        between = reader.items[rows[0] : max(texts[0][0], 0)] if rows else []
        if any(span.means("linking") for span in between):
            raise Unclear(f"rows, or the values of `{each.name}`")  # `calls taken to hospital`
        if reader.groups and not different:
            raise Unclear(f"it does not say what of `{each.name}` is wanted")
        use(target, each)
        if different and reader.groups:
            return made(target, "groups", measure=Measure("distinct", each))
        return made(target, "values", shown=(each,))
    if different:
        raise Unclear("different what")
    if names_rows(target) or (dated and any(_on(p.where, dated) for p in reader.placed)):
        refuse_sum_or_count(target)
        return made(target, form_of(target), measure=Measure("count"))
    if dated and reader.groups:
        return made(target, "groups", measure=Measure("count"))
    if _plural_compared(reader):
        return made(target, form_of(target), measure=Measure("count"))
    events = reader.events and not any(s.means("which", "who", "when") for s in reader.items)
    if events or _plural_value(reader):
        return made(target, form_of(target), measure=Measure("count"))
    return None


def _plural_compared(reader: Reader) -> bool:
    """Whether the first noun is a column in the plural that is compared: `callers over 80`."""
    first = reader.step(-1)
    if first < 0 or not reader.items[first].used or reader.items[first].means("foreign"):
        return False
    if not reader.items[first].words[-1].endswith("s"):
        return False
    compared = [p for p in reader.placed if p.start <= first + 1 and isinstance(p.where, Condition)]
    columns = {s.value.sql for s in reader.items[first].of("col") if s.value.numeric}
    return any(
        isinstance(p.where, Condition)
        and p.where.field.sql in columns
        and p.where.relation in _SIGNS
        for p in compared
    )


_SIGNS = (">", ">=", "<", "<=", "between")
_WHOLE = frozenset(("in_total", "en_total", "altogether", "overall", "in_all"))


def _not_bare(
    reader: Reader, texts: list[tuple[int, Field]], dated: list[tuple[int, Field]]
) -> None:
    """Refuse `fuel used in total`, and `next inspection of the vans`, which lists no rows."""
    if texts and any("_".join(span.words) in _WHOLE for span in reader.items):
        raise Unclear(f"`{texts[0][1].name}` has no total")
    first = reader.step(-1)
    if dated and dated[0][0] == first and not reader.items[first].means("entity"):
        raise Unclear(f"it does not say what of `{dated[0][1].name}` is wanted")


def _plural_value(reader: Reader) -> bool:
    """Whether a value in the plural stands for rows: `uninsured dogs in Leeds`."""
    if any(f.numeric and reader.names.has(f, "quantity") for f in reader.names.fields):
        return False  # `hoodies in March` may be units
    for placed in reader.placed:
        where = placed.where
        if isinstance(where, Condition) and where.relation == "in" and not where.negated:
            words = {
                word for span in reader.items[placed.start : placed.end + 1] for word in span.words
            }
            singular = {word for value in where.values for word in pieces(str(value))}
            if any(word.endswith("s") and word not in singular for word in words):
                return True
    return False


def _bare_number(
    target: Target, numeric: list[tuple[int, Field]], texts: list[tuple[int, Field]]
) -> RowQuery:
    reader = target.reader
    _, each = only_column(numeric, "the value of which column")
    weak = [i for i, _ in texts if all(s.strength <= 2 for s in reader.items[i].of("col"))]
    if weak:
        raise Unclear(f"not understood: `{reader.items[weak[0]].text}`")
    if texts and not reader.groups and (reader.placed or names_rows(target)):
        places = sorted([*numeric, *texts], key=lambda pair: pair[0])
        shown = tuple(dict.fromkeys(f for _, f in places))
        joints = range(places[0][0] + 1, places[-1][0])
        if all(reader.items[i].means("and", "col", "filler") for i in joints):
            reader.take(*(i for i in joints if reader.items[i].means("and")))
            use(target, *shown)
            return made(target, "rows", shown=shown)
    if texts:
        raise Unclear(f"`{each.name}` and `{texts[0][1].name}`: it does not say what is wanted")
    use(target, each)
    if not _MEAN.isdisjoint(name_words(each.name)):
        return made(target, form_of(target), measure=Measure("avg", each))
    additive = adds_up(reader.names, each)
    days = any(
        isinstance(p.where, Condition)
        and p.where.relation in ("during", "after", "before", "since", "until")
        for p in reader.placed
    )
    by_figures = any(group.field.numeric and not group.bucket for group in reader.groups)
    if additive and not by_figures and (reader.groups or days or _units(target, each)):
        if names_rows(target) and not _units(target, each):
            raise Unclear(f"it may ask for the sum of `{each.name}`, or for the number of rows")
        return made(target, form_of(target), measure=Measure("sum", each))
    whole = any("_".join(span.words) in _WHOLE for span in reader.items)
    if additive and whole and not reader.groups:
        return made(target, "figure", measure=Measure("sum", each))
    plural = any(reader.items[i].words[-1].endswith("s") for i, _ in numeric if i >= 0)
    several = reader.placed and not any(of_one_row(p.where) for p in reader.placed)
    if additive and not reader.groups and ((plural and several) or _amount_of_rows(reader)):
        return made(target, "figure", measure=Measure("sum", each))
    if reader.groups or not reader.placed:
        raise Unclear(f"it does not say which figure of `{each.name}` is wanted")
    return made(target, "lookup", shown=(each,))


def _amount_of_rows(reader: Reader) -> bool:
    """Whether one amount of several rows is asked for: `the amount of the unpaid orders`."""
    columns = [span.words[-1] for span in reader.items if span.used and span.means("col")]
    rows = [span.words[-1] for span in reader.items if span.means("entity")]
    plural = bool(rows) and rows[-1].endswith("s")
    kept = bool(reader.placed) and not any(of_one_row(p.where) for p in reader.placed)
    return plural and kept and not any(word.endswith("s") for word in columns[:1])


def _on(where: Where, dated: list[tuple[int, Field]]) -> bool:
    return isinstance(where, Condition) and where.field.sql in {f.sql for _, f in dated}


def _units(target: Target, each: Field) -> bool:
    return target.reader.names.has(each, "quantity")
