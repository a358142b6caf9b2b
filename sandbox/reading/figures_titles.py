"""Finds what names a list, and makes labels of the words that introduce it."""

from collections.abc import Sequence

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name, words
from sandbox.reading.figures_methods import ASKING, is_unit
from sandbox.reading.lexicon import CHANGE, IDLE, plain, stem
from sandbox.reading.reader import NO_LABELS, Reader
from sandbox.reading.tokens import Token

_LINKS = frozenset(
    "is are was were of has have had scored got read gave were be at son es eran fueron fue tiene "
    "obtuvo dieron sacaron dio obtuvieron sacaron tienen".split()
)


_MARKS_AFTER_A_NAME = frozenset({":", "=", "-", ">"})


_LONGEST_NAME = 4


_CUES = {
    "figure_weights": "weights",
    "figure_observed": "observed",
    "figure_expected": "expected",
    "figure_frequencies": "frequencies",
    "probability": "probabilities",
}


_MAY_BE_NAMES = frozenset({"figure_sum", "figure_count", "figure_weights", "figure_growth", "figure_maximum",
    "figure_minimum", "figure_percent_of_total", "figure_outliers", "figure_how_many"})  # fmt: skip


def titles_of(reader: Reader, lists: Sequence[int]) -> list[str]:
    """The names of the lists. Of one list, `the numbers are` is no name."""
    titles = [_title(reader, place) for place in lists]
    if len(lists) == 1 and titles[0] in ("frequencies", "probabilities"):
        titles = [""]
    if len(lists) == 1 or not all(titles):
        titles = ["" if all(map(_says_nothing, t.split())) else t for t in titles]
    if len(lists) > 1 and not any(titles):
        beside = [_beside(reader.tokens, place) for place in lists]
        titles = beside if all(beside) and len(set(beside)) == len(beside) else titles
    if _of_bodies(reader.tokens):
        titles = ["weight" if title == "weights" else title for title in titles]
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
    of_question = i >= 0 and bool(reader.tokens[i].concepts & ASKING)
    if of_question and any(is_word(t, "relational") for t in reader.tokens[i + 1 : place]):
        return ""  # `the biggest drop: 1, 2`: the list holds no drops
    if not any(word[0].isalpha() for word in title):
        return _cue(reader.tokens, place)
    return _cue(reader.tokens, place) or " ".join(reversed(title))


def _cue(tokens: Sequence[Token], place: int) -> str:
    """The name of a list after a word such as `observed` or `weighted`."""
    for i in range(place - 1, max(-1, place - 3), -1):
        for concept, name in _CUES.items():
            if tokens[i].means(concept) and not (name == "weights" and _is_measured(tokens, i)):
                return name
        if not is_idle(tokens[i]) and tokens[i].kind != "mark":
            break
    return ""


def _of_bodies(tokens: Sequence[Token]) -> bool:
    """Whether weights are measured beside heights, or each list is one of its own."""
    return any(token.stem in _MEASURED or token.means("figure_each_one") for token in tokens)


_MEASURED = frozenset({"height", "estatura", "altura", "talla", "bmi", "imc"})


def _is_measured(tokens: Sequence[Token], place: int) -> bool:
    """Whether `weight` is a quantity here, and weights no list: where columns are related."""
    single = plain(tokens[place].text) in ("weight", "peso")
    related = (
        "figure_regression",
        "figure_slope",
        "figure_correlation",
        "figure_spearman",
        "figure_predict",
    )
    return _of_bodies(tokens) or (single and any(token.means(*related) for token in tokens))


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


def label(reader: Reader, place: int) -> None:
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
        elif place - i <= 4 and _in_brackets(reader.tokens, i):
            reader.taken.add(i)
        elif not question and _is_per(reader, i, place):
            reader.taken.update((i, i + 1))
        elif is_word(token, "per") or names_here(reader.tokens, i, question=question):
            reader.taken.add(i)
        words_since += token.kind in ("word", "concept") and IDLE not in token.concepts


def _in_brackets(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word is the unit of a list: `lengths (seconds): 210, 185`."""
    around = [token.stem for token in (*tokens[place - 1 : place], *tokens[place + 1 : place + 2])]
    return around == ["(", ")"] and any(c.startswith("unit:") for c in tokens[place].concepts)


def _is_per(reader: Reader, place: int, of: int) -> bool:
    """Whether `per month` says what the values of a list are: `visitors per month were 12, 15`."""
    after = reader.tokens[place + 1 : place + 2]
    named = bool(reader.tokens[of].names) and bool(after) and may_name(after[0])
    unit = bool(after) and (named or is_word(after[0], "per_units"))
    return reader.tokens[place].means("each") and unit


def names_here(tokens: Sequence[Token], place: int, *, question: bool = False) -> bool:
    """Whether a word that elsewhere changes a request names data: `wait times were 12, 15`."""
    if not is_word(tokens[place], "named_after" if question else "nameable"):
        return False
    before = tokens[place - 1] if place else None
    if plain(tokens[place].text) == "times" and before is not None and question:
        return before.kind == "word" or before.means("scene")  # `waiting times (12, 15)`
    beside = tokens[max(0, place - 1) : place + 2]
    return all(token.kind not in ("number", "list") for token in beside)
