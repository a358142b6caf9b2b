"""Reads the parameters of a distribution: `mean 35`, `sd = 12`, `means 20 and 45`, `60% around 10`."""

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import AND, Scan
from sandbox.reading.records_values import FAMILIES
from sandbox.reading.rules import NotUnderstood

_PARAMETERS = (
    "mu", "sigma", "mean", "sd", "variance", "median", "rate", "scale", "shape", "alpha", "b",
    "trials", "probability", "peaks", "weights", "mode",
)  # fmt: skip


def parameter(scan: Scan, i: int) -> int:
    """Read a parameter: `mean 35`, `sd = 12`, `mean and sd of 20 and 4`, `means 20 and 45`."""
    name = _parameter_at(scan, i)
    if name and scan.stem(i + 1) == "(" and scan.means(i, *FAMILIES):
        return 0
    if scan.means(i, "parts") and scan.current is not None and scan.current.family == "mixture":
        return i + 1
    if not name:
        return _number_first(scan, i)
    weak = scan.idle(i)
    j = scan.after_glue(i + 1)
    if scan.number(j) is None:
        return 0 if weak else _two_at_once(scan, i, name)
    draft = scan.open()
    name = "mode" if draft.family == "triangular" and name == "mean" and _a_peak(scan, i) else name
    if scan.means(i, "weights") and len(_numbers_from(scan, j, many=True)[0]) > 1:
        name = "weights"
    if weak and (not draft.family or (scan.count is None and not draft.label)):
        return 0
    if name == "trials" and draft.family not in ("binomial",):
        return 0
    values, end = _numbers_from(scan, j, many=_many(scan, draft, i, name))
    if name == "weights" and len(values) < 2:
        return 0
    for value in values:
        _put(draft, name, value)
    if name in ("mean", "sd", "median", "mu", "sigma"):
        draft.percents.add(scan.tokens[j].unit == "%")
    if len(draft.percents) > 1:
        raise NotUnderstood(
            f"a figure of {draft.label or 'the column'} is a percentage, and another is not"
        )
    return scan.after_unit(end)


def _parameter_at(scan: Scan, i: int) -> str:
    if not scan.means(i, *_PARAMETERS):
        return ""
    name = next(each for each in _PARAMETERS if scan.means(i, each))
    return "mean" if name == "peaks" else name


def _a_peak(scan: Scan, i: int) -> bool:
    return scan.means(i, "peaks", "mode")


def _many(scan: Scan, draft: Draft, i: int, name: str) -> bool:
    return (
        name == "weights"
        or (scan.low(i).split()[-1].endswith("s") and draft.family == "mixture")
        or (scan.means(i, "peaks"))
    )


def _numbers_from(scan: Scan, i: int, *, many: bool) -> tuple[list[float], int]:
    values = [scan.number(i) or 0.0]
    end = i + 1
    while many:
        j = end
        while scan.low(j) in AND or scan.stem(j) in ("/", "-", ";"):
            j += 1
        value = scan.number(j)
        bare = j == end and not (scan.means(i - 1, "weights", "probability") and (value or 1) < 1)
        if bare or value is None or _parameter_at(scan, j + 1):
            break
        values.append(value)
        end = j + 1
    return values, end


def _two_at_once(scan: Scan, i: int, name: str) -> int:
    """Read `mean and standard deviation of 20 and 4`."""
    other = _parameter_at(scan, i + 2) if scan.low(i + 1) in AND else ""
    j = scan.after_glue(i + 3)
    k = j + 1
    while scan.low(k) in AND:
        k += 1
    first, second = scan.number(j), scan.number(k)
    if not other or first is None or second is None:
        return 0
    draft = scan.open()
    _put(draft, name, first)
    _put(draft, other, second)
    return scan.after_unit(k + 1)


def _number_first(scan: Scan, i: int) -> int:
    """Read a parameter after its number: `12 trials`, `20 ± 4`, `35 mean`."""
    value = scan.number(i)
    if value is None:
        return 0
    j = scan.after_unit(i + 1)
    if (
        scan.means(j, "sd")
        and scan.number(scan.after_glue(j + 1)) is not None
        and scan.low(j) in _PLUS_MINUS
    ):
        draft = scan.open()
        _put(draft, "mean", value)
        k = scan.after_glue(j + 1)
        _put(draft, "sd", scan.number(k) or 0.0)
        return scan.after_unit(k + 1)
    name = _parameter_at(scan, j)
    if not name or scan.number(scan.after_glue(j + 1, 2)) is not None or name == "weights":
        return 0
    current = scan.current
    if current is None or (name == "trials" and current.family != "binomial"):
        return 0
    if scan.count is None and value == int(value) and value > 1 and name == "probability":
        return 0
    if scan.means(j, "peaks") or scan.idle(j):
        return 0
    _put(current, name, value)
    return j + 1


_PLUS_MINUS = frozenset({"±", "+/-", "plus or minus", "give or take", "plus minus", "mas menos"})


def _put(draft: Draft, name: str, value: float) -> None:
    if (
        draft.numbers.get(name)
        and draft.family != "mixture"
        and name not in ("weights", "mean", "sd")
    ):
        raise NotUnderstood(f"{draft.label or 'the column'} has two values for its {name}")
    draft.numbers.setdefault(name, []).append(value)


def mixture_weight(scan: Scan, i: int) -> int:
    """Read the weight of a part of a mixture: `60% around 10`, `half normal around 25`, `50/50`."""
    draft = scan.current
    token = scan.tokens[i]
    if (
        draft is not None
        and draft.family == "mixture"
        and token.fraction
        and sum(token.fraction) in (10, 100)
    ):
        draft.numbers.setdefault("weights", []).extend(token.fraction)
        return i + 1
    half = scan.means(i, "half")
    if not half and not (token.kind == "number" and token.unit == "%"):
        return 0
    j = i + 1
    while scan.means(j, "of_time") or scan.low(j) in (
        "of",
        "de",
        "are",
        "a",
        "son",
        "the",
        "from",
        "drawn from",
    ):
        j += 1
    part = scan.means(j, "mean", "normal", "peaks")
    if not part or (draft is not None and draft.family not in ("", "mixture")):
        return 0
    draft = scan.open()
    draft.family = "mixture"
    draft.numbers.setdefault("weights", []).append(0.5 if half else token.value)
    return j
