"""Reads requests for figures and tests over given data: finds the methods and their columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.reading import patterns
from sandbox.reading.budget import spend
from sandbox.reading.data_tables import DataTable
from sandbox.reading.numbers import NUMBER, WHOLE, number
from sandbox.reading.outcome import ReadOutcome
from sandbox.reading.plain_text import column_name
from sandbox.spec import Analysis, Spec


@dataclass(frozen=True, slots=True)
class _Method:
    """A figure or test: its name, the words that ask for it, and how many columns it needs."""

    name: str
    pattern: str
    columns: str = "one"


# Longer phrases come first: `median absolute` before `median`, `paired t-test` before `t-test`. Text
# that matched is not matched again.
_METHODS = (
    _Method("describe", r"\b(?:summary|descriptive) statistics\b|\bdescribe (?:the|this|these) (?:data|numbers|values)|\bfive[- ]number summary"),
    _Method("ci", r"\bconfidence intervals?\b|\b\d{2}% CI\b|\bCI for\b"),
    _Method("ttest_paired", r"\b(?:paired|dependent)[- ](?:samples? )?(?:student'?s )?t[- ]?tests?\b", "two"),
    _Method("ttest_one", r"\bone[- ]sample t[- ]?tests?\b|\bt[- ]?test\b(?=[^.]{0,300}\b(?:against|versus|vs\.?|from|whether the mean (?:is|differs from|equals))\s*+(?:a |the )?(?:mu|mean|population mean|hypothesi[sz]ed mean|value)?\s*+(?:of|=)?\s*+[-\d])"),
    _Method("ttest", r"\b(?:two[- ]sample |independent(?:[- ]samples?)? |welch'?s? |unpaired |student'?s ){0,4}t[- ]?tests?\b", "two"),
    _Method("anova", r"\b(?:one[- ]way )?anova\b|\banalysis of variance\b", "many"),
    _Method("kruskal", r"\bkruskal(?:[- ]wallis)?\b", "many"),
    _Method("mannwhitney", r"\bmann[- ]?whitney\b|\bwilcoxon rank[- ]sum\b", "two"),
    _Method("wilcoxon", r"\bwilcoxon\b", "two"),
    _Method("levene", r"\blevene'?s?\b", "many"),
    _Method("ks", r"\b(?:ks|kolmogorov(?:[- ]smirnov)?)\b(?:[- ]tests?)?", "ks"),
    _Method("shapiro", r"\bshapiro(?:[- ]wilk)?\b|\b(?:test|check|assess)\w*(?: whether| if| for)?[^.]{0,40}\b(?:normality|normally distributed|normal distribution)\b|\bnormality test\b|\b(?:follows?|adheres? to|comes? from) a normal distribution\b"),
    _Method("chi2", r"\bchi[- ]?(?:squared?|2|²)\b(?:[- ]tests?)?|\bgoodness[- ]of[- ]fit\b|\btest of independence\b|\bχ²", "chi2"),
    _Method("regression", r"\b(?:linear |least[- ]squares |simple |multiple |ols ){0,4}regression\b|\bline of best fit\b|\bbest[- ]fit(?:ting)? line\b|\bfit a (?:straight )?line\b|\bregress\b|\bleast[- ]squares (?:line|fit)\b", "regression"),
    _Method("spearman", r"\bspearman'?s?(?: rank)?(?: correlation)?(?: coefficient)?(?: rho)?\b", "pair"),
    _Method("kendall", r"\bkendall'?s?(?: tau)?(?: correlation)?\b", "pair"),
    _Method("correlation", r"\b(?:pearson'?s? )?(?:correlations?(?: coefficients?)?|correlated)\b|\bpearson'?s? r\b|\bpearson\b", "pair"),
    _Method("covariance", r"\bcovariance\b", "pair"),
    _Method("weighted_mean", r"\bweighted (?:mean|average)\b", "refuse"),
    _Method("geometric_mean", r"\bgeometric mean\b"),
    _Method("harmonic_mean", r"\bharmonic mean\b"),
    _Method("moving_average", r"\b(?:moving|rolling) (?:average|mean)\b", "refuse"),
    _Method("mad", r"\b(?:median|mean) absolute deviations?\b", "refuse"),
    _Method("sem", r"\bstandard errors?(?: of the mean)?\b"),
    _Method("sd", r"\b(?:(?P<population>population) |(?P<sample>sample) )?(?:standard deviations?|std\.?(?: dev(?:iation)?s?)?|stdevs?|s\.?d\.?)(?![\w])"),
    _Method("cv", r"\bcoefficient of variation\b"),
    _Method("variance", r"\b(?:(?P<population>population) |(?P<sample>sample) )?variances?\b"),
    _Method("outliers", r"\boutliers?\b(?:[^.]{0,60}?\b(?:iqr|interquartile range)(?: method| rule)?)?"),
    _Method("iqr", r"\b(?:interquartile range|iqr|inter-quartile range)\b"),
    _Method("quartiles", r"\bquartiles\b"),
    _Method("quantile", r"\b(?P<percent>\d+(?:\.\d+)?)(?:st|nd|rd|th)[- ]percentiles?\b|\b(?P<which>first|lower|third|upper) quartile\b|\bQ(?P<quarter>[13])\b|\bpercentile (?:of )?(?P<percent2>\d+)|\b(?P<share>0?\.\d+)[- ]?quantile"),
    _Method("missing", r"\b(?:missing|null|nan) (?:values?|entries|data)?\b|\bnulls\b"),
    _Method("skewness", r"\bskew(?:ness)?\b"),
    _Method("kurtosis", r"\bkurtosis\b"),
    _Method("median", r"\bmedians?\b"),
    _Method("mode", r"\bmodes?\b|\bmost (?:common|frequent) (?:value|number)\b"),
    _Method("range", r"\brange(?= (?:of|for)\b)|\bthe range\b|\bstatistical range\b"),
    _Method("minimum", r"\b(?:minimum|min|smallest|lowest)\b"),
    _Method("maximum", r"\b(?:maximum|max|largest|highest)\b"),
    _Method("frequencies", r"\b(?:frequency (?:table|distribution|count)s?|value counts?|count of each|how many of each)\b"),
    _Method("sum", r"\bsums?\b|\btotals?\b"),
    _Method("count", r"\bhow many (?:values|numbers|data points|observations|rows|records)\b|\bcount of\b|\bnumber of (?:values|observations|rows|records)\b"),
    _Method("mean", r"\b(?:arithmetic )?(?:means?|averages?|avg)\b"),
)  # fmt: skip
# These words change the result in ways that no program here covers, so the request is refused.
_BEYOND = re.compile(
    r"\b(?:where|filter\w*|exclud\w*|only (?:the|those|for|include|consider)|after (?:removing|filtering|excluding)|remov\w*|drop\w*|imput\w*|fill\w*|"
    r"normali[sz]\w*|standardi[sz]\w*|scal(?:e|ed|ing)|log[- ]?transform\w*|transform\w*|machine learning|train\w*|test set|random forest|decision tree|"
    r"logistic|cluster\w*|k-means|predict\w*|classif\w*|feature engineering|new (?:column|feature|variable)|creat\w+|bin(?:s|ned|ning)?|"
    r"categor(?:ise|ize|ised|ized)|encod\w*|rolling|moving|lag\w*|cumulative|growth rate|year[- ]over[- ]year|pivot|merge\w*|join\w*|ratio|"
    r"per capita|proportion|percentage of|top \d+|lastly|finally|on a different note|after that|next|secondly|afterwards|also|additionally|furthermore|euclidean|distance|possible|fell|rose|drops?|dropped|increas\w+|chang\w+|if|why|then|when|added|remaining|would|new|missing data|hidden|(?:second|third) (?:highest|lowest|largest)|more than|less than|greater than|at least|between \d+ and|"
    r"older|younger|above|below|first class|survived|extract\w*|pars(?:e|ing)|convert\w*|weighted by|trimmed|winsor\w*|bootstrap\w*|"
    r"differ(?:s|ence)? (?:in|between) the (?:mean|average)s? (?!of)|difference|subtract\w*|interpolat\w*|preprocess\w*|clean\w*|prun\w*|before|separately|which|identif\w*|time series|forecast\w*|arima|pca|principal)\b",
    re.I,
)  # fmt: skip
_BY = r"\b(?:for each|by|per|grouped by|group(?:ing)? by|across(?: each)?|within each|in each|of each|for every|broken down by)\s++(?:the\s++|different\s++)?(?:unique\s++)?(?:values? (?:of|in) (?:the )?)?(?:column\s++)?[\"']?"
_MOST_METHODS = 6
_LONGEST_NAME = 200  # characters of a column's name


def read(table: DataTable) -> ReadOutcome:
    if not table.columns:
        return ReadOutcome(problem="there is no data to work on")
    text = patterns.sub(r"(?i)\b(?:dataset|data set|data|list|numbers)\s*+:", " ", table.text)
    text = patterns.sub(_PERCENTILES, _each_percentile, text, flags=re.I)
    names, columns_text = _mentioned(text, table)
    wanted, rest = _wanted(columns_text)
    if not wanted:
        return ReadOutcome(problem="it asks for no figure or test that can be computed here")
    if len(wanted) > _MOST_METHODS:
        return ReadOutcome(problem="it asks for more figures than one program should compute")
    for beyond in _BEYOND.finditer(rest):
        if not _harmless(beyond[0], rest, wanted):
            problem = f"`{beyond[0]}` changes the request in a way that is not understood"
            return ReadOutcome(problem=problem)
    loose = next((m.name for m, match in wanted if not _of_the_data(m, match, table)), "")
    if loose:
        return ReadOutcome(problem=f"it is not clear that it wants the {loose} of this data")
    by = _grouped(text, table)
    if not by and patterns.search(r"\b(?:each|every|per)\b(?! other)", rest, re.I) and table.named:
        return ReadOutcome(problem="it does not say by which column")
    analyses = []
    for method, match in wanted:
        made = _analysis(method, match, names, by, table, text)
        if isinstance(made, str):
            return ReadOutcome(problem=made)
        analyses.append(made)
    data = {name: tuple(values) for name, values in table.columns.items()}
    used = {column for a in analyses for column in (*a.columns, a.by) if column}
    places = patterns.search(
        rf"({WHOLE})\s*+(?:decimal(?: place)?s?|d\.?p\.?|digits after)", text, re.I
    )
    spec = Spec(
        "analyse",
        analyses=tuple(analyses),
        data={name: values for name, values in data.items() if name in used},
        decimals=int(number(places[1])) if places else None,
        format="csv" if patterns.search(r"\bas csv\b", text, re.I) else "json",
    )
    return ReadOutcome(spec, reasons=[f"{a.method} of {', '.join(a.columns)}" for a in analyses])


# Matches `the 25th, 50th and 75th percentiles`.
_PERCENTILES = (
    r"\b((?:\d{1,2}(?:st|nd|rd|th)?(?:,? and |, )){1,12}\d{1,2}(?:st|nd|rd|th)?)[- ]percentiles?\b"
)


def _each_percentile(match: "re.Match[str]") -> str:
    return " and ".join(f"{n}th percentile" for n in patterns.findall(r"\d{1,2}", match[1]))


_CAREFUL = frozenset({"sum", "minimum", "maximum", "count", "range", "mode"})
_OF_DATA = re.compile(
    r"\s*+(?:value|number|element|score)?s?\s*+(?:,|and|or|/|mean|median|mode|average|minimum|maximum|min|max|sum|range|standard deviation|variance|the|\s)*"
    r"(?:(?:of|from|in|for|among)\s++(?:(?<=\s\s\s\s)|(?:the |this |these |those |all |following |below |given |my |our |each )*(?:list|numbers?|array|data\w*|values?|set|sample|integers|scores?|"
    r"elements|figures|temperatures|heights|ages|weights|times|observations|measurements|prices|\[|:|$|\s{3,}|x\d))|:|$)",
    re.I,
)


def _of_the_data(method: _Method, match: "re.Match[str]", table: DataTable) -> bool:
    """Whether the text asks for this statistic of the data. A word such as `range` may have its
    everyday meaning, so that the word alone is not enough."""
    if method.name not in _CAREFUL or table.named:
        return True
    return bool(_OF_DATA.match(match.string, match.end()))


def _harmless(word: str, text: str, wanted: Sequence[tuple[_Method, Any]]) -> bool:
    """Whether this word is no reason to refuse: a request for a test may say `difference`."""
    tests = {"ttest", "ttest_paired", "anova", "mannwhitney", "wilcoxon", "kruskal", "levene", "ks"}
    names = {method.name for method, _ in wanted}
    if word.lower().startswith(("differ", "at least")) and names & tests:
        return True
    if "regression" in names and word.lower().startswith(("predict", "when", "if", "then")):
        return True
    if word.lower() in ("above", "below") and patterns.search(
        r"\b(?:data|numbers|table|list|values) (?:above|below)\b|\b(?:above|below) (?:data|numbers|table|values)\b",
        text,
        re.I,
    ):
        return True
    return bool(
        patterns.search(
            r"(?:ignor\w+|exclud\w*|remov\w*|drop\w*|without) (?:all |any |the )?(?:rows? with )?(?:missing|null|nan|na)\b",
            text,
            re.I,
        )
    ) and word.lower().startswith(("exclud", "remov", "drop"))


def _wanted(text: str) -> tuple[list[tuple[_Method, "re.Match[str]"]], str]:
    """The methods in the order in which the text names them, and the text without their names."""
    matches: list[tuple[int, _Method, re.Match[str]]] = []
    text = patterns.sub(
        r"\b(?:mean of zero|mean value of \d+|means? that|by means of|what (?:do|does) .{0,40} mean\b)",
        " ",
        text,
        flags=re.I,
    )
    text = patterns.sub(
        r"\bignor\w* (?:the |any |all )?(?:missing|null|nan) values?\b|\b(?:missing|null|nan) values? (?:should be |are |must be )?(?:ignored|excluded|dropped|skipped)\b",
        " ",
        text,
        flags=re.I,
    )
    for method in _METHODS:
        spend()
        while (match := patterns.search(method.pattern, text, re.I)) is not None:
            spend()
            if not any(
                m.name == method.name and m.name not in ("quantile",) for _, m, _ in matches
            ):
                matches.append((match.start(), method, match))
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    matches.sort(key=lambda item: item[0])
    tests = {m.name for _, m, _ in matches} & {
        "ttest",
        "ttest_one",
        "ttest_paired",
        "ci",
        "anova",
        "mannwhitney",
        "kruskal",
        "levene",
        "sem",
        "shapiro",
        "ks",
        "wilcoxon",
    }
    kept = [
        (m, match)
        for _, m, match in matches
        if not (tests and m.name == "mean" and "mean and" not in match.string.lower())
    ]
    return kept or [(m, match) for _, m, match in matches], text


def _mentioned(text: str, table: DataTable) -> tuple[list[str], str]:
    """The columns in the order in which the text names them, and the text without the names."""
    matches: list[tuple[int, str]] = []
    masked, low = text, _low(text)
    for name in sorted(table.columns, key=len, reverse=True):
        if not _may_name(low, name):
            continue
        forms = {
            re.escape(name),
            re.escape(name).replace("_", "[ _]"),
            re.escape(column_name(name)).replace("_", "[ _]"),
        }
        pattern = "|".join(sorted(forms, key=len, reverse=True))
        flags = 0 if len(name) <= 2 else re.I
        match = re.search(rf"[\"'`](?:{pattern})[\"'`]", masked, re.I) or re.search(
            rf"(?<![\w])(?:{pattern})(?:s|es)?(?![\w])", masked, flags
        )
        if match:
            matches.append((match.start(), name))
            spend()
            for item in reversed(
                list(re.finditer(rf"(?<![\w])(?:{pattern})(?:s|es)?(?![\w])", masked, flags))
            ):
                masked = masked[: item.start()] + " " * len(item[0]) + masked[item.end() :]
    matches.sort()
    return [name for _, name in matches], masked


def _low(text: str) -> str:
    return text.lower().replace("_", " ")


def _may_name(low: str, name: str) -> bool:
    """Whether a text may name a column: a cheap test, before a pattern for the name is compiled."""
    spend()
    if len(name) > _LONGEST_NAME:
        return False
    return _low(name) in low or _low(column_name(name)) in low


def _grouped(text: str, table: DataTable) -> str:
    low = _low(text)
    for name in sorted(table.columns, key=len, reverse=True):
        if not _may_name(low, name):
            continue
        forms = "|".join({re.escape(name), re.escape(column_name(name)).replace("_", "[ _]")})
        if re.search(_BY + rf"(?:{forms})(?:s|es)?(?![\w])", text, re.I):
            return name
    return ""


def _analysis(
    method: _Method, match: "re.Match[str]", names: list[str], by: str, table: DataTable, text: str
) -> Analysis | str:
    numeric = [n for n in table.columns if _is_numeric(table.columns[n])]
    named = [n for n in names if n != by] if table.named else list(table.columns)
    mentioned = [n for n in named if n in numeric]
    if method.columns == "refuse":
        return f"{method.name} is not computed here"
    if method.columns == "chi2":
        return _chi2(named, table, text)
    if method.columns == "regression":
        return _regression(mentioned or numeric, table, text)
    if method.name in ("missing", "frequencies", "mode"):
        columns = named or list(table.columns)
        if method.name != "missing" and len(columns) != 1:
            return f"it does not say of which column it wants the {method.name}"
        return Analysis(method.name, tuple(columns), by if method.name != "missing" else "")
    if method.columns in ("two", "many", "ks"):
        return _comparison(method, mentioned, numeric, by, table, text)
    if method.columns == "pair":
        columns = mentioned if len(mentioned) >= 2 else numeric if not mentioned else []
        if len(columns) < 2:
            return f"a {method.name} needs two columns"
        if len(columns) > 2 and not patterns.search(
            r"\bmatrix|\ball (?:pairs|columns|variables)|pairwise", text, re.I
        ):
            return f"it does not say of which two columns it wants the {method.name}"
        lengths = {len(table.columns[c]) for c in columns}
        if len(lengths) > 1:
            return f"{', '.join(columns)} have different lengths"
        return Analysis(method.name, tuple(columns))
    return _of_one(method, match, mentioned, numeric, by, table, text)


def _of_one(
    method: _Method,
    match: "re.Match[str]",
    mentioned: list[str],
    numeric: list[str],
    by: str,
    table: DataTable,
    text: str,
) -> Analysis | str:
    columns = mentioned or (numeric if len(numeric) == 1 or not table.named else [])
    columns = [c for c in columns if c != by]
    if by and len(columns) > 1:
        return f"it does not say of which column it wants the {method.name} by {by}"
    if not columns:
        return f"it does not say of which column it wants the {method.name}"
    return Analysis(method.name, tuple(columns), by, _parameters(method, match, text))


def _parameters(method: _Method, match: "re.Match[str]", text: str) -> Mapping[str, Any]:
    if method.name in ("sd", "variance"):
        population = bool(match["population"]) or bool(
            patterns.search(r"\bpopulation\b", text, re.I)
        )
        return {"ddof": 0} if population else {}
    if method.name == "quantile":
        if match["percent"] or match["percent2"]:
            return {"q": float(match["percent"] or match["percent2"]) / 100}
        if match["share"]:
            return {"q": float(match["share"])}
        first = (match["which"] or "").lower() in ("first", "lower") or match["quarter"] == "1"
        return {"q": 0.25 if first else 0.75}
    if method.name == "ci":
        level = patterns.search(r"(\d{2}(?:\.\d+)?)\s?%", text)
        return {"level": float(level[1]) / 100 if level else 0.95}
    if method.name == "ttest_one":
        against = patterns.search(
            rf"(?:against|versus|vs\.?|mu ?=|mean (?:of|is|=|equals|differs from)|from|hypothesi[sz]ed[^.\d]*)\s*+(?:a |the )?(?:population |hypothesi[sz]ed )?(?:mean|mu|value)?\s*+(?:of|=|is)?\s*+({NUMBER})",
            text,
            re.I,
        )
        return {"mu": number(against[1])} if against else {"mu": 0.0}
    if method.name == "outliers":
        z = patterns.search(r"\bz[- ]?score", text, re.I)
        limit = patterns.search(
            r"(?:threshold|greater than|exceed\w*|above|beyond|cutoff)\s*+(?:of|is|=|:)?\s*+(\d+(?:\.\d+)?)",
            text,
            re.I,
        )
        if z:
            return {"rule": "zscore", "limit": float(limit[1]) if limit else 3.0}
        return {"rule": "iqr", "limit": 1.5}
    return {}


def _comparison(
    method: _Method, mentioned: list[str], numeric: list[str], by: str, table: DataTable, text: str
) -> Analysis | str:
    if method.columns == "ks" and patterns.search(
        r"\bnormal(?:ity|ly)?\b|\bgaussian\b", text, re.I
    ):
        columns = mentioned or (numeric if len(numeric) == 1 else [])
        return (
            Analysis("ks_normal", tuple(columns))
            if len(columns) == 1
            else "a KS test against the normal distribution needs one column"
        )
    grouped = by or next(
        (
            n
            for n in table.columns
            if n not in numeric
            and table.named
            and _may_name(_low(text), n)
            and re.search(rf"(?<!\w){re.escape(n)}(?!\w)", text, re.I)
        ),
        "",
    )
    if grouped and len(mentioned or numeric) == 1:
        return Analysis(
            method.name if method.columns != "ks" else "ks_two",
            tuple(mentioned or numeric),
            grouped,
            _test_parameters(method, text),
        )
    columns = mentioned if len(mentioned) >= 2 else numeric
    most = 12 if method.columns == "many" else 2
    if not 2 <= len(columns) <= most:
        return f"it does not say between which columns the {method.name} is"
    return Analysis(
        method.name if method.columns != "ks" else "ks_two",
        tuple(columns),
        "",
        _test_parameters(method, text),
    )


def _test_parameters(method: _Method, text: str) -> Mapping[str, Any]:
    if (
        method.name == "ttest"
        and patterns.search(r"\b(?:equal variances?|student'?s|pooled)\b(?! not)", text, re.I)
        and not patterns.search(r"welch|unequal", text, re.I)
    ):
        return {"equal_var": True}
    return {}


def _chi2(named: list[str], table: DataTable, text: str) -> Analysis | str:
    columns = named or list(table.columns)
    if not table.named or all(_is_numeric(table.columns[c]) for c in columns):
        rows = [table.columns[c] for c in columns]
        low = {c.lower(): c for c in columns}
        if {"observed", "expected"} <= low.keys():
            return Analysis("chi2_fit", (low["observed"], low["expected"]))
        if (
            len(rows) >= 2
            and len({len(r) for r in rows}) == 1
            and not patterns.search(r"goodness|uniform|equally likely|fair", text, re.I)
        ):
            return Analysis("chi2_table", tuple(columns))
        return (
            Analysis("chi2_fit", tuple(columns[:1]))
            if len(columns) == 1
            else "a test of fit needs one list of counts"
        )
    if len(columns) == 2:
        return Analysis("chi2_independence", tuple(columns))
    return "it does not say of which two columns the chi-square test is"


_TARGET = r"(?:predict(?:ing|s)?|regress(?:ing)?|explain(?:ing|s)?|of|for|dependent variable(?: is)?|response(?: is)?|target(?: is)?)"


def _regression(columns: list[str], table: DataTable, text: str) -> Analysis | str:
    if len(columns) < 2:
        return "a regression needs a column to explain and another that explains it"
    lengths = {len(table.columns[c]) for c in columns}
    if len(lengths) > 1:
        return f"{', '.join(columns)} have different lengths"
    low = _low(text)
    target = next(
        (
            c
            for c in columns
            if _may_name(low, c)
            and re.search(
                _TARGET
                + rf"\s++(?:the\s++)?[\"']?{re.escape(c)}(?![\w])[\"']?\s++(?:on|from|by|using|based on|against|as a function of|with|given)",
                text,
                re.I,
            )
        ),
        "",
    )
    target = (
        target
        or next((c for c in columns if c.lower() == "y"), "")
        or next(
            (
                c
                for c in columns
                if _may_name(low, c)
                and re.search(
                    rf"(?:predict|dependent|response|target)\w*\s++(?:variable\s++)?(?:is\s++|the\s++)?[\"']?{re.escape(c)}(?!\w)",
                    text,
                    re.I,
                )
            ),
            "",
        )
    )
    if not target:
        if len(columns) > 2:
            return "it does not say which column is to be explained"
        target = columns[1]
    at = patterns.search(
        rf"(?:predict\w*|estimate|value|y)\b[^.\d]{{0,40}}?(?:at|for|when|if)\s++\w+\s*+(?:=|is|of)\s*+({NUMBER})",
        text,
        re.I,
    )
    if (
        not at
        and patterns.search(r"\bpredict(?:ion|ed)?\b", text, re.I)
        and patterns.search(r"\bpredict\w*\b[^.]{0,300}\d", text, re.I)
    ):
        return "it does not say clearly at which value to predict"
    parameters = {"at": number(at[1])} if at and len(columns) == 2 else {}
    return Analysis("regression", (target, *(c for c in columns if c != target)), "", parameters)


def _is_numeric(values: Sequence[Any]) -> bool:
    types = {*map(type, values)} - {type(None)}
    return bool(types) and types <= {int, float}
