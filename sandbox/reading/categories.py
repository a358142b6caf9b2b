"""Reads lists of labels, with or without shares: `Tech 40%, Finance 30%, Retail 30%`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.reading import naming, patterns
from sandbox.reading.budget import spend
from sandbox.reading.numbers import number


@dataclass(frozen=True, slots=True)
class CategoryChoice:
    """A list of labels with their weights, and its place in the text."""

    start: int
    end: int
    labels: tuple[str, ...]
    weights: tuple[float, ...]
    name: str = ""
    head: int = 0

    @property
    def guess(self) -> str:
        """The usual name of a column with these labels, for a request that gives no name."""
        low = {label.lower() for label in self.labels}
        if low & {"male", "female", "men", "women", "m", "f", "man", "woman"}:
            return "gender"
        if low <= {"yes", "no", "true", "false"}:
            return "flag"
        if low & {"north", "south", "east", "west"}:
            return "region"
        return "category"


_LABEL = r"(?<![\w'])(?!(?:and|or|the|with|of|for|to|at|is|are|in)\b)[A-Za-z][\w&'+.]{0,40}(?:[ -](?!(?:and|or|with|at|is|are|of|to|in|for|the)\b)[A-Za-z0-9][\w&'+]{0,40}){0,3}"
_SHARE = r"(?:\d{1,9}(?:\.\d{1,18})?\s?%|0?\.\d{1,18})"
_SEP = r"(?:\s*+(?:,\s*+(?:and|or)?|;|/|\band\b|\bor\b|&)|[^\S\n]*+\n\s*+[-*]?)\s*+(?:the\s++)?"
_LABEL_SHARE = re.compile(
    rf"(?P<label>{_LABEL})(?:\s*+(?:\(|:|=|->|at|with probability|with prob\.?|is|-|with)|\s)\s*+\(?(?P<share>{_SHARE})\s*+\)?(?:\s*+(?:probability|chance|of (?:the time|them|users|customers|records|cases)))?",
    re.I,
)
_SHARE_LABEL = re.compile(
    rf"(?P<share>{_SHARE})\s*+(?:of (?:them|the \w+|users|customers|people|records|cases|\w+))?\s*+(?:are|is|in|for|being|should be|will be|chance of|-|:|to)?\s*+(?:in |the |an? )?(?P<label>{_LABEL})",
    re.I,
)
_REST = re.compile(
    rf"(?:{_SEP}(?:the )?(?:rest|remaining|remainder|others?)\s*+(?:are|is|being|in|go to|:|\()?\s*+(?P<rest>{_LABEL}))?",
    re.I,
)
_SEPARATOR = re.compile(_SEP, re.I)
_ONE_LABEL = re.compile(_LABEL, re.I)
_BETWEEN = re.compile(r"\s*+(?:,\s*+(?:and)?|/|\band\b|:)\s*+", re.I)
_NOT_LABELS = re.compile(
    r"^(?:mean|average|sd|std|sigma|mu|median|probability|prob|rate|lambda|scale|shape|p|n|alpha|"
    r"beta|min|max|minimum|maximum|between|about|around|r|R2|correlation|noise|weights?|trend|"
    r"true|seed|noise|amplitude|weight|standard deviation|peak|mode|above|below|chance|missing|"
    r"level|confidence|significance|success|quantile|percentile|normal|gaussian|n\(|exceeds?|"
    r"correlat\w*|coefficient|std dev)\b",
    re.I,
)
_LISTED = re.compile(
    rf"(?P<lead>(?:(?:chosen|selected|picked|drawn|sampled|taken|one|any|either)(?: uniformly| randomly| at random)?\s*+(?:from|of|among|between)?|"
    rf"uniform(?:ly)?(?: distributed)? (?:over|across|among|from)|uniformly (?:chosen|selected|picked|sampled|drawn) from|equally likely (?:to be )?(?:among|from|between)?|"
    rf"(?:possible )?values?|categor(?:y|ies)|options?|categorical(?: distribution)?(?: over| with (?:values|categories|levels|labels))?|labels?|levels?|with (?:categories|values|levels)|\bbetween)\s*+:?\s*+[\[({{\"']?\s*+)"
    rf"(?P<list>\"?'?{_LABEL}\"?'?(?:\s*+(?:,\s*+(?:and|or)?|/|\bor\b|\band\b|\|)\s*+\"?'?{_LABEL}\"?'?){{1,11}})\s*+[\])}}]?",
    re.I,
)
_PARENS = re.compile(
    rf"[\[({{]\s*+(?P<list>\"?'?{_LABEL}\"?'?(?:\s*+(?:,\s*+(?:or)?|/|\bor\b|\|)\s*+\"?'?{_LABEL}\"?'?){{1,11}})\s*+[\])}}]"
)
_WEIGHTS = re.compile(
    r"^\s*+[\])},:]?\s*+(?:with|in|at|,|\(|using|having|and)*\s*+(?:a |the |respective |relative )*(?:probabilit\w+|weights?|proportions?|shares?|frequenc\w+|percentages?|ratios?|split)?\s*+(?:of|=|:|are|in)?\s*+[\[(]?\s*+"
    r"(?P<weights>\d+(?:\.\d+)?\s?%?(?:\s*+(?:,\s*+(?:and)?|/|:|\band\b|-)\s*+\d*\.?\d+\s?%?)+)\s*+[\])]?(?:\s*+respectively)?",
    re.I,
)
_SPLIT_FIRST = re.compile(
    r"(?P<weights>\d{1,2}\s?[/:-]\s?\d{1,2}(?:\s?[/:-]\s?\d{1,2})*)\s*+(?:split|mix|ratio)?\s*+(?:of|between|among|,|\()?\s*+",
    re.I,
)


def choices(text: str) -> list[CategoryChoice]:
    """The lists of labels in the text, in order and without overlaps."""
    kept: list[CategoryChoice] = []
    for choice in (
        *_runs(text, _LABEL_SHARE),
        *_runs(text, _SHARE_LABEL),
        *_splits(text),
        *_lists(text),
    ):
        if all(choice.end <= other.start or choice.start >= other.end for other in kept):
            kept.append(choice)
    return sorted(kept, key=lambda choice: choice.start)


def _runs(text: str, pair: "re.Pattern[str]") -> Iterator[CategoryChoice]:
    at = 0
    while (first := pair.search(text, at)) is not None:
        spend()
        pairs, end = [first], first.end()
        while (gap := _SEPARATOR.match(text, end)) and (following := pair.match(text, gap.end())):
            pairs.append(following)
            end = following.end()
        pairs, end = _up_to_one(pairs)
        rest = _REST.match(text, end)
        labels = [match["label"].strip(" '\"") for match in pairs]
        weights = [number(match["share"]) for match in pairs]
        if rest and rest["rest"] and 0 < sum(weights) < 1:
            labels.append(rest["rest"].strip())
            weights.append(1 - sum(weights))
            end = rest.end()
        name, head, label = _name_in(
            text, pairs[0], labels[0], max((len(label.split()) for label in labels[1:]), default=9)
        )
        labels[0] = label
        good = not any(_NOT_LABELS.match(label) for label in labels) and len(labels) > 1
        if good and abs(sum(weights) - 1) < 0.011 and len(set(labels)) == len(labels):
            yield CategoryChoice(first.start(), end, tuple(labels), _normed(weights), name, head)
            at = end
        else:
            at = first.start("label") + 1 if pair is _LABEL_SHARE else first.end("share")


def _up_to_one(pairs: list["re.Match[str]"]) -> tuple[list["re.Match[str]"], int]:
    """The first pairs whose shares add up to one; later pairs belong to another column."""
    total = 0.0
    for i, match in enumerate(pairs):
        total += number(match["share"])
        if abs(total - 1) < 0.011 and i > 0:
            return pairs[: i + 1], match.end()
    return pairs, pairs[-1].end()


def _name_in(text: str, first: "re.Match[str]", label: str, longest: int) -> tuple[str, int, str]:
    """The column's name, where the name begins, and the first label without the name.

    In `industry: Tech 40%` the name stands before the label. In `plan free 60%, pro 40%` the name
    is the word by which the first label is longer than all others.
    """
    start = first.start()
    own = first["label"].split()
    linked = patterns.search(
        r"(?:\b(?:is|are|be|being|as|from|of)|[:=(~])\s*+$", text[:start], re.I
    )
    name, head = naming.before(text, start)
    if name and (linked or len(own) <= longest):
        return name, head, label
    if len(own) > longest and len(own) > 1:
        named = naming.cleaned(own[: len(own) - longest])
        if named:
            return named, start, " ".join(own[len(own) - longest :])
    return (name, head, label) if name else ("", start, label)


def _lists(text: str) -> Iterator[CategoryChoice]:
    for pattern in (_LISTED, _PARENS):
        for match in pattern.finditer(text):
            spend()
            labels = [
                label.strip(" '\"")
                for label in patterns.split(
                    r",\s*+(?:and |or )?|/|\bor\b|\band\b|\|", match["list"]
                )
            ]
            labels = [label for label in labels if label]
            if len(labels) < 2 or any(_NOT_LABELS.match(label) for label in labels):
                continue
            if len(set(labels)) != len(labels):
                continue
            following = _WEIGHTS.match(text[match.end() :])
            end = match.end()
            weights = [1 / len(labels)] * len(labels)
            if following:
                given = [
                    number(w) for w in patterns.findall(r"\d*\.?\d+\s?%?", following["weights"])
                ]
                if len(given) == len(labels) and sum(given) > 0:
                    weights, end = given, match.end() + following.end()
            elif pattern is _PARENS:
                continue  # brackets without weights hold a remark, not labels
            yield CategoryChoice(match.start(), end, tuple(labels), _normed(weights))


def _splits(text: str) -> Iterator[CategoryChoice]:
    for match in _SPLIT_FIRST.finditer(text):
        spend()
        weights = [number(w) for w in patterns.findall(r"\d+", match["weights"])]
        labels: list[str] = []
        end = match.end()
        while len(labels) < len(weights) and (label := _ONE_LABEL.match(text, end)):
            labels.append(label[0])
            gap = _BETWEEN.match(text, label.end())
            end = gap.end() if gap and len(labels) < len(weights) else label.end()
        if len(labels) == len(weights) and sum(weights) in (10, 99, 100):
            yield CategoryChoice(match.start(), end, tuple(labels), _normed(weights))


def _normed(weights: list[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(round(weight / total, 12) for weight in weights)
