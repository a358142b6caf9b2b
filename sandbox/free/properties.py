"""Checks an answer by what its request alone implies: counts, bounds, signs and sums.

The checks know nothing of the program. Each can refuse an impossible figure, such as a probability
of 1.2; none can prove a figure right.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.free.answers import FreeAnswer
from sandbox.free.quantities import quantities_in
from sandbox.judging.check import StatisticalCheck

_CHANCE = re.compile(
    r"(?<![a-z])(?:prob\w*|chance|p|p_?val\w*|likelihood|probabilidad)(?![a-z])", re.I
)
_PERCENT = re.compile(r"percent|pct|porcent|%", re.I)
_CORRELATION = re.compile(r"(?<![a-z])(?:r|rho|corr\w*|pearson\w*|spearman\w*)(?![a-z])", re.I)
_SHARE = re.compile(r"(?<![a-z])(?:r2|r_?squared|r_sq|r²)(?![a-z])", re.I)
_NOT_NEGATIVE = re.compile(
    r"(?<![a-z])(?:sd|std\w*|stdev|var|variance|standard_deviation|se|standard_error|count|ways|"
    r"distance|length|area|volume|perimeter|age|price|sample_size|chi2|chi_?square|f_?stat\w*)"
    r"(?![a-z])",
    re.I,
)
_WHOLE = re.compile(
    r"(?<![a-z])(?:ways|permutations|combinations|arrangements|df_?int)(?![a-z])", re.I
)
_DISTRIBUTION = re.compile(
    r"(?<![a-z])(?:distribution|stationary\w*|probabilities|shares)(?![a-z])", re.I
)
_SLACK = 1e-9
_ABOUT_CHANCE = re.compile(r"prob|chance|p[- ]?val|\bp\b|signific|\btest", re.I)
_ABOUT_RELATION = re.compile(r"correl|pearson|spearman|regress|relat", re.I)
_MAKES = re.compile(
    r"generat|\bcreat|simul|\bdraw|random|mock|fake|dummy|synthetic|\b(?:rows|records|samples|users)\b"
    r"|\bgenera|\bcrea|aleatori|ficticio|\b(?:filas|registros|muestras|usuarios)\b",
    re.I,
)
_BETWEEN = re.compile(r"\bbetween\s+\$?(-?[\d.,]+k?)\s+and\s+\$?(-?[\d.,]+k?)", re.I)


def property_checks(text: str, answer: FreeAnswer) -> list[StatisticalCheck]:
    """What the request implies of this answer."""
    if answer.is_table:
        return list(_of_table(text, answer))
    checks = list(_of_sums(answer.figures))
    in_percent = bool(_PERCENT.search(text))
    for name, value in answer.flat.items():
        if _unclear(name, text):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            checks += _of_figure(_spaced(name), name, float(value), in_percent=in_percent)
    return checks


def _unclear(name: str, text: str) -> bool:
    """Whether a letter may be a probability or a correlation, but also a price or a radius."""
    letter = name.rpartition(".")[2].lower()
    return (letter == "p" and not _ABOUT_CHANCE.search(text)) or (
        letter == "r" and not _ABOUT_RELATION.search(text)
    )


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[.\[\]\s]+", "_", name).replace("_", " ")


def _of_figure(
    words: str, name: str, value: float, *, in_percent: bool
) -> Iterator[StatisticalCheck]:
    if _CHANCE.search(words):
        most = 100 if in_percent or _PERCENT.search(name) else 1
        holds = -_SLACK <= value <= most + _SLACK
        yield StatisticalCheck(f"{name}: a probability", holds, f"{value:g}, from 0 to {most}")
    if _SHARE.search(words):
        holds = -_SLACK <= value <= 1 + _SLACK
        yield StatisticalCheck(f"{name}: a share", holds, f"{value:g}, from 0 to 1")
    elif _CORRELATION.search(words):
        holds = abs(value) <= 1 + _SLACK
        yield StatisticalCheck(f"{name}: a correlation", holds, f"{value:g}, from -1 to 1")
    if _NOT_NEGATIVE.search(words):
        yield StatisticalCheck(f"{name}: sign", value >= 0, f"{value:g}, 0 or more")
    if _WHOLE.search(words):
        yield StatisticalCheck(f"{name}: a count", value == int(value), f"{value:g}, whole")


def _of_sums(figures: Mapping[str, Any]) -> Iterator[StatisticalCheck]:
    """A distribution sums to 1."""
    for name, value in figures.items():
        parts = list(value.values()) if isinstance(value, Mapping) else value
        if not isinstance(parts, list) or not _DISTRIBUTION.search(_spaced(name)):
            continue
        if len(parts) > 1 and all(type(part) in (int, float) and 0 <= part <= 1 for part in parts):
            total = sum(parts)
            holds = abs(total - 1) < 0.01
            yield StatisticalCheck(f"{name}: sums to 1", holds, f"its parts sum to {total:g}")


def _of_table(text: str, answer: FreeAnswer) -> Iterator[StatisticalCheck]:
    columns = list(answer.figures.values())
    length = len(columns[0])
    numbers = {value for quantity in quantities_in(text) for value in quantity.values}
    if numbers and _MAKES.search(text):
        detail = f"{length} records, which is no number of the request"
        yield StatisticalCheck("count", length in numbers, f"{length} records" if length in numbers
                               else detail)  # fmt: skip
    between = _BETWEEN.search(text)
    if len(columns) == 1 and between is not None:
        low, high = (quantities_in(between[n])[0].values[0] for n in (1, 2))
        values = [value for value in columns[0] if type(value) in (int, float)]
        least, most = min(values, default=low), max(values, default=high)
        if "-" not in between[0]:
            holds = low <= least and most <= high
            yield StatisticalCheck(
                "bounds", holds, f"{least:g} to {most:g}, within {low:g} to {high:g}"
            )
