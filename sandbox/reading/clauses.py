"""Takes as labels the words of the clauses in which the numbers of a sample stand.

`38 of 200 patients had complications`: no word of it changes how 38 of 200 is compared with another
share. A word beside the name of a test is no label (`Barnard's test`), nor is any word that changes
a request (`paired`), nor a word of a clause without a number.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from sandbox.reading.lexicon import CHANGE, SCENE, first_words
from sandbox.reading.reader import Reader

_ENDS = frozenset({".", "?", "!", ";", "\n", ","})
_SMALL = frozenset({"of", "de", "for", "para", "del", "the", "la", "el", "'s"})
_NAMES = frozenset(
    {SCENE, "visitor", "people_word", "trial_word", "conversion", "group_name", "colour", "container"}
    | {"ball", "card", "office", "game_word", "correct_word", "wrong_word", "ill_word", "draw", "pin"}
    | {"healthy_word", "detects", "given_positive", "given_negative", "prevalence", "committee"}
    | {"measured", "lasting", "time_unit", "roll", "outfit", "ticket_word", "options_each", "letter"}
    | {"inference_filler", "multiple_choice", "pool_from", "rank", "suit", "heads", "tails", "medal"}
    | {"coin", "die", "guess", "one_in", "prize_word", "on_average", "time_word", "any_word", "fair"}
    | {"pi_scene", "deck_state", "handshake", "digit", "guess", "must_word", "double_word", "face_card"}
)  # fmt: skip
_RESULTS = (
    "odds_ratio",
    "relative_risk",
    "risk_difference",
    "nnt",
    "uplift",
    "difference_word",
    "cohen_d",
)
_TESTS = frozenset(
    {"test_word", "interval_word", "p_value", "statistic_word", "z_test", "t_test", "one_sample"}
    | {"chi_square_test", "margin_of_error", "f_test", "significance_level", "question_probability"}
)


def name_clauses(reader: Reader, numbers: Iterable[int]) -> None:
    """Take the words of the clauses around these places."""
    for start, end in (*_clauses(reader, sorted(numbers)), *_questions(reader)):
        for place in range(start, end):
            if place not in reader.taken and _may_name(reader, place):
                reader.taken.add(place)
                reader.labels.add(reader.tokens[place].stem)


def _clauses(reader: Reader, numbers: list[int]) -> Iterator[tuple[int, int]]:
    for number in numbers:
        start, end = number, number + 1
        while start > 0 and reader.tokens[start - 1].stem not in _ENDS:
            if reader.tokens[start - 1].stem == ":" and _asks_before(reader, start - 1):
                break
            start -= 1
        while end < len(reader.tokens) and reader.tokens[end].stem not in _ENDS:
            end += 1
        yield start, end


def _asks_before(reader: Reader, colon: int) -> bool:
    """Whether the words before a colon ask for something: `relative risk and Yule's Q: 20 of 200`."""
    start = colon
    while start > 0 and reader.tokens[start - 1].stem not in _ENDS:
        start -= 1
    return any(t.means(*_TESTS, *_RESULTS) for t in reader.tokens[start:colon])


def _questions(reader: Reader) -> Iterator[tuple[int, int]]:
    """The sentences without a number that ask whether something differs: `did the script help?`."""
    start = 0
    for place in range(len(reader.tokens) + 1):
        if place == len(reader.tokens) or reader.tokens[place].stem in (".", "?", "!", "\n"):
            sentence = reader.tokens[start:place]
            asks = any(t.means("significant", "better_word", "independent_word") for t in sentence)
            if asks and not any(t.kind in ("number", "list") for t in sentence):
                yield start, place
            start = place + 1


def _may_name(reader: Reader, place: int) -> bool:
    token = reader.tokens[place]
    if token.kind not in ("word", "quoted", "concept") or CHANGE in token.concepts:
        return False
    if token.kind == "word" and (len(token.text) == 1 or token.stem in _changes()):
        return False  # a word of the other language may change the request too
    if token.kind == "concept" and not token.concepts <= _NAMES | {"idle"}:
        return False
    return not _beside_test(reader, place)


@cache
def _changes() -> frozenset[str]:
    return first_words(CHANGE)


def _beside_test(reader: Reader, place: int) -> bool:
    """Whether a word may name a test: `Barnard's test`, `prueba de Barnard`."""
    if reader.tokens[place].kind == "concept":
        return False
    following = reader.tokens[place + 1 : place + 2]
    if following and following[0].means(*_TESTS):
        return True
    before = place - 1
    while before >= 0 and reader.tokens[before].stem in _SMALL:
        before -= 1
    named = before >= 0 and before < place - 1 and reader.tokens[before].means(*_TESTS)
    return named
