"""Reads equations, matrices and plain arithmetic."""

import re
from collections.abc import Sequence
from itertools import pairwise

from sandbox.reading import equations, phrases
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.spec import Analysis, Spec

Rows = tuple[tuple[float, ...], ...]
_OF_A_MATRIX = {
    "determinant": "determinant", "inverse_matrix": "inverse", "eigenvalue": "eigenvalues",
    "transpose": "transpose", "matrix_rank": "rank", "trace": "trace",
}  # fmt: skip
_SIGNS = {"op_plus": "+", "op_minus": "-", "op_times": "*", "op_over": "/", "op_power": "**"}


_OPEN = frozenset({"(", *_SIGNS.values()})


def _matrices(reader: Reader) -> list[Rows]:
    """Take the matrices: lists in brackets, one after another."""
    matrices: list[Rows] = []
    rows: list[tuple[float, ...]] = []
    last = -9
    for place in reader.free("list"):
        between = reader.tokens[last + 1 : place]
        if rows and any(token.stem not in (",", ";", "\n") for token in between):
            matrices.append(tuple(rows))
            rows = []
        rows.append(reader.at(place).values)
        last = place
    return [*matrices, tuple(rows)] if rows else matrices


def _matrix(reader: Reader) -> Spec | None:
    wants = [concept for concept in _OF_A_MATRIX if reader.take_all(concept)]
    dots = bool(reader.take_all("dot_product"))
    product = bool(reader.take_all("matrix_product"))
    summed = bool(reader.take_all("matrix_sum")) if not (wants or product or dots) else False
    matrices = _matrices(reader)
    named = bool(reader.take_all("matrix_word"))
    if any(len(row) != len(rows[0]) for rows in matrices for row in rows):
        raise NotUnderstood("the rows of a matrix have different lengths")
    if (dots or summed) and len(matrices) == 2 and not wants and not product:
        first, second = matrices
        if [len(row) for row in first] != [len(row) for row in second]:
            raise NotUnderstood("the two have different sizes")
        if dots and len(first) == 1:
            return calculation("dot_product", {"first": first[0], "second": second[0]})
        both = {"first": first, "second": second}
        return calculation("matrix_sum", both) if summed and (named or len(first) > 1) else None
    if product and not wants and not dots and len(matrices) == 2:
        return calculation("matrix_product", {"first": matrices[0], "second": matrices[1]})
    if len(matrices) != 1 or not wants or product:
        return None
    analyses = tuple(
        Analysis(_OF_A_MATRIX[want], parameters={"rows": matrices[0]}) for want in wants
    )
    return Spec("calculate", analyses=analyses)


def _equations(reader: Reader) -> Spec | None:
    read = equations.take(reader)
    if not read or (len(read) == 1 and re.fullmatch(r"\w+ = -? ?[\d.,]+", read[0].text)):
        return None  # `z = 1.96` states a value
    reader.take_all("solve_word")
    names = tuple(dict.fromkeys(name for equation in read for name in equation.linear))
    names += tuple(n for e in read for n in e.squares if n not in names)
    reader.labels |= {name.lower() for name in names}
    for place in (*reader.free("word"), *reader.free("concept")):
        if reader.tokens[place].text in names:
            reader.taken.add(place)
    if any(equation.squares for equation in read):
        if len(read) != 1 or len(names) != 1:
            raise NotUnderstood(
                "of equations with squares, one equation with one unknown is solved"
            )
        (name,) = names
        a, b, c = read[0].squares[name], read[0].linear.get(name, 0.0), -read[0].constant
        if "(" in read[0].text or "/" in read[0].text:
            raise NotUnderstood("write a quadratic equation without brackets and fractions")
        return calculation("quadratic", {"a": a, "b": b, "c": c, "name": name})
    if len(read) > 1 and all(list(e.linear.values()) == [1.0] for e in read):
        raise NotUnderstood("write the equation itself, such as 2x^2 + 5x + 3 = 0")
    if len(read) != len(names):
        raise NotUnderstood(f"{len(read)} equations do not settle {len(names)} unknowns")
    matrix = tuple(tuple(e.linear.get(name, 0.0) for name in names) for e in read)
    constants = tuple(equation.constant for equation in read)
    system = {"matrix": matrix, "constants": constants, "names": names}
    if any("(" in equation.text or "/" in equation.text for equation in read):
        system["equations"] = tuple(equation.text for equation in read)
    return calculation("linear_system", system)


def _purchases(reader: Reader) -> Spec | None:
    """`Three coffees and two croissants cost 8.10; one coffee and four croissants cost 7.70.`"""
    bought = equations.purchases(reader)
    if len(bought) != 2 or not reader.take_all("each_price", "cost_word"):
        return None
    names = tuple(dict.fromkeys(name for purchase in bought for name in purchase.linear))
    if len(names) != 2:
        return None
    reader.take_all("cost_word", "each_price")
    reader.labels |= {*names, *(name.removesuffix("e") for name in names)}
    matrix = tuple(tuple(p.linear.get(name, 0.0) for name in names) for p in bought)
    constants = tuple(p.constant for p in bought)
    return calculation("linear_system", {"matrix": matrix, "constants": constants, "names": names})


def _arithmetic(reader: Reader) -> Spec | None:
    """Numbers with signs between them, and nothing else that means anything."""
    pieces: list[str] = []
    places: list[int] = []
    for place, token in enumerate(reader.tokens):
        sign = next((s for concept, s in _SIGNS.items() if token.means(concept)), "")
        piece = ""
        if token.kind == "number" and token.unit == "" and not token.unclear:
            whole = token.value == int(token.value) and abs(token.value) < 1e15
            piece = repr(int(token.value) if whole else token.value)
            if token.fraction:
                # No brackets: a power binds tighter than the stroke, as in 2^10/4 and 3/2^2.
                piece = f"{token.fraction[0]:.15g} / {token.fraction[1]:.15g}"
        elif token.stem in ("(", ")", "+", "-", "*", "/", "^", "**", "×", "÷"):
            piece = {"^": "**", "×": "*", "÷": "/"}.get(token.stem, token.stem)
        elif sign:
            piece = sign
        if piece:
            pieces.append(piece)
            places.append(place)
    joined = all(b - a == 1 for a, b in pairwise(places))
    numbers = sum(piece.strip("-")[:1].isdigit() for piece in pieces)
    if not joined or numbers < 2 or not any(p in ("+", "-", "*", "/", "**") for p in pieces):
        return None
    after = reader.tokens[places[-1] + 1 : places[-1] + 2]
    if after and may_be_label(after[0]):  # `people with 160-170 IQ points`
        return None
    if any(a not in _OPEN and b == "(" for a, b in pairwise(pieces)):
        raise NotUnderstood("write `*` before a bracket that multiplies")
    reader.taken.update(places)
    return calculation("arithmetic", {"expression": " ".join(pieces)})


_OF_A_NUMBER = ("cube_root", "log_ten", "log_two", "log_natural")


def _numbers(reader: Reader) -> Spec | None:
    """Divisors, primes, roots and sums of whole numbers."""
    if reader.take_all("sum_of_range"):
        ends = phrases.take(reader, "range_ends #a. range_ends #b.", "#a. range_ends #b.")
        reader.take_all("range_ends")
        if ends is None:
            return None
        return calculation("sum_of_range", {"first": ends["a"].value, "last": ends["b"].value})
    groups = sum(a.stem == "(" and b.kind == "number" for a, b in pairwise(reader.tokens))
    for concept in ("gcd", "lcm"):
        if reader.take_all(concept):
            if groups > 1:
                raise NotUnderstood("ask for the divisor or multiple of one group of numbers")
            values = _whole_numbers(reader)
            return calculation(concept, {"values": values}) if len(values) >= 2 else None
    for concept in ("prime_factors", "is_prime", "square_root", *_OF_A_NUMBER):
        asked_for = reader.take_all(concept)
        if concept == "is_prime" and any(token.text.lower().endswith("s") for token in asked_for):
            return None  # `30 prime numbers` asks for them
        if asked_for:
            number = reader.only_number("")
            return calculation(concept, {"number": number.value}) if number else None
    if reader.has("remainder"):
        pair = phrases.take(
            reader, "#a. remainder #b.", "remainder #a. op_over|divided_word #b.", "remainder #a. #b."
        )  # fmt: skip
        reader.take_all("op_over", "divided_word", "remainder")
        if pair:
            return calculation("remainder", {"number": pair["a"].value, "by": pair["b"].value})
    return None


def _whole_numbers(reader: Reader) -> tuple[float, ...]:
    listed: Sequence[float] = [v for i in reader.free("list") for v in reader.at(i).values]
    free = [reader.at(i) for i in reader.free("number")]
    return (*listed, *(token.value for token in free if token.text[:1].isdigit()))  # `two numbers`


RULES: tuple[Rule, ...] = (
    Rule(
        "figures of a matrix", frozenset({*_OF_A_MATRIX, "matrix_product", "dot_product", "matrix_sum"}), _matrix,
        "one matrix such as [[1, 2], [3, 4]], or two to multiply",
    ),
    Rule(
        "equations", frozenset({"exactly", "solve_word"}), _equations,
        "linear equations such as 2x + y = 7, or one quadratic equation",
    ),
    Rule(
        "two prices from two purchases", frozenset({"cost_word"}), _purchases,
        "what two purchases of the same two things cost",
    ),
    Rule(
        "arithmetic", frozenset(),  # its signs are no words
        _arithmetic, "numbers with + - * / ^ and brackets",
    ),
    Rule(
        "whole numbers",
        frozenset(
            {"gcd", "lcm", "is_prime", "prime_factors", "square_root", "sum_of_range"}
            | {*_OF_A_NUMBER, "remainder"}
        ),
        _numbers, "a common divisor or multiple, primes, a square root, or 1 + 2 + ... + n",
    ),
)  # fmt: skip
