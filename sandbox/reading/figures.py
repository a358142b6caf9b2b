"""Reads requests for figures, tests and regressions over data that the request gives."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.reading import (
    figures_counts,
    figures_doubts,
    figures_names,
    figures_regression,
    figures_rest,
    figures_tests,
)
from sandbox.reading.figure_words import is_word
from sandbox.reading.figures_best import resolve_best
from sandbox.reading.figures_changes import fitting
from sandbox.reading.figures_data import given
from sandbox.reading.figures_methods import ASKING, METHODS, METHODS_OF_ONE, Claim
from sandbox.reading.figures_pairs import PAIRS
from sandbox.reading.figures_request import Request
from sandbox.reading.lexicon import plain
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.spec import Analysis, Spec

_NAME = "figures of the given data"
_EXTREMES = ("figure_maximum", "figure_minimum")
_MOST = 12  # figures of one request


def _spec(request: Request) -> Spec | None:
    if not request.claims or _of_them(request):
        request.claims += _first_few(request)
    if not request.claims:
        return None
    kinds = {claim.method.takes for claim in request.claims}
    analyses: list[Analysis] = []
    if "regression" in kinds:
        analyses += figures_regression.read(request)
    if "t test" in kinds:
        analyses += figures_tests.t_test(request)
    if "chi2" in kinds:
        analyses += figures_counts.chi2(request)
    figures_counts.absorb_means(request)
    analyses += figures_names.join(request)
    for claim in request.claims:
        if claim in request.claims and claim.method.takes not in ("regression", "t test", "chi2"):
            analyses += _analyses(request, claim)
    analyses = _distinct(analyses)
    if not analyses:
        return None
    if len(analyses) > _MOST:
        raise NotUnderstood(f"it asks for more than {_MOST} figures at once")
    figures_rest.take(request)
    figures_doubts.refuse(request, analyses)
    used = {n for a in analyses for n in (*a.columns, a.by, *_more(a)) if n}
    used |= {change.column for change in request.changes if change.column}
    data = {name: tuple(v) for name, v in request.of.columns.items() if name in used}
    return Spec(
        "analyse",
        analyses=tuple(analyses),
        data=data,
        changes=fitting(request.changes, analyses, request.of.numeric),
        assumed=tuple(dict.fromkeys(request.assumed)),
    )


def _of_them(request: Request) -> bool:
    """`The three largest, and their sum` asks for the three largest too."""
    theirs = [
        i for i, t in enumerate(request.reader.tokens) if plain(t.text) in ("their", "sus", "su")
    ]
    places = [i for i, t in enumerate(request.reader.tokens) if t.means(*_EXTREMES)]
    return bool(theirs and places) and places[0] < theirs[0] < request.claims[0].place


def _first_few(request: Request) -> list[Claim]:
    """`The top 3 of these` asks for nothing but these values, in order."""
    kinds = [c.kind for c in request.changes if c.kind in ("keep_largest", "keep_smallest")]
    if len(kinds) != 1 or len(request.of.numeric) != 1:
        return []
    concept = "figure_descending" if kinds == ["keep_largest"] else "figure_ascending"
    place = next(i for i, t in enumerate(request.reader.tokens) if t.means(*_EXTREMES))
    return [Claim(place, METHODS["figure_ranking" if request.of.texts else concept])] + (
        [Claim(place, METHODS[concept])] if request.of.texts else []
    )


def _analyses(request: Request, claim: Claim) -> list[Analysis]:
    takes = claim.method.takes
    if takes in ("two", "many"):
        return figures_tests.of_samples(request, claim)
    if takes == "pair":
        return figures_tests.of_pairs(request, claim)
    if takes == "row":
        for i, token in enumerate(request.reader.tokens):
            if is_word(token, "scale"):
                request.reader.taken.add(i)
        return [Analysis(claim.name, tuple(request.of.numeric))]
    if takes in ("where", "names"):
        return figures_names.read(request, claim)
    if takes == "any":
        columns = tuple(request.columns(claim, numeric=False))
        if claim.name != "missing" and len(columns) > 1 and request.of.names in columns:
            columns = tuple(c for c in columns if c != request.of.names)
        return [Analysis(claim.name, columns, request.by)]
    return _of_one(request, claim)


def _of_one(request: Request, claim: Claim) -> list[Analysis]:
    columns = tuple(request.columns(claim))
    if not columns:
        raise NotUnderstood(f"it does not say of which numbers it wants the {claim.name}")
    if request.by and len(columns) > 1:
        raise NotUnderstood(f"it does not say of which column it wants the {claim.name}")
    made = figures_counts.of_one(request, claim)
    return [Analysis(m, _weighed(request, columns, p), request.by, p) for m, p in made]


def _weighed(
    request: Request, columns: tuple[str, ...], parameters: Mapping[str, Any]
) -> tuple[str, ...]:
    """The columns of a figure without the column of its weights."""
    weights = parameters.get("weights")
    if not weights:
        return columns
    named = [m.column for m in request.named_columns() if m.column in request.of.numeric]
    left = [c for c in columns if c != weights] or [c for c in named if c != weights]
    if not left:
        raise NotUnderstood("it does not say of which numbers it wants the weighted mean")
    return tuple(dict.fromkeys(left))


def _distinct(analyses: Iterable[Analysis]) -> list[Analysis]:
    kept: list[Analysis] = []
    for analysis in analyses:
        same = next((i for i, other in enumerate(kept) if _alike(analysis, other)), None)
        if same is None:
            kept.append(analysis)
        elif analysis != kept[same]:
            columns = dict.fromkeys((*kept[same].columns, *analysis.columns))
            kept[same] = replace(kept[same], columns=tuple(columns))
    return kept


def _alike(analysis: Analysis, other: Analysis) -> bool:
    """Whether two figures are the same, or the same figure of different columns."""
    single = METHODS_OF_ONE.get(analysis.method, "") == "one" and not analysis.by
    parts = (analysis.method, analysis.by, dict(analysis.parameters))
    return parts == (other.method, other.by, dict(other.parameters)) and (
        single or analysis == other
    )


def _more(analysis: Analysis) -> list[str]:
    return [
        str(analysis.parameters[key])
        for key in ("weights", "names")
        if analysis.parameters.get(key)
    ]


_MORE_ASKING = ("figure_best", "figure_worst", "figure_sold_most", "figure_on_average")
_OF_A_MATRIX = frozenset(
    {"det", "determinant", "determinante", "eigenvalue", "autovalor", "autovalore", "transpose"}
)


def _figures(reader: Reader) -> Spec | None:
    if not reader.has(*ASKING, *_MORE_ASKING) or any(t.stem in _OF_A_MATRIX for t in reader.tokens):
        return None
    of = given(reader)
    if of is None:
        return None
    resolve_best(reader, of)
    return _spec(Request(reader, of))


RULES: tuple[Rule, ...] = (
    Rule(
        _NAME,
        ASKING | {"figure_weights", *_MORE_ASKING},
        _figures,
        "a figure, a test or a regression of the data in the request",
        words="figures",
    ),
    PAIRS,
)
