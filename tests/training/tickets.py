"""A narrow task whose rule is easy to learn, as a data set on disk."""

import json
import random
from pathlib import Path

from router.training.data_card import content_of
from router.training.data_rows import SPLITS, row_of
from router.training.data_sets import DataSet, DataSets

TOPICS = {
    "billing": ["invoice", "charge", "refund", "payment", "receipt", "price"],
    "shipping": ["parcel", "courier", "delivery", "tracking", "address", "box"],
    "access": ["password", "login", "account", "locked", "code", "session"],
}
FILLERS = ["today", "again", "since Monday", "for my team", "please", "as before", "with order 77"]
SYSTEM = "Sort the message into billing, shipping or access. Answer with the label only."


def text_of(label: str, chance: random.Random) -> str:
    words = chance.sample(TOPICS[label], 2)
    return f"My {words[0]} and {words[1]} are wrong {chance.choice(FILLERS)}"


def row(number, text, answer, **more):
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    fields = {"id": f"r{number}", "ts": number, "key": "k", "messages": messages}
    return fields | {"answer": answer, "quality": 1.0, "source": "judged", "plan": "big"} | more


def rows_of(count, seed=1, write=lambda label, _: label, **more):
    chance = random.Random(seed)
    for number in range(count):
        label = chance.choice(list(TOPICS))
        yield row(number, text_of(label, chance), write(label, chance), **more)


def data_set(folder: Path, rows, name="tickets") -> DataSet:
    """Write rows as a data set, the later rows for validation and test."""
    rows = [row_of(json.dumps(each).encode()) for each in rows]
    cuts = [0, len(rows) * 6 // 10, len(rows) * 8 // 10, len(rows)]
    splits = {split: tuple(rows[cuts[n] : cuts[n + 1]]) for n, split in enumerate(SPLITS)}
    sets = DataSets(folder / "data")
    sets.write(DataSet(name, 1, content_of(splits), splits), {})
    return sets.named(name)


def loose(label: str, chance: random.Random) -> str:
    """A label as models write it."""
    forms = [label, label.capitalize() + ".", f"Label: {label}", f"**{label}**", label + "\n"]
    return chance.choice(forms)
