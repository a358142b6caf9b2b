"""Reads the bounds of a column: `between 18 and 90`, `at least 1`, `never below 300 or above 850`."""

import re
from collections.abc import Sequence

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

_TO = frozenset({"and", "y", "to", "a", "al", "through", "until", "hasta", "-", "–", "up to", "e"})


def bounds(scan: Scan, i: int) -> int:
    return _out_of(scan, i) or _range(scan, i) or _comparison(scan, i)


def _out_of(scan: Scan, i: int) -> int:
    """Read `marks out of 100`, which lie between 0 and 100."""
    value = scan.number(i + 1)
    if not scan.means(i, "out_of") or value is None or value <= 0 or scan.current is None:
        return 0
    if scan.low(i) not in ("out of", "sobre") or scan.tokens[i + 1].unit:
        return 0
    put_bound(scan, scan.current, low=0.0, high=value)
    scan.current.whole_bounds = _whole(scan.tokens[i + 1].text)
    return i + 2


def _range(scan: Scan, i: int) -> int:
    """Read two bounds: `between 18 and 90`, `18-90`, `[0, 100]`, `from 5 to 900 dollars`."""
    j = i
    while scan.means(j, "range") or (
        j > i and (scan.idle(j) or scan.means(j, "integer", "filler"))
    ):
        j += 1
    bracket = scan.stem(j) in ("[", "(")
    j += bracket
    low = scan.number(j)
    if low is None:
        return 0  # before a unit is taken
    k = scan.after_unit(j + 1)
    commas = bracket and scan.stem(k) in (",", ";")
    to = scan.low(k) in _TO or commas
    if scan.low(k) in ("and", "y") and j == i and not scan.means(i - 1, "cut", "clip"):
        return 0
    k += 1
    if scan.stem(k) == "-" and not commas:
        k += 1
    while scan.low(k) in ("the",):
        k += 1
    high = scan.number(k)
    if high is None or not to:
        return 0
    if bracket and scan.stem(k + 1) not in ("]", ")") and scan.stem(i) in ("[", "("):
        if scan.stem(i) == "[":
            return 0
        bracket = False  # an open bracket that a later word closes: `(18-90, mean 40)`
    end = k + 1 + (bracket and scan.stem(k + 1) in ("]", ")"))
    first, second = scan.tokens[j], scan.tokens[k]
    years = first.unit == second.unit == "" and 1900 <= low <= high <= 2100
    if years and scan.current is not None and _is_dated(scan.current):
        return 0
    low = _same_scale(low, first.text, high, second)
    if low >= high:
        raise NotUnderstood(f"nothing lies between {low:g} and {high:g}")
    if scan.means(end, "entity", "record") and scan.count is None:
        raise NotUnderstood(f"{low:g} to {high:g} is no number of records: say how many")
    draft = scan.open()
    put_bound(scan, draft, low=low)
    put_bound(scan, draft, high=high)
    draft.whole_bounds = _whole(first.text) and _whole(second.text)
    end = scan.after_unit(end)
    return end + (scan.low(end) in ("only", "inclusive", "solamente", "solo"))


def _is_dated(draft: Draft) -> bool:
    return bool(re.search(r"(?:^|_)(?:date|fecha|day|timestamp|dob)(?:_|$)", draft.label))


def _whole(text: str) -> bool:
    return "%" not in text and re.search(r"[.,]\d{1,2}$|\.\d{4}", text) is None


def _same_scale(low: float, text: str, high: float, second: object) -> float:
    """In `$10 to 20k` the scale applies to both bounds, and in `5 to 10%` the percent sign."""
    after = getattr(second, "text", "")
    if after.endswith("%") and not text.endswith("%"):
        return low / 100
    for letter, scale in (("k", 1e3), ("m", 1e6)):
        if (
            after.lower().endswith(letter)
            and not text.lower().endswith(letter)
            and 0 < low * scale < high
        ):
            return low * scale
    return low


def _comparison(scan: Scan, i: int) -> int:
    """Read one bound: `at least 18`, `max 90`, `never below 300 or above 850`, `18 or more`."""
    value = scan.number(i)
    if value is not None and scan.means(i + 1, "or_more", "or_less") and scan.number(i + 2) is None:
        if scan.low(i + 1) == "plus":
            return 0
        put_bound(scan, scan.open(), **{"low" if scan.means(i + 1, "or_more") else "high": value})
        return i + 2
    if value is not None and scan.stem(i + 1) == "+" and scan.current is not None:
        touching = scan.tokens[i].end == scan.tokens[i + 1].start
        if touching and scan.number(i + 2) is None and not scan.labelable(i + 2, first=True):
            put_bound(scan, scan.open(), low=value)
            return i + 2
    place = scan.after_glue(i + 1)
    value = scan.number(place)
    if value is None:
        return 0
    kinds: Sequence[tuple[str, str, bool]] = (
        ("or_below", "low", False), ("or_above", "high", False), ("at_least", "low", False),
        ("at_most", "high", False), ("more_than", "low", True), ("less_than", "high", True),
        ("minimum", "low", False), ("maximum", "high", False), ("capped", "high", False),
    )  # fmt: skip
    for concept, side, is_open in kinds:
        if scan.means(i, concept):
            if concept.startswith("or_") and (scan.current is None or not _bounded(scan.current)):
                return 0
            token = scan.tokens[place]
            if token.unit == "%" or token.fraction or scan.means(place + 1, "decimals"):
                return 0
            draft = scan.open()
            if concept == "more_than" and scan.means(scan.after_unit(place + 1), "recorded_as"):
                return _recorded(scan, draft, value, scan.after_unit(place + 1) + 1)
            put_bound(scan, draft, **{side: value})
            if is_open:
                draft.low_open, draft.high_open = (
                    (True, draft.high_open) if side == "low" else (draft.low_open, True)
                )
            draft.clip = draft.clip or concept == "capped"
            return scan.after_unit(place + 1)
    return 0


def _recorded(scan: Scan, draft: Draft, value: float, i: int) -> int:
    """Read the end of `anything over 15 gets recorded as 15`."""
    if scan.number(scan.after_glue(i)) != value:
        raise NotUnderstood("only values beyond a bound that become the bound are understood")
    put_bound(scan, draft, high=value)
    draft.clip = True
    return scan.after_unit(scan.after_glue(i) + 1)


def _bounded(draft: Draft) -> bool:
    return draft.low is not None or draft.high is not None


def put_bound(
    scan: Scan, draft: Draft, *, low: float | None = None, high: float | None = None
) -> None:
    if (low is not None and draft.low not in (None, low)) or (
        high is not None and draft.high not in (None, high)
    ):
        raise NotUnderstood(f"{draft.label or 'the column'} has two different bounds")
    draft.low = draft.low if low is None else low
    draft.high = draft.high if high is None else high
    draft.clip = draft.clip or scan.clip_next
    draft.cut = False
