"""Reads tests, intervals and risks of proportions, from events and sizes: A/B tests, 2x2 tables."""

from dataclasses import dataclass
from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.mean_questions import finish, spec_of
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.summaries import (
    Level,
    asks_p,
    no_tail,
    only_confidence,
    table_cases,
    take_cases,
    take_level,
    take_tail,
)
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Spec

_RISKS = ("odds_ratio", "relative_risk", "risk_difference", "nnt")
_TWO = (
    "z_test",
    "significant",
    "p_value",
    "ab_test",
    "uplift",
    "chi_square_test",
    "test_word",
    "statistic_word",
    *_RISKS,
)
_FILLER = (
    "conversion", "visitor", "ab_test", "uplift", "proportion_word", "z_test", "as_percent",
    "what_percent", "relative_word", "out_of", "for_the_proportion", "how_many", "welch_no",
    "question_probability", "statistic_word", "no_yates", "difference_word", "each", "per_group",
    "independent_word", "between",
)  # fmt: skip


def _is_about_two(reader: Reader) -> bool:
    wanted = reader.has(*_TWO, "difference_word", "interval_word") or asks_p(reader)
    if not wanted or reader.has("sd", "power_word"):
        return False
    return not reader.has("size_wanted") or reader.has("p_value", "significant", "uplift")


def _read_two(reader: Reader) -> Spec | None:
    if not _is_about_two(reader):
        return None
    interval = reader.has("interval_word")
    another = reader.has("wilson", "how_many") or phrases.take(reader.copy(), "each time_unit")
    if another:
        return None
    level, tail = take_level(reader), take_tail(reader, 2)
    reader.take_all("interval_word")
    risks = [name for name in _RISKS if reader.take_all(name)]
    chi_square = bool(reader.take_all("chi_square_test"))
    yates, plain = bool(reader.take_all("yates")), bool(reader.take_all("no_yates"))
    z_named = reader.has("z_test", "proportion_word")
    tested = asks_p(reader) or reader.has(
        "significant", "p_value", "z_test", "ab_test", "uplift", "statistic_word"
    )
    if yates or plain:
        phrases.take(reader, "'correction|'correccion")
    reader.take_all("wald")
    if reader.has("z_test"):
        reader.take_all("pooled_variance")  # the z test of two rates pools them
    cases = table_cases(reader) if reader.table else take_cases(reader, 2)
    if cases is None:
        return None
    _refuse_mixed(reader)
    baseline = _baseline_first(reader)
    if _swapped(reader):
        cases.reverse()
        tail = {"greater": "less", "less": "greater"}.get(tail, tail)
        baseline = True
    if {"before", "after"} <= {t.stem for t in reader.tokens}:
        phrases.take_every(reader, "'before|'after")
    if {"antes", "despues"} <= {t.stem for t in reader.tokens}:
        phrases.take_every(reader, "'antes|'despues")
    finish(reader, *_FILLER, statistic="z")
    only_reduction = set(risks) <= {"risk_difference", "nnt"} and any(
        "reduc" in t.stem or t.stem in ("arr", "rar") for t in reader.tokens
    )
    (e1, n1), (e2, n2) = cases
    if risks and only_reduction and e1 * n2 < e2 * n1:
        cases.reverse()  # a reduction counts from the group with the greater risk
    wants = _Wants(
        bool(risks), chi_square or yates or plain, yates, yates or plain, interval, baseline
    )
    analyses, notes = _compared(cases, level, tail, wants)
    if (tested and not chi_square and not risks) or not analyses:
        if not (tested or z_named):
            return None
        test = _test(cases, tail, notes)
        analyses.append(Analysis("proportions_test", parameters=_with_alpha(test, level, notes)))
    return spec_of(analyses, *notes)


_OPPOSITES = (
    ("ill sick infected died dead relapsed enfermo enfermaron murieron",
     "healthy well survived cured recovered alive sano curados sobrevivieron"),
    ("passed pass aprobaron", "failed fail suspendieron"), ("yes si", "no"),
    ("good working fine", "defective faulty bad broken"), ("won", "lost"), ("stayed renewed", "left cancelled churned"),
)  # fmt: skip


def _refuse_mixed(reader: Reader) -> None:
    """Refuse events of one group beside non-events of the other: `992 healthy ... 40 ill`."""
    words = [word for t in reader.tokens for word in t.text.lower().split()]
    for pair in _OPPOSITES:
        counts = [sum(word in side.split() for word in words) for side in pair]
        if counts == [1, 1] and not reader.has("no_yates"):
            raise NotUnderstood("the two groups count opposite events: say the same of both")


@dataclass(frozen=True, slots=True)
class _Wants:
    """What is asked about two rates, besides the z test."""

    risks: bool
    chi_square: bool
    yates: bool
    correction_named: bool
    interval: bool
    baseline_first: bool  # the group that is named first is the one that nothing was done to


_BASELINES = frozenset(
    "control old before baseline original current existing placebo unexposed untreated unvaccinated antes viejo"
    " vieja actual grupo-control".split()
)


_TREATMENTS = frozenset(
    "b variant treatment new after treated variation challenger nuevo nueva despues".split()
)


def _swapped(reader: Reader) -> bool:
    """Whether B, or what was done anew, stands before A or the control."""
    over = phrases.take(
        reader.copy(),
        "uplift|difference_word 'a 'over|'vs|'versus|'sobre 'b",
        "'control 'over|'vs|'sobre 'variant",
    )
    if over is not None:
        raise NotUnderstood("an uplift of A over B is not understood: ask for that of B over A")
    names = [t.stem.split()[-1] for t in reader.tokens if _is_group(t)]
    order = list(dict.fromkeys(n for n in names if n in _BASELINES | _TREATMENTS | {"a"}))
    return len(order) == 2 and order[0] in _TREATMENTS and order[1] in _BASELINES | {"a"}


def _is_group(token: Token) -> bool:
    """Whether a token names a group; `a` and `b` are names in capitals."""
    named = token.means("group_name", "baseline") or token.stem in _BASELINES | _TREATMENTS
    return named and (len(token.text) > 1 or token.text.isupper())


def _baseline_first(reader: Reader) -> bool:
    """Whether the request names the baseline first; in an A/B test that is A."""
    names = [
        t.stem for t in reader.tokens
        if t.means("group_name", "baseline") or t.stem in _BASELINES
    ]  # fmt: skip
    firsts = [i for i, name in enumerate(names) if _BASELINES & set(name.split())]
    if firsts:
        return firsts[0] == 0
    ab = reader.has("ab_test", "visitor") and reader.has("conversion", "ab_test")
    return ab and any(t.text in ("A", "a/b", "A/B") for t in reader.tokens)


_Cases = list[tuple[float, float]]


def _test(cases: _Cases, tail: str, notes: list[str]) -> dict[str, Any]:
    (e1, n1), (e2, n2) = cases
    test: dict[str, Any] = {"successes1": e1, "n1": n1, "successes2": e2, "n2": n2}
    if tail in ("one", "greater", "less"):
        # `A greater than B` is said of the first group; z compares the second with the first.
        test["tail"] = "less" if tail == "greater" else "greater"
        word = "lower" if tail == "greater" else "higher"
        notes.append(f"one-sided: whether the second rate is {word} than the first")
    else:
        notes.append("" if tail else "two-sided")
    notes.append("the pooled z test; the second group against the first")
    return test


def _compared(
    cases: _Cases, level: Level, tail: str, wants: _Wants
) -> tuple[list[Analysis], list[str]]:
    (e1, n1), (e2, n2) = cases
    analyses: list[Analysis] = []
    notes: list[str] = []
    confidence = {} if level.confidence is None else {"confidence": level.confidence}
    if wants.risks or wants.interval:
        only_confidence(level)
        no_tail(tail)
    if (wants.risks or wants.interval) and not confidence:
        notes.append("95% confidence")
    if wants.risks:
        parameters: dict[str, Any] = {"events1": e1, "n1": n1, "events2": e2, "n2": n2}
        notes.append("the first group against the second")
        analyses.append(Analysis("risk_measures", parameters=parameters | confidence))
    if wants.chi_square:
        if tail not in ("", "two"):
            raise NotUnderstood("a chi-square test has no sides: ask for a z test")
        notes.append("" if wants.correction_named else "without Yates' correction")
        chi2: dict[str, Any] = {"successes1": e1, "n1": n1, "successes2": e2, "n2": n2}
        chi2 |= {"yates": True} if wants.yates else {}
        analyses.append(Analysis("chi_square_2x2", parameters=_with_alpha(chi2, level, notes)))
    if wants.interval and not wants.risks:
        if wants.baseline_first:
            notes.append("the Wald interval; the second group minus the first")
        else:
            e1, n1, e2, n2 = e2, n2, e1, n1
            notes.append("the Wald interval; the first group minus the second")
        parameters = {"successes1": e1, "n1": n1, "successes2": e2, "n2": n2}
        analyses.append(Analysis("proportions_interval", parameters=parameters | confidence))
    return analyses, notes


def _with_alpha(parameters: dict[str, Any], level: Level, notes: list[str]) -> dict[str, Any]:
    if level.alpha is not None:
        return parameters | {"alpha": level.alpha}
    notes.append("significance at the 5% level")
    return parameters


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about one proportion."""

    interval: bool
    margin: bool
    error: bool
    tested: bool
    wilson: bool
    level: Level

    @property
    def estimated(self) -> bool:
        return self.interval or self.margin or self.error


def _asked_of_one(reader: Reader) -> _Asked | None:
    if reader.has("sd", "variance", "size_wanted", "power_word", "how_many"):
        return None
    interval = reader.has("interval_word") or any("interval" in t.stem for t in reader.tokens)
    wilson, wald = reader.has("wilson"), reader.has("wald")
    given = phrases.value(reader.copy(), "#m% margin_of_error", "margin_of_error 'of|'de|'del !#m%")
    if given is not None and given <= 0.2:
        return None  # the margin is stated, not asked for
    level = take_level(reader)
    tested = asks_p(reader) or reader.has(
        "significant", "p_value", "z_test", "test_word", "statistic_word"
    )
    reader.take_all("interval_word", "wilson", "wald")
    margin = bool(reader.take_all("margin_of_error"))
    error = bool(reader.take_all("standard_error"))
    wants = _Asked(interval, margin, error, tested, wilson, level)
    shares = sum(t.unit == "%" for t in reader.tokens) - (level.alpha is not None)
    if (tested and not interval and shares > 1) or not (wants.estimated or tested):
        return None
    if interval or margin:
        only_confidence(level)
    return None if wilson and wald else wants


def _read_one(reader: Reader) -> Spec | None:
    """Read an interval, margin or test of one proportion."""
    wants = _asked_of_one(reader)
    if wants is None:
        return None
    if not wants.estimated:
        return _tested_share(reader, wants.level)
    no_tail(take_tail(reader), reader)
    stated = wants.level.confidence
    notes = [] if stated is not None or wants.error else ["95% confidence"]
    confidence = {} if stated is None else {"confidence": stated}
    reader.take_all("worst_case")
    cases = take_cases(reader, 1)
    if cases is None and (wants.margin or wants.error):
        return _margin(reader, confidence, notes, error=wants.error)
    if cases is None:
        return None
    ((events, n),) = cases
    finish(reader, *_FILLER)
    if wants.error:
        return spec_of([Analysis("proportion_error", parameters={"p": events / n, "n": n})])
    if wants.margin and not wants.interval:
        share = {"p": events / n, "n": n} | confidence
        return spec_of([Analysis("margin_of_error", parameters=share)], *notes)
    method = {"method": "wilson"} if wants.wilson else {}
    parameters: dict[str, Any] = {"successes": events, "n": n} | confidence | method
    notes.append("Wilson's interval" if wants.wilson else "the Wald interval")
    return spec_of([Analysis("proportion_interval", parameters=parameters)], *notes)


def _tested_share(reader: Reader, level: Level) -> Spec | None:
    null, side, coin = _null_share(reader)
    tail = take_tail(reader)
    if side and tail in ("", "one"):
        tail = side
    cases = _tosses(reader) if coin else take_cases(reader, 1)
    if cases is None or null is None:
        return None
    ((events, n),) = cases
    guessed = not side and not reader.has("null_value")
    if guessed and abs(null - events / n) < 0.006:  # it may be the share that was observed
        return None
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    finish(reader, *_FILLER, statistic="z")
    test = {"successes": events, "n": n, "null": null}
    return _test_of_share(test, level, tail, coin=coin)


def _tosses(reader: Reader) -> list[tuple[float, float]] | None:
    """Take how often a coin that is tested showed heads: `58 heads in 100 tosses`."""
    sides = "heads|tails"
    match = phrases.take(
        reader, f"{sides} #e. time_word? out_of|range_word|'of|'de #n. roll|time_word",
        f"#e. time_word? {sides} out_of|range_word|'of|'de|'from #n. roll|time_word", f"#n. roll|time_word * #e. {sides}",
        f"roll * #n. time_word * #e. {sides}", f"out_of|range_word #n. roll|time_word * #e. time_word? {sides}",
        f"{sides} #e. time_word? out_of|range_word #n.", f"#n. roll|time_word * {sides} #e. time_word?",
    )  # fmt: skip
    reader.take_all("fair", "heads", "tails", "roll", "coin", "time_word", "unfair")
    return [(match["e"].value, match["n"].value)] if match else None


def _null_share(reader: Reader) -> tuple[float | None, str, bool]:
    """Take the share that a test doubts, its side, and whether it is that of a fair coin."""
    for side, words in (("greater", "more_than"), ("less", "less_than")):
        pair = phrases.take(
            reader,
            f"'p exactly #a * 'p {words} #b",
            f"probability exactly #a * probability {words} #b",
        )
        if pair and pair["a"].value == pair["b"].value:
            return pair["a"].value, side, False
        claimed = phrases.value(reader, f"{words} #p%")
        if claimed is not None:
            return claimed, side, False
    if sum(token.fraction is not None for token in reader.tokens) > 1:
        return None, "", False
    null = phrases.value(
        reader, "null_value exactly? #p%", "null_value exactly? 'p|probability? exactly? #p", "null_value * #p%",
        "'says|'say|'dicen * #p%", "'die 'that|'que * #p%", "'p|probability exactly #p",
    )  # fmt: skip
    if (
        null is None
        and reader.has("coin")
        and not any(reader.tokens[i].unit == "%" for i in reader.free("number"))
    ):
        return 0.5, "", True
    shares = [i for i in reader.free("number") if reader.tokens[i].unit == "%"]
    if null is None and len(shares) == 1 and len(reader.free("number")) == 3:
        null = reader.at(shares[0]).value
    return (null if null is not None and 0 < null < 1 else None), "", False


def _test_of_share(test: dict[str, Any], level: Level, tail: str, *, coin: bool) -> Spec:
    if tail == "one":
        raise NotUnderstood("say whether the one-sided test looks for a greater or lesser share")
    if tail in ("greater", "less"):
        test["tail"] = tail
    notes = ["" if tail else "two-sided", "the normal approximation"]
    notes.append("a fair coin shows heads half the time" if coin else "")
    parameters = _with_alpha(test, level, notes)
    return spec_of([Analysis("proportion_test", parameters=parameters)], *notes)


def _margin(
    reader: Reader, confidence: dict[str, float], notes: list[str], *, error: bool
) -> Spec | None:
    """Read a margin of error of a sample of which only the size, and perhaps p, is stated."""
    p = phrases.value(
        reader,
        "success_p|'p|probability exactly #p",
        "proportion_word exactly? #p%",
    )
    if p is None:
        share = reader.only_number("%")
        p = share.value if share else None
    n = phrases.value(
        reader, "#n. visitor|people_word|trial_word|conversion", "size_n|'n exactly? #n.",
        "sample_word|proportion_word 'of? #n.", "sample_word|proportion_word * #n.",
    )  # fmt: skip
    if n is None or (error and p is None) or reader.has("absolute_word"):
        return None
    finish(reader, *_FILLER)
    if error:
        return spec_of([Analysis("proportion_error", parameters={"p": p, "n": n})])
    note = "" if p is not None else "a proportion of 50%, the worst case"
    parameters = {"p": 0.5 if p is None else p, "n": n} | confidence
    return spec_of([Analysis("margin_of_error", parameters=parameters)], note, *notes)


def _read_kappa(reader: Reader) -> Spec | None:
    if not reader.take_all("kappa"):
        return None
    phrases.take(
        reader, "#two. 'coder|'rater|'codificador|'evaluador|'annotator|'observer|'judge|'doctor"
    )
    total = phrases.value(reader, "'classified|'clasificaron|'rated|'coded #n.")
    agreed = [
        phrase["k"].value
        for phrase in phrases.take_every(
            reader,
            "both_said unfair? negation? unfair? #k.",
            "both_said * #k.",
            "both_said negation * #k.",
            "#k. both_said",
            "both_word * #k.",
        )
    ]
    left = [reader.at(i) for i in reader.free("number") if reader.tokens[i].unit == ""]
    counts = [token.value for token in left]
    if len(counts) == 3 and total is None:
        total, *counts = counts
    if len(agreed) != 2 or len(counts) != 2:
        raise NotUnderstood("kappa needs four counts: both yes, both no, and each rater alone")
    if total is not None and total != sum(agreed) + sum(counts):
        raise NotUnderstood(
            f"the four counts add up to {sum(agreed) + sum(counts):g}, not {total:g}"
        )
    finish(
        reader, "unfair", "negation", "but_word", "both_said", "both_word", "or_word", "conversion"
    )
    reader.labels |= {
        "coder",
        "rater",
        "said",
        "classified",
        "biased",
        "article",
        "newspaper",
        "annotator",
    }
    reader.labels |= {
        "codificador",
        "evaluador",
        "clasificaron",
        "dijeron",
        "sesgado",
        "prensa",
        "said",
    }
    reader.labels |= {"positive", "negative", "yes", "no", "a", "b", "observer", "judge", "dijo"}
    names = ("both_yes", "both_no", "first_only", "second_only")
    parameters = dict(zip(names, (*agreed, *counts), strict=True))
    note = f"{total:g} cases in all" if total is not None else ""
    return spec_of([Analysis("kappa", parameters=parameters)], note)


RULES = (
    Rule(
        "a comparison of two rates",
        frozenset({*_TWO, "interval_word", "difference_word", "probability"}),
        _read_two,
        "the events and the size of each of two groups",
    ),
    Rule(
        "an interval, margin or test of a proportion",
        frozenset({"interval_word", "margin_of_error", "z_test", "p_value", "significant"})
        | {"standard_error", "wilson", "test_word", "probability"},
        _read_one,
        "the events and the size of one sample",
    ),
    Rule("Cohen's kappa", frozenset({"kappa"}), _read_kappa, "the four counts of agreement"),
)
