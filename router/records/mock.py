"""Mock values for a shape, made by Faker; the same seed gives the same values.

A leaf of the shape decides the value of its field. If the leaf says only "string", "int" or
"number", the field's name decides. Fields of one record do not agree with each other.
"""

import datetime as dt
import math
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from faker import Faker

from router.records.bounds import LEAST_INTEGER, MOST_INTEGER
from router.records.catalogue.naming import words_of
from router.records.effort import spend
from router.records.nodes import Array, Node, Object, OneOf, ShapeLeaf
from router.records.pattern_text import text_like
from router.records.size import canonical

_MOST_IDLE = 8


class Fakers:
    """A pool of Faker instances: making an instance takes longer than making a record."""

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._idle: list[Faker] = []

    @contextmanager
    def borrowed(self) -> Iterator[Faker]:
        """Lend a Faker instance that no other caller uses at the same time.

        After an error the instance is dropped, because a thread may use it for a moment longer.
        """
        try:
            fake = self._idle.pop()
        except IndexError:
            fake = Faker(self._locale)
        yield fake
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(fake)


# The kind of value for a "string" field, by the last word of the field's name.
_KINDS_BY_NAME = {
    "name": "name", "email": "email", "mail": "email", "phone": "phone", "mobile": "phone",
    "city": "city", "town": "city", "country": "country", "state": "state", "address": "address",
    "street": "street", "zip": "postcode", "postcode": "postcode", "company": "company",
    "employer": "company", "job": "job", "occupation": "job", "title": "sentence",
    "description": "text", "bio": "text", "comment": "text", "summary": "text", "url": "url",
    "website": "url", "id": "uuid", "uuid": "uuid", "username": "username", "color": "color",
    "colour": "color", "currency": "currency", "date": "date", "birthday": "date", "ip": "ipv4",
    "at": "datetime", "timestamp": "datetime", "firstname": "first_name", "lastname": "last_name",
    "first": "first_name", "last": "last_name", "surname": "last_name",
}  # fmt: skip
_RANGES_BY_NAME = {
    "age": (18, 90), "year": (1970, 2026), "quantity": (1, 20), "count": (0, 100),
    "price": (1, 500), "rating": (1, 5), "percent": (0, 100), "month": (1, 12), "day": (1, 28),
    "salary": (20_000, 180_000), "stock": (0, 500), "latitude": (-90, 90),
    "longitude": (-180, 180),
}  # fmt: skip


class Maker:
    """Makes values for the nodes of a shape, from one seeded random generator."""

    def __init__(self, fake: Faker, seed: int | None) -> None:
        self._fake = fake
        self._fake.seed_instance(secrets.randbits(63) if seed is None else seed)
        self._random = fake.random
        self._kinds: dict[str, Callable[[], Any]] = {
            "text": lambda: fake.paragraph(nb_sentences=2),
            "sentence": lambda: fake.sentence(nb_words=5).rstrip("."),
            "word": fake.word,
            "bool": lambda: self._random.random() < 0.5,
            "uuid": lambda: str(fake.uuid4()),
            "date": lambda: self._day().isoformat(),
            "datetime": lambda: self._moment().isoformat().replace("+00:00", "Z"),
            "time": lambda: self._moment().time().isoformat(),
            "email": fake.safe_email,
            "url": fake.url,
            "phone": fake.phone_number,
            "name": fake.name,
            "first_name": fake.first_name,
            "last_name": fake.last_name,
            "username": fake.user_name,
            "address": lambda: fake.address().replace("\n", ", "),
            "street": fake.street_address,
            "city": fake.city,
            "state": getattr(fake, "state", fake.city),
            "country": fake.country,
            "postcode": fake.postcode,
            "company": fake.company,
            "job": fake.job,
            "color": fake.color_name,
            "ipv4": fake.ipv4,
            "ipv6": fake.ipv6,
            "hostname": fake.hostname,
            "currency": fake.currency_code,
            "price": lambda: round(self._random.uniform(1, 500), 2),
            "latitude": lambda: round(self._random.uniform(-90, 90), 6),
            "longitude": lambda: round(self._random.uniform(-180, 180), 6),
            "null": lambda: None,
        }

    @property
    def chance(self) -> random.Random:
        chance: random.Random = self._random
        return chance

    def make(self, node: Node, name: str = "", index: int | None = None) -> Any:
        spend()
        match node:
            case Object(fields):
                return {key: self.make(value, key, index) for key, value in fields}
            case Array():
                return self._array(node, name)
            case OneOf(values, nodes):
                if values:
                    return self._random.choice(values)
                return self.make(self._random.choice(nodes), name, index)
            case ShapeLeaf("string") if node.pattern:
                return text_like(node.pattern, self._random)
            case ShapeLeaf(kind, least, most):
                return self._leaf(kind, least, most, name, index)

    def _array(self, node: Array, name: str) -> list[Any]:
        count = self._random.randint(node.least, node.most)
        if not node.unique:
            return [self.make(node.item, name) for _ in range(count)]
        made: dict[bytes, Any] = {}
        for _ in range(count * 4):  # retries replace repeated items
            if len(made) == count:
                break
            item = self.make(node.item, name)
            made.setdefault(canonical(item), item)
        return list(made.values())

    def _leaf(
        self, kind: str, least: float | None, most: float | None, name: str, index: int | None
    ) -> Any:
        words = words_of(name)
        last = words[-1] if words else ""
        if kind == "int":
            if least is None and most is None and last == "id" and index is not None:
                return index + 1
            low, high = self._range(least, most, last, (0, 1000))
            low, high = max(low, LEAST_INTEGER), min(high, MOST_INTEGER)
            return self._random.randint(math.ceil(low), math.floor(high))
        if kind == "number":
            low, high = self._range(least, most, last, (0, 1000))
            value = round(self._random.uniform(low, high), 2)
            return value if low <= value <= high else self._random.uniform(low, high)
        if kind != "string":
            return self._kinds[kind]()
        return self._text(words, last, least, most)

    def _text(self, words: list[str], last: str, least: float | None, most: float | None) -> str:
        kind = {"first": "first_name", "last": "last_name", "user": "username"}.get(
            words[-2] if last == "name" and len(words) > 1 else "", _KINDS_BY_NAME.get(last, "word")
        )
        if last == "name" and len(words) > 1 and words[-2] in ("company", "product", "city"):
            kind = {"company": "company", "city": "city"}.get(words[-2], "sentence")
        text = str(self._kinds[kind]())
        if least is not None and len(text) < least:
            text = self._lengthened(text, least)
        return text[: int(most)] if most is not None else text

    def _lengthened(self, text: str, least: float) -> str:
        words, length = [text], len(text)
        while length < least:
            spend(0)
            words.append(self._fake.word())
            length += 1 + len(words[-1])
        return " ".join(words)

    def _range(
        self, least: float | None, most: float | None, last: str, default: tuple[float, float]
    ) -> tuple[float, float]:
        low, high = _RANGES_BY_NAME.get(last, default)
        width = high - low
        if least is not None:
            low, high = least, (most if most is not None else max(high, least + width))
        elif most is not None:
            low, high = min(low, most - width), most
        return low, high

    def _day(self) -> dt.date:
        return dt.date(1960, 1, 1) + dt.timedelta(days=self._random.randrange(24_000))

    def _moment(self) -> dt.datetime:
        seconds = self._random.randrange(5 * 365 * 86_400)
        return dt.datetime(2021, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
