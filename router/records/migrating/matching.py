"""Finds a mapping from records to a schema: by names, by meaning, and by the values.

What is seen to be open becomes a question, and a usual reading a warning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.migrating.columns import columns, leaves
from router.records.migrating.converting import conversion
from router.records.migrating.derived import derived_rules
from router.records.migrating.derived_moments import parts_of_moments
from router.records.migrating.fields import Column, Conversion, Leaf
from router.records.migrating.grouping import with_groups
from router.records.migrating.leftovers import (
    NET,
    SAME_NAME,
    fill_leftovers,
    read_by,
    which,
    without_source,
)
from router.records.migrating.mapping import Choice, FieldMapping, FieldRule
from router.records.migrating.meaning import KeyPath, Nearness, likeness, path_likeness
from router.records.migrating.numbers import currency_in

_LEAST_LIKENESS, _LEAST_SHARE = 0.58, 0.3
_CHOOSY_BONUS, _LEAST_LEAD = 0.12, 0.03
_TAX = frozenset(["tax", "vat", "iva", "impuesto", "impuestos"])


def mapping_for(
    records: Sequence[Any], schema: Mapping[str, Any], near: Nearness | None = None
) -> FieldMapping:
    """The mapping of these records to this schema; `near` compares words that no table knows."""
    rules, unmapped = _rules(columns(records), schema, schema, near)
    mapping = FieldMapping(schema, tuple(rules), tuple(column.path for column in unmapped))
    return with_groups(mapping, records, lambda source, items: _rules(source, items, schema, near))


def _rules(
    source: Sequence[Column], schema: Mapping[str, Any], root: Mapping[str, Any],
    near: Nearness | None,
) -> tuple[list[FieldRule], list[Column]]:  # fmt: skip
    target = leaves(schema, root)
    made = {rule.to: rule for rule in _by_name(source, target, root, None)}
    made |= {rule.to: rule for rule in derived_rules(source, target, made)}
    made |= {rule.to: rule for rule in parts_of_moments(source, target, made)}
    if near is not None:
        used = {path for rule in made.values() for path in read_by(rule)}
        free = [column for column in source if column.path not in used]
        unmade = [leaf for leaf in target if leaf.path not in made]
        made |= {rule.to: rule for rule in _by_name(free, unmade, root, near)}

    tried: dict[tuple[KeyPath, KeyPath], Conversion] = {}

    def fits(leaf: Leaf, column: Column) -> Conversion:
        pair = (leaf.path, column.path)
        if pair not in tried:
            tried[pair] = _conversion(leaf, column, root, near)
        return tried[pair]

    fill_leftovers(
        source, target, made, fits,
        lambda leaf, column, its, why: _rule(leaf, column, its, root, near, why), near,
    )  # fmt: skip
    made |= {rule.to: rule for rule in parts_of_moments(source, target, made)}
    used = {path for rule in made.values() for path in read_by(rule)}
    free = [column for column in source if column.path not in used]
    for leaf in target:
        if leaf.path not in made and (rule := without_source(leaf, free, fits)):
            made[leaf.path] = rule
    made |= {rule.to: rule for rule in _before_tax(source, made)}
    if not any(likeness(path[-1], "currency") >= SAME_NAME for path in made):
        made |= {rule.to: rule for rule in _mixed_currencies(source, target, made)}
    ordered = [made[leaf.path] for leaf in target if leaf.path in made]
    used = {path for rule in ordered for path in read_by(rule)}
    return ordered, [column for column in source if column.path not in used]


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
            if made.share < (_LEAST_SHARE if alike < SAME_NAME else 0.01):
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
            and score - rival < _LEAST_LEAD and alike < SAME_NAME
        ]  # fmt: skip
        if rivals:
            rules[leaf.path] = which(leaf, [(column, made), *rivals])
            continue
        used.add(column.path)
        because = "same name" if alike >= SAME_NAME else f"names of like meaning ({alike:.2f})"
        rules[leaf.path] = _rule(leaf, column, made, root, near, because)
    return list(rules.values())


def _conversion(
    leaf: Leaf, column: Column, root: Mapping[str, Any], near: Nearness | None
) -> Conversion:
    """The steps to a field; a list of objects has its own fields, and fits as a whole."""
    if _objects(leaf, column):
        rules, _ = _rules(columns(_items(column)), leaf.schema["items"], root, near)
        return Conversion(share=1.0 if any(rule.sources for rule in rules) else 0.0)
    if not column.values:
        return Conversion(share=0.02, warning=f"{column.name} holds no value in what was read")
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
    otherwise = leaf.schema.get("default") if leaf.required else None
    if made.question:
        choices = {label: Choice((column.path,), steps) for label, steps in made.choices.items()}
        return FieldRule(
            leaf.path, question=made.question, choices=choices, warning=made.warning,
            otherwise=otherwise,
        )  # fmt: skip
    return FieldRule(
        leaf.path, (column.path,), made.steps, because=because, warning=made.warning,
        otherwise=otherwise,
    )  # fmt: skip


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


def _before_tax(
    source: Sequence[Column], made: Mapping[tuple[str, ...], FieldRule]
) -> list[FieldRule]:
    """Questions about amounts before or after a tax, where records speak of a tax beside them."""
    taxes = [c.name for c in source if set(words_of(c.path[-1])) & _TAX]
    rules = []
    for path, rule in made.items():
        words = set(words_of(path[-1])) & NET
        given = {word for its in rule.sources for word in words_of(its[-1])}
        if taxes and words and rule.sources and not given & (NET | _TAX) and not rule.question:
            name = ".".join(rule.sources[0])
            question = f"Is {name} {words.pop()}? {taxes[0]} stands beside it."
            choices = {f"{name} as it is": Choice(rule.sources, rule.steps)}
            rules.append(replace(rule, sources=(), steps=(), question=question, choices=choices))
    return rules
