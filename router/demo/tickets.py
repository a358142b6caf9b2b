"""The tickets of `waggle demo --train`: what riders write to a bicycle rental, and its house rules.

A ticket goes to one of six queues. The rules are those of the staff, and nothing in a prompt says
them: a small complaint about a bill goes to the bookkeeper, and one about an injury to the manager
whatever else stands in it. Half way the staff change a rule, and tickets as before go elsewhere.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

QUEUES = ("billing", "booking", "workshop", "lost", "manager", "partners")
SYSTEM = (
    "You sort the messages that riders send to Pedalo, a bicycle rental with stations in eleven "
    "towns, into the queues of the staff. The queues are billing, booking, workshop, lost, manager "
    "and partners. A message may be hasty, misspelt or polite, may tell a long story, and may name "
    "stations, bicycles, times and sums of money; none of this matters by itself. Read what the "
    "rider wants to be done, think of who of the staff does such things, and keep to the house "
    "rules of the staff as they are today. Never answer the rider, never explain your choice, and "
    "never name a queue that is not listed above. Answer with the name of one queue and nothing "
    "else."
)

_BIKES = "tandem|cargo bike|e-bike|city bike|mountain bike|folding bike|trike|racer"
_PLACES = "Harbour Gate|Mill Lane|the old station|Linden Square|the ferry pier|North Bridge"
_SUMS = "14 euros|$32|7.50|48 EUR|120 pounds|a deposit of 60"
_TIMES = "on Friday|tomorrow at nine|next weekend|on the 3rd|this afternoon|for two days"
_WORDS: Mapping[str, str] = {"bike": _BIKES, "place": _PLACES, "sum": _SUMS, "time": _TIMES}

# What each topic is called here, with the wordings of its tickets.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "charge": (
        "I was charged {sum} twice for the same {bike}",
        "The invoice for my ride says {sum}, and that is too much",
        "Please send me a receipt over {sum}",
        "My card was debited {sum} although I never rode",
        "Why is there a late fee of {sum} on my bill?",
        "The voucher was not taken off the price, I still paid {sum}",
        "Can you change the payment to a transfer? The bill is {sum}",
        "There are two invoices with the same number, both over {sum}",
    ),
    "refund": (
        "I want my money back, the {bike} was broken when I took it",
        "Please refund {sum}, the {bike} did not work at all",
        "The {bike} broke down after a minute, so I ask for a refund of {sum}",
        "Give me back the {sum}: the {bike} from {place} was defective",
        "A refund, please. Your {bike} was faulty and I walked home from {place}",
        "The {bike} failed, and I would like to be reimbursed with {sum}",
    ),
    "reserve": (
        "I would like to reserve a {bike} {time}",
        "Is a {bike} free at {place} {time}?",
        "Please move my reservation from {place} to {time}",
        "We need five bicycles {time}, can we book them?",
        "Cancel my booking of the {bike} {time}",
        "Can I pick up the {bike} an hour earlier {time}?",
        "How long before do I have to reserve a {bike}?",
        "My reservation code for {place} does not open the rack",
    ),
    "defect": (
        "The chain of the {bike} at {place} has come off",
        "The brakes of the {bike} squeak and hardly grip",
        "There is a flat tyre on the {bike} at {place}",
        "The saddle of the {bike} cannot be moved",
        "The light of the {bike} flickers, somebody should fix it",
        "The gears of the {bike} jump, the one at {place}",
        "The battery of the {bike} is empty after ten minutes",
        "A spoke is bent on the {bike} that stands at {place}",
    ),
    "lost": (
        "I forgot my backpack in the basket of the {bike}",
        "Has anybody handed in a blue jacket at {place}?",
        "My keys must have fallen out near {place}",
        "I left my helmet on the {bike} {time}",
        "Did you find a child's glove at {place}?",
        "My phone is still in the holder of the {bike}",
    ),
    "injury": (
        "I fell because the brakes of the {bike} failed, and my wrist is broken",
        "My son was hurt on the {bike}, the doctor wants a statement",
        "The saddle snapped and I am injured, I was in hospital {time}",
        "I crashed near {place} when the {bike} locked, my knee is bleeding",
        "We had an accident with the {bike}, my wife is injured",
    ),
    "praise": (
        "We run a hotel at {place} and would like to offer your bicycles to our guests",
        "Our shop near {place} could host one of your stations, whom do I talk to?",
        "I write for the town's paper and would like to report about Pedalo",
        "We are a school and look for a yearly agreement for excursions",
        "Would you sponsor our race at {place} {time}?",
        "Our company wants passes for forty employees",
    ),
}
_SHARES = {
    "charge": 0.2, "refund": 0.14, "reserve": 0.24, "defect": 0.2, "lost": 0.1, "injury": 0.05,
    "praise": 0.07,
}  # fmt: skip
_RULE = {
    "charge": "billing", "refund": "billing", "reserve": "booking", "defect": "workshop",
    "lost": "lost", "injury": "manager", "praise": "partners",
}  # fmt: skip
# From the change on, the workshop looks at the bicycle before anybody pays a refund.
_LATER = {**_RULE, "refund": "workshop"}
_BEGINS = ("Hello, ", "Hi! ", "Good morning. ", "Dear team, ", "Hey, ", "", "", "", "", "")
_ENDS = (
    " Thanks!", " Greetings from Anna", " Sent from my phone", " I hope to hear from you soon.",
    " It is not urgent.", " I have been a member for years.", "", "", "", "",
)  # fmt: skip
_FORMS = ("{}", "{}", "{}", "{}.", "Queue: {}", "**{}**")
_TYPING = 0.12  # share of the tickets with a slip


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket, and the queue that the staff's rules of its time send it to."""

    text: str
    topic: str
    queue: str


def tickets(count: int, changes_at: int, seed: int) -> Iterator[Ticket]:
    """So many tickets; from the number `changes_at` on, the changed rule holds."""
    chance = random.Random(f"tickets {seed}")
    for number in range(count):
        topic = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
        rule = _RULE if number < changes_at else _LATER
        yield Ticket(_text(topic, chance), topic, rule[topic])


def read_queue(answer: str) -> str:
    """The queue that an answer names, in whichever form; empty if it names none or several."""
    named = [queue for queue in QUEUES if re.search(rf"\b{queue}\b", answer.lower())]
    return named[0] if len(named) == 1 else ""


def written(queue: str, chance: random.Random) -> str:
    """A queue as the model of the demo happens to write it."""
    return chance.choice(_FORMS).format(queue)


def _text(topic: str, chance: random.Random) -> str:
    words = {name: chance.choice(choices.split("|")) for name, choices in _WORDS.items()}
    text = chance.choice(TOPICS[topic]).format(**words)
    if chance.random() < _TYPING:
        at = chance.randrange(len(text) - 1)
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if text[-1] not in ".?!":
        text += "."
    return f"{chance.choice(_BEGINS)}{text}{chance.choice(_ENDS)}"
