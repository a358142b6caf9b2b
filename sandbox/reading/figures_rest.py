"""Takes what only repeats the data of a request: its name, its size, words such as `values`."""

from sandbox.reading.figure_words import is_idle, is_word, may_name
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.figures_request import Request
from sandbox.reading.figures_story import take_counts
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token

_TESTING = frozenset("test tests testing prueba contraste contrasta".split())
_JOINING = frozenset({"=", "+", "/", "~", "-"})
_MOST_WORDS = 3  # that name the data once more after a figure


def take(request: Request) -> None:
    reader, of = request.reader, request.of
    take_counts(reader, of)
    for i, token in enumerate(reader.tokens):
        if i not in reader.taken and (is_word(token, "of_data") or is_word(token, "story")):
            reader.taken.add(i)
    if request.testing:
        for i, token in enumerate(reader.tokens):
            if plain(token.text) in _TESTING:
                reader.taken.add(i)
    for place in of.lists:
        _refuse_after(request, place)
    if any(change.kind.startswith("drop_") for change in request.changes):
        reader.take_all("figure_rest")
    if len(of.numeric) == 1:
        for claim in request.all_claims:
            _take_noun(request, claim.place)
    else:
        reader.take_all("figure_each_one", *(("between",) if request.testing else ()))
    within = [t.text for t in reader.tokens if plain(t.text) in ("within", "dentro")]
    if within:
        raise NotUnderstood(f"`{within[0]}` is not understood for figures")
    _take_per(request)
    _take_currency(request)
    _refuse_subsets(request)
    for i, token in enumerate(reader.tokens):
        if token.stem in _JOINING and i not in reader.taken and _joins(request, i):
            reader.taken.add(i)


def _refuse_after(request: Request, place: int) -> None:
    """The words after a list count as its unit, but not if they change the request."""
    for i in range(place + 1, min(place + 4, len(request.reader.tokens))):
        token = request.reader.tokens[i]
        if token.kind == "mark":
            return
        if is_word(token, "beyond") and i not in request.reader.taken:
            raise NotUnderstood(f"`{token.text}` after the list is not understood")


def _take_noun(request: Request, place: int) -> None:
    """The words after a figure's name that name the data once more: `average deal size`."""
    reader, words = request.reader, 0
    for i in range(place + 1, min(place + 6, len(reader.tokens))):
        token = reader.tokens[i]
        if token.kind in ("list", "mark", "number"):
            return
        if i in reader.taken:
            continue
        if is_word(token, "derived") and token.stem not in reader.labels:
            raise NotUnderstood(f"`{token.text}` is another quantity than the values")
        if is_idle(token):
            continue
        after = reader.tokens[i + 1] if i + 1 < len(reader.tokens) else None
        beside_number = after is not None and after.kind in ("number", "list")
        if _fits_names(request, token) or (is_word(token, "named_after") and not beside_number):
            reader.taken.add(i)
            continue
        if token.kind not in ("word", "concept") or not may_name(token) or words == _MOST_WORDS:
            return
        if token.concepts & ASKING:
            return
        reader.taken.add(i)
        words += 1


_PERIODS = (
    (frozenset("daily diario diaria".split()), frozenset("mon tue wed thu fri sat sun lun mie jue vie sab dom monday tuesday wednesday thursday friday lunes martes miercoles jueves viernes".split())),
    (frozenset("monthly mensual".split()), frozenset("jan feb mar apr may jun jul aug sep oct nov dec ene abr ago dic january february march april june july enero febrero marzo abril".split())),
    (frozenset("quarterly trimestral".split()), frozenset("q1 q2 q3 q4 t1 t2".split())),
)  # fmt: skip


def _fits_names(request: Request, token: Token) -> bool:
    """Whether `monthly` says what the names of the values are: months."""
    names = [str(n).lower() for text in request.of.texts for n in request.of.columns[text]]
    return any(
        plain(token.text) in words and names and set(map(plain, names[:2])) <= listed
        for words, listed in _PERIODS
    )


def _take_per(request: Request) -> None:
    """`per day`, if the list has a value for each day."""
    if len(request.of.numeric) != 1 or not any(c.name == "mean" for c in request.claims):
        return
    for place in request.reader.places("each"):
        after = request.reader.tokens[place + 1 : place + 2]
        if after and is_word(after[0], "per_units"):
            request.reader.taken.update((place, place + 1))


def _refuse_subsets(request: Request) -> None:
    """`on weekends` chooses some of the names, and which is not known."""
    if not request.of.texts:
        return
    first = min((claim.place for claim in request.claims), default=0)
    for i, token in enumerate(request.reader.tokens):
        earlier = i in request.reader.taken and i < first  # a story or a title before the question
        if is_word(token, "subset") and not earlier and not _is_value(request, i):
            raise NotUnderstood(f"which of the names `{token.text}` means is not understood")


def _is_value(request: Request, place: int) -> bool:
    """Whether a word is a column or a value of the data itself."""
    return any(
        m.begin <= place < m.end and (m.value is not None or bool(request.reader.table))
        for m in request.mentions
    )


def _take_currency(request: Request) -> None:
    """`in dollars`, if the amounts are in dollars."""
    reader = request.reader
    text = " ".join(token.text for token in reader.tokens)
    for i, token in enumerate(reader.tokens):
        if i in reader.taken or not is_word(token, "currency") or i == 0:
            continue
        if plain(reader.tokens[i - 1].text) not in ("in", "en"):
            continue
        dollars = token.stem in ("dollar", "usd", "dolar")
        if not (request.of.money and dollars and "€" not in text and "£" not in text):
            raise NotUnderstood(f"`in {token.text}` is not understood for this data")
        reader.taken.add(i)
        request.assumed.append("the figures are in dollars")


def _joins(request: Request, place: int) -> bool:
    """Whether a mark such as `=`, `+` or `/` only joins what the request was read for."""
    reader = request.reader
    mark, after = reader.tokens[place].stem, place + 1
    if after >= len(reader.tokens):
        return False
    following, before = after in reader.taken, place - 1 in reader.taken
    if mark == "=":
        if place == 0:  # as a spreadsheet writes it
            return following
        return following and reader.tokens[after].kind in ("number", "list")
    if mark == "~":
        return following and before
    numbers = "number" in (reader.tokens[place - 1].kind, reader.tokens[after].kind)
    return (following and before and not numbers) or (mark == "/" and _in_unit(request, place))


def _in_unit(request: Request, place: int) -> bool:
    """Whether a stroke stands in a unit after a list, as in `40 mg/L`."""
    tokens = request.reader.tokens
    short = len(tokens[place + 1].text) <= 5
    if not short or not any(t.kind == "list" for t in tokens[max(0, place - 2) : place]):
        return False
    request.reader.taken.update((place - 1, place + 1))
    return True
