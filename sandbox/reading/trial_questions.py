"""Reads word problems of repeated trials: so many of n succeed, each with a probability.

Also guessing in exams, arrivals at a rate, waiting for the first success, independent events, and
expected numbers. What the event counts must be what the rate is about: a request in which the two
have other words is refused.
"""

from typing import Any

from sandbox.reading import lexicon, phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.events import Event, take_event
from sandbox.reading.measured import measured_words
from sandbox.reading.named_distributions import FAMILIES
from sandbox.reading.questions import Question, take_question, whole
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.spec import Spec

_OPPOSITE = (
    ({"defective", "faulty", "broken", "bad", "damaged", "rotten"},
     {"good", "working", "fine", "nondefective", "sound", "work"}),
    ({"correct", "right", "correctly"}, {"wrong", "incorrect", "mistake", "incorrectly"}),
    ({"hit", "make", "made", "making", "score", "scored"}, {"miss", "missed", "missing"}),
    ({"success", "succeed", "successful"}, {"failure", "fail", "unsuccessful"}),
    ({"pass", "passed", "passe"}, {"fail", "failed"}), ({"survive", "survived"}, {"die", "died", "fail", "dead"}),
    ({"work", "working", "function"}, {"fail", "failed", "break"}), ({"accept"}, {"reject"}),
    ({"defectuosa", "defectuoso", "mala", "malo", "rota", "roto", "danada"},
     {"buena", "bueno", "sana", "funciona", "funcione"}),
    ({"acierto", "correcta", "bien", "acertada"}, {"fallo", "incorrecta", "mal", "error"}),
    ({"exito"}, {"fracaso"}), ({"aprueba", "apruebe", "aprobado"}, {"suspende", "suspenso", "reprueba"}),
    ({"left"}, {"right"}),
    ({"girl", "female", "woman"}, {"boy", "male", "man"}), ({"nina", "mujer"}, {"nino", "hombre", "varon"}),
    ({"late", "delayed"}, {"punctual", "on-time"}), ({"win", "won", "gana", "gane"}, {"lose", "lost", "pierde"}),
    ({"rain", "rainy"}, {"dry", "sunny"}), ({"germinate"}, {"die"}), ({"yes"}, {"no"}),
)  # fmt: skip


_NOT_COUNTED = frozenset(
    {"scene", "question_probability", "probability", "what_share", "what_percent", "at_random"}
    | {
        "expected_value",
        "how_many",
        "each",
        "beyond",
        "short_of",
        "all_word",
        "any_word",
        "none_word",
    }
)


def _content(reader: Reader, start: int, end: int) -> set[str]:
    """The words between two places that say what is counted: no idle, scene or change words."""
    words = set()
    for token in reader.tokens[max(0, start) : end]:
        counted = may_be_label(token) and token.concepts.isdisjoint(_NOT_COUNTED)
        if counted or token.means("correct_word", "wrong_word"):
            words.add(token.stem)
    return words


_ENDS = frozenset({".", "?", "!", "\n", ";", ",", ":"})
_JOINTS = frozenset(
    {
        "if",
        "when",
        "given",
        "given that",
        "and",
        "where",
        "si",
        "cuando",
        "y",
        "while",
        "if you",
        "if we",
    }
)


def _after(reader: Reader, place: int, *, over_numbers: bool = False) -> set[str]:
    """The words after a number, up to a mark, a joint such as `if`, or another number."""
    end = place + 1
    while end < len(reader.tokens):
        token = reader.tokens[end]
        if (
            token.stem in _ENDS
            or token.stem in _JOINTS
            or (token.kind == "number" and not over_numbers)
        ):
            break
        if token.kind == "number" and token.unit == "%":
            break
        end += 1
    return _content(reader, place + 1, end)


def _before(reader: Reader, place: int) -> set[str]:
    start = place
    while start > 0:
        token = reader.tokens[start - 1]
        if token.stem in _ENDS or token.stem in _JOINTS or token.kind == "number":
            break
        start -= 1
    return _content(reader, start, place)


def _words_of_rate(reader: Reader, place: int) -> set[str]:
    return _after(reader, place) | _before(reader, place)


def _stated_rate(reader: Reader) -> tuple[float, set[str]] | None:
    """Take the probability of a success, and the words of its clause."""
    for pattern in (
        "'with|'con question_probability|probability|success_p exactly? #p", "success_p exactly? #p", "'p exactly #p",
        "question_probability|probability * exactly? #p%", "question_probability * 'is|'of|'de|'es #p",
    ):  # fmt: skip
        trial = reader.copy()
        match = phrases.take(trial, pattern)
        if match is None or not 0 <= match["p"].value <= 1 or match["p"].value == 1:
            continue
        reader.taken |= trial.taken
        place = next(i for i, t in enumerate(reader.tokens) if t is match["p"])
        return match["p"].value, _words_of_rate(reader, place)
    shares = [
        i
        for i in reader.free("number")
        if reader.tokens[i].unit == "%" or reader.tokens[i].fraction
    ]
    if not shares:
        shares = [i for i in reader.free("number") if 0 < reader.tokens[i].value < 1]
    if len(shares) == 1:
        return reader.at(shares[0]).value, _words_of_rate(reader, shares[0])
    return _one_in(reader) if not shares else None


def _one_in(reader: Reader) -> tuple[float, set[str]] | None:
    """Take `1 in 20`, but not the event `8 out of 10`."""
    trial = reader.copy()
    match = phrases.take(trial, "one_in #n.", "#one. 'in|out_of #n.", "#one. 'de each #n.")
    if match is None or match["n"].value <= 0:
        return None
    above = match["one"].value if "one" in match else 1.0
    place = min(i for i in trial.taken if i not in reader.taken)
    if above != 1 or (
        place and reader.tokens[place - 1].means("at_least", "at_most", "exactly", "more_than")
    ):
        return None
    reader.taken |= trial.taken
    last = max(i for i in trial.taken)
    return 1 / match["n"].value, _after(reader, last) | _before(reader, place)


def _guessing(reader: Reader) -> float | None:
    """Take the probability of a right answer by guessing."""
    if not reader.has("guess"):
        return None
    if reader.take_all("true_false"):
        return 0.5
    options = phrases.value(
        reader, "#o. * options_each each?", "#o. options_each each?", "options_each #o."
    )
    return 1 / options if options and options >= 1 else None


_NUMBER_OF_TRIALS = (
    "trial_word #n.", "#n. trial_word", "#n. visitor", "#n. people_word", "sample_word #n.", "size_n|'n exactly? #n.",
    "'next|'of|'proximos|'siguientes #n.", "'in #n.", "#n. time_word", "#n. size_n", "out_of #n.",
)  # fmt: skip


def _alike(word: str, other: str) -> bool:
    """Whether two words begin alike, as `makes` and `making`."""
    shared = 0
    while shared < min(len(word), len(other)) and word[shared] == other[shared]:
        shared += 1
    return shared >= 5 or shared >= max(3, min(len(word), len(other)) - 2)


def _same_thing(reader: Reader, rate: set[str], event: set[str]) -> bool:
    """Whether the event counts what the rate is about; False if it counts the opposite."""
    generic = {
        "success",
        "exito",
        "such",
        "one",
        "so",
        "exactly",
        "them",
        "ellos",
        "hit",
        "making",
    } | measured_words()
    for positive, negative in _OPPOSITE:
        for one_side, other_side in ((positive, negative), (negative, positive)):
            if rate & one_side and event & other_side and not event & one_side:
                return False
    event = {word for word in event if not any(_alike(word, other) for other in rate)}
    strange = event - rate - generic - {"question", "pregunta", "trial"}
    common = {
        t.stem
        for t in reader.tokens
        if t.means("trial_word", "visitor", "people_word", "time_word")
    }
    strange -= common
    if strange and not (strange <= reader.labels):
        raise NotUnderstood(
            f"`{sorted(strange)[0]}` in the event is not what the probability is about: use its words"
        )
    return True


def _read_trials(reader: Reader) -> Spec | None:
    question = take_question_of_trials(reader)
    if question is None:
        return None
    wants_count = reader.has("expected_value") and not question.wanted
    p = _guessing(reader)
    words = {
        "correct",
        "right",
        "correctly",
        "acertar",
        "acierta",
        "acertada",
        "aprobar",
        "acierto",
        "bien",
        "correcta",
        "question",
        "answer",
    }
    if p is not None:
        reader.take_all("guess", "options_each", "multiple_choice")
    elif reader.has("guess") and not reader.places("at_random"):
        return None
    else:
        rate = _stated_rate(reader)
        if rate is None:
            return None
        p, words = rate
    return _trials(reader, question, p, words, wants_count=wants_count)


def take_question_of_trials(reader: Reader) -> Question | None:
    """The question, unless the request is about another subject."""
    other = ("die", "coin", "rank", "suit", "birthday", "sd", "given_positive", *FAMILIES)
    if any(t.means("card") and t.stem not in ("card", "tarjeta", "carta") for t in reader.tokens):
        return None
    if reader.has(
        *other, "confidence_word", "margin_of_error", "p_value", "power_word", "interval_word"
    ):
        return None
    if reader.has("without_replacement", "ball", "sensitivity"):
        return None
    if reader.has("on_average") and _rate_of_arrivals(reader.copy()) is not None:
        return None
    trial = reader.copy()
    stated = [
        i for i in trial.places("question_probability", "probability")
        if any(
            t.kind == "number" and (t.unit == "%" or 0 < t.value < 1)
            for t in trial.tokens[i + 1 : i + 7]
        )
    ]  # fmt: skip
    questions = list(
        trial.places("question_probability", "probability", "what_share", "what_percent")
    )
    percent = bool(reader.take_all("what_percent", "as_percent"))
    return Question(len(questions) > len(stated) or percent or reader.has("what_share"), percent)


def _trials(
    reader: Reader, question: Question, p: float, words: set[str], *, wants_count: bool
) -> Spec | None:
    reader.take_all("at_random", "independent_word")
    before = set(reader.taken)
    event, event_words = take_event(reader, whole=True), _expected_words(reader)
    if event is not None:
        place = max(i for i in reader.taken - before if reader.tokens[i].kind == "number")
        event_words = _after(reader, place, over_numbers=True) or _before(reader, place)
    else:
        word_event = _word_event(reader)
        if word_event is not None:
            event, place = word_event
            event_words = _after(reader, place, over_numbers=True)
    n = phrases.value(reader, *_NUMBER_OF_TRIALS)
    if n is None:
        only = reader.only_number("")
        n = only.value if only else None
    elif event is None and question.wanted:
        only = reader.only_number("")
        if only is not None:
            place = next(i for i, t in enumerate(reader.tokens) if t is only)
            event = Event(only.value, only.value)
            event_words = _after(reader, place, over_numbers=True)
    if n is None or not whole(n):
        return None
    phrases.take(reader, "'next|'proximo|'siguiente|'proxima")
    flip = not _same_thing(reader, words, event_words)
    if event is None and not wants_count:
        return None
    reader.labels |= (
        measured_words() | words | event_words | {"success", "exito", "question", "pregunta"}
    )
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    _finish(reader)
    p = 1 - p if flip else p
    if event is None:
        return calculation("expected_count", {"n": n, "p": p})
    if not question.wanted:
        return None
    if event.high is not None and event.high > n:
        if event.low == event.high == _ALL:
            event = Event(n, n)
        else:
            return None
    of = {"family": "binomial", "parameters": {"n": n, "p": p}}
    parameters = of | event.parameters | question.parameters
    assumed = () if reader.has("independent_word", "guess") else ("the trials are independent",)
    return calculation("distribution_probability", parameters, *assumed)


def _expected_words(reader: Reader) -> set[str]:
    """The words of the question for an expected number: `how many are expected to fail`."""
    words: set[str] = set()
    for place in (i for i, t in enumerate(reader.tokens) if t.means("expected_value")):
        words |= _after(reader, place, over_numbers=True) | _before(reader, place)
    return words


_ALL = 1e15  # stands for the number of trials


def _word_event(reader: Reader) -> tuple[Event, int] | None:
    """Take `none`, `all`, `any` or `at least half`, where it stands for a number."""
    for concept, event in (
        ("none_word", Event(0, 0)), ("all_word|both_word", Event(_ALL, _ALL)), ("any_word", Event(low=1)),
    ):  # fmt: skip
        before = set(reader.taken)
        if phrases.take(reader, f"{concept} 'of|'de #them.") and concept != "none_word":
            reader.taken = before
            return None
        reader.taken = before
        places = [i for c in concept.split("|") for i in reader.places(c)]
        places = [
            i for i in places if "idle" not in reader.tokens[i].concepts or concept == "none_word"
        ]
        twice = reader.language == "es" and concept == "none_word" and len(places) == 2
        if len(places) == 1 or (twice and places[1] - places[0] <= 3):  # `no haya ninguna`
            reader.taken.update(places)
            return event, places[-1]
    return None


def _finish(reader: Reader) -> None:
    reader.take_all(
        "question_probability", "probability", "expected_value", "how_many", "trial_word", "visitor",
        "people_word", "sample_word", "multiple_choice", "guess", "correct_word", "options_each", "each",
        "time_word", "inference_filler", "out_of", "what_share", "roll", "draw", "lasting", "must_word",
        "conversion", "exactly",
    )  # fmt: skip


_LENGTHS = {"second": 1 / 60, "minute": 1.0, "hour": 60.0, "day": 1440.0, "week": 10080.0}
_LENGTHS |= {"segundo": 1 / 60, "minuto": 1.0, "hora": 60.0, "dia": 1440.0, "semana": 10080.0}
_LENGTHS |= {"min": 1.0, "hr": 60.0, "sec": 1 / 60}


def _read_arrivals(reader: Reader) -> Spec | None:
    """Read arrivals at a rate: `4 calls per hour on average; more than 2 in half an hour`."""
    if not reader.has("poisson", "on_average", "mean", "rate_parameter"):
        return None
    if reader.has(
        "sd", "normal", "exponential", "die", "coin", "binomial", "confidence_word", "size_wanted"
    ):
        return None
    question = take_question(reader)
    if not question.wanted:
        return None
    named = bool(reader.take_all("poisson"))
    rate = _rate_of_arrivals(reader)
    if rate is None:
        return None
    event = _word_event(reader)
    counted = event[0] if event else take_event(reader, whole=True)
    factor = _window(reader, rate[1])
    if factor is None:
        return None
    if counted is None:
        only = reader.only_number("")
        counted = Event(only.value, only.value) if only else None
    if counted is None or counted.high == _ALL:
        return None
    reader.take_all(
        "time_unit", "on_average", "mean", "rate_parameter", "distribution_word", "each"
    )
    reader.labels |= measured_words() | {rate[1]}
    _label_alike(reader)
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    _finish(reader)
    exposure = {} if factor == 1 else {"exposure": factor}
    of = {"family": "poisson", "parameters": {"rate": rate[0]} | exposure}
    assumed = () if named else ("arrivals follow a Poisson distribution",)
    return calculation(
        "distribution_probability", of | counted.parameters | question.parameters, *assumed
    )


def _rate_of_arrivals(reader: Reader) -> tuple[float, str] | None:
    """Take how many come in a time or a thing: `4.5 calls an hour`, `3 every 10 minutes`, `0.5 per page`."""
    for place, token in enumerate(reader.tokens[:-1]):
        number = place + 1
        stretch = 1.0
        if reader.tokens[number].kind == "number" and number + 1 < len(reader.tokens):
            stretch = reader.tokens[number].value
            number += 1
        unit = reader.tokens[number]
        timed = unit.means("time_unit")
        small = token.text.lower() in ("a", "an", "al", "a la", "por") and timed
        if not (token.means("each") or small) or unit.kind not in ("word", "concept"):
            continue
        if not timed and (unit.means("people_word", "each", "idle") or " " in unit.stem):
            continue
        amount = _amount_near(reader, place, number)
        if amount is None or stretch <= 0:
            continue
        reader.taken.update((place, *range(place, number + 1), amount))
        return reader.tokens[amount].value / stretch, unit.stem
    return None


def _amount_near(reader: Reader, each: int, unit: int) -> int | None:
    """The place of the number that comes in each unit: before it, else after it."""
    for place in range(each - 1, max(-1, each - 7), -1):
        token = reader.tokens[place]
        if token.stem in (".", "?", ";", "\n"):
            break
        if token.kind == "number":
            return place if token.unit == "" and place not in reader.taken else None
    if each and reader.tokens[each - 1].stem not in (".", ",", "\n"):
        return None
    for place in range(unit + 1, min(unit + 6, len(reader.tokens))):
        if reader.tokens[place].stem in (".", "?", ";", "\n"):
            return None
        if reader.tokens[place].kind == "number":
            return place if reader.tokens[place].unit == "" else None
    return None


def _window(reader: Reader, unit: str) -> float | None:
    """Take how many units of the rate the question is about; None if that is not clear."""
    for place in reader.free("number"):
        following = reader.tokens[place + 1 : place + 2]
        if not following or reader.tokens[place].unit not in ("", "%"):
            continue
        other = following[0].stem
        if other == unit:
            reader.taken.update((place, place + 1))
            return reader.tokens[place].value
        if following[0].means("time_unit"):
            if unit not in _LENGTHS or other not in _LENGTHS:
                return None
            reader.taken.update((place, place + 1))
            return reader.tokens[place].value * _LENGTHS[other] / _LENGTHS[unit]
    if _in_another_time(reader, unit):
        return None
    phrases.take(reader, "'next|'proximo|'proxima time_unit", "'given|'dado|'dada time_unit")
    spare = [reader.tokens[i].stem for i in reader.places("time_unit")]
    if any(stem != unit for stem in spare):
        if len(spare) != 1 or unit not in _LENGTHS or spare[0] not in _LENGTHS:
            return None
        return _LENGTHS[spare[0]] / _LENGTHS[unit]
    return 1.0


_TIMES = frozenset(
    """fortnight weekend morning afternoon evening quarter decade century half lunchtime midday
    quincena trimestre semestre madrugada tarde mitad cuarto""".split()
)
_DAYS = frozenset("tomorrow tonight today hoy manana monday tuesday wednesday thursday friday saturday sunday"
    " lunes martes miercoles jueves viernes sabado domingo".split())  # fmt: skip


def _in_another_time(reader: Reader, unit: str) -> bool:
    """Whether the request names a time that is no unit: `2 a week; at least 1 tomorrow?`."""
    words = {lexicon.plain(word) for t in reader.tokens for word in t.text.split()}
    return bool(words & _TIMES) or (unit not in ("day", "dia") and bool(words & _DAYS))


def _label_alike(reader: Reader) -> None:
    """A word of the event that begins like a word of the rate, as `complain` and `complaints`."""
    words = [t.stem for t in reader.tokens if may_be_label(t) and len(t.stem) >= 4]
    starts = [word[:4] for word in words]
    reader.labels |= {word for word in words if starts.count(word[:4]) > 1}


def _read_independent(reader: Reader) -> Spec | None:
    """Read independent events, each with its own probability."""
    if not reader.has("independent_word"):
        return None
    question = take_question_of_trials(reader)
    if question is None or not question.wanted:
        return None
    places = reader.free("number")
    shares = [i for i in places if reader.tokens[i].unit == "%" or 0 < reader.tokens[i].value < 1]
    if len(shares) < 2:
        return None
    values = [reader.tokens[i].value for i in shares]
    reader.taken.update(shares)
    at_least_one = phrases.take(reader, "at_least #one.", "at_least 'una|'uno|'un")
    exactly_one = phrases.take(reader, "exactly #one.") if at_least_one is None else None
    for match in (at_least_one, exactly_one):
        if match is not None and "one" in match and match["one"].value != 1:
            return None
    if at_least_one:
        event = "any"
    elif exactly_one:
        event = "one"
    elif reader.take_all("none_word"):
        event = "none"
    elif reader.take_all("all_word", "both_word"):
        event = "all"
    elif reader.take_all("any_word"):
        event = "any"
    else:
        return None
    several = phrases.take(reader, "#k. independent_word")
    if several is not None and several["k"].value != len(values):
        return None
    phrases.take(
        reader,
        "#two. independent_word? 'event|'component|'machine|'system|'suceso|'componente|'shooter|'engine",
    )
    reader.take_all("independent_word")
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    reader.labels |= measured_words() | {
        "event",
        "component",
        "probability",
        "reliability",
        "reliable",
        "system",
        "machine",
        "engine",
        "server",
        "sistema",
        "componente",
        "suceso",
        "a",
        "b",
        "c",
    }
    _finish(reader)
    parameters: dict[str, Any] = {"probabilities": values, "event": event} | question.parameters
    return calculation("independent_events", parameters)


RULES = (
    Rule(
        "a question about repeated trials",
        frozenset(
            {"question_probability", "probability", "expected_value", "how_many", "what_percent"}
        ),
        _read_trials,
        "a number of trials, the probability of a success, and how many succeed",
    ),
    Rule(
        "a question about arrivals at a rate",
        frozenset({"poisson", "on_average", "mean", "rate_parameter"}),
        _read_arrivals,
        "an average number in a time, and how many in this or another time",
    ),
    Rule(
        "a question about independent events",
        frozenset({"independent_word"}),
        _read_independent,
        "the probability of each event, and whether all, any, none or exactly one happens",
    ),
)
