"""Reads totals of amounts times prices, and changes in percent from a value to another.

A total of two columns is their products' sum only where one column counts and the other is a price,
or where the request says what is multiplied.
"""

from itertools import pairwise

from sandbox.reading.figure_words import is_idle, is_word, stems, words
from sandbox.reading.figures_columns import Mention
from sandbox.reading.figures_methods import Claim
from sandbox.reading.figures_request import Request
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

_WHOLE = frozenset({"sum", "mean"})
_CHANGES = frozenset({"percent_changes", "growth_percent", "share_where", "by_percent"})
_TO = frozenset({"to", "and", "a", "y", "until", "hasta", "al", "vs"})
_FROM = frozenset({"from", "between", "de", "entre", "desde", "del"})


def read(request: Request) -> list[Analysis]:
    return [*_products(request), *_change(request)]


def _products(request: Request) -> list[Analysis]:
    """The sum of amounts times prices."""
    claims = [claim for claim in request.claims if claim.name == "sum"]
    if len(claims) != 1 or len(request.of.numeric) < 2:
        return []
    pair = _multiplied(request) or _amounts_with_prices(request)
    if not pair:
        return []
    if request.by:
        raise NotUnderstood("totals of products by group are not understood")
    request.claims = [claim for claim in request.claims if claim not in claims]
    request.reader.take_all("word_summed")
    return [Analysis("sum_of_products", pair)]


def _multiplied(request: Request) -> tuple[str, ...]:
    """The columns of `units times price`."""
    reader = request.reader
    columns = [m for m in request.named_columns() if m.column in request.of.numeric]
    for first, second in pairwise(columns):
        between = reader.tokens[first.end : second.begin]
        times = [i for i in range(first.end, second.begin) if reader.tokens[i].means("word_times")]
        if len(times) == 1 and len(between) == 1 and first.column != second.column:
            reader.taken.update(times)
            request.used.update({first, second})
            return (first.column, second.column)
    return ()


def _amounts_with_prices(request: Request) -> tuple[str, ...]:
    """The only column of amounts and the only one of prices, if no other column may be the total."""
    numeric = request.of.numeric
    named = [m.column for m in request.named_columns() if m.column in numeric]
    prices = [c for c in numeric if set(stems(c)) & words("price_columns")]
    amounts = [c for c in numeric if set(stems(c)) & words("amount_columns") and c not in prices]
    if len(numeric) != 2 or len(amounts) != 1 or len(prices) != 1:
        return ()
    pair = (amounts[0], prices[0])
    if named == prices:
        raise NotUnderstood(
            f"say whether it wants the sum of {pair[1]}, or of {' times '.join(pair)}"
        )
    if named:
        return ()
    totals = [i for i, t in enumerate(request.reader.tokens) if is_word(t, "total_of_products")]
    if not totals:
        if request.reader.table:
            return ()
        raise NotUnderstood(f"say of which list it wants the total, or `{' times '.join(pair)}`")
    revenue = any(is_word(request.reader.tokens[i], "revenues") for i in totals)
    if revenue and set(stems(pair[1])) & words("cost_columns"):
        raise NotUnderstood(f"{pair[1]} is no price, so that no revenue is known")
    request.reader.taken.update(totals)
    return pair


def _change(request: Request) -> list[Analysis]:
    """The change in percent from the first value to the last, or from a name to another."""
    reader = request.reader
    claims = [claim for claim in request.claims if claim.name in _CHANGES]
    ends = reader.places("figure_first_to_last")
    names = _from_and_to(request)
    if not claims or not (names or ends):
        _change_verb(request, claims)
        return []
    rest = [c for c in request.claims if c not in claims and c.name not in ("range",)]
    others = [c for c in request.changes if c.kind != "keep_values"]
    if rest or others or (names and ends):
        raise NotUnderstood("it does not say clearly from where to where it wants a change")
    column = request.columns(claims[0])
    if len(column) != 1:
        raise NotUnderstood("it does not say of which column it wants the change")
    request.claims = rest
    request.changes = ()
    reader.take_all("figure_first_to_last", "word_of_change", "as_percent", "between")
    reader.take_all("figure_rise", "figure_fall")
    if names:
        first, last = names
        given = {"names": first.column, "first": first.value, "last": last.value}
        return [Analysis("change_between", tuple(column), "", given)]
    return [Analysis("growth_percent", tuple(column))]


def _change_verb(request: Request, claims: list[Claim]) -> None:
    """`By what percentage did sales grow each month` asks for what `percent changes` asks for."""
    by_percent = [claim for claim in claims if claim.name == "by_percent"]
    if not by_percent:
        return
    if not any(claim.name == "percent_changes" for claim in claims):
        raise NotUnderstood("it does not say from where to where it wants a change in percent")
    request.claims = [claim for claim in request.claims if claim not in by_percent]
    request.reader.take_all("word_of_change", "figure_rise", "figure_fall")


def _from_and_to(request: Request) -> tuple[Mention, ...]:
    """The two names of `from January to June`."""
    values = [m for m in request.mentions if m.value is not None]
    if len(values) != 2 or values[0].value == values[1].value:
        return ()
    first, second = values
    if first.column != second.column or not first.begin:
        return ()
    tokens = request.reader.tokens
    before = plain(tokens[first.begin - 1].text)
    between = [t for t in tokens[first.end : second.begin] if plain(t.text) not in _TO]
    joined = len(tokens[first.end : second.begin]) - len(between) == 1 and all(
        map(is_idle, between)
    )
    return (first, second) if before in _FROM and joined else ()
