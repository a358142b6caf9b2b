"""Takes equations from the tokens of a request: sums of unknowns, squares and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.reading.lexicon import IDLE
from sandbox.reading.reader import Reader
from sandbox.reading.tokens import Token


@dataclass(slots=True)
class Equation:
    """All terms on one side: the sum of the unknowns times their factors is `constant`."""

    linear: dict[str, float] = field(default_factory=dict)
    squares: dict[str, float] = field(default_factory=dict)
    constant: float = 0.0
    text: str = ""  # as it was written

    def add(self, name: str, factor: float, power: int) -> None:
        terms = self.squares if power == 2 else self.linear
        terms[name] = terms.get(name, 0.0) + factor


def take(reader: Reader) -> list[Equation]:
    """Take all equations; empty if one of the equal signs stands in no equation."""
    equations: list[Equation] = []
    for place, token in enumerate(reader.tokens):
        if token.stem != "=" or place in reader.taken:
            continue
        first, last = _span(reader.tokens, place)
        equation = Equation()
        left = _terms(reader.tokens[first:place], equation, 1.0)
        right = _terms(reader.tokens[place + 1 : last], equation, -1.0)
        if not (left and right) or not (equation.linear or equation.squares):
            return []
        reader.taken.update(range(first, last))
        equation.text = " ".join(map(_written, reader.tokens[first:last]))
        equations.append(equation)
    return equations


def _written(token: Token) -> str:
    return f"{token.value:.15g}" if token.kind == "number" else token.text


def _span(tokens: Sequence[Token], place: int) -> tuple[int, int]:
    first, last = place, place + 1
    while first > 0 and _of_equation(tokens[first - 1]):
        first -= 1
    while last < len(tokens) and _of_equation(tokens[last]):
        last += 1
    return first, last


def _of_equation(token: Token) -> bool:
    if token.kind == "number":
        return token.unit == "" and not token.unclear
    return _unknown(token) != "" or token.stem in ("+", "-", "*", "/", "(", ")", "^", "²", "**")


def _unknown(token: Token) -> str:
    single = len(token.text) == 1 and token.text.isalpha()
    return token.text if single and token.kind in ("word", "concept") else ""


Terms = dict[str, float]  # by name, the factor; "" is the constant, "x²" the square of x


class _NoSum(Exception):
    """The tokens are no sum of unknowns, squares and numbers."""


def _terms(tokens: Sequence[Token], equation: Equation, side: float) -> bool:
    """Add the terms of one side to an equation; False if they are no sum."""
    try:
        terms, end = _sum(tokens, 0)
    except _NoSum:
        return False
    for name, factor in terms.items():
        if not name:
            equation.constant -= side * factor
        else:
            equation.add(name.removesuffix("²"), side * factor, 2 if name.endswith("²") else 1)
    return end == len(tokens)


def _sum(tokens: Sequence[Token], at: int) -> tuple[Terms, int]:
    total: Terms = {}
    first = True
    while at < len(tokens) and tokens[at].stem != ")":
        sign = -1.0 if tokens[at].stem == "-" else 1.0
        if tokens[at].stem in ("+", "-"):
            at += 1
        elif not first and not (tokens[at].kind == "number" and tokens[at].value < 0):
            raise _NoSum  # `x -5` has its sign in the number
        product, at = _product(tokens, at)
        for name, factor in product.items():
            total[name] = total.get(name, 0.0) + sign * factor
        first = False
    if first:
        raise _NoSum
    return total, at


def _product(tokens: Sequence[Token], at: int) -> tuple[Terms, int]:
    product, at = _factor(tokens, at)
    while at < len(tokens):
        token = tokens[at]
        if token.stem == "/":
            below, at = _factor(tokens, at + 1)
            if set(below) != {""} or not below[""]:
                raise _NoSum
            product = {name: factor / below[""] for name, factor in product.items()}
        elif token.stem == "*" or token.stem == "(" or _unknown(token):
            factor_of, at = _factor(tokens, at + (token.stem == "*"))
            product = _times(product, factor_of)
        else:
            break
    return product, at


def _times(a: Terms, b: Terms) -> Terms:
    if set(b) == {""}:
        a, b = b, a
    if set(a) == {""}:
        return {name: a[""] * factor for name, factor in b.items()}
    (first, second) = (*a, *b) if len(a) == len(b) == 1 else ("", "²")
    if first != second or first.endswith("²"):
        raise _NoSum
    return {f"{first}²": a[first] * b[second]}


def _factor(tokens: Sequence[Token], at: int) -> tuple[Terms, int]:
    if at >= len(tokens):
        raise _NoSum
    token = tokens[at]
    if token.stem == "(":
        inner, at = _sum(tokens, at + 1)
        if at >= len(tokens) or tokens[at].stem != ")":
            raise _NoSum
        return inner, at + 1
    if token.kind == "number":
        return {"": token.value}, at + 1
    name = _unknown(token)
    if not name:
        raise _NoSum
    power, at = _power(tokens, at + 1)
    if not power:
        raise _NoSum
    return {name if power == 1 else f"{name}²": 1.0}, at


def _power(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """The power after an unknown, 1 or 2, and where it ends; 0 for any other power."""
    if at < len(tokens) and tokens[at].stem == "²":
        return 2, at + 1
    if at < len(tokens) and tokens[at].stem in ("^", "**"):
        square = at + 1 < len(tokens) and tokens[at + 1].kind == "number" and tokens[at + 1].value
        return (int(square), at + 2) if square in (1.0, 2.0) else (0, at)
    return 1, at


def purchases(reader: Reader) -> list[Equation]:
    """Take purchases: `three coffees and two croissants cost 8.10`."""
    bought: list[Equation] = []
    tokens = [(i, t) for i, t in enumerate(reader.tokens) if i not in reader.taken]
    at = 0
    while at + 5 < len(tokens):
        match = _purchase([token for _, token in tokens], at)
        if match:
            equation, end = match
            bought.append(equation)
            reader.taken.update(place for place, _ in tokens[at:end])
            at = end
        else:
            at += 1
    return bought


def _purchase(tokens: Sequence[Token], at: int) -> tuple[Equation, int] | None:
    equation = Equation()
    for _ in range(2):
        number = _count(tokens[at])
        if (
            number is None
            or at + 1 >= len(tokens)
            or tokens[at + 1].kind not in ("word", "concept")
        ):
            return None
        equation.add(tokens[at + 1].stem, number, 1)
        at += 2
        if at >= len(tokens):
            return None
        if tokens[at].text.lower() in ("and", "y", "+", "plus"):
            at += 1
    if at >= len(tokens) or not tokens[at].means("cost_word"):
        return None
    at += 1
    if at < len(tokens) and tokens[at].kind == "number" and len(equation.linear) == 2:
        equation.constant = tokens[at].value
        return equation, at + 1
    return None


def _count(token: Token) -> float | None:
    if token.kind == "number":
        return token.value
    article = token.means(IDLE) and token.text.lower() in ("a", "an", "un", "una")
    return 1.0 if article else None
