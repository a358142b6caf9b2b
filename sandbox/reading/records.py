"""Reads requests for records: how many, which columns, their distributions and relations.

A request is read word by word. Each word is a fact about the records or about a column, a label, or a
word that changes nothing; a request with any other word is not read, and the refusal names the word.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from sandbox.reading import (
    records_marks,
    records_relations,
    records_shares,
    records_tables,
    records_values,
)
from sandbox.reading.budget import spend
from sandbox.reading.reader import Reader
from sandbox.reading.records_columns import field_of
from sandbox.reading.records_scan import Draft, Relation, Scan
from sandbox.reading.records_series import read_series
from sandbox.reading.records_usual import COUNT, usual_of
from sandbox.reading.records_values import FAMILIES
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.tokens import tokens
from sandbox.spec import Correlation, Distribution, Field, Spec

_MOST_CELLS = 2_000_000
_LONGEST = 2_000
_MARKS = frozenset(".,;:?!()[]\n\"'¿¡-•*#|=~")
_READERS: tuple[Callable[[Scan, int], int], ...] = (
    records_marks.whole, records_tables.real_world, records_shares.shares, records_relations.formula,
    records_relations.relation, records_marks.special, records_values.mixture_weight,
    records_values.parameter, records_values.family, records_values.bounds,
    records_values.modifier, records_marks.count, records_marks.label,
)  # fmt: skip


def _read(reader: Reader) -> Spec | None:
    if reader.table or len(reader.text) > _LONGEST:
        return None
    if "{{" in reader.text:
        raise NotUnderstood("a placeholder in `{{...}}` was not filled")
    text = _spelled(reader.text)
    pieces, language = tokens(text, "records")
    scan = Scan(text, pieces, language)
    if any(token.means("series") for token in pieces) and any(t.means("make") for t in pieces):
        series = read_series(scan)
        reader.taken.update(range(len(reader.tokens)))
        return series
    try:
        _scan(scan)
        spec = None if scan.unknown else _spec(scan)
    except NotUnderstood:
        if scan.asked or (scan.count is not None and scan.drafts):
            raise
        return None
    if not (scan.asked or scan.count is not None):
        return None
    if scan.unknown:
        unknown = tuple(dict.fromkeys(token.text for token in scan.unknown))
        listed = ", ".join(f"`{word}`" for word in unknown[:5])
        raise NotUnderstood(f"{listed} is not understood in a request for records", unknown)
    reader.taken.update(range(len(reader.tokens)))
    return spec


def _spelled(text: str) -> str:
    """The text with blanks and words where marks without blanks hide numbers: `N(0,1)`, `0..500`."""
    text = re.sub(r"(\(\s*-?\d*\.?\d+),(?=-?\d*\.?\d+\s*\))", r"\1, ", text)
    text = re.sub(r"(?<=\d)\s?\.\.\.?\s?(?=-?\d)", " to ", text)
    return text.replace("->", ": ").replace("→", ":")


def _scan(scan: Scan) -> None:
    i = 0
    while i < len(scan.tokens):
        spend()
        token = scan.tokens[i]
        scan.asked = scan.asked or token.means("make")
        if token.means("beyond"):
            scan.unknown.append(token)
            i += 1
            continue
        end = next((end for read in _READERS if (end := read(scan, i)) > i), 0)
        if end:
            scan.unknown += [t for t in scan.tokens[i:end] if t.unclear]
            i = end
            continue
        skipped = scan.idle(i) or token.means(
            "make", "record", "sample_size", "tail", "likert", "wants"
        )
        skipped = skipped or (token.means("both") and scan.means(i + 1, "normal", "uniform"))
        if not skipped and token.stem not in _MARKS:
            scan.unknown.append(token)
        i += 1


def _spec(scan: Scan) -> Spec:
    assumed: list[str] = []
    if scan.count is None and scan.some and scan.asked:
        scan.count = COUNT
        assumed.append(f"{COUNT} records, because the request does not say how many")
    if scan.count is None:
        raise NotUnderstood("it does not say how many records")
    fields, sentences = _fields(scan)
    fields, correlations = _related(scan, fields)
    fields = _in_order(scan, fields)
    count = int(scan.count)
    if count * len(fields) > _MOST_CELLS:
        size = f"{count} records of {len(fields)} columns are more than one answer should hold"
        raise NotUnderstood(f"{size}: ask for at most {_MOST_CELLS // len(fields)}")
    if not fields or all(field.role in ("text", "id") for field in fields):
        raise NotUnderstood("no distribution, relation or range is given")
    return Spec(
        "generate", count, tuple(fields), tuple(correlations), seed=scan.seed,
        format="csv" if scan.csv else "json", assumed=(*assumed, *sentences),
    )  # fmt: skip


def _fields(scan: Scan) -> tuple[list[Field], list[str]]:
    drafts = _columns(scan)
    fields: list[Field] = []
    sentences: list[str] = []
    for draft in drafts:
        field, assumed = field_of(draft, draft.label or "value")
        if field.name in {other.name for other in fields}:
            raise NotUnderstood(f"{field.name} is described twice")
        fields.append(field)
        sentences += assumed
    names = {field.name for field in fields if field.role in ("number", "derived")}
    return [_with_operands(field, names) for field in fields], sentences


def _columns(scan: Scan) -> list[Draft]:
    """The drafts that are columns: a noun that only counts the records is none."""
    drafts = [draft for draft in scan.drafts if not draft.shared]
    shared = next((draft for draft in scan.drafts if draft.shared), None)
    for draft in drafts:
        if draft.role in ("die", "coin"):
            _chance(draft)
    unnamed = [
        d for d in drafts if not d.label and (d.described or d.unique or d.decimals is not None)
    ]
    counted = [d for d in drafts if d.counted and not d.described]
    if len(unnamed) > 1:
        raise NotUnderstood("it describes two columns without a name: say which is which")
    if unnamed and counted:
        unnamed[0].label = counted[0].label
    related = {name for relation in scan.relations for name in relation.names}
    kept: list[Draft] = []
    for draft in drafts:
        if draft in counted or (not draft.label and draft not in unnamed):
            continue
        if shared is not None and not (draft.family or draft.labels or draft.role):
            draft.family = shared.family
            draft.arguments = draft.arguments or list(shared.arguments)
            for key, values in shared.numbers.items():
                draft.numbers.setdefault(key, list(values))
        others = [d.label for d in drafts if d is not draft and (d.described or d.role)]
        bare = not draft.described and not draft.role
        if bare and not draft.unique and _only_sets_the_scene(scan, draft):
            continue
        if bare and (_same(draft.label, others) or draft.label in related):
            continue
        if bare and not draft.unique and usual_of(draft.label) is None:
            raise NotUnderstood(
                f"it does not say what the column {draft.label} contains", (draft.label,)
            )
        kept.append(draft)
    return kept


def _only_sets_the_scene(scan: Scan, draft: Draft) -> bool:
    """Whether a label stands before the number of records, in a clause of its own, or for a scene."""
    if not 0 <= draft.place < scan.count_place or usual_of(draft.label) is not None:
        return False
    between = range(draft.place, scan.count_place)
    apart = any(scan.stem(i) in (":", ".", "\n", "!", ";") for i in between)
    return apart or scan.stem(scan.count_place + 2) == ":"


def _chance(draft: Draft) -> None:
    """A die is fair and has six sides, and a coin is fair, unless the request says otherwise."""
    if draft.role == "die" and not draft.described:
        draft.low, draft.high, draft.whole_bounds = 1.0, 6.0, True
    if draft.role == "coin" and not draft.family:
        draft.family = "bernoulli"
        draft.numbers.setdefault("probability", [0.5])
    draft.role = ""


def _same(name: str, names: list[str]) -> str:
    """The one name that a shorter or longer name means: `revenue` is `annual_revenue`."""
    if name in names:
        return name
    near = [
        other for other in names
        if other.endswith("_" + name) or name.endswith("_" + other) or other.startswith(name + "_")
    ]  # fmt: skip
    return near[0] if len(near) == 1 else ""


def _with_operands(field: Field, names: set[str]) -> Field:
    if field.role != "derived":
        return field
    others = sorted(names - {field.name})

    def known(match: "re.Match[str]") -> str:
        if match[0] == "?" and len(others) == 1:
            return others[0]
        name = _same(match[0], others)
        if not name:
            raise NotUnderstood(f"{field.name} is computed from {match[0]}, which is not a column")
        return name

    return replace(field, formula=re.sub(r"\?|[^\W\d]\w*", known, field.formula))


_SIZES = re.compile(r"size|employee|headcount|staff|count|quantity|units|tamaño|empleado|plantilla")


def _related(scan: Scan, fields: list[Field]) -> tuple[list[Field], list[Correlation]]:
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
            standard = Distribution("normal", {"mean": 0.0, "sd": 1.0})
            made += [Field(name, "number", standard) for name in missing]
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
    first, second = (_same(name, numbers) or name for name in relation.names)
    if first == second:
        raise NotUnderstood(f"{first} cannot correlate with itself")
    return first, second


def _in_order(scan: Scan, fields: list[Field]) -> list[Field]:
    if not scan.order:
        return fields
    sortable = [f.name for f in fields if f.role not in ("text", "boolean")]
    numbers = [f.name for f in fields if f.role in ("number", "derived")]
    by = _same(scan.order_by, sortable) if scan.order_by else ""
    if not by and not scan.order_by:
        only = numbers if len(numbers) == 1 else sortable
        by = only[0] if len(only) == 1 else ""
    if not by:
        raise NotUnderstood("it does not say by which column the records are sorted", ("sorted",))
    order = "descending" if scan.order == "descending" else "ascending"
    return [replace(f, order=order) if f.name == by else f for f in fields]  # type: ignore[arg-type]


RULES: tuple[Rule, ...] = (
    Rule(
        "records",
        frozenset({"generate", "mean", "sd", "decimals", *FAMILIES}),
        _read,
        "how many records, and for each column its distribution, range, labels or role",
    ),
)
