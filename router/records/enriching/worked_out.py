"""Numbers that follow from others by their names: means, counts, balances, takings."""

from collections.abc import Mapping

from router.records.catalogue.naming import words_of
from router.records.enriching.made_values import Made
from router.records.likeness.links import is_number

_MEAN = frozenset(("media", "average", "avg", "mean", "promedio"))
_OTHER = frozenset(("min", "max", "minima", "maxima", "minimum", "maximum", "total"))
_PASSED = frozenset(("passed", "pass", "aprobado", "aprobada"))
_COUNT = frozenset(("item", "items", "line", "lines", "count", "num", "number", "articulos"))
_BALANCE = frozenset(("balance", "saldo"))
_BEFORE = frozenset(("before", "opening", "previous", "old", "anterior", "inicial", "previo"))
_AFTER = frozenset(("after", "closing", "new", "final", "posterior", "actual", "resultante"))
_TAKEN = frozenset(("debit", "withdrawal", "cargo", "adeudo", "retirada", "charge", "fee"))
_AREA = frozenset(("area", "surface", "superficie", "m2", "sqm"))
_PER_METRE = frozenset(("priceperm2", "pricepersqm", "pricem2", "preciom2", "preciopormetro"))


def by_names(made: Made) -> None:
    """Put right the new numbers whose names say how they follow from others."""
    _means(made)
    _counts(made)
    _balances(made)
    _per_area(made)


def _means(made: Made) -> None:
    """A mean of the numbers beside it, and whether it is a pass."""
    numbers = made.numbers()
    for key in [key for key in made.new if key in numbers and _MEAN & set(words_of(key))]:
        rest = set(words_of(key)) - _MEAN
        others = [
            k
            for k in numbers
            if k != key and set(words_of(k)) & rest and not _OTHER & set(words_of(k))
        ]
        if rest and len(others) > 1:
            made.put(key, round(sum(numbers[k] for k in others) / len(others), 1))
    grades = [k for k in numbers if _MEAN & set(words_of(k)) and 0 <= made.values[k] <= 10]
    for key in made.new:
        if grades and _PASSED & set(words_of(key)) and isinstance(made.values[key], bool):
            made.put(key, made.values[grades[0]] >= 5)


def _counts(made: Made) -> None:
    """How many pieces a record has in its list of lines."""
    lists = [value for value in made.values.values() if isinstance(value, list) and value]
    keys = [k for k in made.new if len(set(words_of(k)) & _COUNT) > 1 and is_number(made.values[k])]
    if len(lists) != 1 or not keys:
        return
    pieces = [
        value
        for line in lists[0]
        if isinstance(line, Mapping)
        for name, value in line.items()
        if words_of(name)[:1] in (["qty"], ["quantity"], ["cantidad"], ["uds"]) and is_number(value)
    ]
    made.put(keys[0], sum(pieces) if len(pieces) == len(lists[0]) else len(lists[0]))


def _balances(made: Made) -> None:
    """What was there, less or more by the amount, is what is there after it."""
    numbers = made.numbers()
    money = [key for key in numbers if _BALANCE & set(words_of(key))]
    before = [key for key in money if _BEFORE & set(words_of(key))]
    after = [key for key in money if _AFTER & set(words_of(key))]
    amounts = [key for key in numbers if words_of(key)[-1:] in (["amount"], ["importe"])]
    if not (len(before) == len(after) == len(amounts) == 1):
        return
    kinds = {word for v in made.values.values() if isinstance(v, str) for word in words_of(v[:20])}
    amount = abs(numbers[amounts[0]]) * (-1 if kinds & _TAKEN else 1)
    if after[0] in made.new:
        made.put(after[0], round(numbers[before[0]] + amount, 2))
    else:
        made.put(before[0], round(numbers[after[0]] - amount, 2))


def _per_area(made: Made) -> None:
    """A price for one square metre."""
    numbers = made.numbers()
    areas = [k for k in numbers if _AREA & set(words_of(k)[:1])]
    prices = [k for k in numbers if words_of(k)[-1:] in (["price"], ["precio"])]
    for key in numbers:
        if key in made.new and _PER_METRE & {"".join(words_of(key))} and areas and prices:
            made.put(key, round(numbers[prices[0]] / max(numbers[areas[0]], 1), 2))


def takings(made: Made) -> None:
    """What was sold at a price is what was taken."""
    numbers = made.numbers()
    sold = [k for k in numbers if {"sold", "vendidas", "vendidos"} & set(words_of(k))]
    prices = [k for k in numbers if {"price", "precio"} & set(words_of(k))]
    for key in made.new & {k for k in numbers if {"revenue", "recaudacion"} & set(words_of(k))}:
        if len(sold) == len(prices) == 1:
            taken = round(made.values[sold[0]] * made.values[prices[0]], 2)
            made.put(key, round(taken) if isinstance(made.values[key], int) else taken)
