"""Several flat records that become one: the lines of an order, gathered into its list. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from router.records.catalogue.naming import words_of
from router.records.migrating.applying import Migrated, at_path, migrated
from router.records.migrating.columns import columns, leaves
from router.records.migrating.fields import Column, Leaf
from router.records.migrating.leftovers import CODES
from router.records.migrating.mapping import FieldMapping, FieldRule
from router.records.migrating.meaning import KeyPath

_MOST_AT_ODDS = 0.1  # of the groups of a key, whose records then fail
RulesOf = Callable[[Sequence[Column], Mapping[str, Any]], tuple[list[FieldRule], list[Column]]]


def with_groups(mapping: FieldMapping, records: Sequence[Any], rules_of: RulesOf) -> FieldMapping:
    """The mapping with its only open list of objects gathered from the fields that go nowhere."""
    filled = {rule.to for rule in mapping.rules if not rule.unfilled}
    lists = [
        leaf for leaf in leaves(mapping.schema, mapping.schema)
        if leaf.path not in filled and _of_objects(leaf)
    ]  # fmt: skip
    source = columns(records)
    heads = tuple(path for rule in mapping.rules for path in rule.sources)
    free = [column for column in source if column.path not in heads]
    nested = any(isinstance(value, list) for column in source for value in column.values[:1])
    if len(lists) != 1 or not heads or not free or nested or mapping.questions:
        return mapping
    each, rest = rules_of(free, lists[0].schema["items"])
    if not any(rule.sources for rule in each) or any(rule.unfilled for rule in each):
        return mapping
    asking = " ".join(rule.question for rule in each if rule.question)
    key = _key(heads, records)
    names = ", ".join(".".join(path) for path in key)
    gathered = FieldRule(
        lists[0].path, each=tuple(each), because="gathered", question=asking,
        warning=f"records of the same {names} become one record",
    )  # fmt: skip
    rules = [*(rule for rule in mapping.rules if rule.to != gathered.to), gathered]
    unmapped = tuple(column.path for column in rest)
    return replace(mapping, rules=tuple(rules), unmapped=unmapped, group_by=key)


def _of_objects(leaf: Leaf) -> bool:
    items = leaf.schema.get("items")
    return leaf.kind == "array" and isinstance(items, Mapping) and "properties" in items


def _key(heads: Sequence[KeyPath], records: Sequence[Any]) -> tuple[KeyPath, ...]:
    """The field whose value settles those of all others; all of them if there is none."""
    ordered = sorted(heads, key=lambda path: not set(words_of(path[-1])) & CODES)
    for path in ordered:
        wholes: dict[bytes, set[bytes]] = {}
        for record in records:
            whole = _fingerprint(record, heads)
            wholes.setdefault(_fingerprint(record, (path,)), set()).add(whole)
        at_odds = sum(len(its) > 1 for its in wholes.values())
        if at_odds <= _MOST_AT_ODDS * len(wholes):
            return (path,)
    return tuple(heads)


def _fingerprint(record: Any, paths: Sequence[KeyPath]) -> bytes:
    return orjson.dumps([repr(at_path(record, path)) for path in paths])


def groups_of(
    mapping: FieldMapping, numbered: Iterable[tuple[int, Any]]
) -> list[list[tuple[int, Any]]]:
    """The records that become one, each with its number, in the order of the first of them."""
    groups: dict[bytes, list[tuple[int, Any]]] = {}
    for number, record in numbered:
        groups.setdefault(_fingerprint(record, mapping.group_by), []).append((number, record))
    return list(groups.values())


def gathered(mapping: FieldMapping, records: Sequence[Any]) -> Migrated:
    """The one record that these become; none if they disagree on a field outside its list."""
    reasons = []
    for rule in mapping.rules:
        values = {_fingerprint(record, (path,)) for path in rule.sources[:1] for record in records}
        if len(values) > 1:
            shown = dict.fromkeys(repr(at_path(r, rule.sources[0])) for r in records)
            first, second = list(shown)[:2]
            why = f"the records of the group hold {first:.40} and {second:.40}"
            reasons.append(f"{rule.name}: {why}")
    if reasons:
        return Migrated(None, reasons=tuple(reasons))
    return migrated(mapping, records[0], records)
