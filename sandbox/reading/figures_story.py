"""Takes the sentences before the data that only tell a story, and numbers that repeat its size."""

from collections.abc import Sequence

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name
from sandbox.reading.figures_data import Given
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.figures_titles import names_here
from sandbox.reading.lexicon import CHANGE, plain, stem
from sandbox.reading.reader import Reader
from sandbox.reading.tokens import Token

_DETERMINERS = frozenset("the all each every them it these this los las el la todos cada".split())


_BESIDE_A_TREATMENT = frozenset("before,after,antes,despues,antes de,despues de".split(","))


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
                compares = reader.tokens[i].means("figure_compare")
                if may_name(reader.tokens[i]) or compares or _is_excused(reader, i, titles):
                    reader.taken.add(i)
                    reader.labels.add(reader.tokens[i].stem)


def _first_question(reader: Reader, asking: frozenset[str]) -> int:
    places = [i for i, token in enumerate(reader.tokens) if token.concepts & asking]
    return min(places, default=0)


def _is_excused(reader: Reader, place: int, titles: frozenset[str]) -> bool:
    """Whether a word that might change the request only tells what is measured here."""
    token = reader.tokens[place]
    if is_word(token, "per") or names_here(reader.tokens, place):
        return True
    if all(stem(word) in titles for word in token.text.split()):
        return True
    if plain(token.text) in _BESIDE_A_TREATMENT:
        return reader.has("figure_t_paired", "figure_wilcoxon", "figure_sign")
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
        if token.stem != "(" or not {t.text for t in tokens[i + 1 : i + 3]} & {"$", "€", "£"}:
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
        times = plain(following.text) in ("times", "veces")  # `measured seven times`
        if following.concepts & {CHANGE} and not is_idle(following) and not times:
            continue
        if following.concepts & ASKING:
            continue
        before = reader.tokens[i - 1] if i else None
        if before is not None and before.concepts & {CHANGE} and not is_idle(before):
            continue
        reader.taken.add(i)
        if times or (may_name(following) and not following.concepts & ASKING):
            reader.taken.update((i + 1, i + 1 + hyphen))
        each = i + 2
        if each < len(reader.tokens) and plain(reader.tokens[each].text) in ("each", "cada"):
            reader.taken.add(each)
