"""Mock records for a JSON shape, made by Faker: real software, no model.

The same shape, count, seed and variant always give the same records. It answers nothing else: a
question without a shape is refused, never met with canned text.
"""

import asyncio
import datetime as dt
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from hashlib import blake2b
from typing import Any, Literal

import orjson
from faker import Faker
from pydantic import Field

from router.backends.base import Backend, BackendSettings, Capability, SecretReader
from router.backends.shapes import Array, Leaf, Node, Object, OneOf, parse
from router.domain import CHAT, Call, Fault, Reply
from router.features import last_user_text, prompt_text, shape_of
from router.wire.chat_replies import chat_reply, fields_of, tokens_in, whole_number

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = re.compile(
    rf"\b(\d{{1,6}}|{'|'.join(_WORDS)})\s+(?:(?!(?:we|had|have|has|the|our|my|there|were|was|are|is)\b)\w+\s+){{0,3}}?"
    r"(?:records?|rows?|items?|users?|people|persons?|customers?|employees?|orders?|products?|"
    r"entries|examples?|objects?|samples?)\b",
    re.I,
)
_MAX_RECORDS = 10_000


class GeneratorSettings(BackendSettings):
    kind: Literal["generator"]
    locale: str = Field("en_US", pattern=r"^[a-z]{2}_[A-Z]{2}$")
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        return GeneratorBackend(self)

    def refuses(self, fields: Mapping[str, Any]) -> str:
        if shape_of(fields) is None:
            return "makes records for a JSON shape, and the request holds none"
        return ""


class Fakers:
    """Fakers that are there already: to make one takes longer than to make a record."""

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._idle: list[Faker] = []

    @contextmanager
    def one(self) -> Iterator[Faker]:
        """One that nobody else has meanwhile."""
        try:
            fake = self._idle.pop()
        except IndexError:
            fake = Faker(self._locale)
        try:
            yield fake
        finally:
            self._idle.append(fake)


class GeneratorBackend:
    def __init__(self, settings: GeneratorSettings) -> None:
        self._fakers = Fakers(settings.locale)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the generator answers {CHAT}, not {call.path}")
        fields = fields_of(call)
        count = asked_count(fields)
        asked = shape_of(fields)
        if asked is None:
            where = "in `shape`, as a `response_format` with a JSON schema, or in the last message"
            raise Fault("bad_request", f"The generator needs a JSON shape: put one {where}")
        shape = parse(asked)
        seed = whole_number(fields, "seed", least=-(2**63), most=2**63 - 1)
        variant = whole_number(fields, "variant", least=0, most=10**9)
        if shape.variants:
            # At most so many different answers to this shape, whichever replica gives them.
            drawn = secrets.randbelow(shape.variants) if variant is None else variant
            seed = _seed(seed or 0, drawn % shape.variants, repr(shape.node))
        with self._fakers.one() as fake:
            maker = Maker(fake, seed)
            pieces: Iterator[str] = document(maker, shape.node, count)
            if not call.stream:  # Faker is slow enough to starve the event loop
                pieces = iter(await asyncio.to_thread(list, pieces))
            yield chat_reply(call, "waggle-generator", pieces, tokens_in(prompt_text(fields)))

    async def close(self) -> None:
        pass


def asked_count(fields: Mapping[str, Any]) -> int | None:
    """How many records: stated in `count`, or in words. None: one document of this shape."""
    count = whole_number(dict(fields), "count", least=0, most=_MAX_RECORDS)
    if count is not None:
        return count
    said = _COUNT.search(last_user_text(fields))
    if not said:
        return None
    if said[1].lower() in _WORDS:
        return _WORDS.index(said[1].lower()) + 1
    if int(said[1]) > _MAX_RECORDS:
        detail = f"{said[1]} records asked for; at most {_MAX_RECORDS} fit one answer: ask in parts"
        raise Fault("bad_request", detail)
    return int(said[1])


def document(maker: "Maker", node: Node, count: int | None) -> Iterator[str]:
    """The answer's text, a record at a time."""
    if count is None:
        yield orjson.dumps(maker.make(node)).decode()
        return
    item = node.item if isinstance(node, Array) else node
    yield "["
    for index in range(count):
        comma = "," if index else ""
        yield comma + orjson.dumps(maker.make(item, index=index)).decode()
    yield "]"


def _seed(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


# By the last word of a field's name, where its leaf says no more than "string".
_BY_NAME = {
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
_NUMBERS_BY_NAME = {
    "age": (18, 90), "year": (1970, 2026), "quantity": (1, 20), "count": (0, 100),
    "price": (1, 500), "rating": (1, 5), "percent": (0, 100), "month": (1, 12), "day": (1, 28),
    "salary": (20_000, 180_000), "stock": (0, 500), "latitude": (-90, 90),
    "longitude": (-180, 180),
}  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


class Maker:
    """Values for the nodes of a shape, in an order that one seed fixes."""

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

    def make(self, node: Node, name: str = "", index: int | None = None) -> Any:
        match node:
            case Object(fields):
                return {key: self.make(value, key, index) for key, value in fields}
            case Array():
                return self._array(node, name)
            case OneOf(values, nodes):
                if values:
                    return self._random.choice(values)
                return self.make(self._random.choice(nodes), name, index)
            case Leaf(kind, least, most):
                return self._leaf(kind, least, most, name, index)

    def _array(self, node: Array, name: str) -> list[Any]:
        wanted = self._random.randint(node.least, node.most)
        made: list[Any] = []
        for _ in range(wanted * (4 if node.unique else 1)):
            if len(made) == wanted:
                break
            item = self.make(node.item, name)
            if not (node.unique and item in made):
                made.append(item)
        return made

    def _leaf(
        self, kind: str, least: float | None, most: float | None, name: str, index: int | None
    ) -> Any:
        words = [word.lower() for word in _WORD.findall(name)]
        last = words[-1] if words else ""
        if kind == "int":
            if least is None and most is None and last == "id" and index is not None:
                return index + 1
            low, high = self._range(least, most, last, (0, 1000))
            return self._random.randint(round(low), round(high))
        if kind == "number":
            low, high = self._range(least, most, last, (0, 1000))
            value = round(self._random.uniform(low, high), 2)
            return value if low <= value <= high else self._random.uniform(low, high)
        if kind != "string":
            return self._kinds[kind]()
        return self._text(words, last, least, most)

    def _text(self, words: list[str], last: str, least: float | None, most: float | None) -> str:
        kind = {"first": "first_name", "last": "last_name", "user": "username"}.get(
            words[-2] if last == "name" and len(words) > 1 else "", _BY_NAME.get(last, "word")
        )
        if last == "name" and len(words) > 1 and words[-2] in ("company", "product", "city"):
            kind = {"company": "company", "city": "city"}.get(words[-2], "sentence")
        text = str(self._kinds[kind]())
        while least is not None and len(text) < least:
            text += " " + self._fake.word()
        return text[: int(most)] if most is not None else text

    def _range(
        self, least: float | None, most: float | None, last: str, default: tuple[float, float]
    ) -> tuple[float, float]:
        low, high = _NUMBERS_BY_NAME.get(last, default)
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
