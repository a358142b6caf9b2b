"""Functions see words and patterns; no word leaves the sandbox through what a function says."""

from dataclasses import replace

import pytest

from router.domain import Trace
from router.request.own_words import MOST_WORDS, seen_words
from router.request.patterns import Pattern, Patterns, bucket
from router.routing.function_contract import looks_at, without_values
from router.routing.steering import Steering
from router.telemetry.rows import request_row
from router.trials.book import Rejected
from router.trials.entering import enter
from router.trials.proposals import Proposal
from tests.trials.test_deciding import X, decide, request, trial
from tests.trials.test_director import shifted, taught_view, world, worse  # noqa: F401 - a fixture
from tests.trials.test_functions import PATIENCE, code, functions  # noqa: F401 - a fixture

SECRET = "Please refund my Xyzzyquux-Order, don't wait"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SECRET, ["please", "refund", "my", "xyzzyquux-order", "don't", "wait"]),
        ("La Contraseña, la contraseña! 42", ["la", "contraseña"]),
        ("", []),
    ],
)
def test_words_are_small_different_and_in_their_order(text, words):
    assert seen_words(text) == words


def test_words_are_bounded_and_of_a_long_message_the_end_is_seen_too():
    names = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    words = seen_words(" ".join(names) + " " + "x" * 200)
    assert len(words) == MOST_WORDS
    assert words[0] == "waa"
    assert words[-1] == names[-1]


def ask(messages, **fields):
    given = {"messages": [{"role": "user", "content": messages}], "shape": {"name": "string"}}
    return request(fields=given, **fields)


LEAKS = {
    "an unknown plan": "return request['words'][3]",
    "an unknown share": "return {request['words'][3]: 1}",
    "a share that is no number": "return {'x': request['words'][3]}",
    "a missing key": "return {}[request['words'][3]]",
    "an assertion": "assert False, request['words'][3]",
    "a number": "return {'x': int(request['words'][3])}",
    "an encoding": "return 'x'.encode(request['words'][3])",
    "a sum of codes": "return {'x': -sum(ord(c) * 1000 ** i for i, c in enumerate('quux'))}",
}


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS.keys())
async def test_no_reason_holds_a_word_that_a_function_saw(functions, body):  # noqa: F811
    leak = code(body)
    functions.deadline_seconds = PATIENCE
    await functions.follow([leak])
    steering = Steering(X, lives=(trial(leak, 0.999999),))
    for _ in range(3):
        decision = decide(steering, ask(SECRET), call_function=functions.ask)
        assert decision.exposures[0].trouble
        row = str(request_row(Trace(ask(SECRET), decision, started_at=1.0)))
        assert "xyzzyquux" not in row.lower()
        assert "117117120113" not in row
    assert "xyzzyquux" not in str(functions.news).lower()


async def test_a_router_by_keywords_and_patterns_decides(functions):  # noqa: F811
    by_words = code(
        "if 'refund' in request['words'] or request['pattern_name'] == 'trains':\n"
        "    return 'y'\n"
        "return 'z' if request['pattern'] == 'p8' else 'x'"
    )
    functions.deadline_seconds = PATIENCE
    await functions.follow([by_words])
    steering = Steering(by_words)
    patterns = Patterns(
        1,
        (
            Pattern("p7", "trains", {bucket("train"): 1.0}, 0.3),
            Pattern("p8", "boats", {bucket("boat"): 1.0}, 0.3),
        ),
    )
    plans = [
        decide(steering, ask(text), call_function=functions.ask, patterns=patterns).plan
        for text in (SECRET, "train tickets", "boat trips", "two people")
    ]
    assert plans == ["y", "y", "z", "x"]


def test_rows_hold_words_only_where_prompts_are_kept():
    trace = Trace(ask(SECRET), decide(Steering(X), ask(SECRET)), started_at=1.0)
    assert "words" not in request_row(trace)
    kept = request_row(replace(trace, keep_prompt=True))
    assert kept["words"] == ["please", "refund", "my", "xyzzyquux-order", "don't", "wait"]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("KeyError: 'kind'", "KeyError: 'kind'"),
        ("KeyError: 'order'", "KeyError"),
        ("ValueError: invalid literal for int() with base 10: 'order'",
         "ValueError: invalid literal for int() with base 10: '…'"),
        ("TypeError: unhashable type: 'kind'", "TypeError: unhashable type: 'kind'"),
        ("AssertionError: order", "AssertionError"),
        ("the function ended its worker", "the function ended its worker"),
    ],
)  # fmt: skip
def test_an_error_keeps_only_values_that_stand_in_the_source(error, shown):
    assert without_values(error, 'request["kind"]') == shown


def test_what_a_function_looks_at_is_read_from_its_code_alone():
    assert looks_at("# words\nx = request['pattern']") == ("pattern",)
    assert looks_at("x = request['kind']") == ()


@pytest.mark.parametrize("kept", [False, True])
def test_replay_says_what_it_could_not_see_and_vetoes_only_what_it_saw(world, kept):  # noqa: F811
    world.go(1200, worse)
    rows = [replace(row, words=("buy", "it") if kept else None) for row in shifted(world.rows())]
    bad = code("return 'dear' if 'buy' in request['words'] else 'cheap'", "worst")
    proposal = Proposal(bad, "better", "author", "it is written")
    view, config = taught_view(world, worse), world.config
    if kept:
        with pytest.raises(Rejected, match="replay: "):
            enter(world.director, config, proposal, view, rows, world.now())
        return
    enter(world.director, config, proposal, view, rows, world.now())
    (opened,) = world.book.live
    assert opened.state == "shadow"
    assert "replay saw 0 of" in opened.effect
    assert "do not hold the words" in opened.effect
