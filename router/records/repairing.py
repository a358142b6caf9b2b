"""Mending records: what can only have been meant one way is put right, nothing is invented.

A number written as text, a date in another order of its parts, a key spelled a little differently,
a sum that its own rule defines: these are mended. A value out of bounds, or one that is missing and
has no default, is left for somebody who knows.
"""

import ast
import copy
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from router.records.checking import Issue, Path, Wanted, issues_in
from router.records.rules import CannotTell, parsed
from router.records.rules import value_of as computed

_PASSES = 4
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Repaired:
    records: list[Any]
    mended: tuple[str, ...]  # paths
    issues: list[Issue]  # what is still wrong


def repaired(records: Sequence[Any], wanted: Wanted, *, as_list: bool = True) -> Repaired:
    """The records with all mended that can be. What was given is not touched."""
    made = copy.deepcopy(list(records))
    root: Any = made if as_list else made[0]
    mended: list[str] = []
    issues = issues_in(made, wanted, as_list=as_list)
    for _ in range(_PASSES):
        changed = False
        for issue in issues:
            before = repr(root)
            if _mend(root, issue, wanted) and repr(root) != before:
                mended.append(issue.path)
                changed = True
        if not changed:
            break
        issues = issues_in(made if as_list else [root], wanted, as_list=as_list)
        if not issues:
            break
    if not as_list:
        made = [root]
    return Repaired(made, tuple(dict.fromkeys(mended)), issues)


def _mend(root: Any, issue: Issue, wanted: Wanted) -> bool:
    match issue.keyword:
        case "type":
            return _replace(root, issue.at, lambda value: _retyped(value, issue.wanted))
        case "format":
            return _replace(root, issue.at, lambda value: _reformatted(value, issue.wanted))
        case "enum":
            return _replace(root, issue.at, lambda value: _nearest(value, issue.wanted))
        case "const":
            return _replace(root, issue.at, lambda _: issue.wanted)
        case "minLength" | "maxLength" | "pattern":
            return _replace(root, issue.at, lambda v: v.strip() if isinstance(v, str) else v)
        case "uniqueItems":
            return _replace(root, issue.at, _without_duplicates)
        case "required":
            return _found_elsewhere(root, issue, wanted)
        case "additionalProperties":
            return _without_extras(root, issue, wanted)
        case "rules":
            return _computed(root, issue)
    return False


def _at(root: Any, path: Path) -> Any:
    for part in path:
        try:
            root = root[part]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return root


def _replace(root: Any, path: Path, change: Any) -> bool:
    if not path:
        return False
    holder, value = _at(root, path[:-1]), _at(root, path)
    if value is _NOTHING:
        return False
    new = change(value)
    if new is _NOTHING or (new == value and type(new) is type(value)):
        return False
    holder[path[-1]] = new
    return True


_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def _retyped(value: Any, kinds: Any) -> Any:
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        made = _as(value, kind)
        if made is not _NOTHING:
            return made
    return _NOTHING


def _as(value: Any, kind: str) -> Any:
    if kind in ("integer", "number") and isinstance(value, str):
        text = value.strip().removeprefix("$").removeprefix("€").strip()
        if not _NUMBER.fullmatch(text):
            return _NOTHING
        number = float(text.replace(",", ""))
        whole = number.is_integer() and abs(number) < 2**53
        if kind == "integer":
            return int(number) if whole else _NOTHING
        return int(number) if whole and "." not in text else number
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if kind == "boolean" and isinstance(value, str):
        return _TRUTHS.get(value.strip().lower(), _NOTHING)
    if kind == "array" and value is not None and not isinstance(value, list | dict):
        return [value]
    if kind == "null" and value in ("", "null", "None"):
        return None
    return _NOTHING


# Only orders that can be read one way: 03/04/2020 stays what it is.
_DATES = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")


def _reformatted(value: Any, wanted: str) -> Any:
    if not isinstance(value, str):
        return _NOTHING
    text = value.strip()
    match wanted:
        case "date":
            return _date(text)
        case "date-time":
            day = _date(text)
            if isinstance(day, str):
                return f"{day}T00:00:00Z"
            return text.replace(" ", "T", 1)
        case "email":
            return re.sub(r"\s+", "", text.removeprefix("mailto:")).replace("(at)", "@").strip("<>")
        case "uri":
            domain = re.fullmatch(r"(?:[\w-]+\.)+[a-zA-Z]{2,}(?:/\S*)?", text)
            return f"https://{text}" if domain else text
        case "uuid":
            plain = re.sub(r"[{}\s-]|urn:uuid:", "", text).lower()
            if not re.fullmatch(r"[0-9a-f]{32}", plain):
                return _NOTHING
            return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
        case "time":
            return text if text != value else _NOTHING
    return text


def _date(text: str) -> Any:
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)
    try:
        return dt.datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        pass
    for pattern in _DATES:
        try:
            return dt.datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    return _NOTHING


def _nearest(value: Any, known: Sequence[Any]) -> Any:
    if not isinstance(value, str):
        retyped = [one for one in known if not isinstance(one, str) and str(one) == str(value)]
        return retyped[0] if retyped else _NOTHING
    plain = {_plain(one): one for one in known if isinstance(one, str)}
    if _plain(value) in plain:
        return plain[_plain(value)]
    close = get_close_matches(_plain(value), plain, n=2, cutoff=0.85)
    return plain[close[0]] if len(close) == 1 else _NOTHING


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()


def _without_duplicates(value: Any) -> Any:
    kept: list[Any] = []
    for item in value:
        if item not in kept:
            kept.append(item)
    return kept


def _found_elsewhere(root: Any, issue: Issue, wanted: Wanted) -> bool:
    """A missing field: under a key spelled otherwise, or by the schema's default."""
    holder = _at(root, issue.at)
    missing = issue.rule.removesuffix(" is missing")
    if not isinstance(holder, dict) or missing in holder:
        return False
    schema = _schema_at(wanted.schema, issue.at)
    known = schema.get("properties", {}) if schema else {}
    alike = [key for key in holder if key not in known and _plain(key) == _plain(missing)]
    if len(alike) == 1:
        holder[missing] = holder.pop(alike[0])
        return True
    if isinstance(known.get(missing), Mapping) and "default" in known[missing]:
        holder[missing] = copy.deepcopy(known[missing]["default"])
        return True
    return False


def _without_extras(root: Any, issue: Issue, wanted: Wanted) -> bool:
    holder, schema = _at(root, issue.at), _schema_at(wanted.schema, issue.at)
    if not isinstance(holder, dict) or schema is None:
        return False
    required = {_plain(key) for key in schema.get("required", ()) if key not in holder}
    extras = [key for key in holder if key not in schema.get("properties", {})]
    gone = [key for key in extras if _plain(key) not in required]  # those are only misspelled
    for key in gone:
        del holder[key]
    return bool(gone)


def _schema_at(schema: Any, path: Path) -> Mapping[str, Any] | None:
    """What a schema says of a place, as far as properties and items lead there."""
    parts = list(path)
    if parts and isinstance(parts[0], int):
        parts.pop(0)  # which record
    for part in parts:
        if not isinstance(schema, Mapping):
            return None
        if isinstance(part, int):
            schema = schema.get("items")
        else:
            schema = schema.get("properties", {}).get(part)
    return schema if isinstance(schema, Mapping) else None


def _computed(root: Any, issue: Issue) -> bool:
    """`total == round(sum(items.amount), 2)` says what the total is."""
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
        value = computed(right, record)
    except CannotTell:
        return False
    if value is None or isinstance(value, dt.date | list | dict):
        return False
    record[left.id] = value
    return True
