"""Reads questions about a distribution that the request names, with its parameters.

Probabilities of events, percentiles and tails, critical values, z-scores, moments. A mean of a
sample has the distribution of the mean. Values with different units are refused.
"""

import math
from dataclasses import replace

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.events import Event, take_event
from sandbox.reading.measured import measured_words
from sandbox.reading.named_distributions import (
    FAMILIES,
    Named,
    mean_and_sd,
    name_words,
    take_distribution,
)
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.spec import Analysis, Spec

_ASKING = ("question_probability", "probability", "what_share", "area", "such_that")


def _read(reader: Reader) -> Spec | None:
    reader.take_all("at_random", "csv")
    percent = bool(reader.take_all("what_percent", "as_percent"))
    _take_verbs(reader)
    critical = bool(reader.take_all("critical"))
    tails = _tails(reader)
    if critical:
        return _critical(reader, tails)
    wanted = _quantile(reader)
    z_score = reader.has("z_score") and wanted is None
    size = _size_of_sample(reader)
    named = take_distribution(reader)
    iq = reader.has("'iq", "'ci") and (wanted is not None or reader.has(*_ASKING))
    if named is None and (z_score or iq):
        values = mean_and_sd(reader)
        note = ("IQ follows a normal distribution",) if iq else ()
        named = Named("normal", {"mean": values[0], "sd": values[1]}, note) if values else None
    if named is None:
        return None
    name_words(reader, *FAMILIES)
    if named.family == "normal":
        reader.take_all("rate_parameter")
    reader.labels |= measured_words()
    named = _of_sample_mean(reader, named, size)
    if tails in ("one_tailed", "two_tailed") or (tails and not reader.has("area")):
        raise NotUnderstood("a tail is not understood in a question about a distribution")
    if wanted is not None:
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
        reader.take_all(*_ASKING, "mark_verb", "mean_word")
        return _spec(named, "distribution_quantile", wanted)
    if z_score:
        return _z_score(reader, named, percent=percent)
    trial = reader.copy()
    made = _event(trial, named, percent, tails)
    if made is not None:
        reader.taken |= trial.taken
        reader.labels |= trial.labels
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
        return made
    return _moments(reader, named) if not percent else None


def _z_score(reader: Reader, named: Named, *, percent: bool) -> Spec | None:
    """Read a z-score, and the share below the value if the request asks whom the value beats."""
    reader.take("z_score")
    value = reader.only_number()
    if value is None or named.family != "normal":
        return None
    z = {"value": value.value, **named.parameters}
    analyses = [Analysis("z_score", parameters=z)]
    if reader.take_all(*_ASKING) or percent:
        if not (
            reader.take_all("beats") or phrases.take(reader, "less_than|short_of 'him|'her|'that")
        ):
            return None
        below: dict[str, object] = {"high": value.value}
        if percent:
            below["percent"] = True
        made = _spec(named, "distribution_probability", below)
        analyses += made.analyses
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    return Spec("calculate", analyses=tuple(analyses), assumed=named.assumed)


def _take_verbs(reader: Reader) -> None:
    """Take `weight` and `last` where they say what is measured, as in `batteries last 40 hours`."""
    for place, token in enumerate(reader.tokens):
        before = reader.tokens[place - 1].text.lower() if place else ""
        near = reader.tokens[place + 1 : place + 4]
        if token.means("between") and not any(t.kind == "number" for t in near):
            reader.taken.add(place)  # `the time between buses`
        earlier = reader.tokens[place - 1] if place else token
        noun = earlier.kind == "word" or (earlier.kind == "concept" and earlier.means("scene"))
        if token.text.lower() in ("times", "rate", "rates") and noun:
            reader.taken.add(place)  # `waiting times`, `heart rate`
        if token.stem == "weight" or (token.stem == "last" and before not in _ARTICLES):
            reader.taken.add(place)
    reader.take_all("lasting")


_ARTICLES = frozenset({"the", "for", "for the", "in the", "over the", "of the", "in", "over", ","})


def _spec(named: Named, method: str, parameters: dict[str, object], *notes: str) -> Spec:
    family = {"family": named.family, "parameters": dict(named.parameters)}
    analysis = Analysis(method, parameters=family | parameters)
    return Spec("calculate", analyses=(analysis,), assumed=(*named.assumed, *notes))


def _size_of_sample(reader: Reader) -> float | None:
    """Take how many values a mean is of, where another mean is that of the population."""
    if sum(token.means("mean", "sample_mean") for token in reader.tokens) < 2:
        return None
    things = (
        "trial_word|visitor|people_word|scene|'value|'valor|'observation|'observacion|'measurement"
    )
    return phrases.value(reader, f"mean|sample_mean 'of|'de #n. !{things}")


def _of_sample_mean(reader: Reader, named: Named, size: float | None) -> Named:
    if named.family != "normal" and size is not None:
        raise NotUnderstood("the mean of a sample is understood for a normal distribution")
    if named.family != "normal":
        return named
    if size is not None:
        return _mean_of(reader, named, size)
    match = phrases.take(
        reader,
        "sample_mean #n.", "mean sample_word? #n.", "sample_word #n. * mean", "mean * #n.",
    )  # fmt: skip
    if match is None and reader.has("sample_mean"):
        match = phrases.take(reader, "sample_word #n.", "size_n|'n exactly? #n.")
        if match is not None:
            phrases.take(reader, "sample_mean")
    if match is None or match["n"].value < 1:
        return named
    return _mean_of(reader, named, match["n"].value)


def _mean_of(reader: Reader, named: Named, size: float) -> Named:
    reader.take_all("sample_word", "sample_mean")
    sd = named.parameters["sd"] / math.sqrt(size)
    note = "the mean of a sample has the standard deviation divided by the root of its size"
    parameters = {"mean": named.parameters["mean"], "sd": sd}
    return replace(named, parameters=parameters, assumed=(*named.assumed, note))


def _tails(reader: Reader) -> str:
    names = ("two_tailed", "one_tailed", "right_tail", "left_tail")
    present = [name for name in names if reader.take_all(name)]
    if len(present) > 1 and set(present) != {"one_tailed", present[-1]}:
        raise NotUnderstood("say which tail: one, two, left or right")
    return present[-1] if present else ""


_BELOW = (
    "#p% percentile", "#p percentile", "percentile #p%", "percentile #p", "below_which #p%",
    "below_which #p", "below_which * #p%", "bottom_share #p%", "bottom_share #p", "bottom_share percentile #p",
    "#p% bottom_share",
)  # fmt: skip
_ABOVE = (
    "top_share #p%", "above_which #p%", "#p% top_share", "above_which #p", "#p% above_which",
    "above_which only_word #p%",
)  # fmt: skip
_X = "'x|'z|'t|'k|'c|'a|'f"


def _quantile(reader: Reader) -> dict[str, object] | None:
    """Take the share that lies below, above or around the value asked for."""
    if reader.take("first_quartile"):
        return {"below": 0.25}
    if reader.take("third_quartile"):
        return {"below": 0.75}
    middle = phrases.value(reader, "middle_share #p%", "#p% middle_share")
    if middle is not None:
        return {"middle": middle}
    above = phrases.value(reader, *_ABOVE)
    if above is not None:
        return {"above": above}
    below = phrases.take(reader, *_BELOW)
    if below is not None:
        share = below["p"]
        return {"below": share.value / 100 if share.value >= 1 else share.value}
    is_below = f"question_probability|probability {_X} at_most|less_than {_X} exactly #p"
    is_above = f"question_probability|probability {_X} more_than|at_least {_X} exactly #p"
    if (share_below := phrases.value(reader, is_below)) is not None:
        return {"below": share_below}
    if (share_above := phrases.value(reader, is_above)) is not None:
        return {"above": share_above}
    if reader.take("median_word"):
        return {"below": 0.5}
    return None


def _critical(reader: Reader, tails: str) -> Spec | None:
    level = phrases.value(
        reader,
        "significance_level exactly? #a", "#a significance_level", "#a confidence_word",
        "confidence_word|significance_level 'of|'at|'del|'de #a",
        "confidence_word exactly? #a",
    )  # fmt: skip
    named = take_distribution(reader)
    if named is None:
        return None
    if level is None:
        share = reader.only_number("%") or reader.only_number("")
        level = share.value if share else None
    if level is None:
        return None
    phrases.take(reader, "interval_word")
    reader.take_all("significance_level", "confidence_word", "hypothesis_test", "size_n")
    reader.take_all("test_word")
    alpha = 1 - level if level >= 0.5 else level
    notes: tuple[str, ...] = ()
    if named.family in ("normal", "t") and not tails:
        tails, notes = "two_tailed", ("two-sided",)
    if named.family in ("chi2", "f") and not tails:
        tails, notes = "right_tail", ("the upper tail",)
    if tails == "two_tailed":
        notes = (*notes, f"{alpha:g} in the two tails together")
    if tails == "two_tailed" and named.family in ("chi2", "f"):
        return _spec(named, "distribution_quantile", {"middle": 1 - alpha}, *notes)
    alpha = alpha / 2 if tails == "two_tailed" else alpha
    tail = {"below": alpha} if tails == "left_tail" else {"above": alpha}
    return _spec(named, "distribution_quantile", {**tail, "name": "critical_value"}, *notes)


def _event(reader: Reader, named: Named, percent: bool, tails: str) -> Spec | None:
    spread = _around_mean(reader, named)
    if tails in ("right_tail", "left_tail") and reader.has("area"):
        reader.take_all("exactly")
        value = reader.only_number()
        bound = value.value if value else None
        event: Event | None = Event(low=bound) if tails == "right_tail" else Event(high=bound)
    else:
        event = spread or take_event(reader, whole=named.whole)
    if event is None and not named.whole:
        verbs = "'survive|'surviving|'survived|'sobrevive|'sobreviva|'aguante"
        survived = phrases.value(reader, f"{verbs} #k")
        event = Event(low=survived) if survived is not None else None
    if event is None and named.whole:
        event = _exact_count(reader)
    if event is None or (event.low is None and event.high is None):
        return None
    asked_words = reader.take_all(*_ASKING)
    spread_note = _deviations_note(reader, named) if spread is not None else ()
    parameters: dict[str, object] = dict(event.parameters)
    notes: tuple[str, ...] = (
        ("both ends of the range belong to it",) if named.whole and _two_ends(event) else ()
    )
    if reader.take_all("how_many", "expected_value") and not percent:
        cases = reader.only_number("")
        if cases is not None:
            return _spec(named, "distribution_probability", {**parameters, "out_of": cases.value})
        if not asked_words:
            return None
    elif not asked_words and not percent:
        return None
    if percent:
        parameters["percent"] = True
    _same_units(reader)
    _plausible(reader, named, event)
    if named.family in ("poisson", "exponential"):
        _one_time(reader)
    notes = (*notes, *spread_note)
    return _spec(named, "distribution_probability", parameters, *notes)


def _deviations_note(reader: Reader, named: Named) -> tuple[str, ...]:
    """What a range in standard deviations was taken to be."""
    k = next(
        reader.tokens[i - 1].value
        for i in sorted(reader.taken)
        if reader.tokens[i].means("sd") and i and reader.tokens[i - 1].kind == "number"
    )
    return (f"{k:g} standard deviations of {named.parameters['sd']:g} each",)


def _plausible(reader: Reader, named: Named, event: Event) -> None:
    """Refuse a bound far from everything that can be, with a unit that the mean has not: 5 feet."""
    if named.family != "normal" or named.parameters["sd"] <= 0:
        return
    for bound in (event.low, event.high):
        if bound is None or abs(bound - named.parameters["mean"]) < 7 * named.parameters["sd"]:
            continue
        for token, following in zip(reader.tokens, reader.tokens[1:], strict=False):
            if (
                token.kind == "number"
                and token.value == bound
                and unit_group(following.stem) is not None
            ):
                raise NotUnderstood(
                    f"{bound:g} {following.text} is far from the mean {named.parameters['mean']:g}: "
                    "say the units of both"
                )


def _two_ends(event: Event) -> bool:
    return event.low is not None and event.high is not None and event.low < event.high


def _exact_count(reader: Reader) -> Event | None:
    if reader.take("none_word"):
        return Event(low=0.0, high=0.0)
    number = reader.only_number("")
    return Event(low=number.value, high=number.value) if number else None


def _around_mean(reader: Reader, named: Named) -> Event | None:
    """Take a range in standard deviations from the mean."""
    if named.family != "normal":
        return None
    mean, sd = named.parameters["mean"], named.parameters["sd"]
    k = phrases.value(reader, "short_of #k sd of_the_mean", "short_of #k sd 'of mean")
    if k is not None:
        return Event(mean - k * sd, mean + k * sd)
    k = phrases.value(
        reader, "beyond|more_than #k sd of_the_mean", "beyond|more_than #k sd 'from mean"
    )
    if k is not None:
        return Event(mean - k * sd, mean + k * sd, outside=True)
    k = phrases.value(
        reader, "more_than|beyond #k sd more_than mean", "at_least #k sd more_than mean"
    )
    if k is not None:
        return Event(low=mean + k * sd)
    k = phrases.value(
        reader, "more_than|beyond #k sd less_than mean", "at_least #k sd less_than mean"
    )
    return Event(high=mean - k * sd) if k is not None else None


def _moments(reader: Reader, named: Named) -> Spec | None:
    if not reader.take_all("expected_value", "mean", "variance", "sd"):
        return None
    return _spec(named, "distribution_moments", {})


_UNITS = (
    ("kg", "kilo", "kilogram", "kilogramo"), ("g", "gram", "gr", "gramo"), ("mg",), ("lb", "pound", "libra"),
    ("oz", "ounce", "onza"), ("cm", "centimeter", "centimetre", "centimetro"), ("mm", "millimeter", "milimetro"),
    ("m", "meter", "metre", "metro"), ("km", "kilometer", "kilometre", "kilometro"), ("inch", "in", "pulgada"),
    ("ft", "foot", "feet", "pie"), ("second", "sec", "s", "segundo"), ("minute", "min", "minuto"),
    ("hour", "hr", "h", "hora"), ("day", "dia"), ("week", "semana"), ("month", "mes"),
    ("year", "yr", "ano"), ("ml", "milliliter", "mililitro"), ("l", "liter", "litre", "litro"),
)  # fmt: skip


def unit_group(stem: str) -> int | None:
    return next((i for i, group in enumerate(_UNITS) if stem in group), None)


def _one_time(reader: Reader) -> None:
    """Refuse a rate for one time and a question about another: calls an hour, and in a day."""
    stems = {t.stem for t in reader.tokens if t.means("time_unit")}
    groups = {unit_group(stem) for stem in stems}
    if len(groups) > 1:
        raise NotUnderstood(
            f"the rate and the question have different units, {' and '.join(sorted(stems))}"
        )


def _same_units(reader: Reader) -> None:
    """Refuse values of different units, such as a mean in kg and a deviation in g."""
    units: dict[int, str] = {}
    percents = set()
    for place in sorted(reader.taken):
        token = reader.tokens[place]
        if token.kind != "number" or place + 1 >= len(reader.tokens):
            continue
        percents.add(token.unit == "%")
        following = place + 1 + reader.tokens[place + 1].means("each")
        after = reader.tokens[following].stem.split() if following < len(reader.tokens) else []
        group = unit_group(after[0]) if after else None
        if group is not None:
            units[group] = after[0]
    if len(units) > 1:
        raise NotUnderstood(f"the values have different units, {' and '.join(units.values())}")


RULES = (
    Rule(
        "a question about a distribution",
        frozenset({*FAMILIES, *_ASKING, "critical", "what_percent", "percentile", "z_score"})
        | {"top_share", "bottom_share", "middle_share", "how_many", "sd", "below_which"}
        | {"above_which", "first_quartile", "third_quartile", "median_word"},
        _read,
        "a distribution with its parameters, and a probability, percentile, tail or critical value",
    ),
)
