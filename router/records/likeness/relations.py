"""Relations between the numbers of example records: a total is quantity times price, shares add up
to one. Pure.

A relation must hold in every example. Of a single example, numbers of few digits prove nothing, so
there the relation must be between concepts that are known to depend on each other, or exact to four
digits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from router.records.catalogue.naming import words_of

Row = Mapping[str, float]
# What one of the first unit is in the second.
_FACTORS = {
    ("kg", "lb"): 2.20462, ("kg", "lbs"): 2.20462, ("kg", "g"): 1000.0, ("cm", "in"): 0.393701,
    ("cm", "inches"): 0.393701, ("m", "ft"): 3.28084, ("km", "mi"): 0.621371,
    ("km", "miles"): 0.621371, ("m", "cm"): 100.0, ("km", "m"): 1000.0, ("hours", "minutes"): 60.0,
    ("minutes", "seconds"): 60.0, ("min", "sec"): 60.0, ("l", "ml"): 1000.0, ("gb", "mb"): 1024.0,
    ("kb", "bytes"): 1024.0, ("l", "gal"): 0.264172, ("s", "ms"): 1000.0,
}  # fmt: skip
_MOST_FIELDS = 12
_CENT = 0.0051
_SUMS = frozenset(
    {"subtotal", "tax", "total", "amount", "shipping_cost", "discount", "price", "salary"}
)
_RATES = frozenset({"percentage", "tax_rate", "discount", "interest_rate"})
_PRODUCTS = frozenset(
    (
        "quantity price unit_price subtotal total amount tax tax_rate hours hourly_rate rent "
        "budget cost months days"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Relation:
    """`target` follows from `parts`; `kind` is product, sum, mean, ratio, percent, less (a
    percentage less), bmi, scale (another unit: `whole` of it), or whole: the rest to `whole`."""

    kind: str
    target: str
    parts: tuple[str, ...]
    whole: float = 0.0

    def value(self, of: Row) -> float | None:
        """The target's value; None while a part is missing."""
        if any(part not in of for part in self.parts):
            return None
        values = [of[part] for part in self.parts]
        match self.kind:
            case "product":
                return values[0] * values[1]
            case "percent":
                return values[0] * values[1] / 100
            case "less":
                return values[0] * (1 - values[1] / 100)
            case "sum":
                return sum(values)
            case "mean":
                return sum(values) / len(values)
            case "ratio":
                return values[0] / values[1] if values[1] else None
            case "bmi":
                return values[0] / (values[1] / 100) ** 2 if values[1] else None
            case "scale":
                return values[0] * self.whole
            case "fahrenheit":
                return values[0] * 1.8 + 32
        return self.whole - sum(values)

    def part(self, name: str, of: Row) -> float | None:
        """The value of a part, where the target and the other parts are there."""
        others = [part for part in self.parts if part != name]
        if self.target not in of or any(other not in of for other in others):
            return None
        target, rest = of[self.target], [of[other] for other in others]
        match self.kind:
            case "scale":
                return target / self.whole
            case "fahrenheit":
                return (target - 32) / 1.8
            case "product":
                return target / rest[0] if rest[0] else None
            case "sum":
                return target - sum(rest)
            case "mean":
                return target * len(self.parts) - sum(rest)
            case "ratio" if rest[0]:
                whole = name == self.parts[0]
                return target * rest[0] if whole else rest[0] / target if target else None
            case "whole":
                return self.whole - target - sum(rest)
        return None


def relations_in(rows: Sequence[Row], concepts: Mapping[str, str]) -> tuple[Relation, ...]:
    """The relations that hold in every row, at most one for each target."""
    names = [name for name in concepts if rows and all(name in row for row in rows)]
    made: dict[str, Relation] = {}
    for relation in _candidates(names[:_MOST_FIELDS]):
        free = relation.target not in made and not any(
            relation.target in other.parts and other.target in relation.parts
            for other in made.values()
        )
        if free and _holds(relation, rows) and _proven(relation, rows, concepts):
            made[relation.target] = relation
    made |= _body_mass(concepts)
    made |= {r.target: r for r in _other_units(list(concepts)) if r.target not in made}
    return tuple(made.values())


def _other_units(names: Sequence[str]) -> Iterator[Relation]:
    """The same measure in another unit: `weight_kg` and `weight_lb`."""
    split = {name: words_of(name) for name in names}
    for part, target in permutations(names, 2):
        mine, other = split[part], split[target]
        if len(mine) < 2 or mine[:-1] != other[:-1]:
            continue
        units = (mine[-1], other[-1])
        if units in _FACTORS:
            yield Relation("scale", target, (part,), _FACTORS[units])
        elif units in (("c", "f"), ("celsius", "fahrenheit")):
            yield Relation("fahrenheit", target, (part,))


def _body_mass(concepts: Mapping[str, str]) -> dict[str, Relation]:
    by_concept = {concept: name for name, concept in concepts.items()}
    parts = [by_concept.get(concept, "") for concept in ("body_weight", "height")]
    target = by_concept.get("bmi", "")
    return {target: Relation("bmi", target, tuple(parts))} if target and all(parts) else {}


def _candidates(names: Sequence[str]) -> Iterator[Relation]:
    for size in (3, 2, 4):
        for group in combinations(names, size):
            yield from (Relation("whole", group[-1], group[:-1], whole) for whole in (1.0, 100.0))
    for target in names:
        others = [name for name in names if name != target]
        for size in (2, 3):
            yield from (Relation("sum", target, group) for group in combinations(others, size))
        yield from (Relation("product", target, pair) for pair in combinations(others, 2))
        yield from (Relation("mean", target, pair) for pair in combinations(others, 2))
        for pair in permutations(others, 2):
            yield Relation("percent", target, pair)
            yield Relation("less", target, pair)
    for target, part, whole in permutations(names, 3):  # after products, which say the same
        yield Relation("ratio", target, (part, whole))


def _holds(relation: Relation, rows: Sequence[Row]) -> bool:
    for row in rows:
        value = relation.value(row)
        wide = _CENT if relation.kind != "ratio" else min(_CENT, 0.02 * abs(value or 0.0))
        if value is None or abs(value - row[relation.target]) > wide:
            return False
    return True


def _proven(relation: Relation, rows: Sequence[Row], concepts: Mapping[str, str]) -> bool:
    """Whether the examples are more than a coincidence."""
    members = (*relation.parts, relation.target)
    if any(row[name] in (0, 1) for row in rows for name in relation.parts):
        rows = [row for row in rows if not any(row[name] in (0, 1) for name in relation.parts)]
        if not rows:
            return False
    if relation.kind == "whole":
        values = [row[name] for row in rows for name in members]
        if relation.whole == 1.0:
            return all(0 <= value <= 1 for value in values) and len(members) > 1
        return all(0 <= value <= 100 for value in values) and (len(rows) > 1 or len(members) > 2)
    if relation.kind == "ratio" and not all(0 <= row[relation.target] <= 1 for row in rows):
        return False
    distinct = {tuple(row[name] for name in members) for row in rows}
    usual = _SUMS if relation.kind == "sum" else _PRODUCTS
    by_name = all(concepts[name] in usual for name in members)
    if len(distinct) > 1:
        return by_name or all(_digits(row[relation.target]) >= 2 for row in rows)
    least = 3 if relation.kind in ("sum", "percent", "less") else 4
    if relation.kind == "percent" and concepts[relation.parts[1]] in _RATES:
        least = 2
    return by_name or all(_digits(row[relation.target]) >= least for row in rows)


def _digits(value: float) -> int:
    return len(f"{abs(value):.6f}".replace(".", "").strip("0"))
