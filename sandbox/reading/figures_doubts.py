"""Refuses requests for figures of which a part was taken as a name, though it may choose or relate.

Readers of figures take the words beside data as its names. After the data a word such as `in
February`, `who` or `with the lowest` chooses some of the values, or relates two columns: unless a
change of the data came of it, the figures of all values would answer another request.
"""

import re
from collections.abc import Sequence

from sandbox.reading import figures_joined
from sandbox.reading.echoes import other_unit
from sandbox.reading.figure_words import STOPS, is_idle, is_word, stems
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.figures_request import WHICH, Request
from sandbox.reading.lexicon import plain, stem
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token
from sandbox.reading.units import DIMENSION_OF
from sandbox.spec import Analysis

_ENDS_OF_A_RANGE = frozenset({"exclusive", "strictly", "exclusivo", "exclusiva", "estrictamente"})
_CALENDAR = {"month": "time", "mes": "time", "meses": "time", "year": "time", "ano": "time"}
_TOGETHER = frozenset("together combined jointly juntos juntas conjuntamente".split())
_CHOOSING = frozenset(
    "in on during among amongst at for from since until till through after before en durante para "
    "desde hasta when where who whose while".split()
)
_OF_THE_CALENDAR = frozenset(
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july "
    "august september october november december q1 q2 q3 q4 h1 h2 mon tue wed thu fri sat sun "
    "monday tuesday wednesday thursday friday saturday sunday enero febrero marzo abril mayo junio "
    "julio agosto septiembre octubre noviembre diciembre lunes martes miercoles jueves viernes "
    "sabado domingo t1 t2 t3 t4".split()
)
_BESIDE_OTHERS = frozenset(
    "ranking z_score deviations percentile_rank differences percent_changes cumulative_sum "
    "moving_average growth_percent outliers from_mean".split()
)
_CHOOSING_MORE = frozenset("cuando donde quienes cuyo cuya whenever if si".split())
_WHO_ACTS = frozenset({"i", "we", "he", "she", "they", "you"})
_RANKED = frozenset({"best", "worst", "mejor", "peor"})
_MONEY = {"dollar": r"\$|dollar|d[oó]lar|usd", "euro": r"€|euro|\beur\b", "yen": r"¥|\byen"}
_OTHER_SCALE = 20  # a bound so many times smaller or larger than all values is in another unit
_WITH_THE = (("with", "the"), ("con", "el"), ("con", "la"), ("with", "his"), ("with", "their"))


def refuse(request: Request, analyses: Sequence[Analysis]) -> None:
    """Raise `NotUnderstood` where parts that were read one by one are unclear together."""
    tokens = request.reader.tokens
    unit = other_unit(tokens) or _unit_of_a_quantity(tokens)
    if unit:
        raise NotUnderstood(f"figures in `{unit}` are not converted", (unit,))
    if request.of.percent and any(a.method == "sum" for a in analyses):
        of = [t.text for t in tokens if is_word(t, "compounded")]
        if of:
            raise NotUnderstood(f"`{of[0]}` in percent is not added up", (of[0],))
    extremes = {analysis.method for analysis in analyses} & {"minimum", "maximum"}
    if extremes and any(change.kind.startswith("drop_") for change in request.changes):
        raise NotUnderstood("it is not clear whether an extreme value is asked for or left out")
    for token in tokens:
        if token.stem in _ENDS_OF_A_RANGE:
            raise NotUnderstood(f"`{token.text}` is not understood for figures", (token.text,))
    _refuse_related(request, analyses)
    _refuse_two_columns(analyses)
    _refuse_best_of(request, analyses)
    _refuse_other_currency(request)
    _refuse_other_scale(request, analyses)
    _refuse_repeated_names(request, analyses)
    _refuse_parts_together(request, analyses)
    _refuse_one_of_all(request, analyses)
    _refuse_calendar(request)
    _refuse_choice(request)
    figures_joined.refuse(request, analyses, _questions(request, anywhere=True))


def _unit_of_a_quantity(tokens: Sequence[Token]) -> str:
    """The unit after `in`, if the request has another unit of the same quantity: kg and pounds."""
    units = [(i, t, d) for i, t in enumerate(tokens) for d in (_dimension(t),) if d]
    for i, token, dimension in units:
        wanted = i > 0 and plain(tokens[i - 1].text) in ("in", "en")
        others = [t for j, t, d in units if j != i and d == dimension]
        following = tokens[i + 1 : i + 3]
        valued = any(t.kind in ("list", "number") and not t.unit for t in following)
        same = any(
            token.stem in (t.stem, stem(t.unit)) or t.concepts & token.concepts for t in others
        )
        if wanted and others and not valued and not same:
            return token.text
    return ""


def _dimension(token: Token) -> str:
    """The quantity that a word, or the unit of a list, is a unit of."""
    if token.kind == "list":
        return _CALENDAR.get(stem(token.unit), "")
    if token.kind not in ("word", "concept"):
        return ""
    named = (DIMENSION_OF.get(c.removeprefix("unit:"), "") for c in sorted(token.concepts))
    return next(filter(None, named), _CALENDAR.get(token.stem, ""))


def _refuse_related(request: Request, analyses: Sequence[Analysis]) -> None:
    """`The costs in the month with the highest income`: a column that no figure is of."""
    used = {name for a in analyses for name in (*a.columns, a.by, *map(str, a.parameters.values()))}
    used |= {change.column for change in request.changes}
    for begin, end in _questions(request):
        for mention in request.mentions:
            inside = begin <= mention.begin < end and not mention.title
            if inside and request.of.named and mention.of_column and mention.column not in used:
                raise NotUnderstood(f"what it wants of {mention.column} is not clear")
        for claim in request.all_claims:
            if begin <= claim.place < end and claim.name in ("minimum", "maximum"):
                _refuse_with(request, begin, claim.place, analyses)


def _refuse_with(request: Request, begin: int, place: int, analyses: Sequence[Analysis]) -> None:
    """`How old is the person with the lowest income`: the figure is of another column."""
    before = [plain(t.text) for t in request.reader.tokens[begin:place]]
    named = any(a.method in ("largest", "smallest") for a in analyses)
    joined = " ".join(before).endswith(tuple(" ".join(pair) for pair in _WITH_THE))
    asks_how = any(word.startswith(("how", "cuan")) for word in before)
    if joined and (asks_how or not named):
        raise NotUnderstood("what it wants of the largest or smallest value is not clear")


def _refuse_best_of(request: Request, analyses: Sequence[Analysis]) -> None:
    """`Best team on average`: the word was taken as a part of a story."""
    if request.changes or any(a.method not in ("mean", "sum") for a in analyses):
        return
    for begin, end in _questions(request):
        for token in request.reader.tokens[begin:end]:
            if plain(token.text) in _RANKED:
                raise NotUnderstood(f"`{token.text}` is not understood here", (token.text,))


def _refuse_other_currency(request: Request) -> None:
    """`In euros` of dollars."""
    tokens, text = request.reader.tokens, request.reader.text.lower()
    for i, token in enumerate(tokens):
        after_in = i > 0 and plain(tokens[i - 1].text) in ("in", "en")
        if after_in and is_word(token, "currency"):
            ours = {name for name, words in _MONEY.items() if re.search(words, token.text.lower())}
            theirs = {name for name, words in _MONEY.items() if re.search(words, text)}
            if theirs - ours:
                raise NotUnderstood(f"figures in `{token.text}` are not converted", (token.text,))


def _refuse_two_columns(analyses: Sequence[Analysis]) -> None:
    """`Age of the guest who paid most`: a value of one column, where another is largest."""
    for analysis in analyses:
        if analysis.method in ("largest", "smallest") and len(analysis.columns) > 1:
            raise NotUnderstood("of which column it wants the largest or smallest is not clear")


def _refuse_other_scale(request: Request, analyses: Sequence[Analysis]) -> None:
    """`How many are taller than 1.70` of heights in cm: the bound is in another unit."""
    bounds = [(change.column, change.low, change.high) for change in request.changes]
    for a in analyses:
        low, high = (a.parameters.get(side) for side in ("low", "high"))
        bounds += [(a.columns[0], low, high)] if a.columns else []
    for column, *sides in bounds:
        values = [v for v in request.of.columns.get(column, ()) if isinstance(v, int | float)]
        for side in sides:
            if not side or not values or min(values) <= 0 or side < 0:
                continue
            if min(values) > _OTHER_SCALE * side or max(values) * _OTHER_SCALE < side:
                raise NotUnderstood(f"{side:g} and the values may be in different units")


def _refuse_repeated_names(request: Request, analyses: Sequence[Analysis]) -> None:
    """`Which department spent the most in total`, where departments have several rows."""
    if not any(a.method in ("sum", "mean") and not a.by for a in analyses):
        return
    for analysis in analyses:
        names = str(analysis.parameters.get("names", ""))
        values = request.of.columns.get(names, ())
        repeated = len(set(values)) < len(values)
        filtered = any(change.column == names for change in request.changes)
        if analysis.method in ("largest", "smallest", "ranking") and repeated and not filtered:
            raise NotUnderstood(
                f"{names} has several rows of one name: say whether single rows or sums are compared"
            )


def _refuse_parts_together(request: Request, analyses: Sequence[Analysis]) -> None:
    """`Food and car together`: the share of a sum, and not each share."""
    if not any(a.method == "percent_of_total" for a in analyses):
        return
    for token in request.reader.tokens:
        if plain(token.text) in _TOGETHER:
            raise NotUnderstood(f"`{token.text}` is not understood for shares", (token.text,))


def _refuse_one_of_all(request: Request, analyses: Sequence[Analysis]) -> None:
    """`The rank of Di` is a rank among all, and not among the rows of Di."""
    for analysis in analyses:
        if analysis.method not in _BESIDE_OTHERS:
            continue
        for change in request.changes:
            if change.kind == "keep_values":
                raise NotUnderstood(
                    f"the {analysis.method} of {change.values[0]} is not understood"
                )


def _refuse_calendar(request: Request) -> None:
    """A month or day after the data chooses values, unless the data names it in this way."""
    tokens = request.reader.tokens
    named = {i for m in request.mentions for i in range(m.begin, m.end)}
    for begin, end in _questions(request):
        for i in range(begin, end):
            if i not in named and plain(tokens[i].text) in _OF_THE_CALENDAR:
                raise NotUnderstood(f"which values `{tokens[i].text}` means is not understood")


def _questions(request: Request, *, anywhere: bool = False) -> list[tuple[int, int]]:
    """The sentences after the data that ask for a figure; `anywhere`: also those before it."""
    tokens, lists = request.reader.tokens, request.of.lists
    last = max(lists, default=-1)
    made = []
    for place in sorted(claim.place for claim in request.all_claims):
        if place < last and not anywhere:
            continue
        begin = end = place
        while begin > 0 and tokens[begin - 1].stem not in STOPS and begin - 1 not in lists:
            begin -= 1
        while end < len(tokens) and tokens[end].stem not in STOPS and end not in lists:
            end += 1
        if (begin, end) not in made:
            made.append((begin, end))
    return made


def _refuse_choice(request: Request) -> None:
    """`In the games in which we scored`, `sales in February`: words that choose some values."""
    if request.changes or request.by or request.testing:
        return
    tokens = request.reader.tokens
    spoken = {t.stem for t in tokens[: max(request.of.lists, default=0)]}
    spoken |= {word for name in request.of.columns for word in stems(name)}
    for begin, end in _questions(request):
        first = min(c.place for c in request.all_claims if begin <= c.place < end)
        last = max(c.place for c in request.all_claims if begin <= c.place < end)
        for i in range(first + 1, end):
            word = plain(tokens[i].text)
            relative = word in WHICH - {"what", "que", "cual"} and i > last
            if word in _CHOOSING_MORE or relative:
                raise NotUnderstood(f"which values `{tokens[i].text}` chooses is not understood")
            acts = {plain(t.text) for t in tokens[i + 1 : end]} & _WHO_ACTS
            if word in _CHOOSING and acts:
                raise NotUnderstood(f"which values `{tokens[i].text}` chooses is not understood")
            if word in _CHOOSING:
                _refuse_unknown(request, i, end, spoken)


def _refuse_unknown(request: Request, place: int, end: int, spoken: set[str]) -> None:
    """Refuse the noun after a preposition if the request did not speak of it before."""
    tokens = request.reader.tokens
    for i in range(place + 1, end):
        token = tokens[i]
        if token.kind in ("mark", "number", "list") or token.concepts & ASKING:
            return
        if (
            is_word(token, "of_data")
            or token.stem in spoken
            or is_word(token, "currency")
            or is_word(token, "scale")
        ):
            return
        scene = token.kind == "concept" and is_idle(token) and "scene" in token.concepts
        if is_idle(token) and not scene:
            continue
        if token.kind in ("word", "concept"):
            raise NotUnderstood(
                f"which values `{tokens[place].text} {token.text}` means is not understood",
                (token.text,),
            )
