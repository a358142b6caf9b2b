"""Reads which distribution a request names, and its parameters.

A parameter is taken only by its own cue, or by its place in a notation such as N(100, 15). What a
notation leaves open, such as whether 25 is a variance, is asked for.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.reading import phrases
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Named:
    """A distribution, and what was assumed about its notation."""

    family: str
    parameters: Parameters
    assumed: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.family in WHOLE


WHOLE = frozenset(
    {"binomial", "poisson", "geometric", "negative_binomial", "hypergeometric", "discrete_uniform"}
)


def take_distribution(reader: Reader) -> Named | None:
    """Take the name of a distribution and its parameters; None if a parameter is missing."""
    reader.labels.add("~")
    for concepts, read in _READERS:
        if _names(reader, concepts):
            trial = reader.copy()
            named = read(trial, concepts)
            if named is not None:
                reader.taken |= trial.taken
                reader.labels |= trial.labels
                reader.take_all(concepts, "distribution_word")
                return named
    return None


def _names(reader: Reader, concept: str) -> bool:
    return any(
        (token.means(concept) and len(token.text) > 1)
        or (token.stem == _SYMBOLS.get(concept) and _is_symbol(reader, i))
        for i, token in enumerate(reader.tokens)
        if i not in reader.taken
    )


_SYMBOLS = {"normal": "n", "uniform": "u", "binomial": "b", "student": "t", "standard_normal": "z"}
_SYMBOLS |= {"f_distribution": "f"}


def _is_symbol(reader: Reader, at: int) -> bool:
    """Whether a letter stands for a distribution: it is a capital, or t, z or f alone."""
    token = reader.tokens[at]
    return token.text in "NUBF" or token.text in ("t", "T", "z", "Z", "f")


def _pair(reader: Reader, concept: str) -> tuple[float, float] | None:
    """The two numbers in the brackets of a notation such as N(100, 15)."""
    symbol = f"|'{_SYMBOLS[concept]}" if concept in _SYMBOLS else ""
    match = phrases.take(reader, f"{concept}{symbol} '( #a ',|'; #b ')")
    return (match["a"].value, match["b"].value) if match else None


def name_words(reader: Reader, *concepts: str) -> None:
    """The words that introduce a distribution in its sentence say what varies: they are labels."""
    for place, token in enumerate(reader.tokens):
        if token.means(*concepts):
            at = place - 1
            while at >= 0 and reader.tokens[at].stem not in STOPS:
                if may_be_label(reader.tokens[at]) and at not in reader.taken:
                    reader.labels.add(reader.tokens[at].stem)
                at -= 1


STOPS = frozenset({".", "?", "!", "\n", ";"})
FAMILIES = (
    "normal", "student", "chi_square", "f_distribution", "exponential", "poisson", "binomial",
    "geometric", "negative_binomial", "hypergeometric", "uniform", "beta_distribution",
    "gamma_distribution", "weibull", "lognormal", "standard_normal",
)  # fmt: skip


def mean_and_sd(reader: Reader) -> tuple[float, float] | None:
    """Take a mean and a standard deviation by their cues."""
    both = phrases.take(
        reader, "mean sd #m #s", "mean variance #m #v", "mean exactly? #m plus_minus #s"
    )
    if both:
        spread = both["s"].value if "s" in both else math.sqrt(max(0.0, both["v"].value))
        return both["m"].value, spread
    sd = phrases.value(reader, "sd exactly? #s", "#s sd", "sd * #s")
    if sd is None:
        variance = phrases.value(reader, "variance exactly? #v", "variance * #v")
        sd = math.sqrt(variance) if variance is not None and variance >= 0 else None
    mean = phrases.value(
        reader,
        "mean|expected_value exactly? #m",
        "mean|expected_value * #m",
        "averaging #m",
        "#m mean",
    )
    if mean is not None and sd is None:
        sd = phrases.value(reader, "plus_minus #s")
    if sd is not None and mean is None:
        mean = phrases.value(reader, "centered #m")
    return (mean, sd) if mean is not None and sd is not None else None


def _normal(reader: Reader, concept: str) -> Named | None:
    reader.labels.add("z")
    pair = _pair(reader, concept)
    if pair:
        mean, spread = pair
        root = math.sqrt(spread) if spread > 0 else 0.0
        if spread != 1 and root == int(root):
            raise NotUnderstood(
                f"{spread:g} in N({mean:g}, {spread:g}) may be the variance or the standard "
                "deviation: say which"
            )
        note = f"{spread:g} in N({mean:g}, {spread:g}) is the standard deviation"
        return Named("normal", {"mean": mean, "sd": spread}, (note,) if spread != 1 else ())
    trial = reader.copy()
    measured = phrases.take(trial, "normal|'n '( #a * ', #b * ')")
    if measured:
        units = [trial.tokens[trial.tokens.index(measured[name]) + 1].stem for name in "ab"]
        if units[0] == units[1] and units[0].isalpha():  # a variance would have another unit
            reader.taken |= trial.taken
            note = f"{measured['b'].value:g} {units[1]} is the standard deviation"
            of = {"mean": measured["a"].value, "sd": measured["b"].value}
            return Named("normal", of, (note,))
    squared = phrases.take(reader, "normal|'n '( #a #b '^ #two ')")
    if squared and squared["two"].value == 2:
        return Named("normal", {"mean": squared["a"].value, "sd": squared["b"].value})
    called = phrases.take(
        reader, "normal|'n '( mean? exactly? #m ', sd exactly? #s ')", "normal|'n '( mean exactly? #m sd exactly? #s ')",
        "normal|'n '( #m ', sd exactly? #s",
    )  # fmt: skip
    if called:
        return Named("normal", {"mean": called["m"].value, "sd": called["s"].value})
    if reader.has("of_the_mean", "mean") and _no_parameters(reader):
        return Named("normal", {"mean": 0.0, "sd": 1.0}, ("a standard normal variable",))
    values = mean_and_sd(reader)
    return Named("normal", {"mean": values[0], "sd": values[1]}) if values else None


def _no_parameters(reader: Reader) -> bool:
    """Whether the only number of a request counts standard deviations: `within 1.5 sds of the mean`."""
    numbers = reader.free("number")
    return len(numbers) == 1 and any(
        t.means("sd") for t in reader.tokens[numbers[0] + 1 : numbers[0] + 2]
    )


def _standard_normal(reader: Reader, concept: str) -> Named | None:
    reader.labels.add("z")
    reader.take_all(concept, "normal")
    return Named("normal", {"mean": 0.0, "sd": 1.0})


def _student(reader: Reader, concept: str) -> Named | None:
    df = phrases.value(reader, "#d df", "df exactly? #d", f"{concept}|'t '( #d ')", "'t '_ #d")
    if df is None or reader.has("chi_square"):
        return None
    reader.labels |= {"t", "student"}
    reader.take_all(concept)
    return Named("t", {"df": df})


def _chi_square(reader: Reader, concept: str) -> Named | None:
    df = phrases.value(reader, "#d df", "df exactly? #d", f"{concept} '( #d ')")
    return Named("chi2", {"df": df}) if df is not None else None


def _f(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    match = phrases.take(
        reader,
        "#a ',? #b df",
        "df exactly? #a ',? #b",
        "df1 exactly? #a ',? df2 exactly? #b",
        "#a 'numerator? df? 'and? #b 'denominator? df",
    )
    if match:
        pair = match["a"].value, match["b"].value
    if pair is None:
        return None
    reader.labels |= {"f", "numerator", "denominator"}
    reader.take_all(concept)
    return Named("f", {"df1": pair[0], "df2": pair[1]})


def _exponential(reader: Reader, _: str) -> Named | None:
    mean = phrases.value(
        reader, "mean exactly? #m", "mean * #m", "averaging #m", "beta_distribution exactly #m",
        "on_average each #m time_unit?", "each #m time_unit on_average", "on_average #m",
    )  # fmt: skip
    if mean is not None:
        return Named("exponential", {"mean": mean})
    rate = phrases.value(
        reader,
        "rate_parameter exactly? #r each? time_unit?",
        "exponential '( #r ')",
        "rate_parameter * #r each? time_unit?",
    )
    return Named("exponential", {"mean": 1 / rate}) if rate else None


def _poisson(reader: Reader, _: str) -> Named | None:
    rate = phrases.value(
        reader,
        "rate_parameter exactly? #r each? time_unit?", "mean exactly? #r each? time_unit?",
        "poisson '( #r ')", "mean * #r each? time_unit?", "rate_parameter * #r each? time_unit?",
    )  # fmt: skip
    return Named("poisson", {"rate": rate}) if rate is not None else None


def _binomial(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    if pair is None:
        n = phrases.value(reader, "size_n|'n exactly? #n.", "#n. size_n", "#n. at_random? 'trial")
        p = phrases.value(
            reader,
            "success_p exactly? #p", "'p exactly? #p", "probability exactly? #p",
            "question_probability exactly? #p", "#p success_p", "#p question_probability",
        )  # fmt: skip
        pair = (n, p) if n is not None and p is not None else None
    return Named("binomial", {"n": pair[0], "p": pair[1]}) if pair else None


def _geometric(reader: Reader, _: str) -> Named | None:
    p = phrases.value(
        reader, "success_p exactly? #p", "'p exactly? #p", "geometric '( #p ')",
        "question_probability exactly? #p",
    )  # fmt: skip
    note = "a geometric variable counts the trials up to the first success"
    return Named("geometric", {"p": p}, (note,)) if p is not None else None


def _negative_binomial(reader: Reader, _: str) -> Named | None:
    r = phrases.value(reader, "'r|'k exactly? #r", "#r 'success")
    p = phrases.value(reader, "success_p|probability exactly? #p", "#p success_p")
    if r is None or p is None:
        return None
    if not phrases.take(reader, "size_n|'trial"):
        raise NotUnderstood("say whether the negative binomial counts trials or failures")
    note = "the variable counts the trials up to the last success"
    return Named("negative_binomial", {"r": r, "p": p}, (note,))


def _hypergeometric(reader: Reader, _: str) -> Named | None:
    """Take N=50, K=5 (or M) and n=10: here a capital is another letter."""
    values: dict[str, float] = {}
    for letters in ("N", "KMm", "n"):
        for place, token in enumerate(reader.tokens[:-2]):
            number = reader.tokens[place + 2]
            if token.text in letters and reader.tokens[place + 1].stem == "=":
                if number.kind != "number":
                    return None
                reader.taken |= {place, place + 1, place + 2}
                values[letters] = number.value
    if len(values) != 3:
        return None
    population, marked, drawn = values["N"], values["KMm"], values["n"]
    return Named("hypergeometric", {"population": population, "marked": marked, "drawn": drawn})


def _uniform(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    if pair is None:
        match = phrases.take(
            reader,
            "uniform distribution_word? between #a range_to #b",
            "uniform distribution_word? range_word '[? #a range_to? #b",
            "uniform distribution_word? '[ #a ',? #b",
            "range_word '[ #a ',? #b",
            "uniform * between|range_word #a range_to #b",
        )
        pair = (match["a"].value, match["b"].value) if match else None
    return Named("uniform", {"low": pair[0], "high": pair[1]}) if pair else None


def _beta(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    if pair is None:
        match = phrases.take(reader, "shape|'a exactly? #a beta_distribution|'b exactly? #b")
        pair = (match["a"].value, match["b"].value) if match else None
    return Named("beta", {"a": pair[0], "b": pair[1]}) if pair else None


def _gamma(reader: Reader, concept: str) -> Named | None:
    if _pair(reader, concept):
        raise NotUnderstood("say whether the second number of the gamma is its scale or its rate")
    shape = phrases.value(reader, "shape exactly? #k")
    scale = phrases.value(reader, "scale exactly? #s")
    if scale is None:
        rate = phrases.value(reader, "rate_parameter exactly? #r", "beta_distribution exactly? #r")
        scale = 1 / rate if rate else None
    if shape is None or scale is None:
        return None
    return Named("gamma", {"shape": shape, "scale": scale})


def _weibull(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    if pair:
        raise NotUnderstood("say which number of the Weibull is its shape and which its scale")
    shape = phrases.value(reader, "shape|'k|beta_distribution exactly? #k")
    scale = phrases.value(reader, "scale|rate_parameter|'eta exactly? #s")
    if shape is None or scale is None:
        return None
    return Named("weibull", {"shape": shape, "scale": scale})


def _lognormal(reader: Reader, concept: str) -> Named | None:
    pair = _pair(reader, concept)
    if pair is None:
        mu = phrases.value(reader, "'mu|'μ exactly? #m")
        sigma = phrases.value(reader, "'sigma|'σ exactly? #s")
        pair = (mu, sigma) if mu is not None and sigma is not None else None
    note = "mu and sigma are the mean and standard deviation of the logarithm"
    return Named("lognormal", {"mu": pair[0], "sigma": pair[1]}, (note,)) if pair else None


_READERS: tuple[tuple[str, Callable[[Reader, str], Named | None]], ...] = (
    ("lognormal", _lognormal),
    ("exponential", _exponential),
    ("poisson", _poisson),
    ("negative_binomial", _negative_binomial),
    ("hypergeometric", _hypergeometric),
    ("binomial", _binomial),
    ("geometric", _geometric),
    ("weibull", _weibull),
    ("gamma_distribution", _gamma),
    ("beta_distribution", _beta),
    ("uniform", _uniform),
    ("chi_square", _chi_square),
    ("f_distribution", _f),
    ("normal", _normal),
    ("student", _student),
    ("standard_normal", _standard_normal),
)
