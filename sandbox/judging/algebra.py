"""Works equations, matrices and arithmetic out again with fractions."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

Figures = Mapping[str, Any]
Rows = Sequence[Sequence[float]]
_MOST_SIZE = 12
_MOST_NUMBER = 1e12


def _exact(rows: Rows) -> list[list[Fraction]]:
    return [[Fraction(str(value)) for value in row] for row in rows]


def _determinant_of(rows: list[list[Fraction]]) -> Fraction:
    """The determinant, by rows that are made triangular."""
    rows = [list(row) for row in rows]
    product = Fraction(1)
    for column in range(len(rows)):
        pivot = next((i for i in range(column, len(rows)) if rows[i][column]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != column:
            rows[column], rows[pivot] = rows[pivot], rows[column]
            product = -product
        product *= rows[column][column]
        for i in range(column + 1, len(rows)):
            factor = rows[i][column] / rows[column][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[column], strict=True)]
    return product


def _replaced(rows: list[list[Fraction]], column: int, by: Sequence[Fraction]) -> Fraction:
    return _determinant_of(
        [[*row[:column], value, *row[column + 1 :]] for row, value in zip(rows, by, strict=True)]
    )


def _linear_system(
    matrix: Rows,
    constants: Sequence[float],
    names: Sequence[str],
    equations: Sequence[str] = (),
) -> Figures:
    """Cramer's rule; the solution is put into the equations as they were written."""
    rows, right = _exact(matrix), [Fraction(str(value)) for value in constants]
    whole = _determinant_of(rows)
    solution = {name: _replaced(rows, i, right) / whole for i, name in enumerate(names)}
    for equation in equations:
        left, of_right = (_side(side, solution) for side in equation.split("="))
        if abs(left - of_right) > Fraction(1, 10**9) * (1 + abs(left)):
            raise ValueError(f"the solution does not fulfil {equation}")
    return {name: float(value) for name, value in solution.items()}


_PIECES = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?|[^\W\d_]|[-+*/()]")


def _side(text: str, solution: Mapping[str, Fraction]) -> Fraction:
    """The value of one side of an equation, with the unknowns replaced by their values."""
    pieces: list[str] = []
    for piece in _PIECES.findall(text):
        value = solution.get(piece)
        factor = piece == "(" or value is not None
        if factor and pieces and pieces[-1] not in "(+-*/":
            pieces.append("*")  # 2x, 2(x + 1)
        pieces.append(piece if value is None else f"( {value.numerator} / {value.denominator} )")
    return _Sum(" ".join(pieces)).value()


def _quadratic(a: float, b: float, c: float, name: str) -> Figures:
    """Roots by their half distance from the vertex, found by bisection."""
    vertex = -b / (2 * a)
    least = a * vertex * vertex + b * vertex + c
    if least == 0 or abs(least) < 1e-12 * max(1.0, abs(c)):
        return {name: vertex}
    if (least > 0) == (a > 0):
        return {"real_solutions": 0}
    low, high = 0.0, 1.0 + math.sqrt(abs(least / a)) * 2
    for _ in range(200):
        middle = (low + high) / 2
        inside = (a * middle * middle + least > 0) == (least > 0)
        low, high = (middle, high) if inside else (low, middle)
    return {f"{name}_1": vertex - low, f"{name}_2": vertex + low}


def _inverse(rows: Rows) -> Figures:
    """The adjugate over the determinant."""
    exact = _exact(rows)
    whole, size = _determinant_of(exact), len(exact)
    units = [[Fraction(int(i == j)) for i in range(size)] for j in range(size)]
    columns = [[_replaced(exact, i, unit) / whole for i in range(size)] for unit in units]
    return {"inverse": [[float(columns[j][i]) for j in range(size)] for i in range(size)]}


def _eigenvalues(rows: Rows) -> Figures:
    """The real roots of det(A - x I), between which the polynomial changes its sign."""
    exact, size = _exact(rows), len(rows)

    def value(x: Fraction) -> Fraction:
        return _determinant_of(
            [[exact[i][j] - (x if i == j else 0) for j in range(size)] for i in range(size)]
        )

    bound = max(sum(abs(v) for v in row) for row in exact) + 1
    steps = 400
    grid = [-bound + 2 * bound * Fraction(n, steps) for n in range(steps + 1)]
    roots: list[float] = []
    for low, high in pairwise(grid):
        at_low, at_high = value(low), value(high)
        if at_low == 0:
            roots.append(float(low))
        elif at_high != 0 and (at_low > 0) != (at_high > 0):
            a, b, positive = float(low), float(high), at_low > 0
            for _ in range(60):
                middle = (a + b) / 2
                a, b = (middle, b) if (value(Fraction(middle)) > 0) == positive else (a, middle)
            roots.append((a + b) / 2)
    if len(roots) != size:
        raise ValueError("not all eigenvalues are real and different")
    return {"eigenvalues": sorted(roots)}


def _rank(rows: Rows) -> Figures:
    exact, rank = _exact(rows), 0
    for column in range(len(exact[0])):
        pivot = next((i for i in range(rank, len(exact)) if exact[i][column]), None)
        if pivot is None:
            continue
        exact[rank], exact[pivot] = exact[pivot], exact[rank]
        for i in range(rank + 1, len(exact)):
            factor = exact[i][column] / exact[rank][column]
            exact[i] = [a - factor * b for a, b in zip(exact[i], exact[rank], strict=True)]
        rank += 1
    return {"rank": rank}


def _product(first: Rows, second: Rows) -> Figures:
    a, b = _exact(first), _exact(second)
    columns = list(zip(*b, strict=True))
    return {
        "product": [
            [float(sum(x * y for x, y in zip(row, column, strict=True))) for column in columns]
            for row in a
        ]
    }


class _Sum:
    """Works an expression out by recursive descent over its pieces, with fractions."""

    def __init__(self, expression: str) -> None:
        self._pieces = expression.replace("(", " ( ").replace(")", " ) ").split()
        self._at = 0

    def value(self) -> Fraction:
        total = self._sum()
        if self._at != len(self._pieces):
            raise ValueError(f"`{self._pieces[self._at]}` stands where no number can stand")
        return total

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self) -> str:
        self._at += 1
        return self._pieces[self._at - 1] if self._at <= len(self._pieces) else ""

    def _sum(self) -> Fraction:
        total = self._product()
        while self._next() in ("+", "-"):
            total += self._product() if self._take() == "+" else -self._product()
        return total

    def _product(self) -> Fraction:
        total = self._signed()
        while self._next() in ("*", "/"):
            if self._take() == "*":
                total *= self._signed()
            else:
                total /= self._signed()
        return total

    def _signed(self) -> Fraction:
        if self._next() == "-":
            self._take()
            return -self._signed()
        return self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        if self._next() == "**":
            self._take()
            exponent = self._signed()
            if exponent.denominator != 1 or abs(exponent) > 1000:
                return Fraction(math.exp(float(exponent) * math.log(base)))
            return base ** int(exponent)
        return base

    def _atom(self) -> Fraction:
        piece = self._take()
        if piece == "(":
            value = self._sum()
            if self._take() != ")":
                raise ValueError("a bracket is not closed")
            return value
        return Fraction(piece)


def _primes(number: float) -> list[int]:
    """The prime factors, by a sieve of the numbers up to the root."""
    left, factors = int(number), list[int]()
    sieve = bytearray([1]) * (math.isqrt(left) + 1)
    for n in range(2, len(sieve)):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, len(sieve), n)))
            while left % n == 0:
                factors.append(n)
                left //= n
    return factors + [left] * (left > 1)


def _gcd(values: Sequence[float]) -> int:
    result = 0
    for value in map(int, values):
        while value:
            result, value = value, result % value
    return abs(result)


def _lcm(values: Sequence[float]) -> int:
    result = 1
    for value in map(int, values):
        result = result * value // _gcd((result, value))
    return result


def _root_of(number: float) -> float:
    low, high = 0.0, max(1.0, number)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if middle * middle < number else (low, middle)
    return (low + high) / 2


def _shares(parts: Sequence[float]) -> list[Fraction]:
    whole = sum(map(Fraction, parts))
    return [Fraction(part) / whole for part in parts]


def _log_of(number: float) -> float:
    """The natural logarithm: halvings, and the series of the inverse hyperbolic tangent."""
    mantissa, exponent = math.frexp(number)
    z = (mantissa - 1) / (mantissa + 1)
    of_two = 2 * math.fsum(3.0 ** -(2 * n + 1) / (2 * n + 1) for n in range(40))
    return 2 * math.fsum(z ** (2 * n + 1) / (2 * n + 1) for n in range(60)) + exponent * of_two


EXPECTED: Mapping[str, Callable[..., Figures]] = {
    "linear_system": _linear_system,
    "quadratic": _quadratic,
    "determinant": lambda rows: {"determinant": float(_determinant_of(_exact(rows)))},
    "inverse": _inverse,
    "eigenvalues": _eigenvalues,
    "transpose": lambda rows: {"transpose": [list(column) for column in zip(*rows, strict=True)]},
    "rank": _rank,
    "trace": lambda rows: {"trace": math.fsum(row[i] for i, row in enumerate(rows))},
    "matrix_product": _product,
    "dot_product": lambda first, second: {
        "dot_product": math.fsum(a * b for a, b in zip(first, second, strict=True))
    },
    "matrix_sum": lambda first, second: {
        "sum": [[float(a + b) for a, b in zip(*rows, strict=True)]
                for rows in zip(_exact(first), _exact(second), strict=True)]
    },
    "cube_root": lambda number: {
        "cube_root": math.copysign(math.exp(math.log(abs(number)) / 3), number) if number else 0.0
    },
    "ratio_parts": lambda total, parts: {
        "parts": [float(Fraction(str(total)) * share) for share in _shares(parts)]
    },
    "log_ten": lambda number: {"log10": _log_of(number) / _log_of(10)},
    "log_two": lambda number: {"log2": _log_of(number) / _log_of(2)},
    "log_natural": lambda number: {"ln": _log_of(number)},
    "remainder": lambda number, by: {
        "remainder": int(number) - int(by) * int(Fraction(number) / Fraction(by)),
        "quotient": int(Fraction(number) / Fraction(by)),
    },
    "arithmetic": lambda expression: {"value": float(_Sum(expression).value())},
    "gcd": lambda values: {"gcd": _gcd(values)},
    "lcm": lambda values: {"lcm": _lcm(values)},
    "prime_factors": lambda number: {"prime_factors": _primes(number)},
    "is_prime": lambda number: {"prime": number > 1 and len(_primes(number)) == 1},
    "square_root": lambda number: {"square_root": _root_of(number)},
    "sum_of_range": lambda first, last: {
        "sum": (int(first) + int(last)) * (int(last) - int(first) + 1) // 2
    },
}  # fmt: skip


def _no_solution(
    matrix: Rows, constants: Sequence[float], names: Sequence[str], equations: Sequence[str] = ()
) -> str:
    del constants, equations
    if len(matrix) > _MOST_SIZE:
        return f"{len(matrix)} equations are more than the {_MOST_SIZE} that are solved here"
    if _determinant_of(_exact(matrix)) == 0:
        return f"these equations do not settle {', '.join(names)}: they contradict or repeat"
    return ""


def _no_square(rows: Rows) -> str:
    if len(rows) > _MOST_SIZE or any(len(row) != len(rows) for row in rows):
        return (
            f"a matrix of {len(rows)} by {len(rows[0])} is not square, or larger than {_MOST_SIZE}"
        )
    return ""


def _no_inverse(rows: Rows) -> str:
    problem = _no_square(rows)
    if problem:
        return problem
    return (
        "" if _determinant_of(_exact(rows)) else "this matrix has no inverse: its determinant is 0"
    )


def _no_eigenvalues(rows: Rows) -> str:
    problem = _no_square(rows) or ("" if len(rows) <= 5 else "only matrices up to 5 by 5")
    if problem:
        return problem
    try:
        _eigenvalues(rows)
    except ValueError as error:
        return f"eigenvalues are told only if {str(error).removeprefix('not all eigenvalues are ')}"
    return ""


def _no_product(first: Rows, second: Rows) -> str:
    if len(first[0]) != len(second):
        return f"{len(first[0])} columns do not fit {len(second)} rows"
    return ""


def _no_arithmetic(expression: str) -> str:
    try:
        value = _Sum(expression).value()
        float(value)
    except ZeroDivisionError:
        return f"{expression} divides by 0"
    except (ValueError, OverflowError) as error:
        return f"{expression} cannot be worked out: {error}"
    return ""


def _no_whole(number: float) -> str:
    whole = number == int(number) and 0 < number <= _MOST_NUMBER
    return "" if whole else f"{number:g} is no whole number from 1 to {_MOST_NUMBER:g}"


def _not_all_whole(values: Sequence[float]) -> str:
    return next((problem for value in values if (problem := _no_whole(value))), "")


def _not_above_0(number: float) -> str:
    return "" if number > 0 else f"{number:g} has no logarithm"


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "linear_system": _no_solution,
    "quadratic": lambda a, **_: "" if a else "without a square this is no quadratic equation",
    "determinant": _no_square,
    "inverse": _no_inverse,
    "eigenvalues": _no_eigenvalues,
    "trace": _no_square,
    "matrix_product": _no_product,
    **dict.fromkeys(("log_ten", "log_two", "log_natural"), _not_above_0),
    "ratio_parts": lambda parts, **_: (
        "" if all(part > 0 for part in parts) else "the parts of a ratio are above 0"
    ),
    "remainder": lambda number, by: (
        "" if by >= 1 and number >= 0 and by == int(by) and number == int(number) < 1e15
        else "a remainder needs two whole numbers from 0 on"
    ),
    "arithmetic": _no_arithmetic,
    "gcd": _not_all_whole,
    "lcm": _not_all_whole,
    "prime_factors": _no_whole,
    "is_prime": _no_whole,
    "square_root": lambda number: "" if number >= 0 else f"{number:g} has no real square root",
    "sum_of_range": lambda first, last: (
        "" if first == int(first) and last == int(last) and first <= last and last - first < 1e7
        else "a sum needs two whole numbers, the smaller first, at most 10 million apart"
    ),
}  # fmt: skip
