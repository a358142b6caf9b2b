"""Reads figures of one column that need more than it: a level, a window, weights, counts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.reading.figure_words import is_idle, is_word
from sandbox.reading.figures_changes import outlier_limit
from sandbox.reading.figures_methods import Claim, level, near, share
from sandbox.reading.figures_request import Request
from sandbox.reading.figures_tests import confidence
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

Made = list[tuple[str, Mapping[str, Any]]]


_SPREADS = frozenset({"sd", "variance"})


def of_one(request: Request, claim: Claim) -> Made:
    """The methods and parameters of a figure of one column."""
    name = claim.name
    if name in ("ascending", "descending"):
        return _sorted(request, claim)
    if name == "sorted":
        return [] if any(c.name in ("ascending", "descending") for c in request.claims) else _sorted(request, claim)  # fmt: skip
    if name in _SPREADS:
        return [(name, formula(request, name))]
    if ("quartile" in name and name != "quartiles") or name in ("percentile", "quantile"):
        return _quantiles(request, claim)
    if name in ("quartiles", "deciles", "iqr"):
        request.reader.take_all("word_convention")
        request.assumed.append("quantiles on the line between the two nearest values")
    if name in ("ci", "margin_of_error"):
        letters = [i for i, t in enumerate(request.reader.tokens) if t.text == "t"]
        request.reader.taken.update(letters)  # `using t`: the distribution of the interval
        return [(name, {"level": confidence(request)})]
    special = _SPECIAL.get(name)
    return special(request, claim) if special is not None else [(name, {})]


def _shapiro(request: Request, claim: Claim) -> Made:
    reader = request.reader
    reader.take_all("figure_normal")
    alpha = stated_level(request)
    reader.take_all("figure_p_value", "figure_differ")
    return [(claim.name, {"alpha": alpha} if alpha is not None else {})]


def stated_level(request: Request) -> float | None:
    """The level of significance that is stated, or 5% if only significance is mentioned for."""
    alpha = level(request.reader)
    if request.reader.take_all("figure_significant") and alpha is None:
        request.assumed.append("a level of significance of 5%")
        return 0.05
    return alpha


def _is_trimmed(request: Request) -> bool:
    """`Trim 20% from each end and take the mean` asks for a trimmed mean."""
    reader = request.reader
    verbs, ends = reader.places("word_trim"), reader.places("figure_each_end")
    return bool(verbs and ends) and near(reader, ends[0], unit="%") is not None


def _trimmed(request: Request, claim: Claim) -> Made:
    reader = request.reader
    reader.take_all("word_trim")
    cut = share(reader, [claim.place, *reader.places("figure_each_end")])
    if cut is None:
        raise NotUnderstood("a trimmed mean needs the share that is cut off each end")
    for place in reader.places("figure_each_end"):
        again = near(reader, place)
        if again is not None and reader.tokens[again].value != cut:
            raise NotUnderstood("it names two shares that are cut off each end")
        reader.taken.update({place} | ({again} if again is not None else set()))
    return [("trimmed_mean", {"cut": cut})]


def _cv(request: Request, claim: Claim) -> Made:
    """The coefficient of variation; the deviation it names is a part of its formula."""
    given = formula(request, "cv")
    request.claims = [c for c in request.claims if c.name != "sd" or c.place < claim.place]
    percent = bool(request.reader.take_all("as_percent"))
    return [("cv_percent" if percent else "cv", given)]


def _mean(request: Request, claim: Claim) -> Made:
    """The mean, weighted if there are weights."""
    weights = "weights" if "weights" in request.of.columns else _weights_column(request)
    if claim.name == "mean" and not weights and _is_trimmed(request):
        return _trimmed(request, claim)
    if claim.name == "mean" and not weights:
        return [("mean", {})]
    if not weights:
        raise NotUnderstood("a weighted mean needs the weights")
    values = request.of.columns
    for name in request.columns(claim):
        if len(values[name]) != len(values[weights]):
            raise NotUnderstood(f"{len(values[name])} values need as many weights")
    request.reader.take_all("figure_weights", "figure_by")
    return [("weighted_mean", {"weights": weights})]


_OF = frozenset({"of", "de", "del", "the", "average", "mean"})


def _weights_column(request: Request) -> str:
    for place in request.reader.places("figure_weights", "figure_weighted") + [
        c.place for c in request.claims if c.name == "weighted_mean"
    ]:
        for mention in request.named_columns():
            before = plain(request.reader.tokens[mention.begin - 1].text)
            if (
                before not in _OF
                and 0 < mention.begin - place <= 4
                and mention.column in request.of.numeric
            ):
                request.used.add(mention)
                return mention.column
    return ""


def formula(request: Request, name: str) -> Mapping[str, Any]:
    population = request.reader.take_all("figure_population")
    if any("formula" in token.text for token in population):
        request.assumed.append("the population formula (n)")
    if population:
        if request.reader.has("figure_sample") and name != "cv":
            raise NotUnderstood("a formula is of the population or of a sample, not of both")
        return {"ddof": 0}
    if not request.reader.take_all("figure_sample"):
        request.assumed.append("a sample (n - 1)")
    return {}


_SHORT_PERCENTILE = re.compile(r"p(\d\d?)")


def _quantiles(request: Request, claim: Claim) -> Made:
    reader = request.reader
    request.assumed.append("quantiles on the line between the two nearest values")
    reader.take_all("word_convention")
    if claim.name == "first and third quartile":
        return [("quantile", {"q": 0.25}), ("quantile", {"q": 0.75})]
    if claim.name in ("first quartile", "third quartile"):
        return [("quantile", {"q": 0.25 if claim.name == "first quartile" else 0.75})]
    short = _SHORT_PERCENTILE.fullmatch(plain(reader.tokens[claim.place].text))
    if short:
        return [("quantile", {"q": int(short[1]) / 100})]
    listed = []
    i = claim.place - 1
    while i >= 0:
        token = reader.tokens[i]
        if token.kind == "number" and i not in reader.taken:
            listed.append(i)
        elif not (token.stem == "," or plain(token.text) in ("and", "y", "the", "el", "la", "los")):
            break
        i -= 1
    if not listed:
        after = near(reader, claim.place)
        listed = [after] if after is not None else []
    if not listed:
        raise NotUnderstood(f"it does not say which {claim.name}")
    values = [reader.at(i).value for i in reversed(listed)]
    if claim.name == "quartile":
        if not set(values) <= {1.0, 2.0, 3.0}:
            raise NotUnderstood("there are three quartiles")
        return [("quantile", {"q": v / 4}) for v in values]
    scale = 1.0 if claim.name == "quantile" or reader.tokens[listed[0]].unit == "%" else 100.0
    if any(not 0 <= v / scale <= 1 for v in values):
        raise NotUnderstood(f"there is no such {claim.name}")
    return [("quantile", {"q": round(v / scale, 12)}) for v in values]


def absorb_means(request: Request) -> None:
    """In `confidence interval for the mean`, the mean is a part of the name."""
    tokens = request.reader.tokens
    parts = set()
    for claim in request.claims:
        if claim.name not in ("ci", "margin_of_error", "sem", "anova", "levene", "kruskal"):
            continue
        for other in request.claims:
            between = tokens[claim.place + 1 : other.place]
            near = other.name == "mean" and 0 < other.place - claim.place <= 4
            if near and all(is_idle(t) and plain(t.text) not in ("and", "y") for t in between):
                parts.add(other)
    request.claims = [claim for claim in request.claims if claim not in parts]


def _outliers(request: Request, claim: Claim) -> Made:
    reader = request.reader
    z = [c for c in request.claims if c.name == "z_score"]
    if z:
        request.claims = [c for c in request.claims if c.name != "z_score"]
        free = reader.free("number")
        limit = reader.at(free[0]).value if len(free) == 1 else 3.0
        reader.take_all("more_than", "figure_level")
        return [("outliers", {"rule": "zscore", "limit": limit})]
    outlying = outlier_limit(reader)
    for i in reader.free("number"):  # `is 95 an outlier`
        doubted = any(reader.tokens[i].value in request.of.columns[c] for c in request.of.numeric)
        if doubted and 0 < claim.place - i <= 3:
            reader.taken.add(i)
    if not reader.take_all("figure_iqr_rule"):
        iqr = [c for c in request.claims if c.name == "iqr"]
        if not iqr:
            request.assumed.append("outliers lie 1.5 interquartile ranges outside the quartiles")
    request.claims = [c for c in request.claims if c.name != "iqr"]
    return [("outliers", {"rule": "iqr", "limit": outlying})]


def _moving(request: Request, claim: Claim) -> Made:
    """A moving average, with the number of values in its window."""
    reader = request.reader
    for i in sorted(reader.free("number"), key=lambda i: abs(i - claim.place)):
        token = reader.tokens[i]
        beside = [t for t in reader.tokens[max(0, i - 3) : i + 3] if is_word(t, "window")]
        close = abs(i - claim.place) <= (5 if beside else 2)
        if close and token.value == int(token.value) and token.value >= 1:
            reader.taken.add(i)
            for j in range(max(0, i - 3), min(i + 3, len(reader.tokens))):
                if is_word(reader.tokens[j], "window"):
                    reader.taken.add(j)
            return [("moving_average", {"window": int(token.value)})]
    raise NotUnderstood("a moving average needs the number of values in its window")


def _sorted(request: Request, claim: Claim) -> Made:
    others = [c for c in request.claims if c.name not in ("sorted", "ascending", "descending")]
    ranked = [c for c in others if c.name == "ranking"]
    if ranked:
        return []
    if others:
        token = request.reader.tokens[claim.place]
        raise NotUnderstood(f"`{token.text}` is not understood for figures that are no list")
    if request.of.names:
        return []
    return [("sorted", {"descending": claim.name == "descending"})]


_YEARLY = frozenset({"annual", "yearly", "cagr", "anual", "tcac", "tacc"})


def _growth_per_step(request: Request, claim: Claim) -> Made:
    """The constant growth from the first value to the last."""
    of = request.of
    if of.percent or len(of.numeric) != 1 or len(of.columns[of.numeric[0]]) < 3:
        raise NotUnderstood("a compound growth rate needs three values or more, in their order")
    names = [str(name) for name in of.columns[of.names]] if of.names else []
    years = [int(name) for name in names if name.isdigit()]
    if years and years != list(range(years[0], years[0] + len(names))):
        raise NotUnderstood("the years of the values do not follow one another")
    words = {plain(w) for t in request.reader.tokens for w in t.text.split()}
    if names and not years and words & _YEARLY:
        raise NotUnderstood("the values are not one a year")
    request.reader.take_all("word_same_result")
    if not years:
        request.assumed.append(
            "a value for each year" if words & _YEARLY else "equal times between"
        )
    return [(claim.name, {})]


def _compound_mean(request: Request, claim: Claim) -> Made:
    """The constant return that gives what returns in percent give one after another."""
    if not request.of.percent:
        raise NotUnderstood("a compound return is understood for returns in percent")
    request.reader.take_all("word_same_result", "as_percent")
    return [(claim.name, {})]


_SPECIAL: Mapping[str, Callable[[Request, Claim], Made]] = {
    "shapiro": _shapiro,
    "outliers": _outliers,
    "trimmed_mean": _trimmed,
    "moving_average": _moving,
    "growth_per_step": _growth_per_step,
    "compound_mean_percent": _compound_mean,
    "weighted_mean": _mean,
    "mean": _mean,
    "cv": _cv,
}


def chi2(request: Request) -> list[Analysis]:
    """A chi-square test of a table or of fit, or Fisher's exact test."""
    names = {c.name for c in request.claims if c.method.takes == "chi2"}
    reader = request.reader
    texts = [plain(reader.tokens[c.place].text) for c in request.claims if c.method.takes == "chi2"]
    named = any("chi" in text or "ji c" in text for text in texts)
    if names <= {"independence", "fit"} and not named:
        raise NotUnderstood("it does not say which test it wants: write `chi-square test`")
    parameters: dict[str, Any] = {}
    if reader.take_all("figure_yates"):
        parameters["yates"] = False
    reader.take_all("figure_with_yates")
    alpha = stated_level(request)
    if alpha is not None:
        parameters["alpha"] = alpha
    reader.take_all(*(() if "fisher" in names else ("figure_df",)), "figure_p_value", "figure_differ", "between", "figure_level", "figure_observed", "figure_expected", "figure_by")  # fmt: skip
    method, columns = _of_counts(request, names)
    if "yates" in parameters and method == "chi2_fit":
        raise NotUnderstood("a test of fit has no correction")
    return [Analysis(method, columns, "", parameters)]


def _of_counts(request: Request, names: set[str]) -> tuple[str, tuple[str, ...]]:
    of = request.of
    mentioned = list(dict.fromkeys(m.column for m in request.named_columns()))
    low = {plain(c): c for c in of.columns}
    if "fisher" in names:
        columns = tuple(mentioned if len(mentioned) == 2 else of.numeric)
        if len(columns) != 2 or any(len(of.columns[c]) != 2 for c in columns):
            raise NotUnderstood("Fisher's exact test needs a table of two rows and two columns")
        return "fisher", columns
    if {"observed", "expected"} <= low.keys():
        return "chi2_fit", (low["observed"], low["expected"])
    texts = [c for c in mentioned if c in of.texts] or of.texts
    if len(texts) == 2 and not of.names:
        return "chi2_independence", tuple(texts)
    numeric = [c for c in mentioned if c in of.numeric] or of.numeric
    if len(numeric) == 1:
        if "independence" in names:
            raise NotUnderstood("a test of independence needs a table, or two columns")
        if "fit" not in names:
            request.assumed.append("equal expected counts")
        return "chi2_fit", tuple(numeric)
    if "fit" in names or len({len(of.columns[c]) for c in numeric}) > 1:
        raise NotUnderstood("a test of fit needs one list of counts, or observed and expected ones")
    return "chi2_table", tuple(numeric)
