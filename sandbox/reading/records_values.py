"""Reads what a request says about one column of numbers: a family, parameters, bounds, rounding."""

import re
from collections.abc import Sequence

from sandbox.reading.records_scan import AND, Draft, Scan
from sandbox.reading.rules import NotUnderstood

FAMILIES = (
    "standard_normal", "lognormal", "normal", "uniform", "exponential", "poisson", "binomial",
    "bernoulli", "beta", "gamma", "pareto", "weibull", "mixture",
)  # fmt: skip
_SHORT = frozenset({"n", "u", "exp", "bin", "ln", "norm", "flat", "beta", "gamma", "pois", "unif"})
_PARAMETERS = (
    "mu", "sigma", "mean", "sd", "variance", "median", "rate", "scale", "shape", "alpha", "b",
    "trials", "probability", "peaks", "weights",
)  # fmt: skip
_SOFT = frozenset(
    "distributed distribution distributions of for random randomly the their synthetic independent fake"
    " distribuida distribuidas distribuido distribuidos distribucion distribuciones de del la las los"
    " el number numbers integer integers".split()
) | {"distribution of", "distributions of", "values for", "distribution's"}
_TO = frozenset({"and", "y", "to", "a", "al", "through", "until", "hasta", "-", "–", "up to", "e"})


def family(scan: Scan, i: int) -> int:
    """Read the name of a family, with numbers in brackets after it."""
    token = scan.tokens[i]
    if token.means("unsupported"):
        raise NotUnderstood(f"the distribution {token.text} is not supported", (token.text,))
    name = next((each for each in FAMILIES if token.means(each)), "")
    if not name:
        return 0
    called = scan.stem(i + 1) == "(" and _is_number_after_bracket(scan, i + 2)
    spelled = scan.low(i + 1) in _SOFT and not scan.low(i + 1).startswith(
        ("of", "for", "the", "de")
    )
    if token.stem in _SHORT and not (called or spelled or _has_parameter(scan, i + 1)):
        return 0
    draft = _column_for(scan, i, name)
    end = i + 1
    if draft.family != "mixture" or name == "mixture":
        if draft.family and name != draft.family:
            raise NotUnderstood(f"{draft.label or 'the column'} is described twice")
        draft.family = name
    if called:
        end = _call(scan, draft, i + 2)
    elif (
        name == "poisson"
        and scan.number(i + 1) is not None
        and not scan.labelable(i + 2, first=True)
    ):
        draft.arguments.append(scan.number(i + 1) or 0.0)
        end = i + 2
    scan.naming_at = _after_soft(scan, end)
    return end


def _is_number_after_bracket(scan: Scan, i: int) -> bool:
    return scan.number(i) is not None


def _has_parameter(scan: Scan, i: int) -> bool:
    """Whether parameters follow, as in `gamma with shape 2` or `beta, alpha 2`."""
    j = i
    while j < i + 3 and (scan.stem(j) in (",", ":", "(") or scan.low(j) in ("with", "con", "de")):
        j += 1
    return scan.means(j, "shape", "alpha", "mean", "rate", "scale", "filler") or (
        scan.low(j) in ("a", "k", "theta")
    )


def _after_soft(scan: Scan, i: int) -> int:
    while scan.low(i) in _SOFT or (scan.means(i, "filler") and scan.low(i) in _SOFT):
        i += 1
    return i


def _column_for(scan: Scan, i: int, name: str) -> Draft:
    """The column that a family at a place is about."""
    mixed = scan.current is not None and scan.current.family == "mixture"
    if scan.means(i - 1, "both") and not mixed and len([d for d in scan.drafts if d.label]) > 1:
        return scan.add(Draft(shared=True))
    draft = scan.current
    if draft is None:
        return scan.open()
    if draft.family == "mixture" and name in ("normal", "mixture"):
        return draft
    taken = (
        draft.labels
        or draft.dates
        or draft.role in ("id", "text")
        or draft.formula
        or draft.boolean
    )
    if (draft.family and draft.family != name) or taken or (draft.family and draft.label):
        return scan.add(Draft())
    if draft.label and _is_prefix(scan, i):
        return scan.add(Draft())
    return draft


def _is_prefix(scan: Scan, i: int) -> bool:
    """Whether a family stands before its label, as in `and normally distributed incomes`."""
    j = i - 1
    while scan.low(j) in ("a", "an", "the", "their", "una", "un"):
        j -= 1
    if scan.low(j) not in ("and", "with", ",", "y", "con", "plus", ";", "\n"):
        return False
    end = i + 1
    if scan.stem(end) == "(":
        while end < len(scan.tokens) and scan.stem(end) != ")":
            end += 1
        end += 1
    k = _after_soft(scan, end)
    after, words = scan.label_run(k)
    return bool(words) and not scan.nameless(k, after)


def _call(scan: Scan, draft: Draft, i: int) -> int:
    """Read the numbers in brackets after a family: `(35, 12)` or `(0, 1^2)`."""
    numbers: list[float] = []
    while scan.stem(i) != ")":
        value = scan.number(i)
        if value is not None:
            numbers.append(value)
        elif scan.stem(i) not in (",", ";") and not (
            scan.stem(i) in ("^", "**", "²") or scan.means(i, "square_of")
        ):
            raise NotUnderstood(
                f"`{scan.tokens[i].text if i < len(scan.tokens) else '('}` is not understood"
            )
        elif scan.stem(i) in ("^", "**"):
            i += 1  # the deviation in N(0, 2^2) is 2
        i += 1
        if i >= len(scan.tokens):
            raise NotUnderstood("a bracket is not closed")
    if draft.family == "mixture":
        if len(numbers) != 2:
            raise NotUnderstood("a part of a mixture needs a mean and a standard deviation")
        draft.numbers.setdefault("mean", []).append(numbers[0])
        draft.numbers.setdefault("sd", []).append(numbers[1])
    else:
        draft.arguments += numbers
    return i + 1


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
    name = next((each for each in _PARAMETERS if scan.means(i, each)), "")
    return "mean" if name == "peaks" else name


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
        if j == end or value is None or _parameter_at(scan, j + 1):
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


# -- bounds ------------------------------------------------------------------------------------


def bounds(scan: Scan, i: int) -> int:
    return _range(scan, i) or _comparison(scan, i)


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
    k = scan.after_unit(j + 1)
    commas = bracket and scan.stem(k) in (",", ";")
    to = scan.low(k) in _TO or commas
    if scan.low(k) == "and" and j == i:
        return 0
    k += 1
    if scan.stem(k) == "-" and not commas:
        k += 1
    while scan.low(k) in ("the",):
        k += 1
    high = scan.number(k)
    if low is None or high is None or not to:
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
    _bound(scan, draft, low=low)
    _bound(scan, draft, high=high)
    draft.whole_bounds = _whole(first.text) and _whole(second.text)
    return scan.after_unit(end)


def _is_dated(draft: Draft) -> bool:
    return bool(re.search(r"(?:^|_)(?:date|fecha|day|timestamp|dob)(?:_|$)", draft.label))


def _whole(text: str) -> bool:
    return "." not in text and "%" not in text


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
        _bound(scan, scan.open(), **{"low" if scan.means(i + 1, "or_more") else "high": value})
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
            _bound(scan, draft, **{side: value})
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
    _bound(scan, draft, high=value)
    draft.clip = True
    return scan.after_unit(scan.after_glue(i) + 1)


def _bounded(draft: Draft) -> bool:
    return draft.low is not None or draft.high is not None


def _bound(
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


# -- rounding and the like ---------------------------------------------------------------------


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
        scan.open().multiple = int(step)
        return j + 1
    return _flag(scan, i)


_PLACES = {"to_cents": 2, "to_ten": -1, "to_hundred": -2, "to_thousand": -3}


def _flag(scan: Scan, i: int) -> int:
    places = next((value for concept, value in _PLACES.items() if scan.means(i, concept)), None)
    if places is not None:
        _decimals(scan.open(), places)
        return i + 1
    if scan.means(i, "clip", "cut"):
        return _limits_follow(scan, i)
    if scan.means(i, "integer", "rounding"):
        return _rounding(scan, i)
    if scan.means(i, "nonnegative") and not scan.means(i + 1, "correlation"):
        _bound(scan, scan.open(), low=0.0)
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


def _limits_follow(scan: Scan, i: int) -> int:
    """Read `clipped` or `truncated`, whose bounds must follow, perhaps after a label."""
    if scan.means(i, "cut"):
        scan.open().cut = True
        return i + 1
    scan.clip_next = True
    if not scan.labelable(_after_soft(scan, i + 1), first=True):
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
