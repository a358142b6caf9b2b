"""Takes what only repeats the data of a request: its name, its size, words such as `values`."""

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.figures_request import WHICH, Request
from sandbox.reading.figures_story import take_counts
from sandbox.reading.figures_titles import names_here
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token

_TESTING = frozenset("test tests testing prueba contraste contrasta".split())
_JOINING = frozenset({"=", "+", "/", "~", "-", "&", "±"})
_MOST_NAMES = 200  # different values of text columns that a word is compared with
_SHORTEST = 4  # letters of such a value
_MOST_WORDS = 3  # that name the data once more after a figure


def take(request: Request) -> None:
    reader, of = request.reader, request.of
    take_counts(reader, of)
    _take_maximum(request)
    for i, token in enumerate(reader.tokens):
        if i not in reader.taken and (is_word(token, "of_data") or is_word(token, "story")):
            reader.taken.add(i)
    for place in of.lists:
        _refuse_after(request, place)
    _take_by_method(request)
    _refuse_orders(request)
    if "weights" in of.columns:
        others = {claim.name for claim in request.claims} - {"mean", "weighted_mean"}
        if others:
            raise NotUnderstood(f"weights are not understood for the {sorted(others)[0]}")
    if len(of.numeric) == 1:
        for claim in request.all_claims:
            _take_noun(request, claim.place)
    else:
        reader.take_all("figure_each_one", *(("between",) if request.testing else ()))
    _take_scale_words(request)
    within = [t.text for t in reader.tokens if plain(t.text) in ("within", "dentro")]
    if within:
        raise NotUnderstood(f"`{within[0]}` is not understood for figures")
    _take_per(request)
    _take_how_much(request)
    _take_currency(request)
    _refuse_subsets(request)
    for i, token in enumerate(reader.tokens):
        if token.stem in _JOINING and i not in reader.taken and _joins(request, i):
            reader.taken.add(i)


def _refuse_orders(request: Request) -> None:
    """`Cap outliers and average`: a word that elsewhere sets a scene may begin an order."""
    tokens = request.reader.tokens
    for i, token in enumerate(tokens):
        if is_idle(token) and is_word(token, "beyond") and (not i or tokens[i - 1].stem in STOPS):
            raise NotUnderstood(f"`{token.text}` is not understood for figures", (token.text,))


_NAMES_OF_TWO = (
    (frozenset({"before", "antes"}), frozenset({"after", "despues"})),
    (frozenset({"first", "primero", "primera"}), frozenset({"second", "segundo", "segunda"})),
)
_PAIRED = frozenset(
    "t test,wilcoxon,sign_test,mean_difference,correlation,spearman,kendall".split(",")
)


_WORDS_OF_METHODS = (
    *((name, "word_spread") for name in ("sd", "variance", "range", "iqr", "cv", "mad")),
    ("z_score", "figure_standardise"),
    ("geometric_mean", "word_factors"),
)


def _take_by_method(request: Request) -> None:
    """Words that say nothing beside the figures that are asked for."""
    reader = request.reader
    names = {claim.name for claim in request.all_claims}
    if any(change.kind.startswith("drop_") for change in request.changes):
        reader.take_all("word_rest")
    for claim in request.all_claims:
        if claim.name in ("count_where", "share_where", "mode"):
            _take_counted(request, claim.place)
    for method, concept in _WORDS_OF_METHODS:
        if method in names:
            _take_question(request, concept)
    _take_periods(request)
    if "moving_average" in names:
        for place in reader.places("each"):
            after = reader.tokens[place + 1 : place + 2]
            if after and is_word(after[0], "window"):
                reader.taken.update((place, place + 1))
        reader.take_all("figure_where_it_exists")
    if request.testing:
        reader.taken.update(i for i, t in enumerate(reader.tokens) if plain(t.text) in _TESTING)
    if names & _PAIRED and len(request.of.lists) == 2:
        _take_before_and_after(request)


def _take_question(request: Request, concept: str) -> None:
    """Take a word that goes with a figure, and what its question names: `how spread out are they`."""
    reader = request.reader
    for place in reader.places(concept):
        reader.taken.add(place)
        i = place + 1
        while i < len(reader.tokens) and (is_idle(reader.tokens[i]) or may_name(reader.tokens[i])):
            if is_word(reader.tokens[i], "derived"):
                break
            i += 1
        if i < len(reader.tokens) and reader.tokens[i].stem == "?":
            reader.taken.update(range(place, i))


def _take_periods(request: Request) -> None:
    """Take `daily` before a mean or a total of daily values."""
    reader = request.reader
    for claim in request.claims:
        before = reader.tokens[claim.place - 1] if claim.place else None
        single = before is not None and claim.name in ("mean", "median", "sum")
        if single and before is not None and _fits_names(request, before):
            reader.taken.add(claim.place - 1)


def _take_counted(request: Request, place: int) -> None:
    """`How many of these test scores are above 20`, `which shoe size`: what is counted."""
    reader = request.reader
    which = [i for i in range(place) if plain(reader.tokens[i].text) in WHICH]
    begin = which[-1] if which and place - which[-1] <= 4 else place
    for i in range(begin + 1, min(begin + 9, len(reader.tokens))):
        token = reader.tokens[i]
        if token.kind in ("number", "list", "mark"):
            return
        if i in reader.taken or is_idle(token):
            continue
        named = may_name(token) or names_here(reader.tokens, i)
        if not named or is_word(token, "derived") or token.concepts & ASKING:
            return
        reader.taken.add(i)


def _take_before_and_after(request: Request) -> None:
    """`Before: 7, 6, 8; after: 5, 5, 6`, or `the first` and `the second`, only names two lists."""
    reader, (first, second) = request.reader, request.of.lists
    for earlier, later in _NAMES_OF_TWO:
        begin = [i for i in range(first) if plain(reader.tokens[i].text) in earlier]
        end = [i for i in range(first + 1, second) if plain(reader.tokens[i].text) in later]
        if len(begin) == len(end) == 1:
            reader.taken.update((*begin, *end))


def _refuse_after(request: Request, place: int) -> None:
    """The words after a list count as its unit, but not if they change the request."""
    for i in range(place + 1, min(place + 4, len(request.reader.tokens))):
        token = request.reader.tokens[i]
        if token.kind == "mark":
            if i == place + 2 and is_word(request.reader.tokens[i - 1], "nameable"):
                request.reader.taken.add(i - 1)
            return
        if is_word(token, "beyond") and i not in request.reader.taken:
            raise NotUnderstood(f"`{token.text}` after the list is not understood")


def _take_noun(request: Request, place: int) -> None:
    """The words after a figure's name that name the data once more: `average deal size`."""
    reader, words = request.reader, 0
    for i in range(place + 1, min(place + 6, len(reader.tokens))):
        token = reader.tokens[i]
        if token.kind in ("list", "number") or (token.kind == "mark" and token.stem not in "()"):
            return
        if i in reader.taken or token.kind == "mark":
            continue
        after = reader.tokens[i + 1] if i + 1 < len(reader.tokens) else None
        beside_number = after is not None and after.kind in ("number", "list")
        if beside_number and token.text.endswith("s") and is_word(token, "derived"):
            reader.taken.add(i)  # `of speeds 40, 60`: the values themselves are speeds
            continue
        if is_word(token, "derived") and token.stem not in reader.labels:
            raise NotUnderstood(f"`{token.text}` is another quantity than the values")
        if is_idle(token):
            continue
        if _fits_names(request, token) or (is_word(token, "named_after") and not beside_number):
            reader.taken.add(i)
            continue
        if token.kind not in ("word", "concept") or not may_name(token) or words == _MOST_WORDS:
            return
        if token.concepts & ASKING or plain(token.text).endswith(_OF_MANNER):
            return
        reader.taken.add(i)
        words += 1


_OF_MANNER = ("ally", "ately", "edly", "mente")  # `alphabetically` says how, and names no data
_PERIODS = (
    (frozenset("daily diario diaria".split()), frozenset("mon tue wed thu fri sat sun lun mie jue vie sab dom monday tuesday wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes sabado domingo".split())),
    (frozenset("monthly mensual".split()), frozenset("jan feb mar apr may jun jul aug sep oct nov dec ene abr ago dic january february march april june july enero febrero marzo abril".split())),
    (frozenset("quarterly trimestral".split()), frozenset("q1 q2 q3 q4 t1 t2".split())),
)  # fmt: skip


def _fits_names(request: Request, token: Token) -> bool:
    """Whether `monthly` says what the names of the values are: months."""
    names = [str(n).lower() for text in request.of.texts for n in request.of.columns[text]]
    spoken = [plain(t.text) for t in request.reader.tokens if t.kind in ("word", "concept")]
    return any(
        plain(token.text) in words
        and (set(map(plain, names[:2])) <= listed if names else len(set(spoken) & listed) > 1)
        for words, listed in _PERIODS
    )


def _take_how_much(request: Request) -> None:
    """`Cuánto es el total` converts nothing; figures in other units are refused apart."""
    reader = request.reader
    for place in reader.places("convert"):
        if plain(reader.tokens[place].text).startswith(("cuanto", "how much")):
            reader.taken.add(place)


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
    if not request.of.texts and request.changes:
        return
    first = min((claim.place for claim in request.claims), default=0)
    for i, token in enumerate(request.reader.tokens):
        last = max(request.of.lists, default=0)
        earlier = i in request.reader.taken and i < first  # a story or a title before the question
        earlier = earlier or (not request.of.texts and i < last)
        subset = is_word(token, "subset") or _like_a_value(request, token)
        named = not request.of.texts and any(m.begin <= i < m.end for m in request.mentions)
        if subset and not earlier and not named and not _is_value(request, i):
            raise NotUnderstood(f"which of the names `{token.text}` means is not understood")


def _like_a_value(request: Request, token: Token) -> bool:
    """Whether a word is made of a value of the data, as `northern` is of `north`."""
    word = plain(token.text)
    listed = {v for c in request.of.texts for v in request.of.columns[c] if v is not None}
    return len(listed) <= _MOST_NAMES and any(
        len(name) >= _SHORTEST and word != name and word.startswith(name)
        for name in map(plain, map(str, listed))
    )


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


def _take_maximum(request: Request) -> None:
    """Take `out of 20` before a list of marks none of which is above 20."""
    reader, of = request.reader, request.of
    values = [v for name in of.numeric for v in of.columns[name] if v is not None]
    for place in reader.places("out_of"):
        after = reader.tokens[place + 1 : place + 2]
        ahead = any(0 < at - place <= 4 for at in of.lists)
        if not after or after[0].kind != "number" or after[0].unit or not ahead:
            continue
        if all(0 <= value <= after[0].value for value in values):
            reader.taken.update((place, place + 1))
            request.assumed.append(f"the values are out of {after[0].text}")


_SCALE_WORDS = frozenset(
    "thousand hundred million mile millon thousands millions miles millones k".split()
)


def _take_scale_words(request: Request) -> None:
    """`(thousands)` after a list, if no number of the request is written in thousands itself."""
    reader = request.reader
    scaled = any(
        t.kind == "number" and set(plain(t.text).split()) & _SCALE_WORDS for t in reader.tokens
    )
    for place in request.of.lists:
        after = reader.tokens[place + 1 : place + 5]
        texts = [plain(token.text) for token in after if plain(token.text) not in ("in", "en")]
        if texts[:1] == ["("] and texts[1:2] and texts[1] in _SCALE_WORDS and texts[2:3] == [")"]:
            if scaled:
                raise NotUnderstood(f"say all numbers in full, and not in `{texts[1]}`")
            reader.taken.update(range(place + 1, place + 4 + (len(texts) < len(after))))


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
