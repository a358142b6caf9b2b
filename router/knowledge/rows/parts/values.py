"""Reads which values rows have: `in Leeds or York`, `topic Billing`, `not from Spain`."""

from router.knowledge.rows.language.column_words import name_words
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.spans import Span
from router.knowledge.rows.language.words import Sense
from router.knowledge.rows.parts.reader import Placed, Reader, either, take_negation
from router.knowledge.rows.query import AnyOf, Condition
from router.knowledge.rows.schema import Unclear

_NAMES = frozenset(
    (
        *("val", "col", "entity", "foreign", "filler", "un_val", "un_col", "beside"),
        *("foreign_verb", "on_weekday", "person", "noun"),
    )
)


def read_values(reader: Reader) -> None:
    _beside(reader)
    places = [i for i, span in enumerate(reader.items) if _is_value(span) or _about(reader, i)]
    for i in places:
        span = reader.items[i]
        if span.used:
            continue
        if _idle(reader, i):
            continue
        senses = _chosen(reader, i)
        if senses is None:
            continue
        each = senses[0].value[0]
        values = [s.value[1] for s in senses]
        start = end = i
        lacking = _lacking(reader, reader.step(i, -1))
        negated = take_negation(reader, i, through=True)
        _done_by(reader, i, negated=negated)
        reader.take(i)
        start, negated = _absorb(reader, i, each, start, negated)
        end = _absorb_after(reader, i, each)
        more, end = _more_values(
            reader, end, each, ("or", "and", "nor") if negated else ("or", "and")
        )
        values += more
        where = Condition(each, "in", tuple(dict.fromkeys(values)), negated=negated)
        empty = (Condition(each, "missing"),) if negated and lacking and each.gaps else ()
        reader.placed.append(Placed(start, end, AnyOf((where, *empty)) if empty else where))


_ABOUT = frozenset(("about", "sobre"))


def _about(reader: Reader, place: int) -> bool:
    """Whether a word behind `about` is a value, whatever else it means: `episodes about money`."""
    span = reader.items[place]
    before = reader.items[place - 1].words if place else ()
    return not span.used and span.means("val") and not _ABOUT.isdisjoint(before)


def _idle(reader: Reader, place: int) -> bool:
    """Whether a word says no value behind an extreme: `the largest single donation`."""
    span, before = reader.items[place], reader.step(place, -1)
    idle = span.means("filler") and all(s.strength < 7 for s in span.of("val"))
    return idle and before >= 0 and reader.items[before].means("max", "min", "adj_desc", "adj_asc")


def _lacking(reader: Reader, place: int) -> bool:
    """Whether rows are without something, as those are that say nothing: `without hail`."""
    return place >= 0 and reader.items[place].words in (("without",), ("sin",), ("with", "no"))


def _absorb(reader: Reader, place: int, each: Field, start: int, negated: bool) -> tuple[int, bool]:
    """Take the column's name before a value: `topic Billing`, `department is not Sales`."""
    before = reader.step(place, -1)
    if negated:
        before = reader.step(before, -1)
    if before >= 0 and reader.items[before].means("eq"):
        reader.take(before)
        before = reader.step(before, -1)
    if before < 0 or reader.items[before].used or not _names(reader, before, each):
        return start, negated
    leading = reader.step(before, -1)
    if leading >= 0 and reader.items[leading].means("which", "count", "per", "list", "distinct"):
        return start, negated
    reader.take(before)
    return before, negated or take_negation(reader, before)


def _absorb_after(reader: Reader, place: int, each: Field) -> int:
    after = reader.step(place)
    if after == place + 1 and not reader.items[after].used and _names(reader, after, each):
        reader.take(after)
        return after
    return place


def _names(reader: Reader, place: int, each: Field) -> bool:
    return any(s.value.sql == each.sql for s in reader.items[place].of("col"))


_DONE = frozenset(("done", "hecho", "hecha", "hechos", "hechas"))
_BY = frozenset(("by", "por"))


def _done_by(reader: Reader, place: int, *, negated: bool) -> None:
    """Refuse a value that may be a verb: `not done by Ana`, where `Done` is a status."""
    after = place + 1
    actor = after + 1 < len(reader.items) and reader.items[after].words[0] in _BY
    doing = negated or not _DONE.isdisjoint(reader.items[place].words)
    if actor and doing and reader.items[after + 1].means("val", "col"):
        text = reader.items[place].text
        raise Unclear(f"`{text} by` may be the value `{text}`, or say who did it")


def _beside(reader: Reader) -> None:
    """Words such as `alta` say a value only beside the name of its column: `prioridad alta`."""
    for i in reader.free("beside"):
        near = [n for n in (reader.step(i, -1), reader.step(i)) if n >= 0]
        senses = tuple(
            Sense("val", s.value, s.strength)
            for s in reader.items[i].of("beside")
            if any(_names(reader, n, s.value[0]) for n in near)
        )
        if senses:
            reader.items[i].senses = senses


def _is_value(span: Span) -> bool:
    """Whether a span says a value of a column, and nothing else that comes first."""
    if span.used or not span.means("val"):
        return False
    if span.quoted:
        return True
    if any(s.kind not in _NAMES for s in span.senses):
        return span.capital or len(span.words) > 1
    return not span.means("filler") or span.capital or len(span.words[0]) > 3


def _chosen(reader: Reader, place: int) -> list[Sense] | None:
    """The values that a span says, all of one column; None if it names a column or the rows."""
    span = reader.items[place]
    senses = span.of("val")
    best = max(s.strength for s in senses)
    cols = [s.strength for s in span.of("col")]
    if cols and not span.quoted and max(cols) >= best:
        return None
    if span.means("entity") and not span.capital and not span.quoted:
        return None
    by_field = {s.value[0].sql: s.value[0] for s in senses}
    if len(by_field) > 1:
        senses = _by_direction(reader, place, senses) or senses
        by_field = {s.value[0].sql: s.value[0] for s in senses}
    if len(by_field) > 1:
        near = [
            sql
            for sql, each in by_field.items()
            if any(
                n >= 0 and _names(reader, n, each)
                for n in (reader.step(place, -1), reader.step(place))
            )
        ]
        linked = [
            sql
            for sql in by_field
            if reader.placed
            and isinstance(reader.placed[-1].where, Condition)
            and reader.placed[-1].where.field.sql == sql
            and reader.step(reader.placed[-1].end) >= 0
            and reader.items[reader.step(reader.placed[-1].end)].means("or", "and")
            and reader.step(reader.step(reader.placed[-1].end)) == place
        ]
        strongest = {s.value[0].sql for s in senses if s.strength == best}
        for choice in (near, linked, [*strongest]):
            if len(choice) == 1:
                senses = [s for s in senses if s.value[0].sql == choice[0]]
                break
        else:
            columns = either(f.name for f in by_field.values())
            chosen = reader.choose(by_field, f"`{span.text}` may be a value of {columns}")
            senses = [s for s in senses if s.value[0].sql == chosen]
    best = max(s.strength for s in senses)
    senses = [s for s in senses if s.strength == best]
    folded_alike = {str(s.value[1]).casefold() for s in senses}
    if len(folded_alike) > 1:
        raise Unclear(f"`{span.text}` may be {either(str(s.value[1]) for s in senses)}")
    return senses


_DIRECTIONS = (
    (
        frozenset(("from", "de", "del", "desde")),
        frozenset(("from", "origin", "origen", "desde")),
    ),
    (
        frozenset(("to", "a", "al", "hacia", "hasta")),
        frozenset(("to", "destination", "destino", "hacia")),
    ),
)


def _by_direction(reader: Reader, place: int, senses: list[Sense]) -> list[Sense]:
    """`from Madrid to Paris`: values of the columns that are called by such words."""
    for near in range(place - 1, max(place - 3, -1), -1):
        before = reader.items[near]
        for words, names in _DIRECTIONS:
            if before.words[-1] in words:
                return [s for s in senses if names & {*name_words(s.value[0].name)}]
        if not before.filler:
            break
    return []


def _more_values(
    reader: Reader, end: int, each: Field, kinds: tuple[str, ...]
) -> tuple[list[str], int]:
    """Values of the same column that `or`, `and` or a comma joins to the first."""
    values: list[str] = []
    while True:
        joint = reader.step(end)
        if joint >= 0 and reader.items[joint].means("entity"):
            behind = reader.step(joint)  # `manual lessons versus automatic`
            versus = behind >= 0 and reader.items[behind].means("versus")
            joint = behind if versus else joint
        sides = () if "nor" in kinds else ("versus",)
        if joint < 0 or not reader.items[joint].means(*kinds, *sides):
            return values, end
        joints = [joint]
        following = reader.step(joint)
        if following >= 0 and reader.items[following].means(*kinds):
            joints.append(following)
            following = reader.step(following)
        if following < 0 or reader.items[following].used:
            return values, end
        senses = [s for s in reader.items[following].of("val") if s.value[0].sql == each.sql]
        if not senses or not _is_value(reader.items[following]):
            return values, end
        best = max(s.strength for s in senses)
        values += [s.value[1] for s in senses if s.strength == best]
        reader.take(*joints, following)
        end = _absorb_after(reader, following, each)
