"""A world of templated traffic: people ask for short notices, and a teacher writes them.

The forms, the many ways to ask for each, and the values are code, so that a seed makes the same
rows again. The teacher writes dates and amounts in a form of its own, takes departments and
closing words from tables that nobody shows, and sometimes errs; then its answer is rated badly.
Some requests lack a value or want a form that was never taught: no template answers these.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

FIRST = [
    *("Ana", "Luis", "Marta", "Bob", "Ivy", "Tom", "Sara", "Omar", "Nina", "Paul", "Greta"),
    *("Hugo", "Lena", "Max", "Ruth", "Carl", "Zoe", "Ian"),
]
LAST = [
    *("Ruiz", "Smith", "Okafor", "Larsen", "Novak", "Marino", "Weber", "O'Neill", "Khan"),
    *("Dubois", "Santos", "Fischer"),
]
MIDDLE = ["María", "José", "de", "la", "van", "Lee"]
MONTHS = "January February March April May June July August September October November December"
GOODS = {  # and the department that answers for each
    "walnut desk": "furniture",
    "oak shelf": "furniture",
    "reading lamp": "lighting",
    "floor lamp": "lighting",
    "wool rug": "textiles",
    "linen curtain": "textiles",
    "steel kettle": "kitchen",
    "cast-iron pan": "kitchen",
    "bread knife": "kitchen",
}
SYSTEM = "Write the notice that is asked for. Nothing else."


@dataclass(frozen=True, slots=True)
class Notice:
    """A request, and the right answer; `answerable` is false if no template has that answer."""

    request: str
    answer: str
    form: str
    answerable: bool = True
    quality: float = 1.0


def name_of(chance: random.Random) -> str:
    parts = [chance.choice(FIRST), chance.choice(LAST)]
    if chance.random() < 0.15:
        parts.insert(1, chance.choice(MIDDLE))
    return " ".join(parts)


def day_of(chance: random.Random) -> date:
    return date(2026, 1, 1) + timedelta(days=chance.randrange(360))


def long_day(day: date) -> str:
    return f"{day.day} {MONTHS.split()[day.month - 1]} {day.year}"


def shipped(chance: random.Random) -> Notice:
    name, order, day = name_of(chance), f"WD-{chance.randrange(10_000, 99_999)}", day_of(chance)
    goods = chance.choice(list(GOODS))
    ask = chance.choice(
        (
            f"Shipping notice. Customer: {name}. Order: {order}. Item: {goods}. Arrives: {day}",
            f"please tell {name} that order {order} ({goods}) has left and arrives on {day}",
            f"order {order} for {name} is out, it is the {goods}, due {day}. Write to them",
            f"customer={name}; order={order}; item={goods}; eta={day}; kind=shipping notice",
        )
    )
    return Notice(
        ask,
        f"Dear {name},\n\nGood news: your {goods} is on its way. It should arrive on "
        f"{long_day(day)}.\n\nYour order number is {order}. Please keep it at hand if you write to "
        f"us.\n\nYour {GOODS[goods]} team",
        "shipped",
    )


def refund(chance: random.Random) -> Notice:
    name, order = name_of(chance), f"WD-{chance.randrange(10_000, 99_999)}"
    amount, why = round(chance.uniform(5, 3000), 2), chance.choice(("card", "bank account"))
    shown = f"{amount:.2f}"
    ask = chance.choice(
        (
            f"Refund letter for {name}, order {order}, amount {shown} EUR, to their {why}",
            f"we pay back {shown} EUR to the {why} of {name} because of {order}; tell them",
            f"Refund. Customer: {name}. Order: {order}. Amount: {shown} EUR. Goes to: {why}",
        )
    )
    days = "three" if why == "card" else "five"
    return Notice(
        ask,
        f"Dear {name},\n\nWe have refunded {amount:,.2f} EUR for order {order}. The money will be "
        f"on your {why} within {days} working days.\n\nWe are sorry for the trouble.\n\n"
        "Customer care",
        "refund",
    )


def reminder(chance: random.Random) -> Notice:
    name, day = name_of(chance), day_of(chance)
    hour = f"{chance.randrange(8, 18)}:{chance.choice(('00', '15', '30', '45'))}"
    place = chance.choice(("Harbour Street", "Mill Lane", "the old station", "King's Court"))
    ask = chance.choice(
        (
            f"Remind {name} of the fitting at {place} on {day} at {hour}",
            f"Appointment reminder. Customer: {name}. When: {day}, {hour}. Where: {place}",
            f"{name} comes to {place} on {day} at {hour}. Send a reminder",
        )
    )
    return Notice(
        ask,
        f"Hello {name},\n\nthis is a reminder of your appointment at {place} on {long_day(day)} at "
        f"{hour}. If you cannot come, please call us a day before.\n\nSee you soon",
        "reminder",
    )


def unanswerable(chance: random.Random) -> Notice:
    """A request that lacks a value, or that wants what nobody taught."""
    name, order = name_of(chance), f"WD-{chance.randrange(10_000, 99_999)}"
    ask = chance.choice(
        (
            f"please tell {name} that order {order} has left and arrives soon",
            f"Shipping notice. Customer: {name}. Order: {order}. Item: reading lamp. Arrives:",
            f"Refund letter for {name}, order {order}, the usual amount, to their card",
            f"Write a birthday card for {name}",
            f"Remind {name} of the fitting, same place as last time",
            f"Tell {name} that we cannot find order {order} and ask for a photo of the label",
            f"{name} wants to know whether WD-{chance.randrange(10_000, 99_999)} can be cancelled",
        )
    )
    return Notice(ask, f"(only a person can write this) {chance.random()}", "", answerable=False)


FORMS: Mapping[str, Callable[[random.Random], Notice]] = {
    "shipped": shipped,
    "refund": refund,
    "reminder": reminder,
}


def notices(seed: int, count: int, *, others: float = 0.0, errors: float = 0.03) -> list[Notice]:
    """Notices in random order; a share is unanswerable, and a share was written wrongly."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        if chance.random() < others:
            made.append(unanswerable(chance))
            continue
        notice = chance.choice(list(FORMS.values()))(chance)
        if chance.random() < errors:
            wrong = notice.answer.replace("Dear", "Hey").replace("order", "parcel")
            notice = Notice(notice.request, wrong, notice.form, quality=0.2)
        made.append(notice)
    return made
