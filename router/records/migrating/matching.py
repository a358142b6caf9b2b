"""Finds a mapping from records to a schema: by names, by meaning, and by the values.

What is seen to be open becomes a question, and a usual reading a warning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.records.migrating.columns import columns, leaves
from router.records.migrating.converting import conversion
from router.records.migrating.derived import derived_rules
from router.records.migrating.fields import Column, Conversion, Leaf
from router.records.migrating.mapping import Choice, FieldMapping, FieldRule
from router.records.migrating.meaning import Nearness, path_likeness
from router.records.migrating.numbers import currency_in

_LEAST_LIKENESS, _LEAST_SHARE, _SAME_NAME = 0.58, 0.3, 0.9
_CHOOSY_BONUS, _LEAST_LEAD = 0.12, 0.03
_MOST_CHOICES = 8


def mapping_for(
    records: Sequence[Any], schema: Mapping[str, Any], near: Nearness | None = None
) -> FieldMapping:
    """The mapping of these records to this schema; `near` compares words that no table knows."""
    rules, unmapped = _rules(columns(records), schema, schema, near)
    return FieldMapping(schema, tuple(rules), tuple(column.path for column in unmapped))


def _rules(
    source: Sequence[Column], schema: Mapping[str, Any], root: Mapping[str, Any],
    near: Nearness | None,
) -> tuple[list[FieldRule], list[Column]]:  # fmt: skip
    target = leaves(schema, root)
    made = {rule.to: rule for rule in _by_name(source, target, root, None)}
    made |= {rule.to: rule for rule in derived_rules(source, target, made)}
    if near is not None:
        used = {path for rule in made.values() for path in _read_by(rule)}
        free = [column for column in source if column.path not in used]
        unmade = [leaf for leaf in target if leaf.path not in made]
        made |= {rule.to: rule for rule in _by_name(free, unmade, root, near)}
    _by_values(source, target, made, root, near)
    for leaf in target:
        if leaf.path not in made and (rule := _without_source(leaf, source, made, near)):
            made[leaf.path] = rule
    if not any(step["step"] == "currency" for rule in made.values() for step in rule.steps):
        made |= {rule.to: rule for rule in _mixed_currencies(source, target, made)}
    ordered = [made[leaf.path] for leaf in target if leaf.path in made]
    used = {path for rule in ordered for path in _read_by(rule)}
    return ordered, [column for column in source if column.path not in used]


def _read_by(rule: FieldRule) -> list[tuple[str, ...]]:
    chosen = [path for choice in rule.choices.values() for path in choice.sources]
    return [*rule.sources, *chosen]


def _by_name(
    source: Sequence[Column], target: Sequence[Leaf], root: Mapping[str, Any],
    near: Nearness | None,
) -> list[FieldRule]:  # fmt: skip
    """A rule for each pair of fields whose names and values agree best."""
    scored: list[tuple[float, float, Leaf, Column, Conversion]] = []
    for leaf in target:
        for column in source:
            alike = path_likeness(column.path, leaf.path, near)
            if alike < _LEAST_LIKENESS:
                continue
            made = _conversion(leaf, column, root, near)
            if made.share < (_LEAST_SHARE if alike < _SAME_NAME else 0.01):
                continue
            bonus = _CHOOSY_BONUS * made.share if leaf.choosy else 0.04 * made.share
            scored.append((alike + bonus, alike, leaf, column, made))
    scored.sort(key=lambda entry: -entry[0])
    rules: dict[tuple[str, ...], FieldRule] = {}
    used: set[tuple[str, ...]] = set()
    for score, alike, leaf, column, made in scored:
        if leaf.path in rules or column.path in used:
            continue
        rivals = [
            (other, theirs)
            for rival, _, its, other, theirs in scored
            if its is leaf and other is not column and other.path not in used
            and score - rival < _LEAST_LEAD and alike < _SAME_NAME
        ]  # fmt: skip
        if rivals:
            rules[leaf.path] = _which(leaf, [(column, made), *rivals])
            continue
        used.add(column.path)
        because = "same name" if alike >= _SAME_NAME else f"names of like meaning ({alike:.2f})"
        rules[leaf.path] = _rule(leaf, column, made, root, near, because)
    return list(rules.values())


def _conversion(
    leaf: Leaf, column: Column, root: Mapping[str, Any], near: Nearness | None
) -> Conversion:
    """The steps to a field; a list of objects has its own fields, and fits as a whole."""
    if _objects(leaf, column):
        rules, _ = _rules(columns(_items(column)), leaf.schema["items"], root, near)
        return Conversion(share=1.0 if any(rule.sources for rule in rules) else 0.0)
    return conversion(leaf, column, near)


def _objects(leaf: Leaf, column: Column) -> bool:
    items = leaf.schema.get("items")
    wanted = leaf.kind == "array" and isinstance(items, Mapping) and "properties" in items
    return wanted and all(isinstance(v, list) for v in column.values) and bool(_items(column))


def _items(column: Column) -> list[Any]:
    return [item for value in column.values for item in value if isinstance(item, Mapping)]


def _rule(
    leaf: Leaf, column: Column, made: Conversion, root: Mapping[str, Any], near: Nearness | None,
    because: str,
) -> FieldRule:  # fmt: skip
    if _objects(leaf, column):
        each, unmapped = _rules(columns(_items(column)), leaf.schema["items"], root, near)
        lost = ", ".join(inner.name for inner in unmapped)
        asking = " ".join(rule.question for rule in each if rule.question)
        warning = f"fields of its objects that go nowhere: {lost}" if lost else ""
        return FieldRule(
            leaf.path, (column.path,), each=tuple(each), because=because, warning=warning,
            question=asking,
        )  # fmt: skip
    if made.question:
        choices = {label: Choice((column.path,), steps) for label, steps in made.choices.items()}
        return FieldRule(leaf.path, question=made.question, choices=choices, warning=made.warning)
    return FieldRule(leaf.path, (column.path,), made.steps, because=because, warning=made.warning)


def _which(leaf: Leaf, rivals: Sequence[tuple[Column, Conversion]]) -> FieldRule:
    names = " or ".join(column.name for column, _ in rivals)
    choices = {
        column.name if not label else f"{column.name}, {label}": Choice((column.path,), steps)
        for column, made in rivals
        for label, steps in (made.choices or {"": made.steps}).items()
    }
    return FieldRule(leaf.path, question=f"Which field is {leaf.name}: {names}?", choices=choices)


def _by_values(
    source: Sequence[Column], target: Sequence[Leaf], made: dict[tuple[str, ...], FieldRule],
    root: Mapping[str, Any], near: Nearness | None,
) -> None:  # fmt: skip
    """A choosy field that has no source takes the only free column whose values all fit."""
    used = {path for rule in made.values() for path in _read_by(rule)}
    for leaf in target:
        if leaf.path in made or "const" in leaf.schema:
            continue
        if not leaf.choosy and leaf.kind != "array":
            continue
        fits = [
            (column, its)
            for column in source
            if column.path not in used
            and (_objects(leaf, column) or leaf.choosy)
            and (its := _conversion(leaf, column, root, near)).share >= 0.6 and not its.question
            and (len(column.tried) > 1 or _objects(leaf, column) or _in_its_words(its))
        ]  # fmt: skip
        if len(fits) == 1:
            column, its = fits[0]
            rule = _rule(leaf, column, its, root, near, "only these values fit")
            by_values = f"{column.name} is taken for {leaf.name} because only its values fit"
            warning = "; ".join(filter(None, (rule.warning, by_values)))
            made[leaf.path] = replace(rule, warning=warning)
            used.add(column.path)


def _mixed_currencies(
    source: Sequence[Column], target: Sequence[Leaf], made: Mapping[tuple[str, ...], FieldRule]
) -> list[FieldRule]:
    """Questions about amounts of several currencies that no field of the target could part."""
    rules = []
    for leaf in target:
        rule = made.get(leaf.path)
        texts = [t for c in source if rule and (c.path,) == rule.sources for t in c.texts]
        codes = sorted({currency_in(text) for text in texts} - {""})
        if rule and leaf.kind in ("number", "integer") and len(codes) > 1:
            question = f"{leaf.name} is in {' and '.join(codes)}. Should the currency be dropped?"
            choices = {"drop the currency": Choice(rule.sources, rule.steps)}
            rules.append(FieldRule(leaf.path, question=question, choices=choices))
    return rules


def _in_its_words(made: Conversion) -> bool:
    """Whether the values use the words of the field's own name: `paid` and `unpaid`."""
    return any(key in step for step in made.steps for key in ("yes", "no"))


def _without_source(
    leaf: Leaf, source: Sequence[Column], made: Mapping[tuple[str, ...], FieldRule],
    near: Nearness | None,
) -> FieldRule | None:  # fmt: skip
    """A constant, a default, or a question about a field that must be there."""
    if "const" in leaf.schema and leaf.required:
        return FieldRule(leaf.path, value=leaf.schema["const"], because="the schema's only value")
    if not leaf.required:
        return None
    if "default" in leaf.schema:
        warning = f"no field of the source is {leaf.name}: the schema's default is put there"
        return FieldRule(
            leaf.path, value=leaf.schema["default"], because="the schema's default", warning=warning
        )
    used = {path for rule in made.values() for path in _read_by(rule)}
    free = [column for column in source if column.path not in used]
    fits = [(c, its) for c in free if (its := conversion(leaf, c, near)).share >= 0.5]
    if fits:
        return _which(leaf, fits[:_MOST_CHOICES])
    question = f"No field of the source is {leaf.name}, which must be there. Where is it?"
    return FieldRule(leaf.path, question=question)
