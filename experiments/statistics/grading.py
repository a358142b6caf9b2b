"""Grades an answer against what a case expects: right, wrong or refused. Pure.

A case names figures that the answer must hold, words of which one must be in it, what columns of
data must look like, or that no answer can be right. The grader reads names of columns without case,
spaces and underscores. It does not ask how a figure is called in the answer.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Grade = Literal["right", "wrong", "refused"]
Columns = Mapping[str, Sequence[Any]]

_TOLERANCE = 0.005  # relative, if a case states none
_TINY = 1e-9
_YES, _NO = frozenset({"yes", "true", "sí", "si", "verdadero"}), frozenset({"no", "false", "falso"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one case. Without an answer, `reason` says why there is none."""

    answer: str | None
    level: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Graded:
    case: dict[str, Any]
    reply: Reply
    grade: Grade

    @property
    def certified_wrong(self) -> bool:
        return self.grade == "wrong" and self.reply.level != "unverified"


def grade(expect: Mapping[str, Any], answer: str | None) -> Grade:
    """Grade the text of an answer; None if there is no answer."""
    none_is_right = "refuse" in expect or "not_computation" in expect
    if answer is None:
        return "right" if none_is_right else "refused"
    return "wrong" if none_is_right or faults(expect, answer) else "right"


def faults(expect: Mapping[str, Any], answer: str) -> list[str]:
    """What is wrong with an answer; nothing if it is right."""
    value = _parsed(answer)
    if "any_of" in expect:
        shared = {key: expect[key] for key in ("tolerance", "absolute") if key in expect}
        tries = [faults(shared | set_, answer) for set_ in expect["any_of"]]
        return [] if not all(tries) else [" / ".join("; ".join(each) for each in tries)]
    wrong: list[str] = []
    if "figures" in expect:
        wrong += _in_figures(expect, value, answer)
    if "text" in expect:
        wrong += _in_text(expect["text"], value, answer)
    if "data" in expect:
        wrong += _in_data(expect["data"], value, answer)
    return wrong


def _parsed(answer: str) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return answer


def _in_figures(expect: Mapping[str, Any], value: Any, answer: str) -> list[str]:
    numbers = list(_numbers(value))
    return [
        f"{name} = {wanted!r} is not in the answer"
        for name, wanted in expect["figures"].items()
        if not _figure_in(wanted, expect, numbers, value, answer)
    ]


def _figure_in(
    wanted: Any, expect: Mapping[str, Any], numbers: Sequence[float], value: Any, answer: str
) -> bool:
    if isinstance(wanted, bool):
        return not _in_text(["yes" if wanted else "no"], value, answer)
    if isinstance(wanted, list):
        return all(_figure_in(each, expect, numbers, value, answer) for each in wanted)
    if isinstance(wanted, str):
        return not _in_text([wanted], value, answer)
    absolute = expect.get("absolute")
    relative = expect.get("tolerance", 0.0 if absolute is not None else _TOLERANCE)
    within = max(relative * abs(wanted), absolute or 0.0, _TINY)
    return any(abs(number - wanted) <= within * (1 + 1e-9) for number in numbers)


def _numbers(value: Any) -> Iterator[float]:
    """Every number of an answer, also those that stand in its texts."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        if math.isfinite(value):
            yield float(value)
    elif isinstance(value, str):
        for match in re.finditer(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", value, re.I):
            yield float(match[0].replace(",", ""))
    else:
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(item)


def _texts(value: Any) -> Iterator[str]:
    """Every text of an answer, and each truth value as a word."""
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _in_text(wanted: Sequence[Any], value: Any, answer: str) -> list[str]:
    texts = [_plain(text) for text in (*_texts(value), answer)]
    for text in wanted:
        words = _plain(str(text))
        same = _YES if words in _YES else _NO if words in _NO else {words}
        if any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", t) for each in same for t in texts):
            return []
        if re.fullmatch(r"[-+]?\d+(\.\d+)?", words):
            close = 0.5 * 10.0 ** -len(words.partition(".")[2]) if "." in words else 1e-6
            if any(abs(number - float(words)) <= close for number in _numbers(value)):
                return []
    return [f"none of {', '.join(map(str, wanted))} is in the answer"]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _in_data(expect: Mapping[str, Any], value: Any, answer: str) -> list[str]:
    columns = _columns(value, answer)
    if not columns:
        return ["the answer holds no columns"]
    lengths = {len(column) for column in columns.values()}
    if "count" in expect and lengths != {expect["count"]}:
        return [f"{sorted(lengths)} records and not {expect['count']}"]
    wrong: list[str] = []
    for name, wanted in expect.get("columns", {}).items():
        column = _column(columns, name)
        if column is None:
            wrong.append(f"no column {name}, but {', '.join(columns)}")
        else:
            wrong += [f"{name}: {fault}" for fault in _faults_in(wanted, list(column))]
    for first, second, low, high in expect.get("correlations", ()):
        alternative, other = _column(columns, first), _column(columns, second)
        if alternative is None or other is None:
            wrong.append(f"no columns {first} and {second}")
            continue
        r = float(np.corrcoef(_ordinals(alternative), _ordinals(other))[0, 1])
        if not low <= r <= high:
            wrong.append(f"{first} and {second} correlate by {r:.3f}, not {low} to {high}")
    return wrong


def _columns(value: Any, answer: str) -> Columns:
    if isinstance(value, Mapping) and len(value) == 1:
        (only,) = value.values()
        if isinstance(only, list) and only and isinstance(only[0], Mapping):
            value = only
    if isinstance(value, list) and value:
        if all(isinstance(row, Mapping) for row in value):
            return {name: [row.get(name) for row in value] for name in value[0]}
        return {"value": value}
    if isinstance(value, Mapping) and all(isinstance(item, list) for item in value.values()):
        return dict(value)
    if isinstance(value, str) and "\n" in value:
        rows = list(csv.DictReader(io.StringIO(answer)))
        return {name: [_cell(row[name]) for row in rows] for name in rows[0]} if rows else {}
    return {}


def _cell(text: str | None) -> Any:
    try:
        return float(text or "")
    except ValueError:
        return text


def _column(columns: Columns, name: str) -> Sequence[Any] | None:
    names = {_bare(each): each for each in columns}
    if name == "*":
        others = [each for each in columns if _bare(each) not in ("id", "index", "n", "time")]
        return columns[others[-1]] if others else None
    bare = _bare(name)
    if bare in names:
        return columns[names[bare]]
    alike = [each for short, each in names.items() if short in bare or bare in short]
    return columns[alike[0]] if len(alike) == 1 else None


def _bare(name: str) -> str:
    words = re.findall(r"[a-z0-9áéíóúñü]+", name.casefold())
    return "".join(word.removesuffix("s").removesuffix("e") for word in words)


def _faults_in(expect: Mapping[str, Any], column: list[Any]) -> list[str]:
    try:
        return list(_in_column(expect, column))
    except (TypeError, ValueError) as error:  # such as words in a column of numbers
        return [f"cannot be read: {error}"]


def _in_column(expect: Mapping[str, Any], column: list[Any]) -> Iterator[str]:
    kept = [item for item in column if item is not None and item != ""]
    yield from _in_figures_of(expect, kept)
    yield from _in_labels(expect, column, kept)
    if expect.get("integer") and any(float(item) != math.floor(float(item)) for item in kept):
        yield "not all are whole numbers"
    if expect.get("unique") and len({str(item) for item in kept}) < len(kept):
        yield "not all differ"
    if "sorted" in expect:
        falls = str(expect["sorted"]).startswith("desc")
        if kept != sorted(kept, reverse=falls):
            yield f"not sorted {expect['sorted']}"
    if "pattern" in expect and not all(re.search(expect["pattern"], _shown(i)) for i in kept):
        yield f"not all match {expect['pattern']}"


def _in_figures_of(expect: Mapping[str, Any], kept: list[Any]) -> Iterator[str]:
    figures: Mapping[str, Callable[[Any], Any]] = {
        "mean": np.mean,
        "sd": lambda values: np.std(values, ddof=1),
        "median": np.median,
    }
    for key, figure in figures.items():
        if key in expect:
            low, high = expect[key]
            got = float(figure(_ordinals(kept)))
            if not low <= got <= high:
                yield f"{key} {got:.6g} is not within {low} to {high}"
    for key, extreme in (("min", min), ("max", max)):
        if key in expect:
            yield from _in_extreme(key, expect[key], extreme(kept, default=None))


def _in_labels(expect: Mapping[str, Any], column: list[Any], kept: list[Any]) -> Iterator[str]:
    if "values" in expect:
        allowed = {_label(item) for item in expect["values"]}
        others = {str(item) for item in kept if _label(item) not in allowed}
        if others:
            yield f"{', '.join(sorted(others)[:3])} is not among the values"
    for label, (low, high) in expect.get("shares", {}).items():
        share = sum(_label(item) == _label(label) for item in column) / max(len(column), 1)
        if not low <= share <= high:
            yield f"the share of {label} is {share:.3f}, not {low} to {high}"


def _in_extreme(key: str, bound: Any, got: Any) -> Iterator[str]:
    if isinstance(bound, list):
        low, high = bound
    else:
        low, high = (bound, None) if key == "min" else (None, bound)
    if got is None or isinstance(got, str) != isinstance(low if low is not None else high, str):
        yield f"{key} {got!r} cannot be compared with {bound!r}"
    elif (low is not None and got < low) or (high is not None and got > high):
        yield f"{key} is {got}, and the bound is {bound}"


def _shown(item: Any) -> str:
    return str(int(item)) if isinstance(item, float) and item == int(item) else str(item)


def _label(item: Any) -> str:
    """A label as it is compared: a truth value, 1 and "1" are not told apart by their types."""
    if isinstance(item, bool):
        return "yes" if item else "no"
    text = _plain(_shown(item))
    return "yes" if text in _YES else "no" if text in _NO else text


def _ordinals(column: Sequence[Any]) -> Any:
    """The values as numbers; truth values count 0 and 1."""
    numbers = [math.nan if item is None else float(item) for item in column]
    return np.asarray([n for n in numbers if not math.isnan(n)] or [math.nan], dtype=np.float64)
