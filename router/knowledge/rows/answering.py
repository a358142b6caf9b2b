"""Answers a question on rows by rule: the question becomes a query, or is refused by name.

Every word of a question is accounted for by the query, or is known to change nothing. Where two
readings fit, both are named. A question after another may go on from it (`and in April?`).
"""

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

from router.knowledge.finding.where import EVERYTHING, Where
from router.knowledge.rows.filtering import filtered
from router.knowledge.rows.language.links import links_of
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.naming import names_of
from router.knowledge.rows.language.politeness import without_politeness
from router.knowledge.rows.language.profile import Field, fields_of
from router.knowledge.rows.language.spans import Span, spans_of
from router.knowledge.rows.language.tokens import cut, ranges_in
from router.knowledge.rows.language.words import Language, Sense, canonical, language_of, pieces
from router.knowledge.rows.parts.conditions import read_conditions
from router.knowledge.rows.parts.each_value import with_rival
from router.knowledge.rows.parts.following import amount_of, date_of, follow, goes_on
from router.knowledge.rows.parts.measures import convert_units, lasting
from router.knowledge.rows.parts.plain_numbers import read_key
from router.knowledge.rows.parts.reader import Reader
from router.knowledge.rows.parts.relating import read_related
from router.knowledge.rows.parts.targets import read_closed, read_target
from router.knowledge.rows.query import Condition, RowQuery
from router.knowledge.rows.schema import (
    NoSuchColumn,
    NotUnderstood,
    RowAnswer,
    Rows,
    Run,
    SqlRefused,
    TableSchema,
    Unclear,
    UnknownWords,
)
from router.knowledge.rows.sql import sql_of
from router.knowledge.rows.wording import reading_of, text_of
from router.request.plain import bare, folded

_PRONOUNS = frozenset(("they", "them", "ellos", "ellas"))  # of the question before
_SURER = 2  # by which the words must fit one table better than the next
_ANY_YEAR = 2000  # for days without a year, where no query is written
_LONGEST = 400  # characters of a question that rules read


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A question as a query, how surely its words name what the query uses, and its typos."""

    query: RowQuery
    strength: int
    typos: dict[str, str]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a question names: for each value the forms that it has in the data; numbers."""

    values: tuple[frozenset[str], ...]
    numbers: tuple[str, ...]


class RowReader:
    """Reads questions on the tables of one store. Their values are looked at once."""

    def __init__(self, tables: Sequence[TableSchema], run: Run) -> None:
        by_table: dict[str, tuple[Field, ...]] = {t.stored: fields_of(t, run) for t in tables}
        links = links_of(by_table)
        self.fields = tuple(by_table.values())
        self._names = [names_of(t, by_table, links, tables) for t in tables]
        self._preferred = ""

    def preferring(self, key: str) -> "RowReader":
        """A reader of the same tables that takes one of the readings of a `Choice`."""
        other = copy(self)
        other._preferred = key
        return other

    def names_of(self, table: TableSchema) -> Names:
        return next(names for names in self._names if names.table.stored == table.stored)

    def read(self, question: str, previous: Sequence[str] = ()) -> tuple[Interpreted, Language]:
        """The query of a question after earlier ones. Raises `Unclear`."""
        language = language_of(question)
        others: tuple[Language, ...] = ("es",) if language == "en" else ("en",)
        failures: list[Unclear] = []
        for each in (language, *others):
            try:
                return self._read(question, each, previous), each
            except Unclear as unclear:
                failures.append(unclear)
                if not isinstance(unclear, UnknownWords):
                    break
        raise failures[0]

    def spans(self, question: str, names: Names, language: Language) -> list[Span]:
        """The words of a question, and what each may mean for one table."""
        return self._reader(question, names, language, _ANY_YEAR).items

    def names_word(self, word: str) -> bool:
        """Whether a word stands for something in a table."""
        return any((canonical(folded(word)),) in names.senses for names in self._names)

    def mentioned(self, question: str) -> Mentioned:
        """The values and numbers in a question, whatever its other words mean."""
        language = language_of(question)
        values: dict[str, frozenset[str]] = {}
        numbers: dict[str, None] = {}
        for names in self._names:
            for span in self._reader(question, names, language, _ANY_YEAR).items:
                forms = frozenset(str(s.value[1]) for s in span.of("val"))
                if forms and not span.means("filler", "col", "entity", "foreign"):
                    values[span.text] = values.get(span.text, frozenset()) | forms
                elif span.number is not None:
                    numbers[f"{span.number:.15g}"] = None
        return Mentioned(tuple(values.values()), tuple(numbers))

    def _read(self, question: str, language: Language, previous: Sequence[str]) -> Interpreted:
        if len(question) > _LONGEST:
            raise Unclear(f"the question is longer than {_LONGEST} characters")
        looks_back = any(map(goes_on, self._readers(question, language)))
        if previous and (looks_back or not _PRONOUNS.isdisjoint(pieces(question))):
            return self._follow(question, language, previous)
        if not previous:
            return self._alone(question, language)
        readings: list[Interpreted] = []
        failures: list[Unclear] = []
        for earlier in ((), previous):
            try:
                if earlier:
                    readings.append(self._follow(question, language, earlier))
                else:
                    readings.append(self._alone(question, language))
            except Unclear as unclear:
                failures.append(unclear)
        if not readings:
            raise failures[0]
        if len(readings) == 1 or sql_of(readings[0].query) == sql_of(readings[1].query):
            return readings[0]
        return self._nearer(question, language, *readings)

    def _nearer(
        self, question: str, language: Language, alone: Interpreted, follows: Interpreted
    ) -> Interpreted:
        """Of a question that may stand alone or go on from the one before, what its words say."""
        readers = self._readers(question, language)
        if any(_headed(reader) for reader in readers):
            return alone
        if any(span.means("count") for reader in readers for span in reader.items):
            return follows  # `how many are paid?` says no noun
        raise Unclear("it may go on from the question before, or stand alone: name the rows")

    def _readers(self, question: str, language: Language) -> list[Reader]:
        """The question for each table; a day without a year is read where rows have one year.

        Other tables are left out, unless the question names their rows.
        """
        readers: list[Reader] = []
        failure: Unclear | None = None
        for names in self._names:
            try:
                readers.append(self._reader(question, names, language))
            except Unclear as unclear:
                failure = failure or unclear
                if _headed(self._reader(question, names, language, _ANY_YEAR)):
                    raise
        if failure is not None and not any(map(_headed, readers)):
            raise failure
        return readers

    def _reader(self, question: str, names: Names, language: Language, year: int = 0) -> Reader:
        text = _unhyphened(without_politeness(bare(question)), names)
        ranges = not any(ends in names.senses for ends in ranges_in(text))
        pieces = cut(text, language, year or _only_year(names), ranges=ranges)
        if not pieces:
            raise Unclear("the question is empty")
        spans = spans_of(pieces, names, language)
        return Reader(names, spans, language, self._preferred)

    def _alone(self, question: str, language: Language) -> Interpreted:
        readings: list[Interpreted] = []
        failures: list[tuple[int, Unclear]] = []
        readers = self._readers(question, language)
        headed = [reader for reader in readers if _headed(reader)]
        rest = [reader for reader in readers if reader not in headed]
        for group in (headed, rest):
            for reader in group:
                try:
                    query = _query_of(reader)
                    if group is rest:
                        _within_years(query)
                        _denies(query, headed)
                except Unclear as unclear:
                    failures.append((_strength(reader), unclear))
                else:
                    readings.append(Interpreted(query, _strength(reader), reader.spans.typos))
            if readings:
                break
        if not readings:
            first_headed = failures[: len(headed)] or failures
            raise max(first_headed, key=lambda failure: failure[0])[1]
        best = max(reading.strength for reading in readings)
        if best == 0 and not headed and len(readers) > 1 and not _worded(readings[0].query):
            raise Unclear("no word names a table, a column or a value: name the rows")
        unsure = [unclear for strength, unclear in failures if strength >= best]
        doubts = [unclear for unclear in unsure if "` or `" in str(unclear)]
        if doubts and not headed:
            raise doubts[0]  # a table that the words fit as well, in two ways
        first = [reading for reading in readings if reading.strength > best - _SURER]
        if len(first) > 1:
            names = " or ".join(reading.query.table.name for reading in first)
            raise Unclear(f"it may ask {names}: name the table")
        _own_figure(first[0].query, readings)
        return first[0]

    def _follow(self, question: str, language: Language, previous: Sequence[str]) -> Interpreted:
        base, _ = self.read(previous[-1], previous[:-1])
        if base.query.rival is not None:
            raise Unclear("the question before has two meanings: ask this one in full")
        names = self.names_of(base.query.table)
        reader = self._reader(question, names, language)
        reader.base_date = date_of(base.query)
        reader.base_amount = amount_of(base.query)
        _known_words(reader)
        query = follow(base.query, reader)
        return Interpreted(query, _strength(reader), {**base.typos, **reader.spans.typos})


def _denies(query: RowQuery, headed: Sequence[Reader]) -> None:
    """Refuse `plots never inspected by Ana` of inspections: it asks which plots have none."""
    negated = [w for w in query.where if isinstance(w, Condition) and w.negated]
    if headed and negated:
        name = headed[0].names.table.name
        raise Unclear(f"which rows of {name} have none, or which of {query.table.name} are others")


def _own_figure(query: RowQuery, readings: Sequence[Interpreted]) -> None:
    """Refuse a figure by a linked table that has such a figure of its own.

    `insurance per room`: the `insurance_fee` of loans, or the `insurance_value` of the works?
    """
    figure, linked = query.measure.field, {link.target.table.stored for link in query.links}
    for other in readings if figure is not None else ():
        own = other.query.measure.field
        if own is not None and figure is not None and own.table.stored in linked:
            names = f"`{figure.name}` of {query.table.name}"
            raise Unclear(f"it may ask {names} or `{own.name}` of {other.query.table.name}")


def _worded(query: RowQuery) -> bool:
    """Whether a word of the question says which rows are meant: `unpaid`, `not insured`."""
    return any(not isinstance(where, Condition) or where.days is None for where in query.where)


_HYPHEN = re.compile(r"(?<![\w-])([^\W\d_]++)-([^\W\d_]++)(?![\w-])")


def _unhyphened(text: str, names: Names) -> str:
    """`call-outs` as `callouts`, and `check-ins` as `check in`, where the tables say so."""

    def written(match: re.Match[str]) -> str:
        first, last = folded(match[1]), folded(match[2])
        if (canonical(first + last),) in names.senses:
            return match[1] + match[2]
        single = (first, last.removesuffix("s"))
        return " ".join(single) if single in names.senses and last.endswith("s") else match[0]

    return _HYPHEN.sub(written, text)


def _only_year(names: Names) -> int:
    """The only year of all days of a table's rows, or 0."""
    years = {year for each in names.fields if each.dated for year in each.years}
    return years.pop() if len(years) == 1 else 0


def _within_years(query: RowQuery) -> None:
    """Refuse a table that the question does not name, and whose rows are of other years."""
    for where in query.where:
        if isinstance(where, Condition) and where.days is not None:
            first, last, (low, high) = where.days.first, where.days.last, where.field.years
            if first is not None and last is not None and not low <= first.year <= high:
                raise Unclear(f"{query.table.name} has no row of {where.days.words}: name the rows")


def _headed(reader: Reader) -> bool:
    """Whether the first word for rows of a table means this table."""
    for span in reader.items:
        strong = [s.strength for s in span.of("entity")]
        if strong and max(strong) > 2:
            return True
        flags = [s for s in span.of("col") if s.value.column.kind == "boolean"]
        if span.means("foreign") and len(flags) == len(span.of("col")):
            return False
    return False


def _strength(reader: Reader) -> int:
    """How surely the words name what they stand for in this table."""
    kinds = ("col", "val", "entity")
    total = 0
    for span in reader.items:
        strengths = [s.strength for s in span.senses if s.kind in kinds]
        if strengths:
            total += max(strengths) + 3 * (len(span.words) - 1)
    verbs = any(span.words in reader.names.verbs for span in reader.items)
    return total + verbs


def _known_words(reader: Reader) -> None:
    if reader.spans.unknown:
        glossed = any(span.words == ("(",) for span in reader.items)
        if not glossed:
            raise UnknownWords(reader.spans.unknown)


_AUXILIARIES = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "es",
        "son",
        "esta",
        "fue",
    ]
)


_PLACES = frozenset(("where", "donde"))
_FROM = frozenset(("from", "de", "a", "en", "desde"))


def _plain_question(reader: Reader) -> bool:
    """Whether yes or no answers a question; one that asks for any rows is read as a count."""
    first = next((span for span in reader.items if not span.means("mark")), None)
    closed = first is not None and first.words[0] in _AUXILIARIES and not first.means("any")
    sides = any(span.means("more") for span in reader.items)
    if closed and sides and any(span.means("or") for span in reader.items):
        closed = False  # `did Ana or Ben get more orders?`
    leading = [span.words[0] for span in reader.items[:2]]
    if leading[0] in _PLACES or (leading[0] in _FROM and leading[-1] in _PLACES):
        raise Unclear("where rows are from is not read: name the column")
    for i in reader.free("who", "which"):
        before = reader.step(i, -1)
        if before >= 0 and reader.items[before].means("entity"):
            reader.take(i)  # `members who live in York`
    for i in reader.free("any"):
        if reader.items[i] is not first:
            reader.take(i)
    return closed


_ENDED = ("status", "left", "cancelled", "returned", "closed", "expiry", "end", "discharged")


def _take_now(reader: Reader) -> None:
    """Take `currently` of rows that do not end; else those that have ended may be meant or not."""
    names = reader.names
    ended = [f for f in names.fields if names.has(f, *_ENDED) or (f.dated and f.gaps)]
    for i in reader.free("now"):
        if ended:
            raise Unclear(f"`{reader.items[i].text}` may leave out rows by `{ended[0].name}`")
        reader.take(i)


_TIME = frozenset(("time", "times", "tiempo"))
_SIZE = frozenset(("size", "sizes", "talla", "tallas"))
_SIZES = frozenset(("xs", "s", "m", "l", "xl", "xxl", "2xl", "3xl", "small", "medium", "large"))


def _take_nouns(reader: Reader) -> None:
    """Take a noun that adds nothing to a column's name: `shirt size`, `vehicle type`."""
    for i in reader.free("noun"):
        if i and not reader.items[i].means("col", "val"):
            if _TIME.isdisjoint(reader.items[i].words):
                each = reader.field_at(i - 1, lambda f: f.column.kind == "text")
            elif (each := reader.field_at(i - 1, lambda f: lasting(reader.names, f))) is not None:
                reader.items[i].senses = (Sense("filler"),)  # `response time`, in minutes
                continue
            sized = not _SIZE.isdisjoint(reader.items[i].words)
            if each is None or (sized and not _SIZES.issuperset(map(folded, each.values))):
                continue
            if each.values:
                reader.items[i].senses = (Sense("filler"),)


def _query_of(reader: Reader) -> RowQuery:
    _known_words(reader)
    _take_nouns(reader)
    reader.take(*reader.free("only"))
    _take_now(reader)
    closed = _plain_question(reader)
    convert_units(reader)
    read_conditions(reader)
    if closed:
        read_key(reader)
    related = read_related(reader)
    if closed:
        return read_closed(reader, related)
    return with_rival(reader, read_target(reader, related))


def answer_rows(
    question: str, tables: Sequence[TableSchema], run: Run, previous: Sequence[str] = ()
) -> RowAnswer | NotUnderstood:
    """The answer to a question on rows; `previous`: the questions before it, the latest last."""
    if not tables:
        return NotUnderstood("there is no table")
    try:
        return answered_by(RowReader(tables, run), question, run, previous)
    except SqlRefused as refused:
        return NotUnderstood(str(refused))


def answered_by(
    reader: RowReader,
    question: str,
    run: Run,
    previous: Sequence[str] = (),
    where: Where = EVERYTHING,
) -> RowAnswer | NotUnderstood:
    """The answer of a reader; `where`: a filter that rows must pass, as documents do."""
    try:
        interpreted, language = reader.read(question, previous)
        query = filtered(interpreted.query, where, reader.names_of(interpreted.query.table))
    except Unclear as unclear:
        return NotUnderstood(str(unclear))
    except NoSuchColumn as missing:
        return NotUnderstood(str(missing), filtered=True)
    sql = sql_of(query)
    rows: Rows = run(sql)
    if query.other is not None:
        second = run(sql_of(replace(query, measure=replace(query.measure, operation=query.other))))
        if [row[:-1] for row in second.rows] != [row[:-1] for row in rows.rows]:
            ways = f"`{query.measure.operation}` or `{query.other}`"
            return NotUnderstood(f"it may mean the {ways} of each group, which do not agree")
    if query.rival is not None and run(sql_of(query.rival)).rows != rows.rows:
        return NotUnderstood(
            "it may mean each that has such a row, or each whose rows all are such"
        )
    if query.form == "lookup" and len(rows.rows) > 1:
        name = query.shown[0].name
        return NotUnderstood(f"`{name}` has {len(rows.rows)} values in the rows that fit")
    return RowAnswer(
        text_of(query, rows, language),
        sql,
        rows.columns,
        rows.rows,
        reading_of(query, language, interpreted.typos),
    )
