"""Filling what is missing in records, so that it goes with what is there.

Nothing that was given is altered, a null included. The same records, shape and seed give the same
result: every value is drawn from a generator that is seeded by both.
"""

import datetime as dt
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from faker import Faker

from router.records.atlas import found
from router.records.concepts import ORDERED, PLACE, concept
from router.records.mock import Maker
from router.records.places import PLACES, Place
from router.records.shapes import Array, Node, Object, OneOf, ShapeLeaf

_NUMBERS = frozenset({"int", "number", "price"})
_DOMAINS = ("example.com", "example.org", "example.net")


def enriched(
    records: Sequence[Mapping[str, Any]], node: Node, *, seed: int, fake: Faker, as_of: dt.date
) -> list[dict[str, Any]]:
    """Each record with all that the shape has and it had not, in the order of the shape."""
    made = []
    for index, record in enumerate(records):
        content = orjson.dumps([seed, index, record], option=orjson.OPT_SORT_KEYS)
        own = int.from_bytes(blake2b(content, digest_size=7).digest(), "big")
        filler = _Filler(Maker(fake, own), random.Random(own), as_of)
        made.append(filler.fill(record, node, index))
    return made


@dataclass(slots=True)
class _Filler:
    """One record. What is known of it, under any of its keys, is known to all of them."""

    maker: Maker
    random: random.Random
    as_of: dt.date
    known: dict[str, Any] = field(default_factory=dict)
    wanted: dict[str, Node] = field(default_factory=dict)
    place: Place | None = None

    def fill(self, record: Mapping[str, Any], node: Node, index: int) -> dict[str, Any]:
        self._learn(record, node)
        _settle_money(self)
        return self._object(record, node, index)

    def _learn(self, record: Any, node: Node) -> None:
        """What the record says, and what its shape allows for the rest."""
        if isinstance(record, Mapping):
            for key, value in record.items():
                if isinstance(value, Mapping):
                    self._learn(value, Object(()))
                elif value is not None and not isinstance(value, list):
                    self.known.setdefault(concept(key), value)
        for key, inner in node.fields if isinstance(node, Object) else ():
            if isinstance(inner, Object):
                given = record.get(key) if isinstance(record, Mapping) else None
                self._learn(given or {}, inner)
            else:
                self.wanted.setdefault(concept(key), inner)

    def _object(self, record: Mapping[str, Any], node: Node, index: int) -> dict[str, Any]:
        if not isinstance(node, Object):
            return dict(record)
        fields = dict(node.fields)
        # What others follow from comes first, wherever the shape has it.
        order = sorted(fields, key=lambda key: _RANK.get(concept(key), len(_RANK)))
        new = {key: self._missing(key, fields[key], index) for key in order if key not in record}
        made = {
            key: new[key] if key in new else self._given(record[key], inner, index)
            for key, inner in node.fields
        }
        return made | {key: value for key, value in record.items() if key not in made}

    def _given(self, value: Any, node: Node, index: int) -> Any:
        """What was given stays; only what is missing inside of it is added."""
        if isinstance(value, Mapping) and isinstance(node, Object):
            return self._object(value, node, index)
        if isinstance(value, list) and isinstance(node, Array) and isinstance(node.item, Object):
            return [
                self._part(item, node.item, n) if isinstance(item, Mapping) else item
                for n, item in enumerate(value)
            ]
        return value

    def _part(self, item: Mapping[str, Any], node: Node, index: int) -> dict[str, Any]:
        """A record within the record: a thing of its own, in the same place."""
        here = {k: v for k, v in self.known.items() if k in PLACE}
        inner = _Filler(self.maker, self.random, self.as_of, here, {}, self.place)
        return inner.fill(item, node, index)

    def _missing(self, key: str, node: Node, index: int) -> Any:
        if isinstance(node, Object):
            return self._object({}, node, index)
        if isinstance(node, Array):
            if isinstance(node.item, Object):
                count = self.random.randint(node.least, node.most)
                return [self._part({}, node.item, n) for n in range(count)]
            return self.maker.make(node, key, index)
        about = concept(key)
        for value in self._worked_out(about, node):
            if _fits(value, node):
                self.known[about] = value
                return value
        value = self.maker.make(node, key, index)
        self.known.setdefault(about, value)
        return value

    def _worked_out(self, about: str, node: Node) -> Iterator[Any]:
        """Values that go with the rest, the best first; the shape has the last word."""
        if about in self.known:
            yield _as_leaf(self.known[about], node)
        if about in PLACE:
            yield from self._of_place(about, node)
        elif about in _WAYS:
            value = _WAYS[about](self, node)
            if value is not None:
                yield _as_leaf(value, node)
        elif any(about in pair for pair in ORDERED):
            yield self._moment(about, node)

    # -- where it is ----------------------------------------------------------------------------

    def _of_place(self, about: str, node: Node) -> Iterator[Any]:
        place = self._where()
        if about == "phone":
            yield _phone(place, self.random)
        elif about == "postcode":
            yield _digits(place.postcode, self.random)
        elif about == "dial_code":
            yield f"+{place.dial_code}"
        elif about == "locale":
            yield f"{place.language}_{place.country_code}"
        elif about in ("latitude", "longitude"):
            yield round(getattr(place, about) + self.random.uniform(-0.05, 0.05), 6)
        elif about == "country" and isinstance(node, OneOf):
            yield place.country
            yield place.country_code
        else:
            yield getattr(place, about)

    def _where(self) -> Place:
        """The place that agrees most with what is known, and with what the shape allows."""
        if self.place is None:
            self.place = self._elsewhere()
        if self.place is None:
            points = [(self._agreement(place), place) for place in PLACES]
            most = max(point for point, _ in points)
            self.place = self.random.choice([place for point, place in points if point == most])
        return self.place

    def _elsewhere(self) -> Place | None:
        """A place that was named, and that our own table does not hold."""
        city, country = self.known.get("city"), self.known.get("country_code")
        country = country or self.known.get("country")
        city, country = (text if isinstance(text, str) else "" for text in (city, country))
        country = _ALSO.get(country.lower(), country)
        if not city and not country:
            return None
        for place in PLACES:
            there = not country or _names_place("country", country, place)
            if there and (not city or _names_place("city", city, place)):
                return None
        return found(city, country)

    def _agreement(self, place: Place) -> float:
        points = 0.0
        for about, weight in _TELLING.items():
            known = self.known.get(about)
            if isinstance(known, str):
                points += weight * _names_place(about, known, place)
            elif isinstance(self.wanted.get(about), OneOf):
                points += weight * _allowed(about, self.wanted[about], place)
        return points

    def between(self, low: float, high: float) -> float:
        return min(max(round(self.random.uniform(low, high), 2), low), high)

    # -- when -----------------------------------------------------------------------------------

    def _moment(self, about: str, node: Node) -> Any:
        """A day after what comes before it, and before what comes after it."""
        earliest, latest = dt.date(2021, 1, 1), self.as_of
        for before, after in ORDERED:
            if after == about and (day := _day(self.known.get(before))) is not None:
                gap = 18 * 366 if before == "birth_date" else 0
                earliest = max(earliest if gap == 0 else day, day + dt.timedelta(days=gap))
                latest = min(max(latest, earliest), earliest + dt.timedelta(days=_GAPS[about]))
            if before == about and (day := _day(self.known.get(after))) is not None:
                latest = day
                earliest = (
                    min(earliest, day) if about == "birth_date" else day - dt.timedelta(days=30)
                )
        if latest < earliest:
            earliest = latest
        day = earliest + dt.timedelta(days=self.random.randint(0, (latest - earliest).days))
        known = [v for pair in ORDERED if about in pair for v in map(self.known.get, pair) if v]
        exact = isinstance(node, ShapeLeaf) and node.kind == "datetime"
        if exact or (known and "T" in str(known[0])):
            late = any(about == after for _, after in ORDERED)
            clock = "23:59:59" if late else "00:00:00"
            return f"{day.isoformat()}T{clock}+00:00"
        return day.isoformat()


# -- what follows from what, one by one ------------------------------------------------------------


def _first(self: _Filler, _: Node) -> Any:
    name = self.known.get("name")
    return name.split()[0] if isinstance(name, str) and name.split() else None


def _last(self: _Filler, _: Node) -> Any:
    name = self.known.get("name")
    return name.split()[-1] if isinstance(name, str) and len(name.split()) > 1 else None


def _name(self: _Filler, _: Node) -> Any:
    first, last = self.known.get("first_name"), self.known.get("last_name")
    parts = [part for part in (first, last) if isinstance(part, str) and part]
    if not parts:
        return None
    if len(parts) == 1:
        kind = "last_name" if first else "first_name"
        other = str(self.maker.make(ShapeLeaf(kind)))
        self.known[kind] = other
        parts = [parts[0], other] if first else [other, parts[0]]
    return " ".join(parts)


def _handle(self: _Filler) -> str:
    name = self.known.get("name") or " ".join(
        str(self.known[key]) for key in ("first_name", "last_name") if self.known.get(key)
    )
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    return ".".join(re.findall(r"[a-z0-9]+", plain))


def _email(self: _Filler, _: Node) -> Any:
    user = self.known.get("username")
    handle = _handle(self) or (str(user).lower() if user else "")
    domain = self.known.get("domain") or self.random.choice(_DOMAINS)
    return f"{handle}@{domain}" if re.fullmatch(r"[\w.+-]+", handle) else None


def _username(self: _Filler, _: Node) -> Any:
    email = self.known.get("email")
    if isinstance(email, str) and "@" in email:
        return email.split("@")[0]
    handle = _handle(self)
    return f"{handle.replace('.', '_')}{self.random.randint(1, 99)}" if handle else None


def _age(self: _Filler, node: Node) -> Any:
    born = _day(self.known.get("birth_date"))
    if born is not None:
        return _years(born, self.as_of)
    year = self.known.get("birth_year")
    if isinstance(year, int):
        return self.as_of.year - year
    low, high = _bounds(node, 18, 90)
    return self.random.randint(round(low), round(high))


def _born(self: _Filler, _: Node) -> Any:
    age = self.known.get("age")
    if not isinstance(age, int) or isinstance(age, bool) or not 0 <= age <= 150:
        year = self.known.get("birth_year")
        if isinstance(year, int):
            return dt.date(year, 1, 1 + self.random.randint(0, 27)).isoformat()
        low, high = _bounds(self.wanted.get("age"), 18, 90)
        age = self.random.randint(round(low), round(high))
        hired = _day(self.known.get("hired"))
        if hired is not None:
            age = max(age, _years(hired, self.as_of) + 19)
    last = _before(self.as_of, age)
    first = _before(self.as_of, age + 1) + dt.timedelta(days=1)
    return (first + dt.timedelta(days=self.random.randint(0, (last - first).days))).isoformat()


def _birth_year(self: _Filler, node: Node) -> Any:
    born = self.known.get("birth_date") or _born(self, node)
    self.known.setdefault("birth_date", born)
    return int(str(born)[:4])


def _price(self: _Filler, node: Node) -> Any:
    msrp, cost = _amount(self.known.get("msrp")), _amount(self.known.get("cost"))
    discount = _amount(self.known.get("discount"))
    if msrp is not None and discount is not None and 0 <= discount <= 100:
        return round(msrp * (1 - discount / 100), 2)
    low, high = _bounds(node, 5, 500)
    if msrp is not None:
        low, high = (
            max(low if _stated(node) else 0.0, 0.55 * msrp),
            min(msrp, high) if _stated(node) else msrp,
        )
    if cost is not None:
        low = max(low, cost)
        high = max(high, low * 1.5) if msrp is None else high
    return self.between(low, high) if low <= high else None


def _msrp(self: _Filler, node: Node) -> Any:
    price = max(
        (p for key in ("price", "unit_price", "cost") if (p := _amount(self.known.get(key)))),
        default=None,
    )
    discount = _amount(self.known.get("discount"))
    if price is None:
        low, high = _bounds(node, 10, 900)
        return self.between(low, high)
    if discount is not None and 0 <= discount < 100:
        return round(price / (1 - discount / 100), 2)
    low, high = _bounds(node, price, price * 1.6)
    return self.between(max(low, price), max(high, price))


def _cost(self: _Filler, _: Node) -> Any:
    price = min(
        (p for key in ("price", "unit_price", "msrp") if (p := _amount(self.known.get(key)))),
        default=None,
    )
    return None if price is None else self.between(0.4 * price, 0.8 * price)


def _discount(self: _Filler, _: Node) -> Any:
    price, msrp = _amount(self.known.get("price")), _amount(self.known.get("msrp"))
    if price is None or not msrp or price > msrp:
        return None
    return round(100 * (1 - price / msrp), 2)


def _each(self: _Filler) -> float | None:
    for key in ("unit_price", "price", "msrp"):
        if (amount := _amount(self.known.get(key))) is not None:
            return amount
    return None


def _settle_money(self: _Filler) -> None:
    """Where a sum is given and what it is made of is not: parts that add up to it."""
    known, there = self.known, {*self.known, *self.wanted}
    total, tax = _amount(known.get("total")), _amount(known.get("tax"))
    subtotal = _amount(known.get("subtotal", known.get("amount")))
    if subtotal is None and total is not None:
        if tax is None and "tax" in there:
            tax = round(total - total / 1.08, 2)
            known["tax"] = tax
        subtotal = round(total - (tax or 0.0), 2)
    price_key = next((key for key in ("unit_price", "price") if key in there), None)
    if subtotal is None or price_key is None or "quantity" not in there:
        return
    msrp, discount = _amount(known.get("msrp")), _amount(known.get("discount"))
    if price_key == "price" and price_key not in known and msrp and discount is not None:
        known[price_key] = round(msrp * (1 - discount / 100), 2)
    quantity, each = _amount(known.get("quantity")), _amount(known.get(price_key))
    if quantity is None:
        quantity = _factor(self, subtotal, each)
        known["quantity"] = quantity
    if each is None and quantity:
        known[price_key] = round(subtotal / quantity, 2)


def _factor(self: _Filler, subtotal: float, each: float | None) -> float:
    """A quantity that goes with a sum: one that divides it to the cent."""
    low, high = _bounds(self.wanted.get("quantity"), 1, 9)
    if each:
        return round(subtotal / each)
    least = subtotal / (_amount(self.known.get("msrp")) or subtotal or 1.0)  # no price above it
    counts = list(range(max(round(low), 1), max(round(high), 1) + 1))
    self.random.shuffle(counts)
    counts.sort(key=lambda n: n < least - 1e-9)
    whole = (n for n in counts if abs(round(subtotal / n, 2) * n - subtotal) < 0.005)
    return next(whole, counts[0])


def _subtotal(self: _Filler, _: Node) -> Any:
    quantity, each = _amount(self.known.get("quantity")), _each(self)
    total, tax = _amount(self.known.get("total")), _amount(self.known.get("tax"))
    if quantity is not None and each is not None:
        return round(quantity * each, 2)
    return None if total is None else round(total - (tax or 0.0), 2)


def _tax(self: _Filler, node: Node) -> Any:
    subtotal = _amount(self.known.get("subtotal"))
    total = _amount(self.known.get("total"))
    if subtotal is None:
        subtotal = _subtotal(self, node)
    if subtotal is None:
        return None
    return round(total - subtotal, 2) if total is not None else round(0.08 * subtotal, 2)


def _total(self: _Filler, node: Node) -> Any:
    subtotal = _amount(self.known.get("subtotal"))
    if subtotal is None:
        subtotal = _subtotal(self, node)
    if subtotal is None:
        return None
    tax = _amount(self.known.get("tax"))
    if tax is None and "tax" in self.wanted:
        tax = round(0.08 * subtotal, 2)
        self.known["tax"] = tax
    return round(subtotal + (tax or 0.0), 2)


def _unit_price(self: _Filler, node: Node) -> Any:
    quantity = _amount(self.known.get("quantity"))
    amount = next(
        (a for k in ("subtotal", "amount") if (a := _amount(self.known.get(k))) is not None), None
    )
    if quantity and amount is not None:
        return round(amount / quantity, 2)
    return _price(self, node)


def _domain(self: _Filler, _: Node) -> Any:
    for key in ("website", "email"):
        known = self.known.get(key)
        if isinstance(known, str) and "." in known:
            return re.sub(r"^(?:.*@|https?://(?:www\.)?)|/.*$", "", known)
    company = self.known.get("company")
    plain = unicodedata.normalize("NFKD", str(company or "")).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    return f"{'-'.join(words)}.example" if words else None


def _website(self: _Filler, node: Node) -> Any:
    domain = self.known.get("domain") or _domain(self, node)
    return f"https://www.{domain}" if domain else None


def _least(self: _Filler, node: Node) -> Any:
    most = _amount(self.known.get("max"))
    low, high = _bounds(node, 0, 100)
    return self.between(min(low, most), min(high, most)) if most is not None else None


def _most(self: _Filler, node: Node) -> Any:
    least = _amount(self.known.get("min"))
    low, high = _bounds(node, 0, 100)
    return None if least is None else self.between(max(low, least), max(high, least * 2, least))


_WAYS: Mapping[str, Callable[[_Filler, Node], Any]] = {
    "first_name": _first, "last_name": _last, "name": _name, "email": _email,
    "username": _username, "age": _age, "birth_date": _born, "birth_year": _birth_year,
    "price": _price, "msrp": _msrp, "cost": _cost, "discount": _discount,
    "subtotal": _subtotal, "amount": _subtotal, "tax": _tax, "total": _total,
    "unit_price": _unit_price, "domain": _domain, "website": _website, "min": _least, "max": _most,
}  # fmt: skip
_ORDER = (
    "name", "first_name", "last_name", "username", "company", "domain", "website", "email",
    "birth_date", "age", "birth_year", "hired", "msrp", "unit_price", "price", "cost",
    "discount", "quantity", "subtotal", "amount", "tax", "total", "min", "max", "start", "end",
    "created", "updated", "ordered", "shipped", "delivered",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_ORDER)}
_GAPS = {"hired": 20_000, "end": 60, "updated": 400, "shipped": 5, "delivered": 14}
_TELLING = {
    "country_code": 8.0, "country": 8.0, "city": 4.0, "region": 2.0, "phone": 1.5,
    "dial_code": 1.0, "currency": 1.0, "timezone": 1.0, "language": 0.5,
}  # fmt: skip
_ALSO = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "great britain": "GB", "england": "GB", "deutschland": "DE", "holland": "NL",
    "the netherlands": "NL", "czech republic": "CZ", "türkiye": "TR", "uae": "AE", "korea": "KR",
}  # fmt: skip


def _names_place(about: str, known: str, place: Place) -> float:
    text = known.strip().lower()
    if about in ("country", "country_code"):
        code = _ALSO.get(text, text.upper())
        return float(code == place.country_code or text == place.country.lower())
    if about == "phone":
        digits = re.sub(r"\D", "", text)
        if not text.startswith("+") or not digits.startswith(place.dial_code):
            return 0.0
        rest = digits.removeprefix(place.dial_code)
        return 0.8 + 0.2 * rest.startswith(place.area)
    if about == "dial_code":
        return float(text.lstrip("+") == place.dial_code)
    return float(text == str(getattr(place, about)).lower())


def _allowed(about: str, node: Node, place: Place) -> float:
    values = node.values if isinstance(node, OneOf) else ()
    if not values or about in ("phone", "dial_code"):
        return 0.0
    return max(_names_place(about, str(value), place) for value in values)


def _phone(place: Place, chance: random.Random) -> str:
    local = 7 if len(place.area) <= 3 else 6
    number = _digits("5" + "#" * (local - 1), chance)
    return " ".join(part for part in (f"+{place.dial_code}", place.area, number) if part)


def _digits(pattern: str, chance: random.Random) -> str:
    return "".join(str(chance.randint(0, 9)) if c == "#" else c for c in pattern)


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10]) if value is not None else None
    except ValueError:
        return None


def _years(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - years, day=28)


def _amount(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else None


def _stated(node: Node | None) -> bool:
    return isinstance(node, ShapeLeaf) and (node.least is not None or node.most is not None)


def _bounds(node: Node | None, low: float, high: float) -> tuple[float, float]:
    if not isinstance(node, ShapeLeaf) or node.kind not in _NUMBERS:
        return low, high
    least = low if node.least is None else node.least
    most = max(high, least) if node.most is None else node.most
    return min(least, most), most


def _as_leaf(value: Any, node: Node) -> Any:
    if isinstance(node, ShapeLeaf) and node.kind == "int" and isinstance(value, float):
        return round(value)
    if (
        isinstance(node, ShapeLeaf)
        and node.kind == "datetime"
        and _day(value)
        and len(str(value)) == 10
    ):
        return f"{value}T00:00:00+00:00"
    if isinstance(node, ShapeLeaf) and node.kind == "date" and _day(value):
        return str(value)[:10]
    return value


def _fits(value: Any, node: Node) -> bool:
    """Whether the shape allows it: what is worked out has no right to break it."""
    match node:
        case OneOf(values, nodes):
            return value in values if values else any(_fits(value, one) for one in nodes)
        case ShapeLeaf("int" | "number" | "price" | "latitude" | "longitude" as kind, least, most):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            whole = kind != "int" or isinstance(value, int)
            inside = (
                number and (least is None or value >= least) and (most is None or value <= most)
            )
            return bool(whole and inside)
        case ShapeLeaf("bool"):
            return isinstance(value, bool)
        case ShapeLeaf("null"):
            return value is None
        case ShapeLeaf("string", least, most):
            long = isinstance(value, str) and (least is None or len(value) >= least)
            return bool(long and (most is None or len(value) <= most))
        case ShapeLeaf("date"):
            return isinstance(value, str) and len(value) == 10 and _day(value) is not None
        case ShapeLeaf():
            return isinstance(value, str)
    return False
