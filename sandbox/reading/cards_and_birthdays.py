"""Reads questions about playing cards and about shared birthdays.

A deck has 52 cards, or 40 if it is Spanish; cards are drawn without replacement unless the request
says otherwise.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.events import Event
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import Question, take_question, whole
from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule, calculation
from sandbox.spec import Spec

_HANDS = (
    "royal_flush", "straight_flush", "four_of_a_kind", "full_house", "flush", "straight",
    "three_of_a_kind", "two_pair", "one_pair",
)  # fmt: skip
_MARKED = ("face_card", "red_card", "black_card", "rank", "suit")
ABOUT_CARDS = (*_MARKED, *_HANDS, "same_suit", "'deck", "'pack", "'baraja", "'mazo", "'naipe")
_RED, _BLACK = ("'red|'roja", "'black|'negra")


def _read_cards(reader: Reader) -> Spec | None:
    dealt = reader.has("draw", "'poker") and reader.has(
        "full_house", "royal_flush", "straight_flush", "four_of_a_kind", "three_of_a_kind"
    )
    red_or_black = [f"'{word}" for word in ("red", "roja", "black", "negra")]
    if not (reader.has("card") or dealt) or not reader.has(
        *red_or_black, "rank", "suit", *_MARKED, *_HANDS, "same_suit"
    ):
        return None
    question = take_question(reader)
    if not question.wanted:
        return None
    spanish = bool(reader.take_all("spanish_deck"))
    deck = _size_of_deck(reader)
    deck = deck if deck is not None else 40.0 if spanish else 52.0
    spanish = spanish or (deck == 40 and reader.language == "es")
    if deck not in (52, 40) or (deck == 40) != spanish:
        return None
    replaced = bool(reader.take_all("with_replacement"))
    reader.take_all("without_replacement")
    hand = next((h for h in _HANDS if reader.take(h)), None)
    if hand:
        size = phrases.value(reader, "#n. card")
        reader.take_all("card", "draw", "fair", "deck_state", "people_word", "exactly")
        good = not replaced and not spanish and size in (None, 5)
        assumed = ("a hand of 5 cards",)
        return (
            calculation("poker_hand", {"hand": hand} | question.parameters, *assumed)
            if good
            else None
        )
    return _marked_cards(reader, deck, question, spanish=spanish, replaced=replaced)


def _size_of_deck(reader: Reader) -> float | None:
    """Take 52 or 40 where it is the size of the deck."""
    for place in reader.free("number"):
        around = reader.tokens[max(0, place - 2) : place + 3]
        if reader.tokens[place].value in (52, 40) and any(t.means("card") for t in around):
            return reader.at(place).value
    return None


def _marked_cards(
    reader: Reader, deck: float, question: Question, *, spanish: bool, replaced: bool
) -> Spec | None:
    same_suit = reader.take("same_suit")
    event = None if same_suit else _event_of_cards(reader, spanish=spanish)
    drawn = phrases.value(reader, "#n. card", "draw #n.", "card #n.")
    reader.take_all("card", "draw", "fair", "deck_state", "people_word", "in_a_row")
    reader.labels |= measured_words()
    if same_suit:
        if drawn is None:
            return None
        reader.take_all("all_word", "both_word")
        suit = deck / 4
        parameters: dict[str, Any] = {"counts": [suit] * 4, "drawn": drawn}
        if replaced:
            parameters["replacement"] = True
        return calculation("urn_same_colour", parameters | question.parameters)
    if event is None:
        return None
    made, marked = event
    if made == "all" and drawn is None:
        drawn = 2.0 if "both" in {w.text.lower() for w in reader.tokens} else None
    if drawn is None and isinstance(made, Event) and made.low == 1 and made.high == 1:
        drawn = 1.0
    if drawn is None and isinstance(made, Event) and made.low == made.high:
        drawn = made.low  # `draw two aces`
    if drawn is None or not whole(drawn):
        return None
    made = Event(drawn, drawn) if isinstance(made, str) else made
    if drawn > 1 and made.low == 1 and made.high == 1 and not _says_exactly(reader):
        return None
    if replaced:
        of = {"family": "binomial", "parameters": {"n": drawn, "p": marked / deck}}
    else:
        parameters = {"population": deck, "marked": marked, "drawn": drawn}
        of = {"family": "hypergeometric", "parameters": parameters}
    assumed = () if replaced or drawn == 1 else ("without replacement",)
    return calculation(
        "distribution_probability", of | made.parameters | question.parameters, *assumed
    )


def _says_exactly(reader: Reader) -> bool:
    return reader.has("exactly")


def _event_of_cards(reader: Reader, *, spanish: bool) -> tuple[Event | str, float] | None:
    """Take how many marked cards are asked about, and how many of them a deck has."""
    union = _either(reader, spanish=spanish)
    if union is not None:
        return Event(1, 1), union
    one_card = phrases.take(reader, "rank 'of suit", "rank suit", "rank 'de suit")
    if one_card:
        return Event(1, 1), 1.0
    marked = "|".join(_MARKED)
    colour = f"{_RED}|{_BLACK}"
    if phrases.take(reader, f"at_least 'un|'una|'a|'an {marked}|{colour}"):
        return Event(low=1), _count(reader, spanish)
    for pattern, bound in (
        (f"at_least #k. {marked}|{colour}", "low"), (f"at_most #k. {marked}|{colour}", "high"),
        (f"exactly #k. {marked}|{colour}", "both"), (f"#k. or_more {marked}|{colour}", "low"),
        (f"#k. {marked}|{colour}", "both"),
    ):  # fmt: skip
        match = phrases.take(reader, pattern)
        if match:
            k = match["k"].value
            low = k if bound in ("low", "both") else None
            return Event(low, k if bound in ("high", "both") else None), _count(reader, spanish)
    if phrases.take(reader, f"none_word {marked}|{colour}"):
        return Event(0, 0), _count(reader, spanish)
    if phrases.take(
        reader,
        f"all_word|both_word card? {marked}|{colour}",
        f"{marked}|{colour} all_word|both_word",
    ):
        return "all", _count(reader, spanish)
    if phrases.take(reader, f"{marked}|{colour}"):
        return Event(1, 1), _count(reader, spanish)
    return None


def _either(reader: Reader, *, spanish: bool) -> float | None:
    """How many cards are `a king or a queen`, `a heart or a spade`, `an ace or a heart`."""
    kinds = "rank|suit"
    trial = reader.copy()
    before = set(trial.taken)
    if not phrases.take(trial, f"{kinds} or_word|'or {kinds}"):
        return None
    pair = [
        trial.tokens[i]
        for i in sorted(trial.taken - before)
        if trial.tokens[i].means("rank", "suit")
    ]
    if len(pair) != 2 or pair[0].stem == pair[1].stem:
        return None
    reader.taken |= trial.taken
    suit = 10.0 if spanish else 13.0
    sizes = [4.0 if token.means("rank") else suit for token in pair]
    shared = 1.0 if sizes[0] != sizes[1] else 0.0
    return sum(sizes) - shared


def _count(reader: Reader, spanish: bool) -> float:
    """How many cards a deck has of the kind that was taken last."""
    for place in sorted(reader.taken, reverse=True):
        token = reader.tokens[place]
        if token.means("face_card"):
            return 12.0
        if token.means("rank"):
            return 4.0
        if token.means("suit"):
            return 10.0 if spanish else 13.0
        if token.means("red_card", "black_card") or token.stem in ("red", "roja", "black", "negra"):
            return 26.0
    raise AssertionError("no card was taken")


def _read_birthdays(reader: Reader) -> Spec | None:
    if not reader.take_all("birthday"):
        return None
    question = take_question(reader)
    mine = bool(reader.take_all("my_birthday"))
    days = phrases.value(reader, "#d. 'day|'dia|'days", "'year 'of #d. 'day")
    reader.take_all("equally_likely", "fair")
    reader.labels |= measured_words()
    nobody = bool(reader.take_all("different_word")) or bool(
        phrases.take(
            reader, "none_word #two. people_word?", "none_word people_word", "none_word each?"
        )
        if reader.has("none_word") and _denies(reader)
        else None
    )
    parameters: dict[str, Any] = {"days": days} if days is not None else {}
    assumed = ("2 people or more share it", "" if days else "365 days, all equally likely")
    if reader.take_all("how_many", "size_wanted", "ways_word") or phrases.take(
        reader, "'smallest|'minimum|'menor"
    ):
        return _group(reader, parameters, assumed)
    pair = phrases.take(
        reader, "at_least #two. people_word?", "#two. 'or more_than", "#two. or_more"
    )
    if pair and pair["two"].value != (1 if mine else 2):
        return None
    people = phrases.value(
        reader, "people_word #n.", "#n. people_word", "people_word 'of|'with|'de|'con #n.", "out_of #n.",
        "'among|'entre #n. people_word",
    )  # fmt: skip
    if people == 2 and not mine:
        people = None
        people = phrases.value(reader, "people_word #n.", "#n. people_word")
    if people is None:
        return None
    others = reader.only_number("")
    if others is not None and others.value != 2:
        return None
    reader.take_all("people_word", "all_word", "any_word", "double_word", "each", "pool_from")
    if not question.wanted:
        return None
    method = "birthday_of_one" if mine else "birthdays"
    if nobody:
        parameters["nobody"] = True
    return calculation(method, {"people": people} | parameters | question.parameters, *assumed)


def _denies(reader: Reader) -> bool:
    """Whether `no` stands before two people, or alone before the birthday: `nobody shares`."""
    for place in reader.places("none_word"):
        following = reader.tokens[place + 1 : place + 2]
        alone = reader.tokens[place].stem in ("nobody", "no one", "none", "nadie", "none of them")
        if alone or any(t.kind == "number" and t.value == 2 for t in following):
            return True
    return False


def _group(reader: Reader, parameters: dict[str, Any], assumed: tuple[str, ...]) -> Spec | None:
    share = phrases.value(reader, "#p%", "more_than #p", "at_least #p")
    pair = phrases.take(reader, "at_least #two.", "#two. people_word", "#two.")
    if share is None or (pair and pair["two"].value != 2):
        return None
    reader.take_all("people_word", "at_least", "more_than", "beyond", "needed", "mark_verb")
    reader.take_all("such_that", "must_word", "size_wanted", "any_word")
    return calculation("birthday_group", {"probability": share} | parameters, *assumed)


RULES = (
    Rule(
        "a question about cards",
        frozenset({"card", "full_house", "royal_flush", "straight_flush", "four_of_a_kind"}),
        _read_cards,
        "how many cards are drawn, and how many of a rank, suit or hand are wanted",
    ),
    Rule(
        "a question about birthdays",
        frozenset({"birthday"}),
        _read_birthdays,
        "how many people there are, or the probability that the group should reach",
    ),
)
