"""What else explains the answers that a program gives too, and what tells both apart. Pure.

The least common multiple of 4 and 9 is their product, and 2 + 2 is 2 * 2. So a program that gives
the well rated answers of a wording is compared, on other values that such requests may hold, with
simple calculations that give these answers as well.
"""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import permutations
from statistics import median

from router.reuse.forms.form import Form, form_of, with_values

_NUMBER = re.compile(r"\d++(?:\.\d++)?")
_FIGURE = re.compile(r"-?\d++(?:\.\d++)?")
_KINDS = {"#number", "#list"}  # values whose numbers a simple calculation reads
_MOST_NUMBERS = 64
_FORMULAS_OF = 3  # numbers at most that are combined in pairs and threes
_MOST_TEXTS = 24
_LARGEST = 10**12
_NOISE = 1e-12  # share by which one number, calculated in two ways, may differ

_PAIRS: dict[str, Callable[[float, float], float]] = {
    "x+y": lambda x, y: x + y,
    "x-y": lambda x, y: x - y,
    "x*y": lambda x, y: x * y,
    "x/y": lambda x, y: x / y,
    "x//y": lambda x, y: x // y,
    "x%y": lambda x, y: x % y,
    "x**y": lambda x, y: x**y if y <= 20 else math.inf,
    "up(x/y)": lambda x, y: math.ceil(x / y),
    "x*y%": lambda x, y: x * y / 100,
    "x+y%": lambda x, y: x * (1 + y / 100),
    "x-y%": lambda x, y: x * (1 - y / 100),
    "x/y%": lambda x, y: 100 * x / y,
}
_FOLDS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "product": math.prod,
    "mean": lambda numbers: math.fsum(numbers) / len(numbers),
    "median": median,
    "least": min,
    "most": max,
    "span": lambda numbers: max(numbers) - min(numbers),
    "count": len,
    "lcm": lambda numbers: math.lcm(*_whole(numbers)),
    "gcd": lambda numbers: math.gcd(*_whole(numbers)),
}
# Other numbers in the places of a request's own. Each takes a number and its place.
_CHANGES: tuple[Callable[[Decimal, int], Decimal], ...] = (
    lambda number, _: number * 2,
    lambda number, place: number * (6, 4)[place % 2],
    lambda number, place: number * (4, 6)[place % 2],
    lambda number, place: number + 1 + place,
    lambda number, place: number + (7, 2)[place % 2],
)


def simple_answers(form: Form) -> dict[str, float]:
    """What each simple calculation makes of the numbers of a request; none of other values."""
    numbers = [float(number) for number in _numbers(form)]
    if not numbers or len(numbers) > _MOST_NUMBERS or max(numbers) > _LARGEST:
        return {}
    answers = {name: _calculated(fold, numbers) for name, fold in _FOLDS.items()}
    for place in (0, -1):
        answers[f"number {place}"] = numbers[place]
    if len(numbers) <= _FORMULAS_OF:
        answers |= {f"square {n}": number * number for n, number in enumerate(numbers)}
        answers |= {f"number {n}": number for n, number in enumerate(numbers)}
        for i, j in permutations(range(len(numbers)), 2):
            for name, pair in _PAIRS.items():
                answers[f"{name} {i} {j}"] = _calculated(pair, numbers[i], numbers[j])
    if len(numbers) == _FORMULAS_OF:
        for i, j, k in permutations(range(3)):
            for first in ("x+y", "x-y", "x*y", "x/y"):
                x = answers[f"{first} {i} {j}"]
                for then in ("x+y", "x-y", "x*y", "x/y", "x*y%", "x+y%", "x-y%"):
                    value = _calculated(_PAIRS[then], x, numbers[k])
                    answers[f"{first} {then} {i} {j} {k}"] = value
    return {name: answer for name, answer in answers.items() if math.isfinite(answer)}


def gives(value: float, answer: str) -> bool:
    """Whether the only number of an answer is this value, to the digits that the answer shows."""
    figures = _FIGURE.findall(answer.replace(",", ""))
    if len(figures) != 1:
        return False
    digits = len(figures[0].partition(".")[2])
    return abs(value - float(figures[0])) <= 0.5001 * 10.0**-digits + _NOISE * abs(value)


def with_other_values(request: str, others: Sequence[Form]) -> list[str]:
    """The request with other values: its own numbers changed, in another order or all the same, and
    the values of other requests."""
    form = form_of(request)
    if form is None:
        return []
    numbers = _numbers(form)
    changed = [[change(x, n) for n, x in enumerate(numbers)] for change in _CHANGES]
    changed += [list(reversed(numbers)), numbers[1:] + numbers[:1], numbers[:1] * len(numbers)]
    values = [_placed(form, each) for each in changed] if numbers else []
    values += [other.values for other in others]
    texts = [with_values(request, form, each) for each in values if each != form.values]
    return [text for text in dict.fromkeys(texts) if text][:_MOST_TEXTS]


def _numbers(form: Form) -> list[Decimal]:
    return [
        Decimal(number)
        for kind, value in zip(form.kinds, form.values, strict=True)
        if kind in _KINDS
        for number in _NUMBER.findall(value)
    ]


def _placed(form: Form, numbers: Sequence[Decimal]) -> tuple[str, ...]:
    """The form's values with these numbers in place of its own."""
    rest = iter(numbers)
    return tuple(
        _NUMBER.sub(lambda _: f"{next(rest):f}", value) if kind in _KINDS else value
        for kind, value in zip(form.kinds, form.values, strict=True)
    )


def _calculated(calculation: Callable[..., float], *operands: object) -> float:
    try:
        return float(calculation(*operands))
    except (ArithmeticError, ValueError):
        return math.nan


def _whole(numbers: Sequence[float]) -> list[int]:
    if not all(number.is_integer() for number in numbers):
        raise ValueError("no whole number")
    return [int(number) for number in numbers]
