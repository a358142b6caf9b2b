"""Patterns of the words in which people ask for data, for figures, or for an explanation."""

import re

# A request without any of these words is never computed. The words are in lower case.
HINTS = (
    *(
        "distribut",
        "normal",
        "gaussian",
        "uniform",
        "poisson",
        "exponential",
        "binomial",
        "bimodal",
    ),
    *("mixture", "weibull", "pareto", "gamma", "beta", "bernoulli", "correlat", "r2", "r²", "r^2"),
    *("r-squared", "season", "time series", "time-series", "trend", "mean", "average", "median"),
    *("mode", "deviation", "std", "varian", "quartile", "percentile", "quantile", "regress"),
    *(
        "least squares",
        "best fit",
        "best-fit",
        "t-test",
        "ttest",
        "t test",
        "chi",
        "anova",
        "ks test",
        "kolmogorov",
    ),
    *("shapiro", "confidence interval", "ci ", "skew", "kurtosis", "outlier", "mann", "wilcoxon"),
    *("kruskal", "levene", "iqr", "interquartile", "n(", "u(", "~", "%", "between", "from "),
    *("sum", "min", "max", "missing", "probabilit", "bell", "coin", "weights", "q1", "q3", "total"),
    *("frequenc", "spearman", "kendall", "standard error", "range", "covarian"),
)
FIGURE = re.compile(r"\d|\b(?:hundred|thousand|million|dozen)\b")
# Requests for an explanation of a computation rather than for its result.
ABOUT = re.compile(
    r"\b(?:explain|describe (?:how|why|what|the (?:difference|concept|process))|what (?:is|are|does|do) (?:a |an |the )?(?:\w+ )?(?:normal|gaussian|poisson|uniform|binomial|exponential|log-?normal|beta|gamma|distribution|meaning|difference|definition|purpose|formula|central|law|correlation\b(?! (?:between|of|coefficient|for))|regression\b|standard deviation\?|p-value|null)|"
    r"how (?:do|can|would|should|to|does|is|many ways)\b|why (?:is|do|does|are|would)|tell me about|teach|"
    r"write (?:me )?(?:a |an |some |the )?(?:\w+ ){0,3}(?:function|code|script|program|class|query|essay|story|poem|article|paragraph|blog|email|letter|tutorial|test|regex|method|module|sql)|"
    r"(?:in|using|with) (?:python|matlab|julia|javascript|java|sql|excel|c\+\+|pandas|numpy|scipy|numpyro|sklearn|spss|stata|sas|a spreadsheet)\b|(?:in|using) r\b(?! ?[=<>]| of)|(?:python|r|sql|java|matlab|javascript|excel) (?:code|script|function|program|query|snippet|formula)|code snippet|one-liner|"
    r"derive|prove|proof|show that|theorem|pros and cons|compare and contrast|advantages|example of when|story|poem|essay|summari[sz]e the|translate|"
    r"which of the following|true or false|multiple[- ]choice|fill in the blank|select all)\b|\bdef \w+\(|\bimport \w+|(?m:^)[^\S\n]*+\(?[A-D][).:]\s",
    re.I,
)
NOT_OURS = re.compile(
    r"\\[a-zA-Z(\[]|\$[^$\n\\^_{}]*+[\\^_{}][^$\n]*+\$|(?m:^)[^\S\n]*+\(?[A-D][).:]\s[^\n]*\n\s*+\(?[B-E][).:]\s"  # formulas; multiple choice
)
# Requests that name records and a distribution, but not how many records.
SOME = re.compile(
    r"^\W*(?:users|customers|employees|people|patients|students|products|orders|records|rows|persons|clients|workers|members|subscribers|participants)"
    r" with (?:an? )?(?:[\w-]+ ){0,3}distribution\b[\s.!]*$",
    re.I,
)
