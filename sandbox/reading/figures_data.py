"""Finds the data of a request for figures: a table, lists with or without names, or two numbers.

What introduces the data becomes a label. A sentence before the data that only tells a story, without
any word that asks or changes, becomes labels too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name, words
from sandbox.reading.figures_methods import ASKING, is_unit
from sandbox.reading.lexicon import CHANGE, IDLE, plain, stem
from sandbox.reading.reader import NO_LABELS, Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token

_LINKS = frozenset(
    "is are was were of has have had scored got read gave were be at son es eran fueron fue tiene "
    "obtuvo dieron sacaron dio obtuvieron sacaron tienen".split()
)
_MARKS_AFTER_A_NAME = frozenset({":", "=", "-", ">"})
_DETERMINERS = frozenset("the all each every them it these this los las el la todos cada".split())
_LONGEST_NAME = 4


@dataclass(frozen=True, slots=True)
class Given:
    """The columns of a request. `names` is the column of the names of a `name value` list."""

    columns: Mapping[str, tuple[Any, ...]]
    names: str = ""
    named: bool = False  # the request names the columns
    percent: bool = False
    money: bool = False
    lists: tuple[int, ...] = ()  # places of the lists in the request
    assumed: tuple[str, ...] = field(default=())

    @property
    def numeric(self) -> list[str]:
        return [name for name, values in self.columns.items() if is_numeric(values)]

    @property
    def texts(self) -> list[str]:
        return [name for name, values in self.columns.items() if not is_numeric(values)]


def is_numeric(values: Sequence[Any]) -> bool:
    types = {*map(type, values)} - {type(None)}
    return bool(types) and types <= {int, float}


def given(reader: Reader) -> Given | None:
    """The data of a request, which the reader then has taken; None if there is none."""
    lists = reader.free("list")
    if reader.table:
        columns = {name: tuple(values) for name, values in reader.table.items()}
        if lists:
            raise NotUnderstood("the request has a table and a list: name one of them")
        return Given(columns, named=True)
    if not lists:
        return _two_numbers(reader)
    unclear = next((reader.tokens[i].unclear for i in lists if reader.tokens[i].unclear), "")
    if unclear:
        raise NotUnderstood(unclear)
    titles = _titles(reader, lists)
    for place, title in zip(lists, titles, strict=True):
        reader.taken.add(place)
        if title in ("frequencies", "probabilities"):
            _refuse_frequencies(reader, title)
        _label(reader, place)
        if reader.tokens[place - 1].stem == "=":
            reader.taken.add(place - 1)
    return _of_lists(reader, lists, titles)


def _of_lists(reader: Reader, lists: Sequence[int], titles: Sequence[str]) -> Given:
    tokens = [reader.tokens[i] for i in lists]
    percent = all(token.unit == "%" for token in tokens)
    money = all(token.unit == "$" for token in tokens)
    if any(token.unit == "%" for token in tokens) and not percent:
        raise NotUnderstood("some of the lists are in percent and others are not")
    columns: dict[str, tuple[Any, ...]] = {}
    names = ""
    titles = [
        "" if set(t.split()) & set(token.names) else t
        for t, token in zip(titles, tokens, strict=True)
    ]
    if tokens[0].names:
        same = all(sorted(token.names) == sorted(tokens[0].names) for token in tokens)
        if not same:
            raise NotUnderstood("the lists have different names: write them as a table")
        names = "name"
        columns[names] = tokens[0].names
    elif any(token.names for token in tokens):
        raise NotUnderstood("some of the lists have names and others have none")
    if not any(titles) and len(lists) > 1 and _is_matrix(reader, lists):
        titles = [f"row {i + 1}" for i in range(len(lists))]
    good = len({t for t in titles if t}) == sum(map(bool, titles))
    for i, (token, title) in enumerate(zip(tokens, titles, strict=True)):
        name = title if title and good and title not in columns else f"x{i + 1}"
        values = [v * 100 if percent else v for v in token.values]
        if names:
            by_name = dict(zip(token.names, values, strict=True))
            values = [by_name[each] for each in columns[names]]
        columns[name] = tuple(map(_plain, values))
    assumed = ("the figures are in percent, as the data is",) if percent else ()
    return Given(columns, names, any(titles) and good, percent, money, tuple(lists), assumed)


def _titles(reader: Reader, lists: Sequence[int]) -> list[str]:
    """The names of the lists. Of one list, `the numbers are` is no name."""
    titles = [_title(reader, place) for place in lists]
    if len(lists) == 1 and titles[0] in ("frequencies", "probabilities"):
        titles = [""]
    if len(lists) == 1 or not all(titles):
        titles = ["" if all(map(_says_nothing, t.split())) else t for t in titles]
    if len(lists) > 1 and not any(titles):
        beside = [_beside(reader.tokens, place) for place in lists]
        titles = beside if all(beside) and len(set(beside)) == len(beside) else titles
    return titles


def _beside(tokens: Sequence[Token], place: int) -> str:
    """The words right before a list without a mark between, as in `group A 1, 2, 3`."""
    words_before: list[str] = []
    for i in range(place - 1, max(-1, place - 4), -1):
        token = tokens[i]
        letter = len(token.text) == 1 and token.text.isupper()
        if not letter and (
            not _names_data(token, first=not words_before) or token.concepts & ASKING
        ):
            break
        words_before.append(token.text)
    return " ".join(reversed(words_before))


def _is_matrix(reader: Reader, lists: Sequence[int]) -> bool:
    """Whether only brackets and commas separate the lists, and they are of the same length."""
    between = reader.tokens[lists[0] : lists[-1]]
    alike = len({len(reader.tokens[i].values) for i in lists}) == 1
    return alike and all(
        t.kind == "list" or t.stem in ("[", "]", ",", "\n", "(", ")") for t in between
    )


def _plain(value: float) -> int | float:
    value = round(value, 12)
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _two_numbers(reader: Reader) -> Given | None:
    """Two numbers such as `4 and 8`, if the request has no others."""
    free = reader.free("number")
    if len(free) != 2 or reader.tokens[free[0]].unit != reader.tokens[free[1]].unit:
        return None
    between = reader.tokens[free[0] + 1 : free[1]]
    if not between or not all(plain(t.text) in ("and", "y", "e", ",", "&") for t in between):
        return None
    if not reader.has(
        "mean", "sd", "variance", "figure_median", "figure_geometric", "figure_harmonic"
    ):
        return None
    tokens = [reader.at(i) for i in free]
    percent = tokens[0].unit == "%"
    values = tuple(_plain(t.value * 100 if percent else t.value) for t in tokens)
    return Given({"x1": values}, percent=percent, lists=(free[1],))


def _title(reader: Reader, place: int) -> str:
    """The name of a list, which a mark or a verb separates from it; "" if it has none."""
    i, linked = place - 1, False
    while i >= 0:
        token = reader.tokens[i]
        if token.stem in _MARKS_AFTER_A_NAME or plain(token.text) in _LINKS:
            linked = linked or plain(token.text) not in ("of", "be")
        elif token.stem == ")":
            i = _opening(reader.tokens, i)
        elif token.stem != "(":
            break
        i -= 1
    if not linked:
        return _cue(reader.tokens, place)
    title: list[str] = []
    while i >= 0 and len(title) < _LONGEST_NAME:
        token = reader.tokens[i]
        changes = CHANGE in token.concepts and not is_word(token, "nameable")
        if (token.concepts & ASKING or changes) and not _stands_alone(reader.tokens, i, place):
            break
        letter = len(token.text) == 1 and (not title or token.text.isupper())
        if not (letter and token.text.isalpha()) and not _names_data(token, first=not title):
            break
        title.append(token.text)
        i -= 1
    if not any(word[0].isalpha() for word in title):
        return ""
    return _cue(reader.tokens, place) or " ".join(reversed(title))


_CUES = {
    "figure_weights": "weights",
    "figure_observed": "observed",
    "figure_expected": "expected",
    "figure_frequencies": "frequencies",
    "probability": "probabilities",
}


def _cue(tokens: Sequence[Token], place: int) -> str:
    """The name of a list after a word such as `observed` or `weighted`."""
    for i in range(place - 1, max(-1, place - 3), -1):
        for concept, name in _CUES.items():
            if tokens[i].means(concept):
                return name
        if not is_idle(tokens[i]) and tokens[i].kind != "mark":
            break
    return ""


_MAY_BE_NAMES = frozenset({"figure_sum", "figure_count", "figure_weights", "figure_growth", "figure_maximum",
    "figure_minimum", "figure_percent_of_total", "figure_outliers", "figure_how_many"})  # fmt: skip


def _stands_alone(tokens: Sequence[Token], begin: int, place: int) -> bool:
    """Whether a list's name is all that stands before its mark, as in `Total: 1, 2, 3`."""
    asking = tokens[begin].concepts & ASKING
    others = any(t.concepts & ASKING for i, t in enumerate(tokens) if i != begin)
    if asking and not (asking <= _MAY_BE_NAMES and others):
        return False
    if tokens[begin + 1].stem == "=":
        return True
    marked = any(t.stem in (":", "=") for t in tokens[begin:place])
    before = tokens[begin - 1] if begin else None
    return marked and (before is None or before.stem in ".;/\n," or before.kind == "list")


def _refuse_frequencies(reader: Reader, title: str) -> None:
    """A list of frequencies says how often each value of another list occurs."""
    if len(reader.free("list")) + len(reader.taken) > 1:
        raise NotUnderstood(f"{title} of values are understood as weights: write `weights`")


def _names_data(token: Token, *, first: bool) -> bool:
    if token.kind == "number":
        return first and token.value == int(token.value) and token.value < 100
    if IDLE in token.concepts or token.concepts & (NO_LABELS - {CHANGE}):
        return False
    return token.kind in ("word", "quoted", "concept")


def _says_nothing(word: str) -> bool:
    return stem(word) in words("of_data") | words("story")


def _opening(tokens: Sequence[Token], at: int) -> int:
    while at > 0 and tokens[at].stem != "(":
        at -= 1
    return at


def _label(reader: Reader, place: int) -> None:
    """The words that introduce a list become labels."""
    begin = place
    while (
        begin
        and reader.tokens[begin - 1].stem not in STOPS
        and reader.tokens[begin - 1].kind != "list"
    ):
        begin -= 1
    question = any(t.concepts & ASKING for t in reader.tokens[begin:place])
    words_since = 0
    for i in range(place - 1, begin - 1, -1):
        token = reader.tokens[i]
        if is_unit(reader, i):
            continue
        if token.concepts & ASKING:
            return  # what stands before a figure's name, as in `interquartile mean`, changes it
        derived = question and words_since > 0 and is_word(token, "derived")
        derived = derived or (question and is_word(token, "relational"))
        if i not in reader.taken and may_name(token) and not is_idle(token) and not derived:
            reader.labels.update(map(stem, token.text.split()), (token.stem,))
        elif is_word(token, "per") or _names_here(reader.tokens, i, question=question):
            reader.taken.add(i)
        words_since += token.kind in ("word", "concept") and IDLE not in token.concepts


def _names_here(tokens: Sequence[Token], place: int, *, question: bool = False) -> bool:
    """Whether a word that elsewhere changes a request names data: `wait times were 12, 15`."""
    if not is_word(tokens[place], "named_after" if question else "nameable"):
        return False
    beside = tokens[max(0, place - 1) : place + 2]
    return all(token.kind not in ("number", "list") for token in beside)


def sentences(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Where each sentence begins, and where it ends."""
    places: list[tuple[int, int]] = []
    begin = 0
    for i, token in enumerate(tokens):
        if token.stem in STOPS:
            if i > begin:
                places.append((begin, i))
            begin = i + 1
    if begin < len(tokens):
        places.append((begin, len(tokens)))
    return places


def tell_stories(reader: Reader, of: Given, asking: frozenset[str]) -> None:
    """Take the words of the sentences before the data that only tell a story.

    `asking` has the concepts that ask for a figure.
    """
    first = min(of.lists) if of.lists else _first_question(reader, asking)
    titles = frozenset(stem(word) for name in of.columns for word in name.split())
    for begin, end in sentences(reader.tokens):
        if end > first:
            break
        if _is_story(reader, begin, end, asking, titles):
            for i in range(begin, end):
                if may_name(reader.tokens[i]) or _is_excused(reader, i, titles):
                    reader.taken.add(i)
                    reader.labels.add(reader.tokens[i].stem)


def _first_question(reader: Reader, asking: frozenset[str]) -> int:
    places = [i for i, token in enumerate(reader.tokens) if token.concepts & asking]
    return min(places, default=0)


def _is_excused(reader: Reader, place: int, titles: frozenset[str]) -> bool:
    """Whether a word that might change the request only tells what is measured here."""
    token = reader.tokens[place]
    if is_word(token, "per") or _names_here(reader.tokens, place):
        return True
    if all(stem(word) in titles for word in token.text.split()):
        return True
    numbers = [t for t in reader.tokens[max(0, place - 3) : place] if t.kind == "number"]
    return token.means("each") and bool(numbers)


def _is_story(
    reader: Reader, begin: int, end: int, asking: frozenset[str], titles: frozenset[str]
) -> bool:
    tokens = reader.tokens[begin:end]
    if end < len(reader.tokens) and reader.tokens[end].stem == "?":
        return False
    open_tokens = [
        t
        for i, t in enumerate(tokens, begin)
        if i not in reader.taken and not _is_excused(reader, i, titles)
    ]
    if any(token.concepts & asking for token in open_tokens):
        return False
    if any(token.concepts & {CHANGE} and not is_idle(token) for token in open_tokens):
        return False
    if any(is_word(token, "beyond") for token in open_tokens):
        return False
    spoken = [token for token in tokens if token.kind != "mark"]
    if len(spoken) < 2:
        return False
    orders = not is_idle(spoken[0]) and plain(spoken[1].text) in _DETERMINERS
    return not orders


def _take_scale(reader: Reader, of: Given) -> None:
    """Take a scale such as `(0-10)`, if all values lie on it."""
    tokens = reader.tokens
    for i in range(len(tokens) - 4):
        marks = tokens[i].stem == "(" and tokens[i + 4].stem == ")"
        low, high = tokens[i + 1], tokens[i + 3]
        joined = tokens[i + 2].stem in ("-", "to", "a", "/")
        if marks and joined and low.kind == high.kind == "number":
            values = [v for name in of.numeric for v in of.columns[name] if v is not None]
            if all(low.value <= value <= high.value for value in values):
                reader.taken.update(range(i, i + 5))


def _take_currency_sign(reader: Reader) -> None:
    """Take `($M)` or `(€)`, which says what the values are in."""
    tokens = reader.tokens
    for i, token in enumerate(tokens[:-2]):
        if token.stem != "(" or tokens[i + 1].text not in ("$", "€", "£"):
            continue
        end = next((j for j in (i + 2, i + 3) if j < len(tokens) and tokens[j].stem == ")"), None)
        if end is not None and len("".join(t.text for t in tokens[i + 1 : end])) <= 3:
            reader.taken.update(range(i, end + 1))


def take_counts(reader: Reader, of: Given) -> None:
    """Take numbers that only repeat how many values, lists or rows there are."""
    sizes = {float(len(values)) for values in of.columns.values()}
    if len(of.numeric) > 1:
        sizes.add(float(len(of.numeric)))
    sizes.add(float(sum(len(of.columns[name]) for name in of.numeric)))
    if reader.has("figure_chi2", "figure_fit"):
        sizes |= {float(sum(v for v in of.columns[name] if v is not None)) for name in of.numeric}
    _take_scale(reader, of)
    _take_currency_sign(reader)
    for i in reader.free("number"):
        token = reader.tokens[i]
        if token.unit or token.value not in sizes or token.fraction:
            continue
        hyphen = i + 2 < len(reader.tokens) and reader.tokens[i + 1].stem == "-"
        following = reader.tokens[i + 1 + hyphen] if i + 1 < len(reader.tokens) else None
        if following is None or following.kind not in ("word", "concept"):
            continue
        if following.concepts & {CHANGE} and not is_idle(following):
            continue
        if following.concepts & ASKING:
            continue
        before = reader.tokens[i - 1] if i else None
        if before is not None and before.concepts & {CHANGE} and not is_idle(before):
            continue
        reader.taken.add(i)
        if may_name(following) and not following.concepts & ASKING:
            reader.taken.update((i + 1, i + 1 + hyphen))
        each = i + 2
        if each < len(reader.tokens) and plain(reader.tokens[each].text) in ("each", "cada"):
            reader.taken.add(each)
