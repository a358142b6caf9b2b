"""Reads lists of labels without a share for each: `red, green or blue`, `50/50 male/female`."""

from sandbox.reading.records_pairs import (
    LINKS,
    NEAR,
    after_separator,
    after_tail,
    label_end,
    label_text,
    put_labels,
)
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood


def items_from(scan: Scan, i: int) -> tuple[list[str], int]:
    """Labels without shares; the list ends before a word that describes another column."""
    labels: list[str] = []
    at, end = i, i
    while True:
        stop = label_end(scan, at)
        if stop == at or (scan.means(at, "text") and labels and scan.stem(at - 1) != "/"):
            break
        following = scan.tokens[stop] if stop < len(scan.tokens) else None
        if labels and following is not None and (
            following.means("normal", "lognormal", "uniform", "exponential", "poisson", "gamma", "range")
            or following.stem in ("~", ":", "=")
            or (scan.stem(stop) == "(" and not scan.means(stop + 1, "equally", "weights", "one_of")
            and (stop + 1 >= len(scan.tokens) or scan.tokens[stop + 1].kind != "number"))
        ):  # fmt: skip
            break
        labels.append(label_text(scan, at, stop))
        end = stop
        nxt = after_separator(scan, stop)
        if nxt == stop or scan.stem(stop) in (";", "\n", ")"):
            break
        at = nxt
    return labels, end


def one_of_at(scan: Scan, j: int, name_end: int, name: str) -> int:
    """Read `status chosen from a, b, c`, with weights or without."""
    cue = any(scan.means(k, "one_of") for k in range(name_end, j + 1))
    noun = scan.means(name_end - 1, "noun")
    among = scan.low(name_end) in ("from", "entre", "among") and scan.means(name_end - 1, "noun")
    cue = (
        cue or among or (scan.stem(name_end) == "(" and capitals(scan, name_end + 1, any_case=noun))
    )
    bracket = any(scan.stem(k) in ("[", "{") for k in range(name_end, j + 1))
    while (
        scan.means(j, "one_of") or scan.stem(j) in LINKS or scan.low(j) in ("from", "de", "entre")
    ):
        cue = cue or scan.means(j, "one_of")
        bracket = bracket or scan.stem(j) in ("[", "{")
        j += 1
    if scan.number(j) is not None:
        return _numbers_listed(scan, j, name)
    labels, end = items_from(scan, j)
    while scan.stem(end) in ("]", "}", ")") and (bracket or scan.stem(end) == ")"):
        end += 1
    weights, after = weights_after(scan, end, len(labels))
    slashed = scan.stem(j + 1) in ("/", "|")
    or_ = any(scan.low(k) in ("or", "o", "u") for k in range(j, end))
    if len(labels) < 2 or not (cue or bracket or weights or slashed or or_):
        return 0
    if len(set(labels)) != len(labels):
        raise NotUnderstood(f"{name} has the same label twice")
    put = put_labels(scan, name, labels, weights or [1.0] * len(labels), after if weights else end)
    if not weights and scan.current is not None:
        scan.current.even = True
    return put


def _numbers_listed(scan: Scan, j: int, name: str) -> int:
    """Read `a fine of 30, 60 or 90 dollars`: labels that are numbers, with `or` before the last."""
    labels: list[str] = []
    or_ = False
    end = j
    while (value := scan.number(end)) is not None and scan.tokens[end].unit in ("", "$"):
        labels.append(f"{value:.12g}")
        end = scan.after_unit(end + 1)
        at = end + (scan.stem(end) == ",")
        if scan.low(at) in ("or", "o", "u"):
            or_, at = True, at + 1
        elif at == end or or_:
            break
        if scan.number(at) is None:
            return 0
        end = at
    if len(labels) < 2 or not or_ or len(set(labels)) != len(labels):
        return 0
    even = end + (scan.stem(end) == ",")
    stated = scan.means(even, "equally")
    put = put_labels(scan, name, labels, [1.0] * len(labels), even + 1 if stated else end)
    if scan.current is not None and not stated:
        scan.current.even = True
    return put


_FACTS = (
    "unit", "integer", "float", "range", "mean", "sd", "unique", "id", "dated", "normal", "uniform",
    "lognormal", "poisson", "exponential", "text", "boolean", "binary",
)  # fmt: skip


def capitals(scan: Scan, i: int, *, any_case: bool = False) -> bool:
    """Whether a bracket holds only labels, as in `(Sales, HR, IT)`; in small letters only plain words."""
    labels, end = items_from(scan, i)
    even = scan.stem(end) == "," and scan.means(end + 1, "equally") and scan.stem(end + 2) == ")"
    if len(labels) < 2 or (scan.stem(end) != ")" and not even):
        return False
    plain = any_case and not any(scan.means(j, *_FACTS) for j in range(i, end))
    return plain or all(label[0].isupper() for label in labels)


def weights_after(scan: Scan, i: int, count: int) -> tuple[list[float], int]:
    """Weights after labels: `with probabilities 0.2, 0.3, 0.5`, `(50/50)`, `half and half`."""
    j = i
    while scan.stem(j) in (",", "(", ":") or scan.low(j) in (
        "with",
        "con",
        "in",
        "and",
        "using",
        "at",
        "en",
    ):
        j += 1
    if scan.means(j, "equally") and not scan.means(j, "one_of"):
        return [1.0] * count, after_tail(scan, j + 1)
    cued = scan.means(j, "weights", "probability")
    while (
        scan.means(j, "weights", "probability")
        or scan.stem(j) in ("(", "[", ":", "=")
        or (cued and scan.low(j) in ("of", "de", "respective", "are", "son"))
    ):
        j += 1
    values, end = numbers_in_a_row(scan, j)
    if len(values) != count or count < 2 or min(values) < 0 or sum(values) <= 0:
        return [], i
    total = sum(values)
    if not (abs(total - 1) < NEAR or abs(total - 100) < 1.1 or cued):
        return [], i
    if (
        cued
        and not (abs(total - 1) < NEAR or abs(total - 100) < 1.1)
        and all(v <= 1 for v in values)
    ):
        raise NotUnderstood(f"the shares add up to {total:g} and not to 1")
    end = after_tail(scan, end)
    return values, end + scan.means(end, "respectively")


def numbers_in_a_row(scan: Scan, i: int) -> tuple[list[float], int]:
    values: list[float] = []
    while True:
        token = scan.tokens[i] if i < len(scan.tokens) else None
        if token is None or token.kind != "number":
            break
        values += list(token.fraction) if token.fraction else [token.value]
        i += 1
        j = i
        while scan.stem(j) in (",", "/", "-", ":", ";") or scan.low(j) in ("and", "y"):
            j += 1
        if j == i or (
            scan.number(j) is None and not (j < len(scan.tokens) and scan.tokens[j].fraction)
        ):
            break
        i = j
    return values, i


def split_at(scan: Scan, i: int, name: str) -> int:
    """Read `50/50 male/female` and `split 70/30 between mobile and desktop`."""
    j = i
    while scan.means(j, "tail") or scan.low(j) in ("a", "in", "with"):
        j += 1
    token = scan.tokens[j] if j < len(scan.tokens) else None
    if token is None or not token.fraction:
        return 0
    values, j = numbers_in_a_row(scan, j)
    if sum(values) not in (10, 99, 100):
        return 0
    while (
        scan.means(j, "tail")
        or scan.stem(j) in (",", "(", ":")
        or scan.low(j) in ("of", "between", "among", "entre")
    ):
        j += 1
    labels, end = items_from(scan, j)
    if len(labels) != len(values):
        return 0
    return put_labels(scan, name, labels, values, end + (scan.stem(end) == ")"))
