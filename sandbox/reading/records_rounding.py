"""Reads a word about all values of a column: `integers`, `unique`, `positive`, `2 decimals`."""

from sandbox.reading.records_bounds import put_bound
from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_values import after_soft
from sandbox.reading.rules import NotUnderstood


def modifier(scan: Scan, i: int) -> int:
    """Read a word about all values of a column: `integers`, `unique`, `positive`, `2 decimals`."""
    value = scan.number(i)
    if value is not None and scan.means(i + 1, "decimals"):
        if value != int(value) or not 0 <= value <= 12:
            return 0
        _decimals(scan.open(), int(value))
        return i + 2
    if value is not None:
        return 0
    if scan.means(i, "multiples"):
        j = scan.after_glue(i + 1)
        step = scan.number(j)
        if step is None or step != int(step) or step < 1:
            return 0
        draft = scan.open()
        draft.multiple = int(step)
        draft.remainder = -1 if "step" in scan.low(i) or "pasos" in scan.low(i) else 0
        return j + 1
    return _flag(scan, i)


_PLACES = {"to_cents": 2, "to_ten": -1, "to_hundred": -2, "to_thousand": -3}


_BEFORE = frozenset({"and", "with", ",", ";", "a", "an", "y", "con", "un", "una"})


def _of_the_next(scan: Scan, i: int) -> bool:
    """Whether a word is about the label after it: `x between 1 and 9, and a unique y`."""
    labelled = scan.current is not None and bool(scan.current.label)
    return labelled and scan.low(i - 1) in _BEFORE and scan.labelable(i + 1, first=True)


def _flag(scan: Scan, i: int) -> int:
    places = next((value for concept, value in _PLACES.items() if scan.means(i, concept)), None)
    if places is not None:
        _decimals(scan.open(), places)
        return i + 1
    if scan.means(i, "clip", "cut"):
        return _limits_follow(scan, i)
    if scan.means(i, "unique", "nonnegative", "integer") and _of_the_next(scan, i):
        scan.next_is |= {
            word for word in ("unique", "nonnegative", "integer") if scan.means(i, word)
        }
        return i + 1
    if scan.means(i, "log_scale") and scan.current is not None:
        return _of_the_logarithm(scan, i)
    if scan.means(i, "integer", "rounding"):
        return _rounding(scan, i)
    if scan.means(i, "nonnegative") and not scan.means(i + 1, "correlation"):
        put_bound(scan, scan.open(), low=0.0)
        scan.open().low_open = scan.low(i).startswith(("positiv", "strictly"))
        return i + 1
    if not scan.means(i, "even", "odd", "unique", "float"):
        return 0
    draft = scan.open()
    if scan.means(i, "even", "odd"):
        draft.multiple, draft.remainder = 2, int(scan.means(i, "odd"))
    elif scan.means(i, "unique"):
        draft.unique = True
        scan.naming_at = i + 1
    else:
        draft.real = True
    return i + 1


def _of_the_logarithm(scan: Scan, i: int) -> int:
    draft = scan.open()
    if draft.family != "lognormal" or not draft.numbers:
        return 0
    for name, of_log in (("mean", "mu"), ("sd", "sigma")):
        if name in draft.numbers and of_log not in draft.numbers:
            draft.numbers[of_log] = draft.numbers.pop(name)
    return i + 1


def _limits_follow(scan: Scan, i: int) -> int:
    """Read `clipped` or `truncated`, whose bounds must follow, perhaps after a label."""
    if scan.means(i, "cut"):
        scan.open().cut = True
        return i + 1
    scan.clip_next = True
    if not scan.labelable(after_soft(scan, i + 1), first=True):
        scan.open().clip = True
    return i + 1


def _rounding(scan: Scan, i: int) -> int:
    """Read `integers` and `rounded`; how `rounded to 2 decimals` rounds is read from its end."""
    if not scan.means(i, "integer"):
        return 0 if scan.idle(i) else i + 1
    j = scan.after_glue(i + 1)
    to_decimals = scan.number(j) is not None and scan.means(j + 1, "decimals")
    if scan.means(i, "rounding") and (to_decimals or scan.labelable(i + 1, first=True)):
        return i + 1
    _decimals(scan.open(), 0)
    scan.naming_at = i + 1
    return i + 1


def _decimals(draft: Draft, places: int) -> None:
    if draft.decimals not in (None, places):
        raise NotUnderstood(f"{draft.label or 'the column'} is rounded in two ways")
    draft.decimals = places
