"""Reads requests for records: how many, which columns, their distributions and relations.

A request is read word by word. Each word is a fact about the records or about a column, a label, or a
word that changes nothing; a request with any other word is not read, and the refusal names the word.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from sandbox.reading import (
    records_bounds,
    records_dates,
    records_formulas,
    records_ids,
    records_marks,
    records_parameters,
    records_relations,
    records_rounding,
    records_shares,
    records_tables,
    records_truths,
    records_values,
)
from sandbox.reading.budget import spend
from sandbox.reading.reader import Reader
from sandbox.reading.records_columns import field_of
from sandbox.reading.records_draft import Draft, Relation
from sandbox.reading.records_drafts import columns, is_longer, same_name
from sandbox.reading.records_order import in_order
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_series import is_series, read_series
from sandbox.reading.records_usual import COUNT, usual_of
from sandbox.reading.records_values import FAMILIES
from sandbox.reading.records_wordings import reworded, said_short
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.tokens import tokens
from sandbox.spec import Correlation, Distribution, Field, Spec

_DATED = re.compile(r"(?:^|_)(?:date|fecha|day|timestamp|birthday)s?(?:_|$)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CONJUNCTIONS = re.compile("_(?:and|y|e)_")
_MOST_CELLS = 2_000_000
_LONGEST = 2_000
_MARKS = frozenset(".,;:?!()[]{}\n\"'¿¡-•*#|=~")
_READERS: tuple[Callable[[Scan, int], int], ...] = (
    records_marks.whole, records_tables.real_world, records_shares.shares, records_formulas.formula,
    records_relations.relation, records_dates.special, records_parameters.mixture_weight,
    records_parameters.parameter, records_values.family, records_bounds.bounds,
    records_rounding.modifier, records_marks.count, records_marks.label,
)  # fmt: skip


def _read(reader: Reader) -> Spec | None:
    if reader.table or len(reader.text) > _LONGEST:
        return None
    if "{{" in reader.text:
        raise NotUnderstood("a placeholder in `{{...}}` was not filled")
    text = reworded(reader.text)
    pieces, language = tokens(text, "records")
    scan = Scan(text, pieces, language)
    wanted = any(token.means("make") for token in pieces)
    question = _QUESTION.search(text) is not None
    if (wanted or not question) and is_series(scan):
        try:
            series = read_series(scan)
        except NotUnderstood:
            if wanted and any(token.means("series") for token in pieces):
                raise
            scan = Scan(text, pieces, language)
        else:
            reader.taken.update(range(len(reader.tokens)))
            return series
    if not wanted and (question or all(scan.number(i) is None for i in range(len(pieces)))):
        return None  # whatever it says about records, it asks about them, or does not count them
    try:
        _scan(scan)
        spec = None if scan.unknown else _spec(scan)
    except NotUnderstood:
        if scan.wanted or (scan.count is not None and scan.drafts and not question):
            raise
        return None
    questioned = question or text.rstrip().endswith("?")
    if not (scan.wanted or (scan.count is not None and not questioned)):
        return None
    if scan.unknown:
        unknown = tuple(dict.fromkeys(token.text for token in scan.unknown))
        listed = ", ".join(f"`{word}`" for word in unknown[:5])
        raise NotUnderstood(f"{listed} is not understood in a request for records", unknown)
    reader.taken.update(range(len(reader.tokens)))
    short = said_short(reader.text)
    return replace(spec, assumed=(*spec.assumed, short)) if spec is not None and short else spec


def _scan(scan: Scan) -> None:
    i = 0
    while i < len(scan.tokens):
        spend()
        token = scan.tokens[i]
        scan.wanted = scan.wanted or token.means("make")
        end = records_ids.form(scan, i)
        if end:
            i = end
            continue
        if token.means("beyond"):
            scan.unknown.append(token)
            i += 1
            continue
        end = next((end for read in _READERS if (end := read(scan, i)) > i), 0)
        if end:
            scan.unknown += [t for t in scan.tokens[i:end] if t.unclear]
            i = end
            continue
        skipped = (
            scan.idle(i)
            or token.means(*_SKIPPED)
            or (token.means("both") and _all_at_once(scan, i))
            or (token.means("exactly") and scan.count is None and _whole_at(scan, i + 1))
            or (scan.stem(i - 1) == "(" and scan.after_unit(i) > i)
        )
        if not skipped and token.stem not in _MARKS:
            scan.unknown.append(token)
        if i == scan.counted_at and (token.means("make") or scan.low(i) in _INVENTED):
            scan.counted_at += 1  # `300 made-up receipts`
        i += 1


_QUESTION = re.compile(
    r"\b(?:how|what|why|who|when|which|qué|cómo|cuál|cuáles|cuánt[oa]s?|quién|dónde|por qué)\b.*\?"
    r"|\b(?:is it|is this|is that|are they|is the|es|son)\b[^.\n]*\?"
    r"|\b(?:margin|margen|confidence interval|intervalo de confianza"
    r"|(?<!with )(?<!with a )(?<!con )(?<!con una )(?<!success )probabili\w+(?! of success| distribution)|p-value|valor p|standard error"
    r"|error est[aá]ndar)\b",
    re.I | re.S,
)
_INVENTED = frozenset(
    "pretend fictional fictitious invented realistic typical imaginary ficticios ficticias".split()
)
_SKIPPED = ("make", "record", "sample_size", "tail", "likert", "wants", "enough", "column_name")


def _whole_at(scan: Scan, i: int) -> bool:
    """Whether a number without a unit stands at a place: `exactly 1000 users`."""
    return scan.number(i) is not None and not scan.tokens[i].unit


def _all_at_once(scan: Scan, i: int) -> bool:
    """Whether `both` only repeats what is said: `both normal`, or of the parts of a mixture."""
    mixed = scan.current is not None and scan.current.family == "mixture"
    return mixed or scan.means(i + 1, *FAMILIES)


def _spec(scan: Scan) -> Spec:
    assumed: list[str] = []
    if scan.count is None and scan.some and scan.wanted:
        scan.count = COUNT
        assumed.append(f"{COUNT} records, because the request does not say how many")
    if scan.next_is:
        raise NotUnderstood(f"it does not say what is {' and '.join(sorted(scan.next_is))}")
    if scan.count is None:
        raise NotUnderstood("it does not say how many records")
    fields, sentences = _fields(scan)
    fields, correlations = _related(scan, fields, assumed)
    if scan.pairs and len(fields) < 2:
        raise NotUnderstood(
            "it wants pairs, and describes one column: say what the other one holds", ("pairs",)
        )
    if scan.columns not in (0, len(fields)):
        raise NotUnderstood(f"it describes {len(fields)} columns, and not {scan.columns}")
    fields = in_order(scan, fields)
    count = int(scan.count)
    if count * len(fields) > _MOST_CELLS:
        size = f"{count} records of {len(fields)} columns are more than one answer should hold"
        raise NotUnderstood(f"{size}: ask for at most {_MOST_CELLS // len(fields)}")
    if scan.words and not any(field.distribution is not None for field in fields):
        raise NotUnderstood(f"{' '.join(scan.words)} are words, not figures", scan.words)
    formed = any(field.role == "id" and field.first is not None for field in fields)
    if not formed and all(field.role in ("text", "id") for field in fields):
        raise NotUnderstood("no distribution, relation or range is given")
    return Spec(
        "generate", count, tuple(fields), tuple(correlations), seed=scan.seed,
        format="csv" if scan.csv else "json", assumed=(*assumed, *sentences),
    )  # fmt: skip


def _fields(scan: Scan) -> tuple[list[Field], list[str]]:
    records_truths.refuse_part_of_part(scan)
    drafts = columns(scan)
    fields: list[Field] = []
    sentences: list[str] = []
    for draft in drafts:
        described, assumed = field_of(draft, draft.label or "value")
        for field in _one_by_one(described):
            if field.name in {other.name for other in fields}:
                raise NotUnderstood(f"{field.name} is described twice")
            fields.append(field)
        sentences += assumed
    for field in fields:
        years = field.distribution.labels if field.distribution is not None else ()
        if _DATED.search(field.name) and years and all(map(_YEAR.fullmatch, years)):
            raise NotUnderstood(f"whether {field.name} holds years or dates is not clear")
        longer = next((f.name for f in fields if is_longer(scan, f.name, field.name)), "")
        if longer and field.role == "number" and field.distribution is not None:
            raise NotUnderstood(
                f"{field.name} may be the column {longer} or another one: use one name"
            )
    labels = {
        label.lower(): field.name
        for field in fields
        if field.role == "category" and field.distribution is not None and not field.source
        for label in field.distribution.labels
    }
    for field in fields:
        of = labels.get(field.name.partition("_")[0])
        if of and "_" in field.name and field.name != of and field.role == "number":
            raise NotUnderstood(f"{field.name} may hold for some values of {of} only: say which")
    names = {field.name for field in fields if field.role in ("number", "derived")}
    return [_with_operands(field, names) for field in fields], sentences


def _one_by_one(field: Field) -> list[Field]:
    """The columns of text that one label names, as in `name and email`."""
    if field.role != "text":
        return [field]
    return [replace(field, name=name) for name in _CONJUNCTIONS.split(field.name)]


def _with_operands(field: Field, names: set[str]) -> Field:
    if field.role != "derived":
        return field
    others = sorted(names - {field.name})

    def operand(match: "re.Match[str]") -> str:
        if match[0] == "?" and len(others) == 1:
            return others[0]
        name = same_name(match[0], others)
        if not name:
            raise NotUnderstood(f"{field.name} is computed from {match[0]}, which is not a column")
        return name

    return replace(field, formula=re.sub(r"\?|[^\W\d]\w*", operand, field.formula))


_SIZES = re.compile(r"size|employee|headcount|staff|count|quantity|units|tamaño|empleado|plantilla")


def _left_open(name: str) -> tuple[Field, tuple[str, ...]]:
    """A column of which a request only says with what it correlates."""
    if usual_of(name) is not None:
        return field_of(Draft(name), name)
    standard = Distribution("normal", {"mean": 0.0, "sd": 1.0})
    return Field(name, "number", standard), (f"{name}: normal, mean 0, sd 1",)


def _related(
    scan: Scan, fields: list[Field], assumed: list[str]
) -> tuple[list[Field], list[Correlation]]:
    """Match the names of correlations to fields, and add a field for each other name."""
    made = list(fields)
    kept: list[Correlation] = []
    for relation in scan.relations:
        first, second = _pair(relation, made)
        numbers = {f.name for f in made if f.role == "number"}
        missing = [name for name in (first, second) if name not in numbers]
        if any(name in {f.name for f in made} for name in missing):
            raise NotUnderstood(
                f"{missing[0]} is no column of numbers, so that nothing correlates with it"
            )
        if len(missing) == 2:
            for name in missing:
                field, sentences = _left_open(name)
                made.append(field)
                assumed += sentences
        elif missing:
            size = bool(_SIZES.search(missing[0]))
            made.append(Field(missing[0], low=1.0 if size else None, decimals=0 if size else None))
        measure = "r2" if relation.measure == "r2" else "r"
        kept.append(Correlation(first, second, relation.value, measure, relation.sign))  # type: ignore[arg-type]
    return made, kept


def _pair(relation: Relation, fields: list[Field]) -> tuple[str, str]:
    numbers = [f.name for f in fields if f.role == "number"]
    if not relation.names:
        if len(numbers) != 2:
            raise NotUnderstood("it does not say which two columns correlate")
        return numbers[0], numbers[1]
    first, second = (same_name(name, numbers) or name for name in relation.names)
    if first == second:
        raise NotUnderstood(f"{first} cannot correlate with itself")
    return first, second


RULES: tuple[Rule, ...] = (
    Rule(
        "records",
        frozenset(
            {
                "make",
                "record",
                "entity",
                "noun",
                "die",
                "coin",
                "dated",
                "some",
                "mean",
                "sd",
                "probability",
                "integer",
                "float",
                "unique",
                "even",
                "odd",
                "multiples",
                "series",
                "noise",
                "hour_step",
                "day_step",
                "week_step",
                "month_step",
                *FAMILIES,
            }
        ),
        _read,
        "how many records, and for each column its distribution, range, labels or role",
        words="records",
    ),
)
