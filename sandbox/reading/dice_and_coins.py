"""Reads questions about dice and coins: sums, faces, doubles, heads, runs, expectations, simulations.

Dice and coins are fair unless a coin has a stated probability; a die has six sides unless the
request says how many. A loaded die without its probabilities is refused.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.reading import phrases
from sandbox.reading.events import Event, take_event
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import Question, take_question, whole
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.spec import Spec

ABOUT_DICE = ("die", "double_sixes", "double_ones")
_NAMED_DICE = {"d4": 4, "d6": 6, "d8": 8, "d10": 10, "d12": 12, "d20": 20, "d100": 100}
_MOST_DICE = 200


@dataclass(frozen=True, slots=True)
class _Dice:
    number: int
    sides: int

    @property
    def all_sides(self) -> list[float]:
        return [float(self.sides)] * self.number


def _take_dice(reader: Reader) -> _Dice | None:
    """Take how many dice there are, and how many sides they have."""
    number: float | None = None
    for name, faces in _NAMED_DICE.items():
        match = phrases.take(reader, f"#n. !{name}")
        if match or reader.take(name):
            reader.take_all("die", "fair", name)
            rolls = _times(reader)
            number = match["n"].value if match else rolls or 1.0
            return _Dice(int(number), faces) if _few(number) else None
    match = phrases.take(reader, "#n. fair? #s. sided fair? die", "#n. die 'with|'of #s. sided")
    if match:
        number, sides = match["n"].value, match["s"].value
    else:
        single = phrases.take(
            reader, "#s. sided fair? die", "die #s. sided", "die 'with|'de #s. sided"
        )
        sides = single["s"].value if single else 6.0
    if match is None:
        many = phrases.take(reader, "#n. fair? die", "#n. roll fair? die")
        number = many["n"].value if many else None
    rolls = _times(reader)
    if number is not None and rolls is not None and number > 1 and rolls > 1:
        return None  # several rolls of several dice
    if not (_few(sides) and sides == int(sides)):
        return None
    usual = 2.0 if reader.has("double_sixes", "double_ones") else 1.0
    number = rolls if number in (None, 1.0) and rolls else number or usual
    reader.take_all("die", "fair", "sided")
    return _Dice(int(number), int(sides)) if _few(number) else None


def _times(reader: Reader) -> float | None:
    """Take how often something is rolled or tossed."""
    if phrases.take(reader, "'once", "'una time_word"):
        return 1.0
    if phrases.take(reader, "'twice"):
        return 2.0
    return phrases.value(
        reader, "roll * #n. time_word", "#n. time_word", "#n. fair? roll", "#n. coin roll",
    )  # fmt: skip


def _few(number: float | None) -> bool:
    return number is not None and number == int(number) and 1 <= number <= 1000


_FACES = "|".join(f"face_{i}" for i in range(1, 7))


def _face_named(reader: Reader) -> int | None:
    for face in range(1, 7):
        if reader.take(f"face_{face}"):
            return face
    return None


def _read_dice(reader: Reader) -> Spec | None:
    rolled = reader.has("roll") and reader.has(*(f"face_{i}" for i in range(2, 7)))
    if not rolled and not reader.has("die", "double_sixes", "double_ones", *_NAMED_DICE):
        return None
    if reader.take("unfair"):
        raise NotUnderstood("a loaded die needs the probabilities of its faces")
    thrown = _many_throws(reader)
    simulated = bool(reader.take_all("estimate_simulation")) or thrown
    experiments = _experiments(reader) if simulated else None
    question = take_question(reader)
    expected = reader.take_all("expected_value", "mean") if not question.wanted else []
    all_probabilities = reader.take("distribution_of_sum")
    faces = _face_event(reader)
    summed = bool(reader.take_all("sum_word"))
    dice = _take_dice(reader)
    if dice is None:
        return None
    reader.labels |= measured_words()
    reader.take_all("roll", "die", "fair", "people_word")
    if simulated:
        return _simulated_dice(reader, dice, experiments, summed, percent=question.percent)
    if all_probabilities:
        return calculation("dice_sums", {"sides": dice.all_sides})
    if faces is not None and question.wanted:
        return _faces(dice, faces, question)
    if expected and dice.number > 1 and _face_named(reader) is not None:
        return calculation("expected_count", {"n": float(dice.number), "p": 1 / dice.sides})
    if expected:
        return calculation("dice_expectation", {"sides": dice.all_sides})
    if not question.wanted:
        return None
    return (
        _pattern(reader, dice, question)
        or _one_of(reader, dice, question, summed=summed)
        or _sum(reader, dice, question, summed=summed)
    )


_Faces = tuple[Event | str, int]  # how many dice show a face, and the face


def _face_event(reader: Reader) -> _Faces | None:
    """Take `at least one six`, `exactly two sixes`, `no six`, `all sixes`."""
    for concept, event in (
        ("double_sixes", (Event(2, 2), 6)),
        ("double_ones", (Event(2, 2), 1)),
    ):
        if reader.take(concept):
            return event
    match = phrases.take(reader, "at_least #k. !#f.", "at_most #k. !#f.", "exactly #k. !#f.")
    if match:
        first = next(t for t in reader.tokens if t is match["k"])
        place = reader.tokens.index(first)
        words = [t for i, t in enumerate(reader.tokens[:place]) if i in reader.taken]
        return _bounded(words[-1].concepts, match["k"].value), int(match["f"].value)
    once = phrases.take(
        reader, "at_least 'un|'una|'a #f.", "#f. at_least 'once", "at_least 'once #f."
    )
    if once:
        if once["f"].value < 6:
            raise NotUnderstood(
                f"`at least a {once['f'].text}` may count faces or bound a number: say `at least one "
                f"{once['f'].text}`, or `{once['f'].text} or more`"
            )
        return Event(low=1), int(once["f"].value)
    for concept in ("at_least", "at_most", "exactly"):
        match = phrases.take(reader, f"{concept} #k. {_FACES}")
        if match:
            return _bounded(frozenset({concept}), match["k"].value), _last_face(reader)
    if phrases.take(reader, f"none_word {_FACES}"):
        return Event(0, 0), _last_face(reader)
    if phrases.take(reader, f"all_word|both_word {_FACES}"):
        return "all", _last_face(reader)
    match = phrases.take(reader, "none_word #f.")
    if match:
        return Event(0, 0), int(match["f"].value)
    match = phrases.take(reader, f"#k. {_FACES}")
    if match:
        return Event(match["k"].value, match["k"].value), _last_face(reader)
    return None


def _bounded(concepts: frozenset[str], k: float) -> Event:
    if "at_least" in concepts:
        return Event(low=k)
    return Event(high=k) if "at_most" in concepts else Event(low=k, high=k)


def _last_face(reader: Reader) -> int:
    """The face that was taken just now."""
    return next(
        face
        for i in sorted(reader.taken, reverse=True)
        for face in range(1, 7)
        if reader.tokens[i].means(f"face_{face}")
    )


def _faces(dice: _Dice, faces: _Faces, question: Question) -> Spec | None:
    event, face = faces
    if not 1 <= face <= dice.sides:
        return None
    if event == "all":
        event = Event(dice.number, dice.number)
    assert isinstance(event, Event)
    if max(event.low or 0, event.high or 0) > dice.number:
        raise NotUnderstood(f"{dice.number} dice cannot show a face more than {dice.number} times")
    of = {"family": "binomial", "parameters": {"n": float(dice.number), "p": 1 / dice.sides}}
    return calculation("distribution_probability", of | event.parameters | question.parameters)


def _pattern(reader: Reader, dice: _Dice, question: Question) -> Spec | None:
    if dice.number < 2:
        return None
    if reader.take("different_word"):
        pattern = "all_different"
    elif reader.take("double_word"):
        pattern = "all_same"
    else:
        return None
    reader.take_all("all_word", "both_word")
    parameters = {"dice": float(dice.number), "sides": float(dice.sides), "pattern": pattern}
    return calculation("dice_pattern", parameters | question.parameters)


_KINDS = {
    "even": "even", "par": "even", "odd": "odd", "impar": "odd", "prime": "prime", "primo": "prime",
}  # fmt: skip


def _one_of(reader: Reader, dice: _Dice, question: Question, *, summed: bool) -> Spec | None:
    """Read `an even number`, `a prime`, `a multiple of 3`, `a 7 or 11`."""
    values = _values_of(reader, dice)
    if values is None:
        return None
    if dice.number > 1 and not summed and (not values or min(values) <= dice.sides):
        raise NotUnderstood("say whether the number is the sum of the dice or a face of one")
    parameters = {"sides": dice.all_sides, "values": values} | question.parameters
    return calculation("dice_one_of", parameters)


def _values_of(reader: Reader, dice: _Dice) -> list[float] | None:
    totals = [float(t) for t in range(dice.number, dice.number * dice.sides + 1)]
    kinds = [i for i, t in enumerate(reader.tokens) if t.stem in _KINDS and i not in reader.taken]
    if len(kinds) == 1 and not reader.free("number"):
        reader.taken.add(kinds[0])
        kind = _KINDS[reader.tokens[kinds[0]].stem]
        return [t for t in totals if _is_of_kind(int(t), kind)]
    multiple = phrases.value(
        reader, "'multiple 'of|'de #k.", "'multiplo 'de #k.", "'divisible 'by|'por|'entre #k."
    )
    if multiple and whole(multiple):
        return [t for t in totals if t % multiple == 0]
    listed = phrases.take(
        reader,
        "#a. or_word|'or #b. or_word|'or #c.",
        "#a. ', #b. ',? or_word|'or #c.",
        "#a. or_word|'or #b.",
    )
    if listed:
        values = sorted({listed[name].value for name in "abc" if name in listed})
        return values if all(map(whole, values)) else None
    return None


def _is_of_kind(total: int, kind: str) -> bool:
    if kind == "prime":
        return total > 1 and all(total % k for k in range(2, total))
    return total % 2 == (kind == "odd")


def _sum(reader: Reader, dice: _Dice, question: Question, *, summed: bool) -> Spec | None:
    event = take_event(reader, whole=True)
    if event is None:
        number = reader.only_number("")
        event = Event(number.value, number.value) if number else None
    if event is None:
        return None
    assumed: tuple[str, ...] = ()
    if dice.number > 1 and not summed:
        least = min(b for b in (event.low, event.high) if b is not None)
        if least <= dice.sides:
            raise NotUnderstood("say whether the number is the sum of the dice or a face of one")
        assumed = ("the number is the sum of the dice",)
    parameters = {"sides": dice.all_sides} | event.parameters | question.parameters
    return calculation("dice_sum", parameters, *assumed)


def seed_of(reader: Reader) -> float:
    """The seed of the request, which the wishes of all requests took."""
    for i, token in enumerate(reader.tokens[:-1]):
        number = reader.tokens[i + 1]
        if token.means("seed") and number.kind == "number":
            return number.value
    return 0.0


_MANY_THROWS = 1000


def _many_throws(reader: Reader) -> bool:
    """Whether dice are to be thrown so often that only a program can: `throw three dice 10,000 times`."""
    times = phrases.value(reader.copy(), "roll * #n. time_word", "#n. time_word")
    return (
        times is not None
        and times >= _MANY_THROWS
        and reader.has("what_share", "estimate_simulation")
    )


def _experiments(reader: Reader) -> float | None:
    return phrases.value(
        reader,
        "#n. estimate_simulation", "#n. roll", "#n. 'experiment|'trial|'run|'time|'game|'repetition",
        "#n. time_word", "#n. random_point", "size_n #n.", "#n. size_n", "#n. 'experimento|'juego|'repeticion",
    )  # fmt: skip


def _simulated_dice(
    reader: Reader, dice: _Dice, experiments: float | None, summed: bool, *, percent: bool
) -> Spec | None:
    single = dice.number > 20  # `simulate 10,000 rolls of a die`
    rolls = float(dice.number) if single and experiments is None else experiments
    if rolls is None:
        return None
    sides = [float(dice.sides)] if single else dice.all_sides
    parameters: dict[str, Any] = {"rolls": rolls, "sides": sides, "seed": seed_of(reader)}
    if reader.take_all("mean", "expected_value"):
        return calculation("simulated_dice", parameters | {"statistic": "mean"})
    event = take_event(reader, whole=True)
    if event is None:
        number = reader.only_number("")
        event = Event(number.value, number.value) if number else None
    if event is None or event.outside or (len(sides) > 1 and not summed):
        return None
    shown = {"percent": True} if percent else {}
    shares = parameters | {"statistic": "share"} | event.parameters
    return calculation("simulated_dice", shares | shown)


def _read_coins(reader: Reader) -> Spec | None:
    sides = reader.has("heads", "tails") and reader.has("roll", "in_a_row")
    if not reader.has("coin") and not sides:
        return None
    if reader.has("estimate_simulation"):
        return None
    p = probability_of_heads(reader)
    question = take_question(reader)
    expected = [] if question.wanted else reader.take_all("expected_value", "mean", "how_many")
    run = phrases.value(
        reader, "#k. heads|tails in_a_row", "in_a_row #k. heads|tails", "#k. in_a_row heads|tails",
        "in_a_row at_least? #k.",
    )  # fmt: skip
    event, tails = (None, False) if run is not None else heads_event(reader)
    flips = phrases.value(
        reader,
        "roll * #n. time_word", "#n. time_word", "#n. fair? coin", "#n. fair? roll",
        "coin * #n. time_word", "#n. coin roll", "'in #n. roll", "roll #n.",
    )  # fmt: skip
    if flips is None and reader.has("coin"):
        twice = phrases.take(reader, "'twice")
        flips = 2.0 if twice else None
    if event is None and expected:
        sides_asked = [s for s in ("heads", "tails") if reader.places(s)]
        tails = sides_asked == ["tails"]
        if len(sides_asked) == 2 and p is not None:
            return None
    reader.take_all("coin", "roll", "fair", "heads", "tails", "people_word")
    reader.labels |= measured_words()
    if reader.has("unfair") and p is None:
        raise NotUnderstood("a biased coin needs its probability of heads")
    p = 0.5 if p is None else p
    if run is not None:
        length, n = run, flips if flips is not None else run
        parameters: dict[str, Any] = {"n": n, "p": p, "length": length} | question.parameters
        return calculation("run_of_successes", parameters) if question.wanted else None
    if flips is None:
        flips = 1.0 if event is not None and event.low == 1 and event.high == 1 else None
    if flips is None:
        return None
    if event is None:
        p = 1 - p if tails else p
        return calculation("expected_count", {"n": flips, "p": p}) if expected else None
    if not question.wanted:
        return None
    event = _replaced(event, flips)
    of = {"family": "binomial", "parameters": {"n": flips, "p": 1 - p if tails else p}}
    return calculation("distribution_probability", of | event.parameters | question.parameters)


def probability_of_heads(reader: Reader) -> float | None:
    """Take a stated probability of heads."""
    trial = reader.copy()
    p = phrases.value(
        trial,
        "heads question_probability|probability exactly? #p", "heads #p%", "#p% heads",
        "question_probability|probability heads exactly? #p", "question_probability #p% heads",
        "question_probability|probability exactly? #p 'of|'for|'de heads", "heads * question_probability|probability #p",
        "heads * #p% 'of the? time_word|'time",
    )  # fmt: skip
    if p is None or p > 1:
        return None
    reader.taken |= trial.taken
    reader.take_all("unfair")
    return p


_ALL = -1.0  # stands for the number of flips


def heads_event(reader: Reader) -> tuple[Event | None, bool]:
    """Take how many heads, or tails, are asked about."""
    for side in ("heads", "tails"):
        if phrases.take(reader, f"more_than|beyond {side} 'than heads|tails") or phrases.take(
            reader, f"'more {side} 'than heads|tails"
        ):
            raise NotUnderstood("`more heads than tails` is not understood: say how many heads")
        tails = side == "tails"
        if phrases.take(
            reader, f"all_word|both_word {side}", f"{side} all_word|both_word",
            f"all_word|both_word 'land|'come|'show|'turn|'caen|'salen|'sean 'up? {side}",
        ):  # fmt: skip
            return Event(_ALL, _ALL), tails
        if phrases.take(reader, f"none_word {side}"):
            return Event(0, 0), tails
        between = phrases.take(reader, f"between #a. range_to #b. {side} inclusive?")
        if between:
            return Event(between["a"].value, between["b"].value), tails
        for pattern, bound in (
            (f"#k. or_more {side}", Event(low=0)), (f"at_least #k. {side}", Event(low=0)),
            (f"#k. {side} or_more", Event(low=0)), (f"at_most #k. {side}", Event(high=0)),
            (f"#k. or_less {side}", Event(high=0)), (f"more_than #k. {side}", Event(low=0, low_open=True)),
            (f"less_than #k. {side}", Event(high=0, high_open=True)),
            (f"exactly #k. {side}", Event(0, 0)), (f"#k. {side}", Event(0, 0)),
        ):  # fmt: skip
            k = phrases.value(reader, pattern)
            if k is not None:
                low = k if bound.low is not None else None
                high = k if bound.high is not None else None
                return Event(low, high, bound.low_open, bound.high_open), tails
    return None, False


def _replaced(event: Event, flips: float) -> Event:
    return Event(flips, flips) if event.low == _ALL else event


RULES = (
    Rule(
        "a question about dice",
        frozenset({"die", "double_sixes", "double_ones", *_NAMED_DICE})
        | {f"face_{i}" for i in range(2, 7)},
        _read_dice,
        "the number of dice, their sides, and a sum, a face or doubles",
    ),
    Rule(
        "a question about coins",
        frozenset({"coin", "heads", "tails"}),
        _read_coins,
        "the number of flips and of heads or tails, or a run of them",
    ),
)
