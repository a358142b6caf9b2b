"""The known values of one record, by concept, while the record is being filled.

A value that other values depend on is stored here, so that all fields of the record agree.
"""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from router.domain import Fault
from router.records.bounds import shown
from router.records.catalogue.tables import Product, Range, Trouble
from router.records.concepts import ELSEWHERE, PLACE
from router.records.enriching.place_table import Place
from router.records.likeness.handles import Form
from router.records.mock import Maker
from router.records.nodes import Node, ShapeLeaf

_NUMBERS = frozenset({"int", "number", "price"})
_YEARS = (200, 9_800)


@dataclass(slots=True)
class Facts:
    maker: Maker
    random: random.Random
    as_of: dt.date
    values: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)  # what the shape allows for each concept
    place: Place | None = None
    language: str = "en"
    product: tuple[Range, Product] | None = None  # what the record is about, once it is chosen
    trouble: Trouble | None = None
    series: int = 0  # the same for all records of an answer
    persons: dict[str, "Facts"] = field(default_factory=dict)  # the others that a record speaks of
    both_ends: int = 0  # 1 where a span of days counts its first and its last day
    entity: str = ""  # the kind of thing that the record is about
    money_off: bool = False  # whether a discount is an amount, not a percentage
    home: str = ""  # the country that the names of the fields speak of, such as `zip` and `state`
    start_of_way: "Facts | None" = None  # of the place to which the record leads
    form: Form | None = None  # how names become user names and addresses, by the examples

    def of(self, role: str) -> "Facts":
        """The facts of another person of the record; they share place and chance with it."""
        if not role:
            return self
        if role not in self.persons:
            here = {key: value for key, value in self.values.items() if key in PLACE}
            place = self.place
            if role == ELSEWHERE:
                here, place = {}, None
            own = Facts(self.maker, self.random, self.as_of, here, {}, place, self.language)
            own.form, own.start_of_way = self.form, self if role == ELSEWHERE else None
            self.persons[role] = own
        return self.persons[role]

    def number(self, concept: str) -> float | None:
        """The value of a concept if it is a number, else None."""
        value = self.values.get(concept)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    def day(self, concept: str) -> dt.date | None:
        """The value of a concept if it is or begins with a date, else None."""
        day = day_of(self.values.get(concept))
        if day is not None:
            check_year(concept, day.year)
        return day

    def cents_between(self, low: float, high: float) -> float:
        return min(max(round(self.random.uniform(low, high), 2), low), high)


def check_year(concept: str, year: int) -> None:
    """Refuse a year near which the calendar of `datetime` ends."""
    if not _YEARS[0] <= year <= _YEARS[1]:
        rule = f"must lie between {_YEARS[0]} and {_YEARS[1]}"
        raise Fault("bad_request", f"the year of {concept} = {shown(year)} {rule}: change the date")


def day_of(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10]) if value is not None else None
    except ValueError:
        return None


def bounds(node: Node | None, low: float, high: float) -> tuple[float, float]:
    """The range that the shape sets for a number; `low` and `high` if the shape sets no range."""
    if not isinstance(node, ShapeLeaf) or node.kind not in _NUMBERS:
        return low, high
    least = low if node.least is None else node.least
    most = max(high, least) if node.most is None else node.most
    return min(least, most), most
