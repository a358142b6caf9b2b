"""Finds the steps that turn a column of a source into a field of the target, by its values.

What the values leave open becomes a question.
"""

import re
from dataclasses import replace

from router.records.catalogue.naming import words_of
from router.records.migrating.fields import Column, Conversion, Leaf, Steps, share_of, step
from router.records.migrating.meaning import Nearness
from router.records.migrating.steps import done, is_missing
from router.records.migrating.to_moments import to_moment
from router.records.migrating.to_numbers import to_number
from router.records.migrating.value_words import code_table, enum_tables, yes_and_no

_STATES = frozenset(
    ["state", "status", "estado", "situacion", "code", "codigo", "mode", "modo", "type", "tipo"]
)


_MOSTLY = 0.5
_MOST_WORDS = 20  # of a field that says yes or no


def conversion(leaf: Leaf, column: Column, near: Nearness | None = None) -> Conversion:
    """The best steps from this column to this field; a share of 0 if there are none."""
    schema = leaf.schema
    if not column.values:
        return Conversion()
    if "enum" in schema or "const" in schema:
        made = _to_enum(leaf, column, near)
    elif leaf.kind == "boolean":
        made = _to_switch(leaf, column)
    elif leaf.kind in ("number", "integer"):
        made = to_number(leaf, column)
    elif leaf.kind == "array":
        made = _to_list(leaf, column, near)
    elif leaf.kind == "string":
        made = _to_text(leaf, column)
    else:
        made = Conversion()
    if made.question:
        shares = [share_of(steps, column, schema) for steps in made.choices.values()]
        return replace(made, share=max(shares, default=0.0))
    return replace(made, share=share_of(made.steps, column, schema))


def _to_switch(leaf: Leaf, column: Column) -> Conversion:
    if len(column.tried) > _MOST_WORDS:
        return Conversion((step("yes or no"),))
    yes, no, opposite = yes_and_no(column.tried, leaf.path[-1], column.path[-1])
    steps = (step("yes or no", yes=yes, no=no, opposite=opposite),)
    digits = {str(value) for value in column.tried} <= {"0", "1"}
    if (
        digits
        and set(words_of(column.path[-1])) & _STATES
        and words_of(leaf.path[-1])[-1:] != ["active"]
    ):
        question = f"Does 1 of {column.name} mean {leaf.name}?"
        against = (step("yes or no", opposite=True),)
        choices = {f"1 is {leaf.name}": steps, f"1 is not {leaf.name}": against}
        return Conversion(question=question, choices=choices)
    return Conversion(steps)


def _to_enum(leaf: Leaf, column: Column, near: Nearness | None) -> Conversion:
    wanted = leaf.schema.get("enum", [leaf.schema.get("const")])
    none_is_a_word = any(is_missing(w) for w in wanted if isinstance(w, str))
    if all(any(value == w for w in wanted) for value in column.tried) and not none_is_a_word:
        return Conversion()
    field_words = words_of(leaf.path[-1])
    tables, labels = enum_tables(
        column.tried, [w for w in wanted if w is not None], near, field_words
    )
    if len(tables) == 1:
        return Conversion((step("words", table=tables[0]),))
    choices = {
        label: (step("words", table=table),) for label, table in zip(labels, tables, strict=True)
    }
    values = ", ".join(sorted({str(v) for v in column.tried}))
    question = f"What do the values {values:.60} of {column.name} mean for {leaf.name}?"
    return Conversion(question=question, choices=choices)


def _to_list(leaf: Leaf, column: Column, near: Nearness | None) -> Conversion:
    items = leaf.schema.get("items", {})
    if all(isinstance(value, list) for value in column.tried):
        by, inner = "", [item for value in column.tried for item in value]
        first: Steps = ()
    else:
        marks = (";", "|", "\n", ",", "/")
        by = next((m for m in marks if sum(m in text for text in column.texts)), "")
        inner = [item for value in column.tried for item in done(step("list", by=by), value)]
        first = (step("list", by=by),)
    if not isinstance(items, dict) or not inner:
        return Conversion(first)
    part = conversion(Leaf(leaf.path, items, True), Column(column.path, tuple(inner)), near)
    each = tuple({**s, "each": True} for s in part.steps)
    if part.question:
        made = {k: (*first, *({**s, "each": True} for s in v)) for k, v in part.choices.items()}
        return Conversion(question=part.question, choices=made)
    return Conversion((*first, *each), warning=part.warning)


def _to_text(leaf: Leaf, column: Column) -> Conversion:
    form, pattern = leaf.schema.get("format", ""), leaf.schema.get("pattern", "")
    if re.fullmatch(r"\^?\\d\{4\}-\\d\{2\}-\\d\{2\}\$?", pattern):
        form = "date"
    if form in ("date", "date-time"):
        return to_moment(column, form)
    for moment in (step("month"), step("date part", part="time")):
        # Before `fit`, which would write the digits of `05/2025` into any pattern.
        if pattern and share_of((moment,), column, leaf.schema) >= _MOSTLY:
            return Conversion((moment,))
    simple: Steps = () if all(v == v.strip() for v in column.texts) else (step("text"),)
    if any(not isinstance(value, str) for value in column.tried):
        lists = any(isinstance(value, list) for value in column.tried)
        simple = (step("join", by=", "),) if lists else (step("text"),)
    options: list[Steps] = [simple]
    if form in ("email", "uuid", "time"):
        options.append((step(form),))
    if form in ("uri", "url"):
        options.append((step("link"),))
    if pattern or form == "phone":
        code = re.match(r"\^?(?:\(\?:)?\\\+(\d{1,3})(?![\d{])", pattern)
        options.append(
            (step("phone", prefix=f"+{code[1]}"),) if code else ({"step": "phone", "prefix": ""},)
        )
    if pattern:
        options.append((step("fit", pattern=pattern),))
        table = code_table(column.tried, pattern)
        if table:
            options.append((step("words", table=table),))
    best = max(options, key=lambda steps: share_of(steps, column, leaf.schema))
    warning = ""
    if best and best[0]["step"] == "link":
        warning = "https:// is put before addresses without a scheme"
    return Conversion(best, warning=warning)
