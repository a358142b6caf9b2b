"""Reads what is true of rows: `unpaid`, `without an agent`, `with children`."""

from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.parts.reader import Reader, only_joins
from router.knowledge.rows.query import Condition, Relation
from router.knowledge.rows.schema import Unclear
from router.request.plain import folded

_NONE = frozenset(("none", "no", "ninguno", "ninguna", "nada", "nobody", "nadie", "sin asignar"))
_HAVING = frozenset(
    (
        "with",
        "con",
        "have",
        "has",
        "having",
        "had",
        "got",
        "gets",
        "tienen",
        "tiene",
        "tenga",
        "tengan",
    )
)


def _again(reader: Reader, place: int) -> None:
    """Take what says again that a column holds something: `no agent assigned`."""
    after = reader.step(place)
    if after >= 0 and reader.items[after].means("present") and not reader.items[after].means("val"):
        reader.take(after)


def _with_before(reader: Reader, place: int) -> bool:
    before = reader.step(place, -1)
    return any(_HAVING & {*span.words} for span in reader.items[before + 1 : place])


def _present(reader: Reader, place: int) -> None:
    """`with children`, `con plus`: the column says more than 0, or anything at all."""
    each = reader.field_at(place)
    if each is not None and not each.dated:
        _holds(reader, place, each)


def _holds(reader: Reader, place: int, each: Field) -> None:
    if each.numeric and each.zeros and each.gaps:
        raise Unclear(f"with `{each.name}` may mean above 0 or any value")
    if each.numeric and each.zeros:
        reader.take(place)
        reader.add(place, place, Condition(each, ">", (0,)))
    elif none := _none_values(each):
        if each.gaps:
            raise Unclear(f"`{each.name}` is missing in some rows, and `{none[0]}` in others")
        reader.take(place)
        reader.add(place, place, Condition(each, "in", none, negated=True))
    elif each.gaps:
        reader.take(place)
        reader.add(place, place, Condition(each, "there"))


def read_predicates(reader: Reader) -> None:
    """`unpaid`, `not escalated`, `without an agent`, `never cancelled`, `with children`."""
    for i in range(len(reader.items)):
        span = reader.items[i]
        if span.used:
            continue
        if span.means("held") and not span.means("col", "val", "entity", "foreign"):
            _held(reader, i)
            continue
        if span.means("un_col") or span.means("un_val"):
            _opposite(reader, i)
            continue
        if not span.means("col") or span.means("entity", "foreign"):
            continue  # `loans` are rows, though `on_loan` is a column
        negation = _negation(reader, i)
        each = reader.field_at(i, lambda f: f.column.kind == "boolean")
        if each is not None and _named_surer(reader, i):
            continue
        if each is not None:
            _not_amount(reader, i)
            leading = reader.step(i, -1)
            if leading >= 0 and reader.items[leading].means("which", "distinct"):
                continue
            reader.take(i, *([negation] if negation >= 0 else []))
            reader.add(i, i, Condition(each, "true", negated=negation >= 0))
        elif negation >= 0 and max(s.strength for s in span.of("col")) <= 2:
            continue  # a verb: `hives never inspected`
        elif negation >= 0:
            _missing(reader, negation, i)
            _again(reader, i)
        elif _with_before(reader, i) or _happened(reader, i):
            _present(reader, i)
            _again(reader, i)


def _negation(reader: Reader, place: int) -> int:
    """Where the negation of a column stands, or -1: `no agent`, `did not use a courier`."""
    before = reader.step(place, -1)
    if before >= 0 and only_joins(reader.items[before]):
        earlier = reader.step(before, -1)
        negated = earlier >= 0 and reader.items[earlier].means("neg")
        before = earlier if negated else before
    if before < 0 or reader.items[before].used or not reader.items[before].means("neg", "nor"):
        return -1
    return before


def _held(reader: Reader, place: int) -> None:
    """`sponsored`, `not sponsored`: whether a column of texts holds something."""
    each = reader.field_at(place, kind="held")
    if each is None:
        return
    if each.sql in reader.mentioned():
        reader.take(place)  # `sponsored by Oatly`
        return
    before = reader.step(place, -1)
    if before >= 0 and reader.items[before].means("neg") and not reader.items[before].used:
        _lacks(reader, before, place, each)
        return
    _holds(reader, place, each)


def _happened(reader: Reader, place: int) -> bool:
    """Whether a verb says that a column of numbers is above 0: `delayed`, of `delay_min`."""
    span = reader.items[place]
    senses = span.of("col")
    weak = all(s.strength <= 2 and s.value.numeric and s.value.zeros for s in senses)
    return weak and span.words[-1].endswith("ed") and not span.means("filler", "earning")


def _named_surer(reader: Reader, place: int) -> bool:
    """Whether a word names a column of numbers as well as one of yes and no: `copies`."""
    senses = reader.items[place].of("col")
    flags = [s.strength for s in senses if s.value.column.kind == "boolean"]
    named = {s.value.sql for s in senses if s.value.column.kind == "boolean"}
    again = not named.isdisjoint(reader.mentioned())  # `lost their ticket`
    surer = not again and any(s.strength > max(flags) for s in senses)  # `how many tickets`
    return surer or any(s.strength >= max(flags) for s in senses if s.value.numeric)


def _not_amount(reader: Reader, place: int) -> None:
    """Refuse `who has paid most`, which may add up amounts, or count what is paid."""
    after = reader.step(place)
    if after >= 0 and reader.items[after].means("most", "least"):
        behind = reader.step(after)
        if behind < 0 or not reader.items[behind].means("entity", "col"):
            text = f"{reader.items[place].text} {reader.items[after].text}"
            raise Unclear(f"`{text}` may add up amounts, or count rows")


def _opposite(reader: Reader, place: int) -> None:
    """A word with a prefix that negates a column of dates or of yes and no, or a value."""
    each = reader.field_at(place, lambda f: f.column.kind == "boolean", kind="un_col")
    each = each or reader.field_at(place, lambda f: f.dated, kind="un_col")
    if each is not None:
        reader.take(place)
        relation: Relation = "missing" if each.dated else "false"
        reader.add(place, place, Condition(each, relation))
        return
    values = reader.items[place].of("un_val")
    fields = {s.value[0].sql for s in values}
    if len(fields) != 1:
        raise Unclear(f"`{reader.items[place].text}` fits no single column")
    reader.take(place)
    best = max(s.strength for s in values)
    chosen = tuple(s.value[1] for s in values if s.strength == best)
    reader.add(place, place, Condition(values[0].value[0], "in", chosen, negated=True))


def _none_values(each: Field) -> tuple[str, ...]:
    """The values of a column that say that there is none."""
    return tuple(value for value in each.values if folded(value) in _NONE)


def _missing(reader: Reader, negation: int, place: int) -> None:
    each = reader.field_at(place)
    if each is not None:
        _lacks(reader, negation, place, each)


def _lacks(reader: Reader, negation: int, place: int, each: Field) -> None:
    if each.numeric and not each.zeros and not each.gaps:
        raise Unclear(f"no row is without `{each.name}`")  # `pieces not sold`
    if each.numeric and each.zeros:
        if each.gaps:
            raise Unclear(f"no `{each.name}` may mean that it is 0 or that it is missing")
        reader.take(negation, place)
        reader.add(negation, place, Condition(each, "in", (0,)))
        return
    reader.take(negation, place)
    none = _none_values(each)
    if none and each.gaps:
        raise Unclear(f"no `{each.name}` may mean `{none[0]}` or that it is missing")
    if none:
        reader.add(negation, place, Condition(each, "in", none))
        return
    reader.add(negation, place, Condition(each, "missing"))


def read_glosses(reader: Reader) -> None:
    """`analysts (Analista)`: a value in brackets says what the unknown word before them means."""
    items, unknown = reader.items, reader.spans.unknown
    for before, opening, value, closing in zip(
        items, items[1:], items[2:], items[3:], strict=False
    ):
        bracketed = opening.words == ("(",) and closing.words == (")",) and value.used
        if bracketed and not before.senses and before.text in unknown:
            unknown.remove(before.text)
            before.used = True
