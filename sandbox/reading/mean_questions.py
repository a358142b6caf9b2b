"""Reads tests and intervals for means, from a mean, a standard deviation and a size each.

Also Cohen's d, the standard error, the F test of two variances and tests of a correlation.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.distribution_questions import unit_group
from sandbox.reading.measured import measured_words
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.summaries import (
    Level,
    asks_p,
    no_tail,
    only_confidence,
    says_deviation,
    take_deviations,
    take_group_names,
    take_letters,
    take_level,
    take_means,
    take_pronouns,
    take_sizes,
    take_tail,
)
from sandbox.spec import Analysis, Spec

_FILLER = (
    "inference_filler", "test_word", "statistic_word", "p_value", "significant", "better_word",
    "group_name", "visitor", "difference_word", "sample_word", "for_the_mean", "people_word", "each",
    "null_value", "size_n", "what_share", "z_test", "t_test", "one_sample", "trial_word",
)  # fmt: skip
_LABELS = frozenset(
    "estimating estimate estimar hacen falta hace group grupo landing page site website ad banner button"
    " anuncio boton pagina campaign email product web app new old experiment study tiene".split()
)
_TESTS = (
    "t_test",
    "one_sample",
    "z_test",
    "welch",
    "pooled_variance",
    "p_value",
    "significant",
    "test_word",
)


def finish(reader: Reader, *more: str, statistic: str = "") -> None:
    """Take the words that change nothing in a question of inference, and the letter of its statistic."""
    reader.take_all(*_FILLER, *more)
    reader.labels |= measured_words() | _LABELS
    for place, token in enumerate(reader.tokens):
        if token.text.lower() in ("p", statistic):  # the p-value
            reader.taken.add(place)
        around = (*reader.tokens[max(0, place - 1) : place], *reader.tokens[place + 1 : place + 2])
        if token.stem in ("&", "/") and not all(t.kind == "number" for t in around):
            reader.taken.add(place)


def spec_of(analyses: list[Analysis], *assumed: str) -> Spec:
    notes = tuple(dict.fromkeys(note for note in assumed if note))
    return Spec("calculate", analyses=tuple(analyses), assumed=notes)


def _method(reader: Reader) -> tuple[str, str]:
    """The method of a comparison of two means, and what is assumed if none is named."""
    pooled, welch = reader.take_all("pooled_variance"), reader.take_all("welch")
    known_sd = reader.take_all("known_sigma", "z_test")
    if pooled and welch:
        raise NotUnderstood("say whether the variances are equal (pooled) or not (Welch)")
    if known_sd:
        return "z", ""
    if pooled:
        return "pooled", ""
    return "welch", "" if welch else "Welch's test, with unequal variances"


def _level(level: Level, parameters: dict[str, Any]) -> str:
    if level.alpha is not None:
        parameters["alpha"] = level.alpha
        return ""
    return "significance at the 5% level"


def _read(reader: Reader) -> Spec | None:
    spreads = len(reader.places("plus_minus"))
    if not reader.has("sd", "variance", "standard_error", "known_sigma") and not (
        says_deviation(reader) or spreads == 2
    ):
        return None
    names = ("cohen_d", "f_test", "interval_word", "margin_of_error", "standard_error")
    wants = {name: reader.has(name) for name in names}
    level = take_level(reader)
    two = sum(token.means("sd") or token.text == "DE" for token in reader.tokens) > 1
    if two or spreads == 2:
        take_group_names(reader)
    side, bound = ("", None) if two or spreads == 2 else _alternative(reader)
    tail = take_tail(reader, 2 if two else 1)
    reader.take_all(*names)
    tested = reader.has(*_TESTS) or asks_p(reader)
    counted = _counted_mean(reader) if not two and spreads < 2 else None
    means = [counted["m"].value] if counted else []
    take_pronouns(reader)
    letters = take_letters(reader)
    means = [*means, *take_means(reader)]
    deviations = letters or take_deviations(reader)
    null = None
    if len(means) == 1 and len(deviations) == 1:
        null = phrases.value(reader, "null_value null_value? exactly? #v", "null_value * #v")
        tested = tested or (null is not None and not any(wants[name] for name in names[2:]))
        if bound is not None and (tested or side):
            if null not in (None, bound) or tail not in ("", "one", side):
                return None
            null, tail, tested = bound, side, True
    elif bound is not None:
        return None
    if wants["f_test"] and len(deviations) == 2:
        return _variances(reader, deviations, level)
    _one_unit(reader)
    if len(deviations) == 2 and len(means) == 2 and null is None:
        compared = reader.has("'compare", "'compara", "'comparar")
        if not (tested or compared or any(wants.values())):
            return None
        if wants["standard_error"]:
            raise NotUnderstood("state the standard deviations of both groups, not standard errors")
        return _two(reader, means, deviations, level, tail, wants, tested=tested)
    if len(deviations) == 1 and len(means) <= 2:
        size = [counted["n"].value] if counted else []
        return _single(reader, means, deviations[0], null, level, tail, wants, size, tested=tested)
    return None


_WAS = "'was|'were|'is|'es|'fue|'era"


def _one_unit(reader: Reader) -> None:
    """Refuse values of different units, such as a mean in kg and another in lb."""
    units: dict[int, str] = {}
    for place in sorted(reader.taken):
        following = reader.tokens[place + 1 : place + 2]
        if reader.tokens[place].kind == "number" and following and following[0].stem != "in":
            group = unit_group(following[0].stem)
            if group is not None:
                units[group] = following[0].text
    if len(units) > 1:
        raise NotUnderstood(f"the values have different units, {' and '.join(units.values())}")


def _counted_mean(reader: Reader) -> phrases.Phrase | None:
    """Take a mean that is said of so many: `the mean of 40 batteries was 9.6`."""
    mean, people = "mean|sample_mean", "visitor|people_word"
    return phrases.take(
        reader, f"{mean} 'of|'de #n. * {_WAS} #m", f"{mean} * 'of|'de #n. * {_WAS} #m",
        f"{mean} 'of|'de #n. * 'time {_WAS} #m", f"{mean} 'of|'de #n. {people} * #m",
        f"{mean} * 'of|'de #n. {people} * #m",
    )  # fmt: skip


def _alternative(reader: Reader) -> tuple[str, float | None]:
    """Take the alternative of a test of one mean: `H1: mu > 50`, `is greater than 70`."""
    for side, words in (
        ("greater", "more_than|greater_direction"),
        ("less", "less_than|less_direction"),
    ):
        v = phrases.value(
            reader, f"'h1|'ha|'h_1 ': mean? {words} #v", f"mean|null_value {words} #v", f"test_word * {words} #v",
            f"significant * {words} #v", f"'against|'contra mean? {words} #v",
            *((f"'it|'mean|'media|'esta {words} #v",) if reader.has("one_tailed") else ()),
        )  # fmt: skip
        if v is not None:
            return side, v
    return "", None


def _two(
    reader: Reader,
    means: list[float],
    deviations: list[float],
    level: Level,
    tail: str,
    wants: dict[str, bool],
    *,
    tested: bool,
) -> Spec | None:
    method, assumed = _method(reader)
    plus_minus = any(t.means("plus_minus") for t in reader.tokens) and not reader.has("sd")
    sizes = take_sizes(reader, 2)
    if len(sizes) == 2:
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    phrases.take(
        reader, "mean significant|better_word", "'two mean", "difference_word 'between|'of mean"
    )
    finish(reader, statistic="z" if method == "z" else "t")
    groups = {
        "mean1": means[0], "sd1": deviations[0], "mean2": means[1], "sd2": deviations[1],
    }  # fmt: skip
    if len(sizes) == 2:
        groups |= {"n1": sizes[0], "n2": sizes[1]}
    analyses, notes = [], [assumed]
    notes.append("the number after ± is the standard deviation" if plus_minus else "")
    if wants["cohen_d"]:
        analyses.append(Analysis("cohen_d", parameters=dict(groups)))
        notes.append("Cohen's d with the pooled standard deviation")
        if not tested or len(sizes) != 2:
            no_tail(tail)
            return spec_of(analyses, notes[-1])
    if len(sizes) != 2:
        raise NotUnderstood("the sizes of the two samples are missing")
    if wants["interval_word"]:
        only_confidence(level)
        no_tail(tail)
        parameters: dict[str, Any] = {**groups, "method": method}
        if level.confidence is not None:
            parameters["confidence"] = level.confidence
        else:
            notes.append("95% confidence")
        analyses.append(Analysis("means_interval", parameters=parameters))
    if tested or not analyses:
        parameters = {**groups, "method": method}
        if tail == "one":
            raise NotUnderstood("say which mean a one-sided test expects to be greater")
        if tail in ("greater", "less"):
            parameters["tail"] = tail
            notes.append("one-sided: the first mean against the second")
        elif not tail:
            notes.append("two-sided")
        notes.append(_level(level, parameters))
        analyses.append(Analysis("means_test", parameters=parameters))
    return spec_of(analyses, *notes)


def _single(
    reader: Reader,
    means: list[float],
    sd: float,
    null: float | None,
    level: Level,
    tail: str,
    wants: dict[str, bool],
    sizes: list[float],
    *,
    tested: bool,
) -> Spec | None:
    known_sd = reader.has("known_sigma", "z_test")
    reader.take_all("known_sigma", "z_test")
    if len(means) == 2:
        return None
    cued = bool(sizes)
    sizes = sizes or take_sizes(reader, 1, guess=not _after_of(reader, means))
    if not cued and len(means) == 1 and _counts_people(reader, means[0]):
        raise NotUnderstood(f"say whether {means[0]:g} is the mean or the size of the sample")
    if len(sizes) != 1:
        return None
    if null is None and tested and len(means) == 1 and not wants["interval_word"]:
        only = reader.only_number("")
        null = only.value if only else None
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    directions = ("greater_direction", "less_direction") if tail else ()
    phrases.take(reader, "'of mean", "'for mean", "'de mean")
    finish(reader, *directions, statistic="z" if known_sd else "t")
    n = sizes[0]
    if wants["standard_error"] and not tested:
        no_tail(tail)
        return spec_of([Analysis("standard_error", parameters={"sd": sd, "n": n})])
    confidence = {} if level.confidence is None else {"confidence": level.confidence}
    if wants["interval_word"] or wants["margin_of_error"] or wants["standard_error"]:
        only_confidence(level)
        no_tail(tail, reader)
    notes = [] if confidence else ["95% confidence"]
    notes.append("the normal distribution, for a known deviation" if known_sd else "Student's t")
    parameters: dict[str, Any] = (
        {"sd": sd, "n": n} | confidence | ({"known_sd": True} if known_sd else {})
    )
    if wants["margin_of_error"] and not wants["interval_word"]:
        return spec_of([Analysis("mean_margin", parameters=parameters)], *notes)
    if len(means) != 1:
        return None
    if wants["interval_word"] and null is None:
        return spec_of(
            [Analysis("mean_interval", parameters={"mean": means[0]} | parameters)], *notes
        )
    if null is None or not tested:
        return None
    _refuse_share(reader, null, means[0])
    test = {"mean": means[0], "sd": sd, "n": n, "null": null}
    return _test_of_mean(test, level, tail, known_sd=known_sd)


def _refuse_share(reader: Reader, null: float, mean: float) -> None:
    """Refuse to compare a mean with a share, as in `premium mean 600, claims 8%`."""
    units = {t.value: t.unit for t in reader.tokens if t.kind == "number"}
    if units.get(null) == "%" and units.get(mean) != "%":
        raise NotUnderstood("a mean is not compared with a percentage")


def _after_of(reader: Reader, means: list[float]) -> bool:
    """Whether the mean is a whole number after `of`, which may count the sample: `mean of 40 ... is 212`."""
    return reader.language == "en" and any(
        before.stem == "of" and token.kind == "number" and token.value in means
        and token.value == int(token.value)
        for before, token in zip(reader.tokens, reader.tokens[1:], strict=False)
    )  # fmt: skip


def _counts_people(reader: Reader, mean: float) -> bool:
    """Whether the number taken as the mean says how many there are: `the mean of 64 patients`."""
    return any(
        token.kind == "number" and token.value == mean and following.means("people_word", "visitor")
        and not following.means("time_unit")
        for token, following in zip(reader.tokens, reader.tokens[1:], strict=False)
    )  # fmt: skip


def _test_of_mean(test: dict[str, Any], level: Level, tail: str, *, known_sd: bool) -> Spec:
    if tail == "one":
        raise NotUnderstood("say whether the one-sided test looks for a greater or a lesser mean")
    if known_sd:
        test["known_sd"] = True
    if tail in ("greater", "less"):
        test["tail"] = tail
    note = _level(level, test)
    return spec_of([Analysis("mean_test", parameters=test)], "" if tail else "two-sided", note)


def _variances(reader: Reader, deviations: list[float], level: Level) -> Spec | None:
    sizes = take_sizes(reader, 2)
    finish(reader)
    if len(sizes) != 2:
        return None
    parameters = {"sd1": deviations[0], "n1": sizes[0], "sd2": deviations[1], "n2": sizes[1]}
    note = _level(level, parameters)
    return spec_of([Analysis("variances_test", parameters=parameters)], "two-sided", note)


def _read_correlation(reader: Reader) -> Spec | None:
    """Read whether a correlation of 0.45 in 30 pairs is significant, or its interval."""
    wants_interval = reader.has("interval_word")
    level, tail = take_level(reader), take_tail(reader)
    reader.take_all("interval_word")
    r = phrases.value(
        reader, "'r exactly? #r", "correlation_word exactly? #r", "correlation_word * #r"
    )
    if r is None or reader.has("sd", "power_word"):
        return None
    interval = wants_interval
    n = phrases.value(
        reader,
        "'n|size_n exactly? #n.",
        "#n. 'pair|'par",
        "sample_word #n.",
        "#n. visitor|people_word|trial_word",
    )
    if n is None or not (
        interval or reader.has("significant", "p_value", "test_word", "statistic_word")
    ):
        return None
    finish(reader, "correlation_word", "t_test")
    if interval:
        only_confidence(level)
        no_tail(tail)
        confidence = {} if level.confidence is None else {"confidence": level.confidence}
        parameters = {"r": r, "n": n} | confidence
        notes = ["by Fisher's transformation", "" if confidence else "95% confidence"]
        return spec_of([Analysis("correlation_interval", parameters=parameters)], *notes)
    test: dict[str, Any] = {"r": r, "n": n}
    if tail == "one":
        raise NotUnderstood(
            "say whether the one-sided test looks for a greater or a lesser correlation"
        )
    if tail in ("greater", "less"):
        test["tail"] = tail
    note = _level(level, test)
    return spec_of(
        [Analysis("correlation_test", parameters=test)], "" if tail else "two-sided", note
    )


def _one_statistic(reader: Reader) -> dict[str, Any] | None:
    """Take a z, t or chi-square statistic with its degrees of freedom: `t(24) = 2.1`."""
    called = phrases.take(reader, "'t '( #d. ') exactly? #v")
    if called:
        return {"family": "t", "statistic": called["v"].value, "df": called["d"].value}
    called = phrases.take(
        reader, "chi_square '( #d. ') exactly? #v", "chi_square '( #d. ', 'n exactly? #n. ') exactly? #v"
    )  # fmt: skip
    if called:
        values = {"statistic": called["v"].value, "df": called["d"].value}
        return {"family": "chi2", **values, "tail": "greater"}
    df = phrases.value(reader, "#d. df", "df exactly? #d.", "'t|chi_square '( #d. ')")
    chi2 = phrases.value(reader, "chi_square statistic_word? exactly? #v", "chi_square * #v")
    t = phrases.value(reader, "'t|student|t_test exactly? #v", "'t statistic_word exactly? #v")
    z = phrases.value(
        reader, "'z|standard_normal|z_score exactly? #v", "'z statistic_word exactly? #v"
    )
    if chi2 is not None and df is not None:
        return {"family": "chi2", "statistic": chi2, "df": df, "tail": "greater"}
    if t is not None and df is not None:
        return {"family": "t", "statistic": t, "df": df}
    return {"family": "normal", "statistic": z} if z is not None and df is None else None


def _read_statistic(reader: Reader) -> Spec | None:
    """Read the p-value of a given statistic: t = 2.5 with 20 degrees of freedom."""
    if not (reader.has("p_value") or asks_p(reader)) or reader.has("sd", "mean"):
        return None
    level, tail = take_level(reader), take_tail(reader)
    parameters: dict[str, Any] | None = None
    pair = phrases.take(
        reader,
        "'f|f_distribution '( #a. ', #b. ') exactly? #v", "'f|f_distribution exactly? #v * #a. ',? #b. df",
        "'f|f_distribution exactly? #v ',? df '( #a. ', #b. ')", "'f|f_distribution exactly? #v * #a. 'and|'y #b. df",
    )  # fmt: skip
    if pair:
        parameters = {"family": "f", "statistic": pair["v"].value, "df": pair["a"].value}
        parameters |= {"df2": pair["b"].value, "tail": "greater"}
    parameters = parameters or _one_statistic(reader)
    if parameters is None:
        return None
    finish(reader, "chi_square_test", "t_test", "f_test")
    note = ""
    if parameters["family"] in ("normal", "t"):
        if tail == "one":
            tail = "greater" if parameters["statistic"] > 0 else "less"
        if tail in ("greater", "less"):
            parameters["tail"] = tail
        note = "" if tail else "two-sided"
    elif tail == "two":
        return None
    return spec_of(
        [Analysis("statistic_p_value", parameters=parameters)], note, _level(level, parameters)
    )


RULES = (
    Rule(
        "a test or interval of means",
        frozenset(
            {
                "sd",
                "variance",
                "known_sigma",
                "plus_minus",
                "null_value",
                "test_word",
                "t_test",
                "mean",
            }
        ),
        _read,
        "a mean, a standard deviation and a size for each sample, and a test or interval",
    ),
    Rule(
        "a test of a correlation",
        frozenset({"correlation_word"}),
        _read_correlation,
        "a correlation, the number of pairs, and its significance or interval",
    ),
    Rule(
        "the p-value of a statistic",
        frozenset({"p_value", "probability"}),
        _read_statistic,
        "a z, t, chi-square or F statistic with its degrees of freedom",
    ),
)
