"""Reads simulations of coins and of shared birthdays. Dice and pi are read with their own questions.

The simulation runs in the sandbox, and is judged against the exact value and its error.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.dice_and_coins import heads_event, probability_of_heads, seed_of
from sandbox.reading.events import Event
from sandbox.reading.questions import take_question, whole
from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule, calculation
from sandbox.spec import Spec

_MANY = 30  # flips above which a number counts experiments
_REPEATED = "'experiment|'trial|'run|'repetition|'simulation|'experimento|'repeticion|estimate_simulation|random_point|time_word|'class|'party|'room"


def _read_flips(reader: Reader) -> Spec | None:
    """Read `simulate 10,000 flips of a coin`, or so many experiments of a few flips each."""
    if not reader.take_all("estimate_simulation") or not reader.has("coin", "heads"):
        return None
    p = probability_of_heads(reader)
    take_question(reader)
    reader.take_all("what_share", "how_many", "mean")
    event, tails = heads_event(reader)
    pair = phrases.take(
        reader, f"#n. {_REPEATED} * #k. fair? coin? roll|coin|time_word", f"#k. fair? coin? roll|coin * #n. {_REPEATED}",
        f"roll #k. fair? coin #n. {_REPEATED}", f"roll * coin #k. time_word * #n. {_REPEATED}",
    )  # fmt: skip
    single = phrases.value(
        reader, "#n. fair? coin? roll", "roll * #n. time_word", "#n. roll", "#n. time_word", "#n. coin",
    ) if pair is None else None  # fmt: skip
    numbers = (pair["n"].value, pair["k"].value) if pair else (single, 1.0)
    experiments, flips = numbers
    if experiments is None or not whole(experiments) or experiments < _MANY or not whole(flips):
        return None
    if event is None:
        if flips != 1 or not reader.has("heads", "tails"):
            return None
        tails, event = not reader.has("heads"), Event(1, 1)
    elif flips == 1:
        return None
    reader.take_all("coin", "roll", "fair", "heads", "tails", "each", "people_word", "time_word")
    p = 0.5 if p is None else p
    parameters: dict[str, Any] = {"experiments": experiments, "flips": flips}
    parameters |= {"p": 1 - p if tails else p, "seed": seed_of(reader)}
    return calculation("simulated_flips", parameters | event.parameters)


def _read_birthdays(reader: Reader) -> Spec | None:
    """Read `simulate 10,000 groups of 23 people: how often do two share a birthday?`."""
    if not reader.take_all("estimate_simulation") or not reader.take_all("birthday"):
        return None
    take_question(reader)
    if reader.has("my_birthday", "none_word", "different_word"):
        return None
    phrases.take(reader, "'or more_than", "or_more", "at_least")
    reader.taken.update([i for i in reader.free("number") if reader.tokens[i].value == 2][:1])
    places = reader.free("number")
    values = sorted(reader.tokens[i].value for i in places)
    if len(values) != 2 or any(reader.tokens[i].unit for i in places) or values[1] < 10 * values[0]:
        return None
    reader.taken.update(places)
    name_clauses(reader, places)
    reader.take_all("people_word", "each", "any_word", "equally_likely", "what_share", "time_word")
    parameters = {"experiments": values[1], "people": values[0], "seed": seed_of(reader)}
    return calculation("simulated_birthdays", parameters, "365 days, all equally likely")


RULES = (
    Rule(
        "a simulation of coins",
        frozenset({"estimate_simulation"}),
        _read_flips,
        "how many flips, or how many experiments of some flips each, and how many heads",
    ),
    Rule(
        "a simulation of shared birthdays",
        frozenset({"estimate_simulation"}),
        _read_birthdays,
        "how many groups, and how many people are in each",
    ),
)
