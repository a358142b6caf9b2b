"""Reads tests of means, ranks and relations: their samples, direction, level and variant."""

from typing import Any

from sandbox.reading.figure_words import is_idle, is_word
from sandbox.reading.figures_methods import TESTS, Claim, level, near
from sandbox.reading.figures_request import Request
from sandbox.reading.lexicon import IDLE, plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

_DIRECTED = frozenset(
    {"ttest", "ttest_one", "ttest_paired", "mannwhitney", "wilcoxon", "correlation", "spearman"}
    | {"kendall", "sign_test"}
)
_WITH_FREEDOM = frozenset({"ttest", "ttest_one", "ttest_paired", "anova"})
_MOST_SAMPLES = 12


def t_test(request: Request) -> list[Analysis]:
    """A t-test of one sample, of pairs, or of two samples, as the words and the data say."""
    names = {c.method.name for c in request.claims if c.method.takes == "t test"}
    if _only_adjectives(request, names):
        return []
    columns, by = _samples(request)
    if "one" in names or (len(columns) == 1 and not by):
        if names & {"paired", "two", "welch", "pooled"}:
            raise NotUnderstood("a t-test of two samples needs two lists, or a column of groups")
        mu = _mu(request)
        _take_means(request)
        return [_test(request, "ttest_one", tuple(columns), "", {"mu": mu}, mu=mu)]
    _take_means(request)
    if len(columns) != 2 and not by:
        raise NotUnderstood("a t-test compares two samples: name them")
    if "paired" in names:
        if names & {"pooled", "welch", "two"}:
            raise NotUnderstood("a paired t-test has no variances to compare")
        if by or len({len(request.of.columns[c]) for c in columns}) > 1:
            raise NotUnderstood("a paired t-test needs two lists of the same length")
        return [_test(request, "ttest_paired", tuple(columns), "", {})]
    if {"welch", "pooled"} <= names:
        raise NotUnderstood("the variances are either equal or not")
    if not names & {"welch", "pooled"}:
        request.assumed.append("variances may differ (Welch)")
    parameters = {"equal_var": True} if "pooled" in names else {}
    return [_test(request, "ttest", tuple(columns), by, parameters)]


def _only_adjectives(request: Request, names: set[str]) -> bool:
    """Whether the words about a t-test only describe another figure, such as an interval."""
    others = {c.name for c in request.claims} - {"t test"}
    if names == {"t"} and "ci" in others:
        return True  # the t-distribution of an interval
    if not names <= {"pooled", "welch", "paired"}:
        return False
    if others & {"cohens_d", "mean_difference"}:
        return True
    if others & TESTS:
        raise NotUnderstood("pairs and equal variances are understood in a t-test")
    texts = [request.reader.tokens[c.place].text for c in request.claims if c.name == "t test"]
    if names == {"pooled"} and not any("test" in text for text in texts):
        raise NotUnderstood("it does not say of which test the variances are equal")
    return False


def _take_means(request: Request) -> None:
    """In a t-test, `mean` names what is tested, unless the mean is names for beside the test."""
    kept = []
    for claim in request.claims:
        if claim.name == "mean":
            before = request.reader.tokens[max(0, claim.place - 3) : claim.place]
            after = request.reader.tokens[claim.place + 1 : claim.place + 3]
            listed = any(t.stem in (",", "and", "y") for t in after[:1])
            starts = not any(
                t.means("figure_t_test", "figure_differ", "figure_against") for t in before
            )
            if (listed and starts) or _asked_beside(request, claim.place):
                kept.append(claim)
            continue
        kept.append(claim)
    request.claims = kept


def _asked_beside(request: Request, place: int) -> bool:
    """Whether a mean is asked for after the test, as in `..., and tell me the average`."""
    tokens = request.reader.tokens
    tests = [claim.place for claim in request.claims if claim.method.takes == "t test"]
    if place < max(tests, default=place + 1):
        return False
    if tokens[place + 1 : place + 2] and tokens[place + 1].kind not in ("mark", "list"):
        return False
    i = place - 1
    while i > 0 and is_idle(tokens[i]) and plain(tokens[i].text) not in ("and", "y", "of", "de"):
        i -= 1
    return plain(tokens[i].text) in ("and", "y", ",", ".", "?", ";")


def _mu(request: Request) -> float:
    """The mean of one sample that the test doubts."""
    reader = request.reader
    alpha_places = set(reader.places("figure_level", "figure_confidence"))
    cues = ("figure_against", "figure_null", "mean", "figure_greater", "figure_smaller")
    free = [i for i in reader.free("number") if reader.tokens[i].unit != "%" or request.of.percent]
    free = [i for i in free if not any(near(reader, p) == i for p in alpha_places)]
    if len(free) > 1:
        sizes = {len(v) for v in request.of.columns.values()}
        free = [i for i in free if reader.tokens[i].value not in sizes] or free
    if not free:
        raise NotUnderstood("a t-test of one sample needs the mean that it doubts")
    if len({reader.tokens[i].value for i in free}) > 1:
        raise NotUnderstood("it does not say clearly which mean the t-test doubts")
    reader.taken.update(free)
    place = free[-1]
    before = reader.tokens[max(0, place - 6) : place]
    if not any(token.means(*cues, "figure_differ", "exactly") or token.stem in ("=", "is", "es", "from", "de", "mu") for token in before):  # fmt: skip
        raise NotUnderstood("it does not say clearly which mean the t-test doubts")
    reader.taken.add(place)
    return reader.tokens[place].value * (100 if reader.tokens[place].unit == "%" else 1)


def of_samples(request: Request, claim: Claim) -> list[Analysis]:
    """A test of two or more samples."""
    columns, by = _samples(request)
    method = claim.name
    if method == "ks_two" and (
        request.reader.take_all("figure_normal") or (len(columns) == 1 and not by)
    ):
        if len(columns) != 1:
            raise NotUnderstood("a KS test against the normal distribution needs one column")
        return [_test(request, "ks_normal", tuple(columns), "", {})]
    if claim.method.takes == "two" and not by and len(columns) != 2:
        raise NotUnderstood(f"{method.replace('_', ' ')} needs two samples: name them")
    if not by and not 2 <= len(columns) <= _MOST_SAMPLES:
        raise NotUnderstood(f"it does not say between which samples the {method} is")
    if method in ("cohens_d", "mean_difference"):
        return _difference(request, method, tuple(columns), by)
    return [_test(request, method, tuple(columns), by, {})]


def _difference(request: Request, method: str, columns: tuple[str, ...], by: str) -> list[Analysis]:
    """The difference of two means, alone or with its interval of confidence."""
    request.reader.take_all("figure_differ", "figure_by")
    names = {c.method.name for c in request.claims if c.method.takes == "t test"}
    if method == "mean_difference" and any(c.name == "ci" for c in request.claims):
        request.claims = [c for c in request.claims if c.name not in ("ci", "mean")]
        parameters: dict[str, Any] = {"level": confidence(request)}
        if "pooled" in names:
            parameters["equal_var"] = True
        if "paired" in names:
            return [Analysis("ci_paired", columns, by, parameters)]
        if not names:
            request.assumed.append("variances may differ (Welch)")
        return [Analysis("ci_difference", columns, by, parameters)]
    return [Analysis(method, columns, by)]


def confidence(request: Request) -> float:
    """The stated level of an interval, or 95%."""
    reader = request.reader
    for i in reader.free("number"):
        token = reader.tokens[i]
        if token.unit == "%" and 0.5 <= token.value < 1:
            reader.taken.add(i)
            reader.take_all("figure_confidence", "figure_level")
            return token.value
    reader.take_all("figure_confidence")
    request.assumed.append("a level of 95%")
    return 0.95


def of_pairs(request: Request, claim: Claim) -> list[Analysis]:
    """A relation of two columns, or of each two of several."""
    of = request.of
    names = [m.column for m in request.named_columns() if m.column in of.numeric]
    columns = list(dict.fromkeys(names))
    if len(columns) < 2:
        columns = [name for name in of.numeric if name != "weights"]
    if len(columns) < 2:
        raise NotUnderstood(f"a {claim.name} needs two columns")
    if len(columns) > 2 and len(names) < 3 and not _all_pairs(request):
        raise NotUnderstood(f"it does not say of which two columns it wants the {claim.name}")
    if len({len(of.columns[c]) for c in columns}) > 1:
        raise NotUnderstood(f"{', '.join(columns)} have different lengths")
    request.reader.take_all("figure_by", "between", "figure_on")
    request.claims = [c for c in request.claims if c.name != "ranking"]
    return [_test(request, claim.name, tuple(columns), "", {})]


def _all_pairs(request: Request) -> bool:
    words = {token.text.lower() for token in request.reader.tokens}
    pairwise = words & {"matrix", "pairwise", "matriz"}
    for i, token in enumerate(request.reader.tokens):
        if token.text.lower() in pairwise:
            request.reader.taken.add(i)
    return bool(pairwise)


def _samples(request: Request) -> tuple[list[str], str]:
    """The columns of a test, and the column whose values are the groups, or ""."""
    of = request.of
    names = list(dict.fromkeys(m.column for m in request.named_columns()))
    numeric = [c for c in names if c in of.numeric]
    groups = request.by or next((c for c in names if c in of.texts and c != of.names), "")
    if len(numeric) < 2 and not groups:
        everything = of.numeric
        numeric = numeric if len(numeric) == 1 and request.reader.table else everything
        texts = [c for c in of.texts if c != of.names]
        if len(numeric) == 1 and len(texts) == 1:
            groups = texts[0]
    elif not numeric:
        numeric = list(of.numeric)
    if groups and len(numeric) != 1:
        raise NotUnderstood("it does not say which column is compared between the groups")
    request.reader.take_all("figure_by", "between")
    return numeric, groups


def _test(
    request: Request,
    method: str,
    columns: tuple[str, ...],
    by: str,
    parameters: dict[str, Any],
    *,
    mu: float | None = None,
) -> Analysis:
    """The analysis of a test, with its direction and its level."""
    reader = request.reader
    parameters = dict(parameters)
    one_sided = bool(reader.take_all("figure_one_sided"))
    if reader.take_all("figure_two_sided") and one_sided:
        raise NotUnderstood("a test is either one-sided or two-sided")
    direction = _direction(request, columns, mu)
    if direction and not one_sided:
        raise NotUnderstood("it names a direction: say whether the test is one-sided or two-sided")
    if one_sided and (not direction or method not in _DIRECTED or by):
        raise NotUnderstood("a one-sided test needs the direction: say which is greater")
    if one_sided:
        parameters["alternative"] = direction
    alpha = level(reader)
    differs = [t for t in reader.tokens if t.means("figure_differ") and "signific" in t.stem]
    if (reader.take_all("figure_significant") or differs) and alpha is None:
        alpha = 0.05
        request.assumed.append("a level of significance of 5%")
    if alpha is not None:
        parameters["alpha"] = alpha
    if method in _WITH_FREEDOM and reader.take_all("figure_df"):
        parameters["freedom"] = True
    if reader.take_all("figure_exact") and method not in ("mannwhitney", "wilcoxon", "kendall"):
        raise NotUnderstood(f"`exact` is not understood in {method}")
    reader.take_all("figure_p_value", "figure_differ", "figure_on_average", "figure_level")
    reader.take_all("figure_against", "figure_null", "figure_same", "figure_ties", "figure_agree")
    _take_comparison(request)
    if method == "shapiro":
        reader.take_all("figure_normal")
    for i, token in enumerate(reader.tokens):
        if token.text in ("t", "F", "f", "U", "u", "p", "H", "W", "D"):
            reader.taken.add(i)
    return Analysis(method, columns, by, parameters)


def _take_comparison(request: Request) -> None:
    """`compare the groups`, `comparing A and B`."""
    reader = request.reader
    starts = {mention.begin for mention in request.mentions}
    for place in reader.places("figure_compare"):
        following = place + 1
        while following < len(reader.tokens) and IDLE in reader.tokens[following].concepts:
            following += 1
        if following in starts or is_word(
            reader.tokens[min(following, len(reader.tokens) - 1)], "of_data"
        ):
            reader.taken.add(place)


def _direction(request: Request, columns: tuple[str, ...], mu: float | None) -> str:
    """`greater` or `less`, seen from the first column; "" if the request names no direction."""
    reader = request.reader
    signs = {"figure_greater": "greater", "more_than": "greater", "figure_smaller": "less", "less_than": "less"}  # fmt: skip
    for place in reader.places(*signs):
        token = reader.tokens[place]
        sign = next(of for concept, of in signs.items() if token.means(concept))
        if mu is not None:
            reader.taken.add(place)
            return sign
        before = [m for m in request.mentions if m.of_column and m.end <= place and not m.title]
        after = [m for m in request.mentions if m.of_column and m.begin > place and not m.title]
        if not before or not after or len(columns) != 2:
            raise NotUnderstood(f"it does not say what is {token.text}")
        reader.taken.add(place)
        pair = (before[-1].column, after[0].column)
        if pair == columns:
            return sign
        if pair == (columns[1], columns[0]):
            return "less" if sign == "greater" else "greater"
        raise NotUnderstood(f"it does not say what is {token.text}")
    return ""
