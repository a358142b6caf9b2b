"""Refuses requests for figures whose parts the reader took one by one, though they belong together.

`The combined mean` of two lists is no mean of each, `the total per year` of monthly values is no
sum, and `how far the longest lies beyond the average` is no pair of figures.
"""

from collections.abc import Sequence
from itertools import pairwise

from sandbox.reading.figure_words import STOPS, stems
from sandbox.reading.figures_methods import METHODS_OF_ONE
from sandbox.reading.figures_request import Request
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

_ALL_AT_ONCE = frozenset(
    "combined overall together altogether pooled all conjunta conjunto combinada combinado juntos "
    "juntas general global".split()
)
_COMPARING = frozenset("beyond than minus exceed exceeds exceeded above below menos".split())
_BETWEEN_ROWS = frozenset(
    "difference differences change changes increase increases returns residuals diferencia "
    "diferencias cambio cambios variaciones incrementos".split()
)
_PERIODS = {
    "hour": "hour hourly hora horas", "day": "day daily dia diario diaria diarios diarias",
    "week": "week weekly semana semanal semanales", "quarter": "quarter quarterly trimestre trimestral",
    "month": "month monthly mes mensual mensuales meses", "minute": "minute minuto minutos",
    "year": "year yearly annual annually ano anual anuales anos annum",
}  # fmt: skip
_PERIOD_OF = {word: name for name, words in _PERIODS.items() for word in words.split()}
_POPULATION = frozenset("population poblacion poblacional".split())


def refuse(
    request: Request, analyses: Sequence[Analysis], questions: Sequence[tuple[int, int]]
) -> None:
    """Raise `NotUnderstood` where figures are asked for together, and were read apart."""
    _refuse_all_at_once(request, analyses, questions)
    _refuse_list_in_question(request)
    _refuse_other_period(request, analyses, questions)
    _refuse_compared(request, questions)
    _refuse_between_rows(request, analyses, questions)
    _refuse_of_figure(request, questions)
    _refuse_unread_wish(request, analyses, questions)


def _words(request: Request, begin: int, end: int) -> list[str]:
    return [plain(w) for token in request.reader.tokens[begin:end] for w in token.text.split()]


def _refuse_all_at_once(
    request: Request, analyses: Sequence[Analysis], questions: Sequence[tuple[int, int]]
) -> None:
    """`The combined mean` of several lists."""
    apart = any(METHODS_OF_ONE.get(a.method) and len(a.columns) > 1 for a in analyses)
    if not apart or request.reader.table:
        return
    for begin, end in questions:
        for word in _words(request, begin, end):
            if word in _ALL_AT_ONCE:
                raise NotUnderstood(f"`{word}` is not understood of several lists", (word,))


def _refuse_list_in_question(request: Request) -> None:
    """`Average in wins (games 1, 2 and 5)`: a list in the question chooses some of the values."""
    lists = request.of.lists
    if len(lists) < 2 or request.testing:
        return
    tokens = request.reader.tokens
    first = min((c.place for c in request.all_claims), default=0)
    opened = any(t.stem == "(" for t in tokens[first : lists[-1]])
    if opened and lists[0] < first < lists[-1]:
        raise NotUnderstood("what the list in the question means is not understood")


def _refuse_other_period(
    request: Request, analyses: Sequence[Analysis], questions: Sequence[tuple[int, int]]
) -> None:
    """`Total per year` of monthly values."""
    if not {"sum", "mean"} & {a.method for a in analyses} or any(a.by for a in analyses):
        return
    last = max(request.of.lists, default=0)
    names = [word for column in request.of.columns for word in stems(column)]
    spoken = {_PERIOD_OF.get(word, "") for word in (*_words(request, 0, last), *names)} - {""}
    for begin, end in questions:
        if begin < last:
            continue
        for word in _words(request, begin, end):
            period = _PERIOD_OF.get(word, "")
            other = period and spoken and period not in spoken
            if other and not any(request.of.texts):
                raise NotUnderstood(f"figures of a {period} are not computed from other figures")


def _refuse_compared(request: Request, questions: Sequence[tuple[int, int]]) -> None:
    """`The longest beyond the average` is a difference of two figures."""
    for begin, end in questions:
        places = [
            c.place
            for c in request.all_claims
            if begin <= c.place < end and c.method.takes in ("one", "names")
        ]
        if len(places) == 2:
            between = _words(request, places[0] + 1, places[1])
            if _COMPARING & set(between) or " ".join(between).endswith("mas que"):
                raise NotUnderstood("a figure compared with another is not understood")


def _refuse_between_rows(
    request: Request, analyses: Sequence[Analysis], questions: Sequence[tuple[int, int]]
) -> None:
    """`The correlation of the differences`; the covariance of a population."""
    methods = {a.method for a in analyses}
    if not methods & {"correlation", "spearman", "kendall", "covariance", "regression", "sem"}:
        return
    names = {word for column in request.of.columns for word in stems(column)}
    for begin, end in questions:
        for word in _words(request, begin, end):
            if word in _BETWEEN_ROWS and not set(stems(word)) & names:
                raise NotUnderstood(f"`{word}` is not understood for columns that are related")
            if word in _POPULATION and methods & {"covariance", "sem"}:
                raise NotUnderstood(f"`{word}` is not understood for this figure", (word,))


def _refuse_of_figure(request: Request, questions: Sequence[tuple[int, int]]) -> None:
    """`The interval for the median` is no interval for the mean; `rank from smallest`."""
    for begin, end in questions:
        inside = sorted(
            (c for c in request.all_claims if begin <= c.place < end), key=lambda c: c.place
        )
        for first, second in pairwise(inside):
            joined = set(_words(request, first.place + 1, second.place)) & _APART
            if joined:
                continue
            if first.name in ("ci", "margin_of_error") and second.name not in _WITH_INTERVALS:
                raise NotUnderstood(f"an interval for the {second.name} is not understood")
    for first, second in pairwise(sorted(request.all_claims, key=lambda c: c.place)):
        between = set(_words(request, first.place + 1, second.place)) & _APART
        orders = first.name in ("ranking", "sorted", "descending", "ascending")
        if orders and second.name in ("minimum", "maximum") and not between:
            raise NotUnderstood("in which order it wants the values is not clear")
    for i, token in enumerate(request.reader.tokens[:-2]):
        following = request.reader.tokens[i + 1 : i + 3]
        of_number = plain(following[0].text) in ("of", "de") and following[1].kind == "number"
        plain_number = following[1].unit != "th"
        if plain(token.text) in ("percentile", "percentil") and of_number and plain_number:
            raise NotUnderstood("whether it wants a percentile or the rank of a value is not clear")


def _refuse_unread_wish(
    request: Request, analyses: Sequence[Analysis], questions: Sequence[tuple[int, int]]
) -> None:
    """`And its position`, `when does it pass 10`: what names no data although it stands before it."""
    if request.reader.left():
        return  # the refusal names these words
    named = any(a.parameters.get("names") for a in analyses)
    claims, tokens = {claim.place for claim in request.all_claims}, request.reader.tokens
    for begin, end in questions:
        words = [plain(t.text).split()[0] for t in request.reader.tokens[begin:end]]
        if words[:1] and words[0] in _WHEN and not named and not request.of.texts:
            raise NotUnderstood(f"`{words[0]}` is not understood for figures", (words[0],))
        start = max((i + 1 for i in range(begin) if tokens[i].stem in STOPS), default=0)
        asks = plain(tokens[start].text).split()[0] in _WHETHER
        if asks and {a.method for a in analyses} & {"sorted", "ranking"}:
            raise NotUnderstood("whether the values are in order is not understood")
        for i, (word, following) in enumerate(pairwise(words), begin):
            after = words[i - begin + 2 : i - begin + 3]
            inside = following in ("in", "on", "at", "en") and bool(_ITS & set(after))
            wished = word in ("and", "y") and (following in _ITS or inside)
            if wished and not any(i < place < end for place in claims):
                raise NotUnderstood(f"what `{word} {following}` asks for is not understood")


_APART = frozenset("and y , also tambien e".split())
_WITH_INTERVALS = frozenset("ci mean mean_difference margin_of_error sem count".split())
_WHEN = frozenset("when where why cuando donde".split())
_WHETHER = frozenset("is are was were do does did estan esta son".split())
_ITS = frozenset(
    "its their his her how when where what which who whether su sus cual que cuando donde quien".split()
)
