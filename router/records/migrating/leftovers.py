"""Rules for fields that no name gave a source: by the values that are left. Pure.

A question stays only where several fields of the source fit.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace

from router.records.catalogue.naming import named, words_of
from router.records.migrating import moments
from router.records.migrating.derived_moments import is_end
from router.records.migrating.fields import Column, Conversion, Leaf
from router.records.migrating.mapping import Choice, FieldRule
from router.records.migrating.meaning import KeyPath, Nearness, path_likeness, shortens
from router.records.migrating.numbers import parts, rated, seconds_in

Fits = Callable[[Leaf, Column], Conversion]
Candidate = tuple[Column, Conversion]
SAME_NAME = 0.9
_LEAST_SHARE, _LEAST_OPTIONAL = 0.5, 0.6
_LEAST_NEAR, _LEAST_LEAD = 0.3, 0.12
_SHORTEST, _INITIAL = 2, 0.5  # names of so few letters say no more than an initial
_MOST_CHOICES = 8
_TELLING = ("unit", "into", "clock", "percent", "noun")  # settings that only some values allow
_REST = frozenset([
    "legacy", "old", "internal", "misc", "tmp", "extra", "unused", "obsolete", "raw", "note",
    "notes", "comment", "comments", "remark", "remarks", "notas", "observaciones", "comentario",
    "comentarios", "antiguo", "antigua", "interno", "interna",
])  # fmt: skip
# Concepts whose names are given to many things; two other ones that differ are two things.
_GENERIC = frozenset([
    "headline", "percentage", "month", "count", "school_year", "name", "year",
    "song", "book", "product", "ticket_title", "line", "days", "date", "length",
    "description", "code", "id", "number", "status", "rating", "rooms", "type", "category", "end",
    "film", "region", "value", "quantity", "category_name", "product_name", "text", "amount",
])  # fmt: skip
NET = frozenset(["net", "neto", "neta", "gross", "bruto", "bruta"])
CODES = frozenset(
    ["id", "code", "codigo", "number", "numero", "ref", "reference", "referencia", "key", "clave"]
)


def read_by(rule: FieldRule) -> list[KeyPath]:
    """The fields of the source that a rule reads, or would read by one of its choices."""
    chosen = [path for choice in rule.choices.values() for path in choice.sources]
    return [*rule.sources, *chosen]


def fill_leftovers(
    source: Sequence[Column], target: Sequence[Leaf], made: MutableMapping[KeyPath, FieldRule],
    fits: Fits, rule_of: Callable[[Leaf, Column, Conversion, str], FieldRule],
    near: Nearness | None,
) -> None:  # fmt: skip
    """Give open fields the only field that is left for them; ask where several are."""
    while True:
        options = _options(source, target, made, fits)
        single = [(leaf, each[0]) for leaf, each in options if len(each) == 1]
        single.sort(key=lambda pair: not _strong(pair[0], pair[1][1]))
        taken = next((pair for pair in single if not _contested(pair, single)), None)
        if taken is None:
            doubtful = [(leaf, each) for leaf, each in options if leaf.required and each]
            nearest = [
                (leaf, best) for leaf, each in doubtful if (best := _nearest(leaf, each, near))
            ]
            taken = next(iter(nearest), None)
        if taken is None:
            break
        leaf, (column, its) = taken
        made[leaf.path] = _taken(leaf, column, rule_of(leaf, column, its, "only its values fit"))
    for leaf, candidates in doubtful:
        made[leaf.path] = which(leaf, candidates[:_MOST_CHOICES])


def _taken(leaf: Leaf, column: Column, rule: FieldRule) -> FieldRule:
    why = f"{column.name} is taken for {leaf.name} because no other field is left that fits"
    return replace(rule, warning="; ".join(filter(None, (rule.warning, why))))


def _options(
    source: Sequence[Column], target: Sequence[Leaf], made: Mapping[KeyPath, FieldRule], fits: Fits
) -> list[tuple[Leaf, list[Candidate]]]:
    used = {path for rule in made.values() for path in read_by(rule) if not _in_part(rule)}
    in_part = {path for rule in made.values() for path in read_by(rule)} - used
    free = [column for column in source if column.path not in used and column.values]
    return [
        (
            leaf,
            [
                (c, its)
                for c in free
                if _may_be(leaf, c, its := fits(leaf, c)) and (c.path not in in_part or leaf.choosy)
            ],
        )
        for leaf in target
        if leaf.path not in made and "const" not in leaf.schema
    ]


def _in_part(rule: FieldRule) -> bool:
    """Whether a rule takes only a part of what it reads, and leaves the field to others."""
    return any(step["step"] in ("days after", "date part") for step in rule.steps)


def _contested(pair: tuple[Leaf, Candidate], single: Sequence[tuple[Leaf, Candidate]]) -> bool:
    """Whether another field has the same only candidate, by evidence of the same strength."""
    leaf, (column, its) = pair
    return any(
        other is not leaf and its_column is column
        and _strong(other, theirs) == _strong(leaf, its)
        and other.required >= leaf.required
        for other, (its_column, theirs) in single
    )  # fmt: skip


def _strong(leaf: Leaf, its: Conversion) -> bool:
    """Whether few values would have fitted."""
    telling = any(
        step["step"] in ("rating", "date part") or any(key in step for key in _TELLING)
        for step in its.steps
    )
    return leaf.choosy or leaf.kind == "array" or telling


def _may_be(leaf: Leaf, column: Column, its: Conversion) -> bool:
    if its.share < (_LEAST_SHARE if leaf.required else _LEAST_OPTIONAL):
        return False
    if _extreme(leaf.path[-1]) != _extreme(column.path[-1]) and _extreme(column.path[-1]):
        return False
    listed = any(isinstance(value, list) for value in column.tried)
    if leaf.kind == "array" and not listed and not any("by" in step for step in its.steps):
        return False
    certain = "enum" in leaf.schema or any("into" in step for step in its.steps)
    if _clash(leaf, column) and not (certain and its.share == 1):
        return False
    if _strong(leaf, its):
        several = len(column.tried) > 1 or leaf.required or leaf.kind == "array"
        own_words = any(key in step for step in its.steps for key in ("yes", "no"))
        return (several or own_words) and (leaf.required or not its.question)
    if not leaf.required or set(words_of(column.path[-1])) & _REST:
        return False
    return leaf.kind != "string" or bool(set(words_of(leaf.path[-1])) & CODES) or _wordy(column)


def _extreme(name: str) -> str:
    """Whether a name such as `tmax` means a greatest or a least value."""
    return next((part for part in ("max", "min") if part in name.lower()), "")


def _wordy(column: Column) -> bool:
    """Whether most values are words: no numbers, dates, times, ratings, or yes and no."""
    texts = [text for text in column.texts if not _other_kind(text)]
    return 2 * len(texts) > len(column.tried)


def _other_kind(text: str) -> bool:
    if (
        rated(text)
        or seconds_in(text) is not None
        or moments.time_of(text)
        or ":" in text
        or moments.is_month(text)
    ):
        return True
    read = parts(text)
    if read is None:
        return len(text.strip()) < 2
    return len(read[1].split()) < 2 and (text[:1].isdigit() or not read[1])


def _clash(leaf: Leaf, column: Column) -> bool:
    """Whether the two names say two different things."""
    wanted, given = named(leaf.path[-1]).concept, named(column.path[-1]).concept
    if leaf.schema.get("format") in ("date", "date-time"):
        born = "birth_date" in (wanted, given) and wanted != given
        ends = is_end(leaf.path[-1]) != is_end(column.path[-1])
        return born or (ends and bool(wanted and given))
    if leaf.kind in ("integer", "number") and wanted and set(words_of(leaf.path[-1])) & NET:
        return False
    if any(
        shortens(short, word)
        for short in words_of(column.path[-1])
        for word in words_of(leaf.path[-1])
    ):
        return False
    codes = all(set(words_of(concept)) & CODES for concept in (wanted, given))
    if not wanted or not given or codes or wanted == given or {wanted, given} & _GENERIC:
        return _other_form(wanted, column)
    return path_likeness(column.path, leaf.path) < _LEAST_NEAR


def _other_form(wanted: str, column: Column) -> bool:
    """Whether a field that means mail, a telephone or a link would get something else."""
    marks = {"email": "@", "phone": "0123456789", "url": "."}.get(wanted, "")
    return bool(marks) and not all(any(m in text for m in marks) for text in column.texts)


def _nearest(
    leaf: Leaf, candidates: Sequence[Candidate], near: Nearness | None
) -> Candidate | None:
    """The candidate whose name is clearly nearest; None if there is none."""

    def nearness(candidate: Candidate) -> float:
        path = candidate[0].path
        if len(path[-1]) <= _SHORTEST and leaf.path[-1].lower().startswith(path[-1][0].lower()):
            return _INITIAL
        names = [" ".join(words_of(name)) for name in (path[-1], leaf.path[-1])]
        return max(path_likeness(path, leaf.path), near(*names) if near else 0.0)

    if len(candidates) < 2:
        return None
    ranked = sorted(candidates, key=nearness, reverse=True)
    lead = nearness(ranked[0]) - nearness(ranked[1])
    return ranked[0] if lead >= _LEAST_LEAD and nearness(ranked[0]) >= _LEAST_NEAR else None


def which(leaf: Leaf, rivals: Sequence[Candidate]) -> FieldRule:
    """A question: which of these fields is it?"""
    names = " or ".join(column.name for column, _ in rivals)
    choices = {
        column.name if not label else f"{column.name}, {label}": Choice((column.path,), steps)
        for column, made in rivals
        for label, steps in (made.choices or {"": made.steps}).items()
    }
    return FieldRule(leaf.path, question=f"Which field is {leaf.name}: {names}?", choices=choices)


def without_source(leaf: Leaf, source: Sequence[Column], fits: Fits) -> FieldRule | None:
    """The schema's only value, its default, or a rule that a person has to fill.

    A field of the same name is read even if none of its values fits, so that each record says why.
    """
    if not leaf.required:
        return None
    if "const" in leaf.schema:
        return FieldRule(leaf.path, value=leaf.schema["const"], because="the schema's only value")
    if "default" in leaf.schema:
        warning = f"no field of the source is {leaf.name}: the schema's default is put there"
        return FieldRule(
            leaf.path, value=leaf.schema["default"], because="the schema's default", warning=warning
        )
    same = [column for column in source if path_likeness(column.path, leaf.path) >= SAME_NAME]
    plain = leaf.kind not in ("array", "object")
    if plain and len(same) == 1 and not (its := fits(leaf, same[0])).question:
        warning = f"no value of {same[0].name} fits {leaf.name}"
        return FieldRule(
            leaf.path, (same[0].path,), its.steps, because="same name", warning=warning
        )
    why = f"no field of the source is {leaf.name}, which must be there: give `from` or `value`"
    return FieldRule(leaf.path, unfilled=True, warning=why)
