"""Reads questions about waiting and gain: the first success, trials needed, collecting, prizes, pi.

A simulation of pi runs in the sandbox, and is judged against the exact value and its error.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.dice_and_coins import seed_of
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import take_question
from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Spec

_FACE_NAMES = "|".join(f"face_{i}" for i in range(1, 7))


def _success(reader: Reader) -> float | None:
    """Take the probability of one success: a face of a die, heads, or a stated probability."""
    if reader.has("unfair"):
        return None
    if reader.has("die") or (reader.has("roll") and not reader.has("coin", "heads", "tails")):
        sides = phrases.value(reader, "#s. sided fair? die")
        reader.take_all("die", "fair", "roll")
        return 1 / (sides or 6.0)
    if reader.has("coin"):
        reader.take_all("coin", "heads", "fair", "roll")
        return 0.5
    p = phrases.value(
        reader, "success_p exactly? #p", "question_probability|probability * exactly? #p%", "'p exactly #p",
        "question_probability|probability 'of|'de #p", "'with|'con question_probability|probability #p",
    )  # fmt: skip
    if p is None:
        share = reader.only_number("%")
        p = share.value if share else None
    return p if p is not None and 0 < p < 1 else None


def _counts_firsts(reader: Reader, number: Token) -> bool:
    """Whether a number counts the first cases, as in `the first two are heads`, and is no face."""
    following = reader.tokens[reader.tokens.index(number) + 1 :][:1]
    things = bool(following) and (
        following[0].means("roll", "time_word", "trial_word", "die", "people_word")
        or following[0].stem in ("are", "were", "son", "sean")
    )
    return things or reader.has("coin", "heads")


_FAILURES = frozenset(
    "fail failure failed miss missed lose loss lost wrong bad defective faulty broken reject error fallo fracaso"
    " falla perder pierde mala malo defectuosa defectuoso incorrecta".split()
)


def _opposed(reader: Reader, place: int) -> bool:
    """Whether the clause of the first case speaks of failures and that of the rate does not, or the reverse."""
    shares = [i for i, t in enumerate(reader.tokens) if t.unit == "%" or 0 < t.value < 1]
    failures = [i for i, t in enumerate(reader.tokens) if t.stem in _FAILURES]
    if len(shares) != 1:
        return True
    near = [any(abs(i - at) <= 8 for i in failures) for at in (place, shares[0])]
    return near[0] != near[1]


def _read_first(reader: Reader) -> Spec | None:
    """Read when the first success comes: exactly at trial 4, after more than 5 trials, on average."""
    nth = phrases.take(
        reader,
        "first_one * 'on|'at|'in|'en 'the|'la|'el? #k trial_word|roll|time_word?",
    )
    if nth is not None and (
        nth["k"].unit != "th" or _opposed(reader, reader.tokens.index(nth["k"]))
    ):
        return None
    first = nth or phrases.take(
        reader, "first_one #f.", f"first_one {_FACE_NAMES}",
        "first_one success_p|heads|correct_word|conversion|'success|'exito", "until_first #f.",
        f"until_first {_FACE_NAMES}", "until_first",
    )  # fmt: skip
    if first is None or ("f" in first and _counts_firsts(reader, first["f"])):
        return None
    question = take_question(reader)
    on_average = reader.take_all("expected_value", "on_average", "how_many", "mean")
    event: dict[str, Any] | None = None
    if nth is not None:
        event = {"low": nth["k"].value, "high": nth["k"].value}
    for pattern, kind in (
        ("exactly #k.", "both"), ("more_than|beyond #k.", "over"), ("at_most|short_of #k.", "high"),
        ("at_least #k.", "low"), ("'on|'en|'at 'the? 'trial|'roll? #k.", "both"), ("#k. roll|trial_word|time_word", "both"),
    ):  # fmt: skip
        k = phrases.value(reader, pattern) if nth is None else None
        if k is not None:
            event = {"both": {"low": k, "high": k}, "over": {"low": k, "low_open": True}}.get(
                kind, {kind: k}
            )
            break
    p = _success(reader)
    if p is None:
        return None
    reader.take_all(
        "until_first", "trial_word", "roll", "time_word", "people_word", "heads", "must_word"
    )
    reader.labels |= measured_words() | {"until", "success", "exito"}
    if nth is not None:
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    of: dict[str, Any] = {"family": "geometric", "parameters": {"p": p}}
    if event is not None and question.wanted:
        return calculation("distribution_probability", of | event | question.parameters)
    if on_average and not question.wanted and event is None:
        return calculation("distribution_moments", of)
    return None


def _read_needed(reader: Reader) -> Spec | None:
    """Read how many trials give a probability of at least one success."""
    if not reader.take_all("how_many", "ways_word", "size_wanted"):
        return None
    confidence = phrases.value(
        reader, "#c% question_probability|probability|confidence_word", "question_probability|probability 'of|'de #c%",
        "question_probability|probability at_least|more_than|beyond #c%", "at_least #c% question_probability|probability",
        "#c% 'sure|'certain", "question_probability|probability * at_least|more_than|beyond #c%",
    )  # fmt: skip
    if confidence is None:
        return None
    least = phrases.take(reader, "at_least #one. #f.", f"at_least #one. {_FACE_NAMES}", "at_least #one. heads|tails",
                         "at_least 'un|'una|'a #f.", "at_least #one.")  # fmt: skip
    if least is None or ("one" in least and least["one"].value != 1):
        return None
    p = _success(reader)
    if p is None:
        return None
    reader.take_all(
        "time_word",
        "trial_word",
        "must_word",
        "at_least",
        "roll",
        "conversion",
        "draw",
        "correct_word",
    )
    reader.take_all("question_probability", "probability")
    reader.labels |= measured_words() | {"success", "exito", "time", "play", "buy", "ticket"}
    return calculation("trials_needed", {"p": p, "confidence": confidence})


def _read_collector(reader: Reader) -> Spec | None:
    """Read how many draws it takes on average to see every kind."""
    if not reader.take_all("collect_all"):
        return None
    if not reader.take_all("expected_value", "on_average", "how_many", "mean", "ways_word"):
        return None
    numbers = {reader.tokens[i].value for i in reader.free("number")}
    if len(numbers) > 1 or (not numbers and not reader.has("die")):
        return None
    kinds = numbers.pop() if numbers else 6.0
    reader.taken.update(reader.free("number"))
    reader.take_all(
        "die",
        "fair",
        "roll",
        "sided",
        "equally_likely",
        "different_word",
        "each",
        "draw",
        "must_word",
    )
    reader.take_all("different_things", "time_word", "trial_word", "ball", "container")
    reader.labels |= measured_words() | {
        "type",
        "kind",
        "toy",
        "coupon",
        "box",
        "sticker",
        "face",
        "card",
        "cereal",
    }
    reader.labels |= {
        "buy",
        "need",
        "full",
        "complete",
        "packet",
        "cromo",
        "juguete",
        "tipo",
        "comprar",
        "collect",
    }
    return calculation("coupon_collector", {"kinds": kinds}, "all kinds are equally likely")


def _read_raffle(reader: Reader) -> Spec | None:
    """Read the expected gain of one ticket of a raffle with one prize."""
    if not reader.has("ticket_word") or not reader.take_all("expected_value", "mean"):
        return None
    tickets = phrases.value(reader, "#n. ticket_word", "#n. * ticket_word")
    money = [i for i in reader.free("number") if reader.tokens[i].unit == "$"]
    if tickets is None or not tickets or len(money) != 2:
        return None
    cost, prize = (reader.tokens[i] for i in money)
    prize_first = phrases.take(reader, "prize_word * #v$", "#v$ prize_word", "prize_word #v$")
    if prize_first is None:
        return None
    if prize_first["v"] is cost:
        cost, prize = prize, cost
    reader.taken.update(money)
    only = phrases.take(reader, "#one. prize_word", "'single prize_word")
    if only is not None and "one" in only and only["one"].value != 1:
        return None
    reader.take_all("ticket_word", "prize_word", "each", "people_word", "ball")
    reader.labels |= measured_words() | {
        "raffle",
        "sell",
        "sold",
        "lottery",
        "rifa",
        "gain",
        "win",
        "profit",
        "buyer",
    }
    parameters: dict[str, Any] = {"prizes": [prize.value], "probabilities": [1 / tickets]}
    return calculation(
        "expected_prize", parameters | {"cost": cost.value}, "the price is subtracted"
    )


def _read_pi(reader: Reader) -> Spec | None:
    if not reader.take_all("pi_word"):
        return None
    if reader.has("decimals", "digit") and not reader.has("random_point", "estimate_simulation"):
        return None
    points = phrases.value(
        reader, "#n. at_random? random_point", "random_point #n.", "estimate_simulation #n.", "#n. * random_point",
        "size_n|'n exactly? #n.",
    )  # fmt: skip
    if points is None:
        only = reader.only_number("")
        drawn = reader.has("estimate_simulation", "random_point", "at_random", "roll", "pi_scene")
        points = only.value if only and drawn else None
    if points is None:
        return None
    reader.take_all("random_point", "estimate_simulation", "at_random", "pi_scene", "roll")
    reader.labels |= {
        "method",
        "metodo",
        "simulation",
        "value",
        "approximate",
        "aproxima",
        "estimar",
    }
    return calculation("simulated_pi", {"points": points, "seed": seed_of(reader)})


RULES = (
    Rule(
        "a question about the first success",
        frozenset({"until_first", "question_probability", "expected_value", "how_many"}),
        _read_first,
        "the probability of a success, and at which trial the first comes",
    ),
    Rule(
        "how many trials are needed",
        frozenset({"how_many", "ways_word", "size_wanted"}),
        _read_needed,
        "the probability of a success, and that of at least one",
    ),
    Rule("collecting every kind", frozenset({"collect_all"}), _read_collector, "how many kinds"),
    Rule(
        "the expected value of a ticket",
        frozenset({"ticket_word"}),
        _read_raffle,
        "the number of tickets, their price, and one prize",
    ),
    Rule("an estimate of pi", frozenset({"pi_word"}), _read_pi, "the number of random points"),
)
