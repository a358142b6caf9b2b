"""Reads what a request says about one column of numbers: a family, parameters, bounds, rounding."""

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_usual import usual_of
from sandbox.reading.rules import NotUnderstood

FAMILIES = (
    "standard_normal", "lognormal", "normal", "uniform", "exponential", "poisson", "binomial",
    "bernoulli", "beta", "gamma", "pareto", "weibull", "triangular", "mixture",
)  # fmt: skip
_SHORT = frozenset({"n", "u", "exp", "bin", "ln", "norm", "flat", "beta", "gamma", "pois", "unif"})
_TWO = ("normal", "uniform", "gamma", "beta", "lognormal")
_SOFT = frozenset(
    "distributed distribution distributions of for random randomly the their synthetic independent fake"
    " distribuida distribuidas distribuido distribuidos distribucion distribuciones de del la las los"
    " el number numbers integer integers".split()
) | {"distribution of", "distributions of", "values for", "distribution's"}


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
    elif name in _TWO and not draft.numbers and not draft.arguments:
        pair = (scan.number(i + 1), scan.number(i + 2))
        after = scan.means(i + 3, "unit", "entity", "record", "decimals") or scan.low(i + 3) == "to"
        if pair[0] is not None and pair[1] is not None and not after:
            draft.arguments += [pair[0], pair[1]]
            end = i + 3
    scan.naming_at = -1 if draft.shared else after_soft(scan, end)
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


def after_soft(scan: Scan, i: int) -> int:
    while scan.low(i) in _SOFT or (scan.means(i, "filler") and scan.low(i) in _SOFT):
        i += 1
    return i


def _column_for(scan: Scan, i: int, name: str) -> Draft:
    """The column that a family at a place is about."""
    mixed = scan.current is not None and scan.current.family == "mixture"
    j = i - 1
    while scan.low(j) in (
        "independent",
        "independently",
        "are",
        "follow",
        "is",
        "independientes",
        "son",
    ):
        j -= 1
    if scan.means(j, "both") and not mixed and len([d for d in scan.drafts if d.label]) > 1:
        return scan.add(Draft(shared=True))
    if scan.low(i + 1) in ("columns", "variables", "columnas") and not mixed:
        return scan.add(Draft(shared=True))  # `two normal columns x and y`
    draft = scan.current
    if draft is None:
        return scan.open()
    if _of_two_labels(scan, i):
        return scan.add(Draft(shared=True))  # `x and y uniform between 0 and 1`
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


def _of_two_labels(scan: Scan, i: int) -> bool:
    """Whether a family follows two labels of the same kind, of which nothing is said yet."""
    (first, ends), (second, last) = (
        [*scan.mentions[-2:]] if len(scan.mentions) > 1 else [("", 0)] * 2
    )
    if not first or last != i or scan.low(ends) not in ("and", "y", "e") or last - ends > 3:
        return False
    drafts = [scan.named(first), scan.named(second)]
    bare = all(draft is not None and not draft.described and not draft.role for draft in drafts)
    alike = max(len(first), len(second)) < 4 or (
        usual_of(first) is not None and usual_of(second) is not None
    )
    return bare and alike


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
    k = after_soft(scan, end)
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
    return scan.after_unit(i + 1)


# -- bounds ------------------------------------------------------------------------------------


# -- rounding and the like ---------------------------------------------------------------------
