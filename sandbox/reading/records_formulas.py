"""Reads columns computed from others: `total = price * quantity`, `tip is 18% of total`."""

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

_SIGNS = (("times", "*"), ("plus", "+"), ("minus", "-"), ("over", "/"))


_OF_TWO = (("sum_of", "+"), ("product_of", "*"), ("difference_of", "-"), ("ratio_of", "/"))


def formula(scan: Scan, i: int) -> int:
    """Read `total = price * quantity`, `area is width times length`, `a column with the square`."""
    if scan.means(i, "square_of") and not scan.low(i).startswith(("squared", "al cuadrado")):
        return _square(scan, i)
    end, words = scan.label_run(i)
    j = end
    if not words or not (scan.means(j, "computed", "exactly") or scan.stem(j) == ":"):
        return 0
    while (
        scan.means(j, "computed", "exactly")
        or scan.stem(j) in (":", "=")
        or scan.low(j) in ("the", "el", "la")
    ):
        if scan.means(j, "sum_of", "product_of", "difference_of", "ratio_of"):
            break
        j += 1
    text, after = _expression(scan, j)
    if not text or not any(c.isalpha() or c == "_" for c in text) or text.isidentifier():
        return 0
    name = scan.name_at(i, end)
    earlier = scan.named(name)
    if earlier is not None and earlier.described:
        raise NotUnderstood(f"{name} is described twice")
    draft = scan.mention(name, end)
    draft.formula = text
    scan.current = draft
    return after


def _square(scan: Scan, i: int) -> int:
    j = i + 1
    while scan.low(j) in ("of", "de", "the", "del", "la", "el"):
        j += 1
    end, words = scan.label_run(j)
    name = scan.name_at(j, end) if words else "?"
    draft = scan.add(Draft(label=f"{name}_squared" if name != "?" else "square"))
    draft.formula = f"{name} * {name}"
    return end if words else i + 1


def _expression(scan: Scan, i: int) -> tuple[str, int]:
    for concept, sign in _OF_TWO:
        if scan.means(i, concept):
            return _of_two(scan, i + 1, sign)
    left, j = _term(scan, i)
    if not left:
        return "", i
    text, end = left, j
    while True:
        sign = next((s for c, s in _SIGNS if scan.means(j, c)), "")
        if scan.stem(j) in ("+", "-", "*", "/", "**", "^"):
            sign = {"^": "**"}.get(scan.stem(j), scan.stem(j))
        if scan.means(j, "square_of") and scan.low(j).startswith(("squared", "al cuadrado")):
            return f"{text} ** 2", j + 1
        if not sign:
            break
        if sign in "+-" and j + 1 < len(scan.tokens) and scan.tokens[j + 1].unit == "%":
            percent = scan.tokens[j + 1].text
            if scan.low(j + 2) not in ("of", "de", "del"):
                raise NotUnderstood(f"it does not say of what {percent} are taken", (percent,))
        right, after = _term(scan, j + 1)
        if not right:
            break
        text, end, j = f"{text} {sign} {right}", after, after
    return text, end


def _of_two(scan: Scan, i: int, sign: str) -> tuple[str, int]:
    first, j = _term(scan, i)
    if not first or scan.low(j) not in ("and", "y", "to", "e", "a"):
        return "", i
    second, end = _term(scan, j + 1)
    return (f"{first} {sign} {second}", end) if second else ("", i)


def _term(scan: Scan, i: int) -> tuple[str, int]:
    while scan.low(i) in ("the", "el", "la"):
        i += 1
    value = scan.number(i)
    if value is not None:
        if scan.tokens[i].unit == "%" and scan.low(i + 1) in ("of", "del", "de"):
            other, end = _term(scan, i + 2)
            return (f"{other} * {value:.12g}", end) if other else ("", i)
        j = i + 1
        if scan.is_letter_token(j) and scan.tokens[i].end == scan.tokens[j].start:  # `3x`
            return f"{value:.12g} * {scan.low(j)}", j + 1
        return f"{value:.12g}", j
    if scan.stem(i) == "(":
        text, j = _expression(scan, i + 1)
        return (f"({text})", j + 1) if text and scan.stem(j) == ")" else ("", i)
    if scan.is_letter_token(i):
        return scan.tokens[i].text.lower(), i + 1
    end, words = scan.label_run(i)
    if not words and scan.means(i, "unit") and scan.tokens[i].text.isalpha():
        return scan.tokens[i].text.lower(), i + 1  # `score = 3 * hours`
    return (scan.name_at(i, end), end) if words else ("", i)
