"""The requests of a demo, each with a check of its answer."""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.records.enriching.atlas import place_named

Check = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Task:
    """One request of the stream, with a check that scores its answer."""

    kind: str
    prompt: str
    check: Check
    shape: Any = None
    most: int | None = None  # tokens of the answer


def stream(requests: int, seed: int) -> Iterator[Task]:
    """Requests of every kind; the same seed gives the same requests."""
    chance = random.Random(seed)
    makers = (plain, linked, _statistics, _question, _open)
    for _ in range(requests):
        yield chance.choices(makers, weights=(3, 4, 1.5, 1.5, 0.5))[0](chance)


def plain(chance: random.Random) -> Task:
    """A request for records whose fields do not depend on each other."""
    names = ("sku", "title", "color", "material", "weight_grams", "stock", "shelf", "note", "batch")
    count = chance.randint(4, len(names))
    kinds = ("uuid", "sentence", "color", "word", "int 1..900", "int 0..50", "word", "sentence")
    shape: dict[str, Any] = {n: chance.choice(kinds) for n in chance.sample(names, count)}
    shape["parts"] = [{"code": "uuid", "count": "int 1..9"}]
    wanted = chance.randint(1, 5)
    prompt = f"{wanted} articles of the {chance.choice(('spring', 'autumn', 'new'))} catalogue"
    return Task("catalogue", prompt, lambda text: _holds(text, shape, lambda _: True), shape)


def linked(chance: random.Random) -> Task:
    """A request for records whose fields must agree: city and country, age and birth date."""
    shape: dict[str, Any] = {"name": "string", "city": "city", "country": "country"}
    if chance.random() < 0.6:
        shape |= {"birth_date": "date", "age": "int"}
    if chance.random() < 0.5:
        shape["phone"] = "phone"
    wanted = chance.randint(1, 4)
    prompt = f"{wanted} {chance.choice(('customers', 'patients', 'members'))} with their places"
    return Task("people", prompt, lambda text: _holds(text, shape, _agrees), shape)


def _agrees(record: Mapping[str, Any]) -> bool:
    if place_named(str(record["city"]), str(record["country"])) is None:
        return False
    if "age" not in record:
        return True
    try:
        born = dt.date.fromisoformat(str(record["birth_date"]))
    except ValueError:
        return False
    years = (dt.datetime.now(dt.UTC).date() - born).days / 365.2425
    return abs(years - float(record["age"])) <= 1.01


def _holds(text: str, shape: Mapping[str, Any], rule: Callable[[Mapping[str, Any]], bool]) -> float:
    """The share of records that have every field and obey the rule."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return 0.0
    records = content if isinstance(content, list) else [content]
    good = (isinstance(r, dict) and shape.keys() <= r.keys() and rule(r) for r in records)
    return sum(good) / max(len(records), 1)


def _statistics(chance: random.Random) -> Task:
    values = [chance.randint(1, 99) for _ in range(chance.randint(5, 9))]
    name = chance.choice(("mean", "median", "sum"))
    ordered = sorted(values)
    middle = len(values) // 2
    median = (ordered[middle] + ordered[~middle]) / 2
    truth = {"mean": sum(values) / len(values), "median": median, "sum": float(sum(values))}[name]
    prompt = f"What is the {name} of {', '.join(map(str, values))}?"
    return Task("statistics", prompt, lambda text: float(_near(text, truth)))


def _near(text: str, truth: float) -> bool:
    cleaned = "".join(c if c.isdigit() or c in ".-" else " " for c in text)
    for word in cleaned.split():
        try:
            if abs(float(word.rstrip(".")) - truth) <= 0.01 * max(1.0, abs(truth)):
                return True
        except ValueError:
            continue
    return False


_QUESTIONS = (
    ("How many players are on a football team?", "eleven"),
    ("How long is a football match?", "45"),
    ("When is a player offside?", "offside"),
    ("How high is the crossbar of a football goal?", "2.44"),
    ("What is a gwei?", "gwei"),
    ("How many wei are in one ether?", "wei"),
    ("What is slashing of a validator?", "slash"),
    ("What was the Merge on Ethereum?", "stake"),
    ("What does a smart contract do on Ethereum?", "contract"),
    ("What are the two kinds of account on Ethereum?", "contract"),
)
_OPEN = (
    "Write a haiku about autumn rain.",
    "What is the capital of Australia?",
    "Name a good title for a story about a lighthouse.",
)


def _question(chance: random.Random) -> Task:
    question, word = chance.choice(_QUESTIONS)
    return Task("question", question, lambda text: float(word in text.lower()))


def _open(chance: random.Random) -> Task:
    """A request that only a model can answer: on a bare machine, the small model that is the last
    resort. The check sees only whether there is an answer, so a short one will do."""
    return Task("open", chance.choice(_OPEN), lambda text: float(bool(text.strip())), most=40)
