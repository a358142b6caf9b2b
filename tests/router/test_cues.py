"""A pattern that is tried only where a cue stands finds what it finds when tried everywhere."""

import random
import re
from re import _constants as codes
from re import _parser

import pytest

from router.request import agent_kinds, complexity, harness
from router.request.cues import Counted, Cued, small

ROOMS = (agent_kinds, complexity, harness)
CUED = {
    f"{room.__name__}.{name}": value
    for room in ROOMS
    for name, value in vars(room).items()
    if isinstance(value, Cued)
}
COUNTED = {
    f"{room.__name__}.{name}": value
    for room in ROOMS
    for name, value in vars(room).items()
    if isinstance(value, Counted)
}
BESIDE = (" ", ", ", "\n", "(", "\u2019", "\u201c", "é", "x", "_", "7", "—")


def written(tree, chance):
    """A text that a parsed pattern matches, but for its conditions on what stands beside it."""
    return "".join(_written(code, value, chance) for code, value in tree)


def _written(code, value, chance):
    match code:
        case codes.LITERAL:
            return chance.choice((str.lower, str.upper, str))(chr(value))[:1]
        case codes.NOT_LITERAL | codes.ANY:
            return "-"
        case codes.IN:
            if value[0][0] is codes.NEGATE:
                return "x"
            return _written(*chance.choice(value), chance)
        case codes.RANGE:
            return chr(chance.randint(*value))
        case codes.CATEGORY:
            return {codes.CATEGORY_DIGIT: "7", codes.CATEGORY_SPACE: " "}.get(value, "w")
        case codes.BRANCH:
            return written(chance.choice(value[1]), chance)
        case codes.SUBPATTERN:
            return written(value[-1], chance)
        case codes.MAX_REPEAT | codes.MIN_REPEAT:
            least, most, inner = value
            times = chance.randint(least, min(most, least + 3))
            return "".join(written(inner, chance) for _ in range(times))
    return ""


def texts(pattern, count=400):
    tree, chance = _parser.parse(pattern.pattern, pattern.flags), random.Random(1)
    for _ in range(count):
        each = (written(tree, chance) for _ in range(chance.choice((1, 1, 3))))
        yield "".join(chance.choice(BESIDE) + text + chance.choice(BESIDE) for text in each)


@pytest.mark.parametrize("cued", CUED.values(), ids=CUED)
def test_a_cue_stands_wherever_a_pattern_matches(cued):
    matched = 0
    for text in texts(cued.pattern):
        wanted = cued.pattern.search(text)
        assert (cued.search(text) is None) == (wanted is None), text
        matched += wanted is not None
    assert matched > 50


@pytest.mark.parametrize("counted", COUNTED.values(), ids=COUNTED)
def test_as_many_matches_are_counted_as_the_pattern_finds(counted):
    matched = 0
    for text in texts(counted.pattern):
        wanted = len(counted.pattern.findall(text))
        assert counted.count(text) == wanted, text
        matched += wanted > 0
    assert matched > 50


@pytest.mark.parametrize("text", ["de\u017fign", "WHY", "\u0130mplications", "\u0131mplications"])
def test_letters_that_are_alike_without_case_are_alike_here(text):
    assert len(small(text)) == len(text)
    assert complexity._HARD.count(text) == len(re.findall(complexity._HARD.pattern, text))
