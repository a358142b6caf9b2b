"""Columns out of what is said about them: a distribution with all its parameters, or none."""

import re
from dataclasses import replace

from sandbox.reading import dates, distributions, naming, usual
from sandbox.reading.categories import CategoryChoice
from sandbox.reading.counts import plain_noun
from sandbox.reading.limits import bounds, decimals_said, integers_said
from sandbox.reading.mentions import Mention
from sandbox.reading.numbers import NUMBER, number
from sandbox.reading.plain_text import Words
from sandbox.spec import Distribution, Field

_INTEGERS = frozenset(
    """age count quantity qty employee_count headcount visit visits order_count number_of_employees
    child children year company_size employees num_employees floor bedrooms bathrooms room_count
    goals points_scored defects defect arrivals arrival call_count views clicks likes followers
    team_size household_size family_size""".split()
)  # fmt: skip


class NotUnderstood(Exception):
    """Something is said that no column follows from; the message says what."""


def columns(
    words: Words, mentions: list[Mention], noun: str
) -> tuple[list[Field], Distribution | None]:
    """The columns; and a distribution that was said of `both` or `all` of them."""
    text = words.text
    found: list[Field] = []
    shared = None
    heads = [*(mention.head for mention in mentions[1:]), len(text)]
    ends = [0, *(mention.end for mention in mentions)]
    for mention, until, since in zip(mentions, heads, ends, strict=False):
        region, earlier = text[mention.said : until], text[since : mention.start]
        made = _field(mention, region, earlier, text, noun)
        if made is None:
            continue
        made = _as_counted(made, noun)
        _all_numbers_used(mention, made, region)
        if not mention.name and _ALL.search(text[: mention.start]):
            shared = made.distribution
        elif made.name not in {field.name for field in found}:
            found.append(made)
        elif mention.family != "range":
            raise NotUnderstood(f"{made.name} is described twice")
    for mention, until in zip(mentions, heads, strict=False):
        words.blank(min(mention.head, mention.start), until)
        if mention.from_earlier:
            for figure in re.finditer(NUMBER, text[: mention.head]):
                words.blank(*figure.span())
    return found, shared


_UNIQUE = (
    r"\bunique\b|\bno (?:duplicates|repeats)\b|\bdistinct\b|"
    r"\bwithout (?:any )?(?:repetitions?|replacement|duplicates|repeats|repeating)\b"
)


def _as_counted(field: Field, noun: str) -> Field:
    """`200 unique positive integers`: what is counted is also said of its column."""
    if field.role != "number":
        return field
    low, decimals = field.low, field.decimals
    if low is None and re.search(r"\b(?:non-?negative|positive)\b", noun, re.I):
        low = 0.0
    if decimals is None and integers_said(noun):
        decimals = 0
    unique = field.unique or bool(re.search(r"\b(?:unique|distinct)\b", noun, re.I))
    return replace(field, low=low, decimals=decimals, unique=unique)


_ALL = re.compile(
    r"\b(?:both|all|each|they)\b(?: of (?:them|which))?(?: variables| columns)?(?: are| is| being| follow| should be|,)*\s*(?:an? |the )?$",
    re.I,
)


_PARAMETERS = {
    "exponential": 1,
    "poisson": 1,
    "standard": 0,
    "bernoulli": 1,
    "range": 0,
    "boolean": 0,
}


def _all_numbers_used(mention: Mention, made: Field, region: str) -> None:
    """Every number said of a column must have found its use, or something was not understood."""
    if mention.family == "mixture":
        return
    allowed = _PARAMETERS.get(mention.family, 0 if made.role != "number" else 2)
    allowed += (made.low is not None) + (made.high is not None) + bool(made.decimals)
    found = re.findall(NUMBER, re.sub(r"\^2|(?<=\))2", "", region))
    if len(found) > allowed:
        raise NotUnderstood(f"{made.name}: what {found[-1].strip()} means is not understood")


def _field(mention: Mention, region: str, earlier: str, text: str, noun: str) -> Field | None:
    name = mention.name or naming.cleaned(plain_noun(noun)) or "value"
    said = text[mention.start : mention.end]
    match mention.family:
        case "category":
            assert mention.choice is not None
            return _category(name if mention.name else mention.choice.guess, mention.choice)
        case "date":
            span = dates.period(said + region[:40])
            if span is None:
                return None
            return Field(name, "date", start=span[0].isoformat(), end=span[1].isoformat())
        case "boolean":
            share = number(re.findall(NUMBER, said)[0])
            labels, weights = ("true", "false"), (share, round(1 - share, 12))
            of = Distribution("categorical", labels=labels, weights=weights)
            return Field(name, "boolean", of)
        case "range":
            both = distributions.span(said)
            if both is None:
                return None
            of = Distribution("uniform", {"low": both[0], "high": both[1]})
            return _number(name, of, region, whole=_both_whole(said))
    return _distributed(mention, name, region, earlier)


def _distributed(mention: Mention, name: str, region: str, earlier: str) -> Field:
    of = distributions.read(mention.family, region)
    if of is None:
        of = distributions.read(mention.family, earlier)
        mention.from_earlier = of is not None
    if of is None:
        return _usual(mention, name, region + earlier)
    uniform = mention.family == "uniform"
    whole = uniform and _both_whole(region) and integers_said(region + earlier)
    return _number(name, of, region, whole=whole)


def _usual(mention: Mention, name: str, said: str) -> Field:
    """Where no figure at all is said of a quantity that everybody knows: what is usual."""
    found = None if re.search(NUMBER, said) else usual.of(name, mention.family)
    if found is None:
        raise NotUnderstood(f"the parameters of {name} ({mention.family}) are not all given")
    of, told = found
    low, high = (None, None) if of.family == "uniform" else (told.low, told.high)
    return Field(name, "number", of, low, high, decimals=told.decimals)


def _category(name: str, choice: CategoryChoice) -> Field:
    if {label.lower() for label in choice.labels} <= {"true", "false"}:
        labels = tuple(label.lower() for label in choice.labels)
        return Field(
            name, "boolean", Distribution("categorical", labels=labels, weights=choice.weights)
        )
    return Field(
        name, "category", Distribution("categorical", labels=choice.labels, weights=choice.weights)
    )


def _number(name: str, of: Distribution, region: str, *, whole: bool) -> Field:
    low, high, clip = (None, None, False) if of.family == "uniform" else bounds(region)
    if of.family == "pareto" and low == of.parameters["minimum"]:
        low = None
    decimals = decimals_said(region)
    if decimals is None and (whole or name in _INTEGERS or of.discrete):
        decimals = 0
    unique = bool(re.search(_UNIQUE, region, re.I))
    return Field(name, "number", of, low, high, clip, decimals, unique)


def _both_whole(text: str) -> bool:
    found = re.findall(NUMBER, text)[:2]
    return (
        len(found) == 2
        and not any("." in n or "%" in n for n in found)
        and not re.search(r"\b(?:float|decimal|real|continuous)", text, re.I)
    )
