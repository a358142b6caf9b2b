"""Turns what was read about a column into a field of the spec.

No parameter is guessed: it was read, a convention fixes it, or the usual figures of the quantity
replace all of them, which `assumed` says. A figure that the family does not use is an error.
"""

import math
import re
from dataclasses import replace

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_families import distribution_of
from sandbox.reading.records_usual import usual_distribution, usual_of
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Distribution, Field

_INTEGERS = frozenset(
    """age edad count quantity qty cantidad employee_count headcount visit visits visita order_count
    number_of_employees child children niño hijo year año birth_year company_size employees floor
    num_employees bedroom bathroom room_count bedrooms bathrooms goal points_scored defect arrival
    llegada call_count view click like follower team_size household_size family_size stock
    existencia employee""".split()
)  # fmt: skip


_ACCOUNTS = re.compile(r"user_?name|login|handle|usuario|mail|correo")


def field_of(draft: Draft, name: str) -> tuple[Field, tuple[str, ...]]:
    """The field, and sentences about what the request left open."""
    if draft.cut:
        raise NotUnderstood(f"{name} is truncated, but no bounds are given", ("truncated",))
    if draft.role == "id" and not (draft.family or draft.labels):
        allowed = {"unique", "prefix", "suffix", "first", "digits"} | (
            {"decimals"} if draft.decimals == 0 and not draft.prefix else set()
        )
        said_more(draft, name, "an id", allowed)
        made = Field(name, "id", unique=True, prefix=draft.prefix, suffix=draft.suffix)
        return replace(made, first=draft.first, digits=draft.digits), ()
    if draft.formula:
        said_more(draft, name, "a computed column", {"formula", "decimals"})
        return Field(name, "derived", formula=draft.formula, decimals=draft.decimals), ()
    if draft.dates is not None:
        said_more(draft, name, "a date", {"dates"})
        first_day, last_day = draft.dates
        return Field(name, "date", start=first_day.isoformat(), end=last_day.isoformat()), ()
    if draft.labels or draft.true_share is not None or draft.boolean or draft.binary:
        return _choice(draft, name)
    if draft.role == "text" and draft.unique and _ACCOUNTS.search(name):
        suffix = "@example.com" if re.search("mail|correo", name) else ""
        said_more(draft, name, "a text", {"unique"})
        return Field(name, "id", unique=True, prefix="user", suffix=suffix), ()
    if draft.role == "text" and not draft.described:
        said_more(draft, name, "a text", set())
        return Field(name, "text"), ()
    return _number(draft, name)


_FACTS = (
    "family arguments numbers low high clip cut decimals unique real multiple labels true_share boolean"
    " binary dates prefix suffix first formula"
).split()
_WORDS = {"low": "bounds", "high": "bounds", "decimals": "rounding", "numbers": "figures"}


def said_more(draft: Draft, name: str, what: str, allowed: set[str]) -> None:
    """Raise `NotUnderstood` if the request says more of a column than such a column can have."""
    for fact in _FACTS:
        if fact not in allowed and getattr(draft, fact) not in (None, False, "", 0, [], {}, ()):
            word = _WORDS.get(fact, fact.replace("_", " "))
            raise NotUnderstood(f"{name} is {what}: its {word} is not understood", (name,))


def _choice(draft: Draft, name: str) -> tuple[Field, tuple[str, ...]]:
    allowed = {"labels", "true_share", "boolean", "binary", "numbers"}
    said_more(draft, name, "a column of labels", allowed)
    labels, weights = draft.labels, draft.weights
    assumed: tuple[str, ...] = ()
    if not labels:
        share = draft.true_share
        if share is None and draft.numbers.keys() == {"probability"}:
            (share,) = draft.numbers["probability"]
        elif draft.numbers:
            raise NotUnderstood(f"{name} is true or false, and has other figures")
        if share is None:
            share, assumed = 0.5, (f"{name} is true for half of the records",)
        labels = ("1", "0") if draft.binary else ("true", "false")
        weights = (share, round(1 - share, 12))
    elif draft.numbers:
        raise NotUnderstood(f"{name} has labels and figures: the figures are not understood")
    elif draft.even:
        assumed = (f"{name}: each label is equally likely",)
    truth = {label.lower() for label in labels} <= {"true", "false"}
    labels = tuple(label.lower() for label in labels) if truth else labels
    of = Distribution("categorical", labels=labels, weights=weights)
    role = "boolean" if truth else "category"
    return Field(name, role, of, source=draft.source), assumed  # type: ignore[arg-type]


def _number(draft: Draft, name: str) -> tuple[Field, tuple[str, ...]]:
    if draft.numbers.keys() == {"probability"} and not draft.family and draft.low is None:
        return _choice(replace(draft, boolean=True), name)
    if not draft.family and draft.numbers.keys() in ({"mean", "sd"}, {"mean", "variance"}):
        field, sentences = _number(replace(draft, family="normal"), name)
        return field, (
            *sentences,
            f"{name}: normal, for the request only gives its mean and spread",
        )
    low, high = _closed(draft, name)
    if low is None and high is None and draft.clip:
        raise NotUnderstood(f"{name} is clipped, but no bounds are given", ("clipped",))
    weighted = _over_a_scale(draft, name, low, high)
    if weighted is not None:
        return weighted, ()
    of = distribution_of(draft, name, low, high)
    if of is None:
        return _usual_number(draft, name, low, high)
    assumed = _in_brackets(draft, name)
    if draft.digits is not None:
        assumed = (*assumed, f"{name}: any number of {draft.digits} digits")
    if draft.family == "mixture" and not {"sd", "sigma"} & draft.numbers.keys():
        (sd,) = {part.parameters["sd"] for part in of.parts}
        assumed = (*assumed, f"{name}: a standard deviation of {sd:g} around each peak")
    decimals = draft.decimals
    if decimals is None and not draft.real:
        ranged = not draft.family and draft.whole_bounds and (low, high) != (0, 1)
        if ranged and not _is_whole(draft, name):
            assumed = (*assumed, f"{name}: whole numbers, as its bounds are")
        decimals = 0 if ranged or _is_whole(draft, name) or of.discrete else None
    return _bounded(draft, name, of, low, high, decimals), assumed


def _in_brackets(draft: Draft, name: str) -> tuple[str, ...]:
    """What the numbers in brackets after a family are taken for, where people differ."""
    meant = {
        "normal": "the mean and the standard deviation", "exponential": "the rate",
        "lognormal": "the mean and the standard deviation of the logarithm",
        "triangular": "the ends and, between them, the peak",
        "gamma": "the shape and the scale", "weibull": "the shape and the scale",
    }.get(draft.family)  # fmt: skip
    if not meant or not draft.arguments:
        return ()
    return (f"{name}: in brackets stand {meant}",)


def _usual_number(
    draft: Draft, name: str, low: float | None, high: float | None
) -> tuple[Field, tuple[str, ...]]:
    """A field with the usual figures of its quantity."""
    usual = usual_of(name)
    family = draft.family or "normal"
    of = usual_distribution(family, usual) if usual is not None else None
    if of is None or usual is None or draft.numbers or draft.arguments:
        if draft.family:
            raise NotUnderstood(f"the parameters of {name} ({family}) are not all given", (name,))
        raise NotUnderstood(f"it does not say what the column {name} contains", (name,))
    if family in ("normal", "mixture"):
        low, high = usual.low if low is None else low, usual.high if high is None else high
    decimals = draft.decimals
    if decimals is None and not draft.real:
        decimals = usual.decimals
    figures = ", ".join(f"{key} {value:g}" for key, value in of.parameters.items())
    sentence = f"{name}: {family} with the usual figures" + (f", {figures}" if figures else "")
    return _bounded(draft, name, of, low, high, decimals), (sentence,)


def _bounded(
    draft: Draft, name: str, of: Distribution,
    low: float | None, high: float | None, decimals: int | None,
) -> Field:  # fmt: skip
    if of.family in ("uniform", "triangular"):
        low = high = None
    if of.family == "pareto" and low == of.parameters["minimum"]:
        low = None
    if draft.multiple:
        if of.family != "uniform" or decimals not in (0, None):
            raise NotUnderstood(
                f"multiples of {draft.multiple} are understood only between two bounds"
            )
        made = Field(name, "number", of, decimals=0, unique=draft.unique)
        from_low = (
            int(of.parameters["low"]) % draft.multiple
        )  # `in steps of 500` begins at the bound
        remainder = from_low if draft.remainder < 0 else draft.remainder
        return replace(made, multiple=draft.multiple, remainder=remainder)
    step = 10.0 ** -(decimals or 0)
    if step > 1 and any(bound is not None and bound % step for bound in (low, high)):
        raise NotUnderstood(f"{name} is rounded to {step:g}, but its bounds are not")
    return Field(name, "number", of, low, high, draft.clip, decimals, draft.unique)


def _is_whole(draft: Draft, name: str) -> bool:
    usual_integers = name in _INTEGERS or name.rsplit("_", 1)[-1] in ("age", "edad", "count")
    return draft.decimals == 0 or (draft.decimals is None and usual_integers)


def _closed(draft: Draft, name: str) -> tuple[float | None, float | None]:
    """The bounds, closed: above 18 is at least 19 for whole numbers."""
    low, high = draft.low, draft.high
    whole = _is_whole(draft, name) or draft.family in ("poisson", "binomial")
    if low is not None and draft.low_open and whole:
        low = math.floor(low) + 1.0
    if high is not None and draft.high_open and whole:
        high = math.ceil(high) - 1.0
    return low, high


def _over_a_scale(draft: Draft, name: str, low: float | None, high: float | None) -> Field | None:
    """A column such as `Likert 1-5 with probabilities 0.1, 0.2, 0.4, 0.2, 0.1`."""
    weights = draft.numbers.get("weights") if draft.family != "mixture" else None
    if weights is None:
        return None
    fits = (
        low is not None
        and high is not None
        and draft.whole_bounds
        and high - low + 1 == len(weights)
    )
    if (
        not fits
        or draft.family
        or len(draft.numbers) > 1
        or low is None
        or abs(sum(weights) - 1) > 0.011
    ):
        raise NotUnderstood(f"the weights of {name} are not understood")
    labels = tuple(str(int(low) + i) for i in range(len(weights)))
    total = sum(weights)
    of = Distribution(
        "categorical", labels=labels, weights=tuple(round(w / total, 12) for w in weights)
    )
    return Field(name, "category", of)
