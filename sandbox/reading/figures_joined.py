"""Refuses requests for figures whose parts the reader took one by one, though they belong together.

`The combined mean` of two lists is no mean of each, `the total per year` of monthly values is no
sum, and `how far the longest lies beyond the average` is no pair of figures.
"""

from collections.abc import Sequence

from sandbox.reading.figure_words import stems
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
