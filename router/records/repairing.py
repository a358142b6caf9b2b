"""Repairs records: mends a mistake only if one meaning is possible, and invents nothing.

Repairs convert types and formats, correct the spelling of keys and values, remove extra keys and
duplicates, and compute sums that a rule defines. A value out of bounds stays as it is.
"""

import ast
import copy
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from router.records.checking import Issue, Path, Wanted, issues_in
from router.records.effort import spend
from router.records.mending import NOT_MENDED, reformatted, retyped
from router.records.rule_functions import CannotTell
from router.records.rule_values import value_of
from router.records.rules import parsed
from router.records.size import canonical

_PASSES = 4
_LONGEST_SPELLING, _MOST_SPELLINGS = 200, 1_000  # comparing spellings is slow


@dataclass(frozen=True, slots=True)
class Repaired:
    records: list[Any]
    mended: tuple[str, ...]  # paths of the mended values
    issues: list[Issue]  # mistakes that are left


def repaired(records: Sequence[Any], wanted: Wanted, *, as_list: bool = True) -> Repaired:
    """A copy of the records, with every mistake mended that can be mended."""
    made = list(records)
    copied: set[int] = set()
    mended: list[str] = []
    issues = issues_in(made, wanted, as_list=as_list)
    for _ in range(_PASSES):
        # A valid record is not copied, because it is not changed.
        for number in {_number(issue, as_list=as_list) for issue in issues} - copied:
            made[number] = copy.deepcopy(made[number])
            copied.add(number)
        root: Any = made if as_list else made[0]
        changed = [issue.path for issue in issues if _mend(root, issue, wanted)]
        if not changed:
            break
        mended += changed
        issues = issues_in(made, wanted, as_list=as_list)
    return Repaired(made, tuple(dict.fromkeys(mended)), issues)


def _number(issue: Issue, *, as_list: bool) -> int:
    """The position of the record with this issue."""
    return int(issue.at[0]) if as_list else 0


def _mend(root: Any, issue: Issue, wanted: Wanted) -> bool:
    """Mend one issue in place; whether that changed anything."""
    spend()
    match issue.keyword:
        case "type":
            return _replace(root, issue.at, lambda value: retyped(value, issue.wanted))
        case "format":
            return _replace(root, issue.at, lambda value: reformatted(value, issue.wanted))
        case "enum":
            return _replace(root, issue.at, lambda value: _nearest(value, issue.wanted))
        case "const":
            return _replace(root, issue.at, lambda _: issue.wanted)
        case "minLength" | "maxLength" | "pattern":
            return _replace(root, issue.at, lambda v: v.strip() if isinstance(v, str) else v)
        case "uniqueItems":
            return _replace(root, issue.at, _without_duplicates)
        case "required":
            return _add_missing(root, issue, wanted)
        case "additionalProperties":
            return _remove_extras(root, issue, wanted)
        case "rules":
            return _compute(root, issue)
    return False


def _at(root: Any, path: Path) -> Any:
    for part in path:
        try:
            root = root[part]
        except (KeyError, IndexError, TypeError):
            return NOT_MENDED
    return root


def _replace(root: Any, path: Path, change: Callable[[Any], Any]) -> bool:
    if not path:
        return False
    holder, value = _at(root, path[:-1]), _at(root, path)
    if value is NOT_MENDED:
        return False
    new = change(value)
    if new is NOT_MENDED or (new == value and type(new) is type(value)):
        return False
    holder[path[-1]] = new
    return True


def _nearest(value: Any, allowed: Sequence[Any]) -> Any:
    """The single allowed value that differs from the value only in spelling or type."""
    if not isinstance(value, str):
        same = (v for v in allowed if not isinstance(v, str) and str(v) == str(value))
        return next(same, NOT_MENDED)
    if len(value) > _LONGEST_SPELLING or len(allowed) > _MOST_SPELLINGS:
        return NOT_MENDED
    plain = {_plain(text): text for text in allowed if isinstance(text, str)}
    if _plain(value) in plain:
        return plain[_plain(value)]
    close = get_close_matches(_plain(value), plain, n=2, cutoff=0.85)
    return plain[close[0]] if len(close) == 1 else NOT_MENDED


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()


def _without_duplicates(items: Sequence[Any]) -> list[Any]:
    kept: dict[bytes, Any] = {}
    for item in items:
        kept.setdefault(canonical(item), item)
    return list(kept.values())


def _add_missing(root: Any, issue: Issue, wanted: Wanted) -> bool:
    """Fill a missing field from a key in another spelling, or from the schema's default."""
    holder, missing = _at(root, issue.at), issue.wanted
    if not isinstance(holder, dict) or missing in holder:
        return False
    properties = (_schema_at(wanted.schema, issue.at) or {}).get("properties", {})
    alike = [key for key in holder if key not in properties and _plain(key) == _plain(missing)]
    if len(alike) == 1:
        holder[missing] = holder.pop(alike[0])
        return True
    if isinstance(properties.get(missing), Mapping) and "default" in properties[missing]:
        holder[missing] = copy.deepcopy(properties[missing]["default"])
        return True
    return False


def _remove_extras(root: Any, issue: Issue, wanted: Wanted) -> bool:
    holder, schema = _at(root, issue.at), _schema_at(wanted.schema, issue.at)
    if not isinstance(holder, dict) or schema is None:
        return False
    # A required key in another spelling stays, because `_add_missing` renames it.
    required = {_plain(key) for key in schema.get("required", ()) if key not in holder}
    extras = [key for key in holder if key not in schema.get("properties", {})]
    removed = [key for key in extras if _plain(key) not in required]
    for key in removed:
        del holder[key]
    return bool(removed)


def _schema_at(schema: Any, path: Path) -> Mapping[str, Any] | None:
    """The schema for a place in a record; only `properties` and `items` are followed."""
    parts = list(path)
    if parts and isinstance(parts[0], int):
        parts.pop(0)  # the record's position in the list
    for part in parts:
        if not isinstance(schema, Mapping):
            return None
        if isinstance(part, int):
            schema = schema.get("items")
        else:
            schema = schema.get("properties", {}).get(part)
    return schema if isinstance(schema, Mapping) else None


def _compute(root: Any, issue: Issue) -> bool:
    """Set a field that a rule defines, e.g. `total == round(sum(items.amount), 2)`."""
    record = _at(root, issue.at)
    tree = parsed(str(issue.wanted)).tree
    if not isinstance(record, dict) or not isinstance(tree, ast.Compare):
        return False
    if len(tree.ops) != 1 or not isinstance(tree.ops[0], ast.Eq):
        return False
    left, right = tree.left, tree.comparators[0]
    if not isinstance(left, ast.Name) or isinstance(right, ast.Name):
        return False
    if any(isinstance(node, ast.Name) and node.id == left.id for node in ast.walk(right)):
        return False
    try:
        value = value_of(right, record)
    except CannotTell:
        return False
    if value is None or isinstance(value, dt.date | list | dict):
        return False
    before = record.get(left.id)
    record[left.id] = value
    return not (before == value and type(before) is type(value))
