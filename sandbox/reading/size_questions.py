"""Reads how large a sample must be, and how much power a sample has.

A lift that may be relative or absolute is a question to the caller.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.mean_questions import finish, spec_of
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.summaries import (
    Level,
    only_confidence,
    says_deviation,
    take_letters,
    take_level,
    take_tail,
)
from sandbox.spec import Analysis, Spec

_FILLER = (
    "conversion", "visitor", "ab_test", "proportion_word", "per_group", "detect", "baseline",
    "large_population", "worst_case", "margin_of_error", "how_many", "ways_word", "expected_value",
    "power_word", "plus_minus", "question_probability", "size_wanted", "needed", "mark_verb",
    "for_the_mean", "for_the_proportion", "must_word", "difference_word", "better_word", "trial_word",
    "in_total_groups_no", "sd_word", "both_word", "uplift", "absolute_word", "relative_word",
    "interval_word", "t_test", "short_of", "what_share", "at_random", "inference_filler",
)  # fmt: skip


def _power(reader: Reader) -> float | None:
    trial = reader.copy()
    power = phrases.value(
        trial, "#w% power_word", "power_word exactly? #w%", "power_word exactly? #w", "power_word * #w%",
        "#w power_word",
    )  # fmt: skip
    if power is None or not 0 < power < 1:
        return None
    reader.taken |= trial.taken
    reader.labels |= trial.labels
    return power


def _deviation(reader: Reader) -> float | None:
    if says_deviation(reader):
        return next(iter(take_letters(reader)), None)
    return phrases.value(
        reader, "sd exactly? #s", "known_sigma exactly? #s", "sd * #s", "known_sigma * #s", "#s sd",
    )  # fmt: skip


def _read_size(reader: Reader) -> Spec | None:
    if not reader.has("size_wanted") and not (
        reader.has("how_many") and reader.has("power_word", "margin_of_error")
    ):
        return None
    if phrases.take(
        reader.copy(), "'response|'respuesta proportion_word", "'tasa 'de conversion|'respuesta"
    ):
        return None
    if reader.has("in_total_groups") and reader.has("power_word"):
        return None
    power, level, tail = _power(reader), take_level(reader), take_tail(reader)
    sd = _deviation(reader)
    effect = phrases.value(
        reader, "cohen_d exactly? #d", "cohen_d * #d", "'d exactly #d", "#d cohen_d"
    )
    if sd is None and effect is None:
        rates = _rates(reader)
        if rates is not None:
            return _for_rates(reader, rates, power, level, tail)
    if power is not None or effect is not None or reader.has("detect"):
        return _for_means(reader, sd, effect, power, level, tail)
    if tail not in ("", "two"):
        return None
    confidence = {} if level.confidence is None else {"confidence": level.confidence}
    note = "" if confidence else "95% confidence"
    only_confidence(level)
    if sd is not None:
        phrases.take(reader, "'a|'the|'population|'true|'una|'la !mean")
    margin = _margin(reader, percent=sd is None)
    if sd is not None:
        phrases.take(reader, "'mean * weight", "mean 'weight|'peso")
    if sd is not None:
        if margin is None:
            raise NotUnderstood("the margin of error is missing")
        finish(reader, *_FILLER)
        parameters: dict[str, Any] = {"margin": margin, "sd": sd} | confidence
        return spec_of([Analysis("sample_size_mean", parameters=parameters)], note)
    return _for_proportion(reader, margin, confidence, note)


def _margin(reader: Reader, *, percent: bool) -> float | None:
    """Take the margin of error; for a proportion, points are percentage points."""
    points = phrases.value(
        reader, "margin_of_error plus_minus? #m. absolute_word", "plus_minus #m. absolute_word",
        "short_of plus_minus? #m. absolute_word", "#m. absolute_word * margin_of_error",
    )  # fmt: skip
    if points is not None:
        return points / 100
    unit = "%" if percent else ""
    margin = phrases.value(
        reader, f"plus_minus #m{unit}", f"margin_of_error exactly? plus_minus? #m{unit}",
        f"#m{unit} margin_of_error", f"margin_of_error * #m{unit}", f"short_of plus_minus? #m{unit}",
        "margin_of_error exactly? #m", "plus_minus #m", "'e exactly #m", "margin_of_error * #m.",
    )  # fmt: skip
    return margin


def _for_proportion(
    reader: Reader, margin: float | None, confidence: dict[str, float], note: str
) -> Spec | None:
    if margin is None:
        raise NotUnderstood("the margin of error is missing")
    if margin >= 1:
        raise NotUnderstood(
            f"a margin of {margin:g}: write it as a percentage, such as {margin:g}%"
        )
    trial = reader.copy()
    p = phrases.value(
        trial,
        "worst_case exactly? #p", "'p exactly? #p", "success_p exactly? #p", "probability exactly? #p",
        "question_probability exactly? #p", "proportion_word exactly? #p", "'around|'about|'alrededor #p%",
        "expected_value * #p%", "proportion_word * #p%", "#p% proportion_word",
    )  # fmt: skip
    if p is not None and 0 < p < 1:
        reader.taken |= trial.taken
        reader.labels |= trial.labels
    else:
        p = None
    population = phrases.value(
        reader, "population_size #n.", "#n. population_size", "'of|'with|'de|'con #n. people_word|visitor",
        "#n. people_word|visitor population_size",
    )  # fmt: skip
    if population is None:
        population = phrases.value(reader, "population_word * #n.", "#n. visitor|people_word")
    share = reader.only_number("%") if p is None else None
    if share is not None and not confidence and share.value in _USUAL_CONFIDENCES:
        raise NotUnderstood(f"say whether {share.text} is the confidence or the expected share")
    p = share.value if share else p
    worst = reader.take_all("worst_case")
    finish(reader, *_FILLER, "population_size", "population_word")
    parameters: dict[str, Any] = {"margin": margin} | confidence
    if p is not None:
        parameters["p"] = p
    if population is not None:
        parameters["population"] = population
    assumed = "" if p is not None or worst else "a proportion of 50%, the worst case"
    return spec_of([Analysis("sample_size_proportion", parameters=parameters)], assumed, note)


_USUAL_CONFIDENCES = (0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def _rates(reader: Reader) -> tuple[float, float] | None:
    """Take a baseline rate and the rate to detect."""
    to = "'a|'al" if reader.language == "es" else "'to"
    pair = phrases.take(
        reader, "baseline exactly? #a% 'and|'y|',|'vs? 'target|'objetivo|'meta exactly? #b%",
        f"'from|'desde|'de #a% {to} #b%", f"#a% * {to} #b%", f"#a% * detect * {to} #b%",
        "#a% 'vs|'versus|'against #b%",
    )  # fmt: skip
    relative_lift = any(t.means("uplift") and "relativ" in t.stem for t in reader.tokens)
    rise = phrases.value(
        reader, *(("#p% uplift", "uplift 'of|'de|'del? #p%") if relative_lift else ()),
        "#p% relative_word * uplift|better_word|detect|difference_word", "relative_word * #p%", "#p% relative_word",
        "uplift 'of #p% relative_word",
    ) if pair is None else None  # fmt: skip
    base = None
    if pair is None:
        base = phrases.value(
            reader, "baseline exactly? #b%", "#b% baseline", "baseline * #b%", "#b% * baseline"
        )
    if pair is not None:
        a, b = pair["a"].value, pair["b"].value
        if reader.has("relative_word"):
            return None
        return a, b
    if base is None:
        return _two_rates(reader)
    if rise is not None:
        return base, base * (1 + rise)
    points = phrases.value(reader, "#p. absolute_word", "#p% absolute_word", "absolute_word * #p%")
    if points is not None:
        return base, base + (points if points < 1 else points / 100)
    left = [i for i in reader.free("number") if reader.tokens[i].unit == "%"]
    if len(left) == 1 and reader.has("uplift", "better_word", "difference_word", "detect"):
        change = reader.tokens[left[0]].value
        words = ("a", "al") if reader.language == "es" else ("to",)
        if left[0] > 0 and reader.tokens[left[0] - 1].stem in words:
            return base, reader.at(left[0]).value
        raise NotUnderstood(
            f"say whether {100 * change:g}% is a relative change of {100 * base:g}%, "
            f"or {100 * change:g} percentage points"
        )
    return None


def _two_rates(reader: Reader) -> tuple[float, float] | None:
    """Take the two rates of a request that says nothing of a lift: `our rate is 4%, we hope for 5%`."""
    left = [i for i in reader.free("number") if reader.tokens[i].unit == "%"]
    if any(i and reader.tokens[i - 1].text.lower() in ("by", "un", "en") for i in left):
        raise NotUnderstood("say to which rate it changes: `from 17% to 22%`")
    changes = (
        "uplift",
        "better_word",
        "difference_word",
        "relative_word",
        "absolute_word",
        "margin_of_error",
    )
    if len(left) != 2 or reader.has(*changes) or not reader.has("power_word"):
        return None
    reader.taken.update(left)
    return reader.tokens[left[0]].value, reader.tokens[left[1]].value


def _design(
    power: float | None, level: Level, tail: str, parameters: dict[str, Any]
) -> tuple[str, ...]:
    notes = []
    if power is not None:
        parameters["power"] = power
    else:
        notes.append("80% power")
    if level.alpha is not None:
        parameters["alpha"] = level.alpha
    else:
        notes.append("significance at the 5% level")
    if tail in ("one", "greater", "less"):
        parameters["tail"] = "one"
    elif not tail:
        notes.append("two-sided")
    return tuple(notes)


def _for_rates(
    reader: Reader, rates: tuple[float, float], power: float | None, level: Level, tail: str
) -> Spec | None:
    finish(reader, *_FILLER, "greater_direction", "less_direction")
    parameters: dict[str, Any] = {"p1": rates[0], "p2": rates[1]}
    notes = _design(power, level, tail, parameters)
    return spec_of([Analysis("sample_size_proportions", parameters=parameters)], *notes)


def _for_means(
    reader: Reader,
    sd: float | None,
    effect: float | None,
    power: float | None,
    level: Level,
    tail: str,
) -> Spec | None:
    if effect is not None and sd is None:
        difference, sd = effect, 1.0
    else:
        gap = phrases.value(
            reader, "difference_word exactly? #d", "difference_word * #d", "detect * #d", "#d * difference_word",
        )  # fmt: skip
        if gap is None or sd is None:
            return None
        difference = gap
    finish(reader, *_FILLER, "greater_direction", "less_direction")
    phrases.take(
        reader, "better_word|inference_filler? #two. mean", "'between #two.? mean",
        "between #two. * per_group", "between * #two. group_name|per_group|'group|'arm|'brazo",
    )  # fmt: skip
    reader.take_all("between")
    parameters: dict[str, Any] = {"difference": difference, "sd": sd}
    notes = _design(power, level, tail, parameters)
    return spec_of([Analysis("sample_size_means", parameters=parameters)], *notes)


def _read_power(reader: Reader) -> Spec | None:
    """Read the power of a comparison of two groups of a stated size."""
    if not reader.has("power_word") or reader.has("size_wanted"):
        return None
    level, tail = take_level(reader), take_tail(reader)
    if _power(reader.copy()) is not None:
        return None
    sd = _deviation(reader)
    effect = phrases.value(reader, "cohen_d exactly? #d", "cohen_d * #d", "'d exactly #d")
    rates = _rates(reader) if sd is None and effect is None else None
    n = phrases.value(
        reader, "'n|size_n exactly? #n. per_group?", "#n. * per_group", "#n. visitor|people_word|trial_word",
        "per_group #n.",
    )  # fmt: skip
    parameters: dict[str, Any]
    if rates is not None:
        method, parameters = "power_of_proportions", {"p1": rates[0], "p2": rates[1]}
    else:
        gap = effect
        if gap is None:
            gap = phrases.value(
                reader, "difference_word exactly? #d", "difference_word * #d", "detect * #d"
            )
        if gap is None or (sd is None and effect is None):
            return None
        method, parameters = (
            "power_of_means",
            {"difference": gap, "sd": sd if effect is None else 1.0},
        )
    if n is None:
        return None
    finish(reader, *_FILLER)
    parameters["n"] = n
    notes = list(_design(0.5, level, tail, parameters))
    del parameters["power"]
    notes.append("two groups of this size")
    return spec_of([Analysis(method, parameters=parameters)], *notes)


RULES = (
    Rule(
        "a sample size",
        frozenset({"size_wanted", "how_many"}),
        _read_size,
        "a margin of error, or two rates or a difference to detect with a power",
    ),
    Rule(
        "the power of a test",
        frozenset({"power_word"}),
        _read_power,
        "two rates or a difference with a deviation, and the size of each group",
    ),
)
