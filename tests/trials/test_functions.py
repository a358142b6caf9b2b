"""Hostile routing functions delay no request for long, change no answer, and pass no gate."""

import os
from dataclasses import replace

import pytest

from router.engine.functions import Functions
from router.routing.function_contract import (
    HELD_UP,
    LOADING,
    OVERSLEPT,
    RELOADING,
    MachineTrouble,
    Unanswered,
    lint,
)
from router.routing.steering import Steering
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.gates import LoadedFunction, check_function
from tests.sandbox.siege import descendants
from tests.sandbox.starving import starved
from tests.sparing import slow_after
from tests.trials.test_deciding import X, decide, request, trial
from tests.waiting import until

DEADLINE = 0.05
GIVEN = ({"kind": "a", "complexity": 1.0}, {"x": {"usd": 0.1}, "y": {"usd": 0.2}}, [])


def code(body, name="f"):
    source = "def route(request, scores, similar):\n" + "\n".join(
        f"    {line}" for line in body.splitlines()
    )
    return Strategy(name, "function", 1, source=source)


PATIENCE = 30.0  # seconds, enough for a good function on a busy machine


@pytest.fixture
async def functions():
    news = []
    made = Functions(DEADLINE, lambda *row: news.append(row))
    made.news = news
    yield made
    await made.close()


HOSTILE = {
    "loops for ever": "while True: pass",
    "takes all memory": "return 'x' * 10**10",
    "builds a huge list": "x = [0]\nfor i in range(60): x = x + x\nreturn 'x'",
    "opens a socket": "import socket\nsocket.socket().connect(('127.0.0.1', 80))",
    "reads a file": "return open('/etc/passwd').read()",
    "starts a program": "import os\nos.system('id')",
    "forks": "import os\nos.fork()",
    "raises": "raise ValueError('no')",
    "raises what ends programs": "raise SystemExit(0)",
    "recurses": "return route(request, scores, similar)",
    "answers with a function": "return route",
    "answers with a set": "return {1, 2}",
    "answers with bytes": "return b'x'",
    "answers with too much": "return {str(i): 1 for i in range(100000)}",
    "answers with not a number": "return {'x': float('nan')}",
    "answers with an unknown plan": "return 'nowhere'",
    "sleeps": "import time\ntime.sleep(10_000)",
    "ends its process": "import os\nos._exit(0)",
    "computes for ever": "return pow(7, 10**9)",
    "is slow on rare input": "if request['kind'] == 'a':\n    while True: pass\nreturn 'x'",
    "writes to what it was given": "request.clear()\nscores.clear()\nreturn 'nowhere'",
    "answers with deep nesting": "x = []\nfor i in range(100000): x = [x]\nreturn x",
}


@pytest.mark.timeout(120)  # what nothing stops goes on for hours
@pytest.mark.parametrize("body", slow_after(8, HOSTILE.values()), ids=HOSTILE.keys())
async def test_a_hostile_function_delays_no_request_and_changes_no_answer(functions, body):
    hostile = code(body)
    await functions.follow([hostile])
    given = ({"kind": "a"}, {"x": {"usd": 0.1}}, [])
    for _ in range(3):
        decision = decide_with(functions, hostile)
        assert decision.plan == "x"  # the serving strategy's plan
        assert decision.exposures[0].trouble
    assert given == ({"kind": "a"}, {"x": {"usd": 0.1}}, [])


def decide_with(functions, strategy):
    steering = Steering(X, lives=(trial(strategy, 0.999999),))
    return decide(steering, request(task="a"), call_function=functions.ask)


async def test_a_good_function_is_asked_and_answers(functions):
    good = code("return 'y' if request['complexity'] < 2 else {'x': 1, 'y': 3}")
    functions.deadline_seconds = PATIENCE
    await functions.follow([good])
    assert functions.ask(good, GIVEN) == "y"
    assert functions.ask(good, ({"complexity": 5}, {}, [])) == {"x": 1, "y": 3}


async def test_a_function_that_keeps_failing_is_left_alone_and_tried_again_later():
    now = [0.0]
    news = []
    made = Functions(PATIENCE, lambda *row: news.append(row), lambda: now[0])
    bad = code("raise ValueError('no')")
    try:
        await made.follow([bad])
        reasons = []
        for _ in range(5):
            with pytest.raises(Unanswered) as error:
                made.ask(bad, GIVEN)
            reasons.append(str(error.value))
            assert isinstance(error.value, MachineTrouble) == (len(reasons) > 3)
        assert "ValueError" in reasons[2]
        assert "left alone for a while" in reasons[3]
        assert [row[:2] for row in news] == [("f@1", "left alone")]
        now[0] = 40.0
        with pytest.raises(Unanswered, match="ValueError"):
            made.ask(bad, GIVEN)
    finally:
        await made.close()


async def test_a_function_that_is_still_loading_gives_no_answer(functions):
    with pytest.raises(Unanswered, match=LOADING):
        functions.ask(code("return 'x'"), GIVEN)


async def test_a_function_still_decides_where_a_trial_takes_plans_from_it(functions):
    functions.deadline_seconds = PATIENCE
    serving = code("return 'y'")
    steering = Steering(
        serving, lives=(trial(Strategy("slim", "same", 1, without=("z",)), layer="plans"),)
    )
    await functions.follow(steering.functions)
    decisions = [decide(steering, request(n), call_function=functions.ask) for n in range(20)]
    assert {decision.plan for decision in decisions} == {"y"}
    exposures = [decision.exposures[0] for decision in decisions]
    assert not any(exposure.trouble or exposure.apart for exposure in exposures)


async def test_a_function_that_cannot_be_loaded_is_reported_once(functions):
    broken = Strategy("f", "function", 1, source="def other(): pass")
    await functions.follow([broken])
    await functions.follow([broken])
    assert [row[:2] for row in functions.news] == [("f@1", "not loaded")]


async def test_a_function_that_cannot_be_loaded_keeps_no_other_from_loading(functions):
    functions.deadline_seconds = PATIENCE
    broken, good = Strategy("f", "function", 1, source="x = 1"), code("return 'x'")
    await functions.follow([broken, good])
    assert functions.ask(good, GIVEN) == "x"


async def test_a_reload_costs_no_call_and_is_no_failure_of_the_function(functions):
    functions.deadline_seconds = PATIENCE
    leaves = code("return 'x' if request['kind'] == 'a' else os._exit(0)")
    leaves = replace(leaves, source=f"import os\n{leaves.source}")
    await functions.follow([leaves])
    with pytest.raises(Unanswered, match="ended its worker"):
        functions.ask(leaves, ({"kind": "b"}, {}, []))
    assert functions.ask(leaves, GIVEN) == "x"
    with pytest.raises(Unanswered, match="ended its worker"):
        functions.ask(leaves, ({"kind": "b"}, {}, []))
    for _ in range(5):  # there is no other spare yet
        with pytest.raises(MachineTrouble, match=RELOADING):
            functions.ask(leaves, GIVEN)
    await functions.ready(leaves)
    assert functions.ask(leaves, GIVEN) == "x"
    assert functions.news == []


async def test_a_call_that_sleeps_past_its_deadline_is_no_error_of_the_function(functions):
    await functions.follow([code("import time\ntime.sleep(60)")])
    for _ in range(2):
        with pytest.raises(MachineTrouble, match=OVERSLEPT):
            functions.ask(code("import time\ntime.sleep(60)"), GIVEN, patience_seconds=PATIENCE)


SOME_WORK = "for _ in range(250_000): pass\nreturn 'x'"  # some milliseconds


@pytest.mark.slow
async def test_a_busy_machine_never_makes_a_good_function_rest(functions):
    good = code(SOME_WORK)
    await functions.follow([good])
    outcomes = set()

    def held_up():
        try:
            outcomes.add(functions.ask(good, GIVEN))
        except Unanswered as error:
            outcomes.add(str(error))
        return HELD_UP in outcomes

    with starved(descendants(os.getpid())):
        await until(held_up)
        for _ in range(10):
            held_up()
    assert outcomes <= {"x", HELD_UP}
    assert functions.news == []


async def test_a_function_that_is_no_longer_followed_is_closed(functions):
    functions.deadline_seconds = PATIENCE
    dropped, kept = code("return 'x'", "dropped"), code("return 'y'", "kept")
    await functions.follow([dropped, kept])
    await functions.follow([kept])
    assert functions.ask(kept, GIVEN) == "y"
    with pytest.raises(Unanswered):
        functions.ask(dropped, GIVEN)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def route(a, b, c): return 'x'", "must take request, scores, similar"),
        ("def other(request, scores, similar): return 'x'", "has no function `route`"),
        ("def route(request, scores, similar)\n  return 1", "it is not Python"),
        (code("import os\nreturn 'x'").source, "line 2: import is not needed"),
        (code("return request.__class__").source, "begins with an underscore"),
        (code("return open('x')").source, "open is neither an argument"),
        (code("return eval('1')").source, "eval is neither an argument"),
        (code("while True: pass").source, "while is not needed"),
        (code("try:\n  return 1\nexcept: pass").source, "try is not needed"),
        ("x = 1\n" * 300 + code("return 'x'").source, "longer than 200 lines"),
        (code("global y\nreturn y").source, "global is not needed"),
    ],
)
def test_lint_names_the_fault_before_anything_runs(source, why):
    assert why in "; ".join(lint(source))


def test_a_plain_function_passes_lint():
    assert (
        lint(
            code(
                "best = max(scores, key=lambda plan: scores[plan].get('utility', 0))\n"
                "if request['kind'] in ('a', 'b') and len(similar) > 1:\n    return best\n"
                "return {plan: 1 for plan in scores}"
            ).source
        )
        == []
    )


class Row:
    """The fields of a logged row that the gates read."""

    def __init__(self, kind="a"):
        self.kind = kind
        self.odds = {"x": 0.5, "y": 0.5}
        self.function_view = {"kind": kind, "complexity": 1.0}


USUAL = (Row(),)


def gated(strategy, rows=USUAL):
    with LoadedFunction(strategy, DEADLINE) as ask_function:
        check_function(strategy.source, ask_function, rows)


def test_the_contract_holds_for_each_kind_of_request_that_was_logged():
    gated(code("return 'x'"))
    rare = code("return 'x' if request['kind'] != 'rare' else 'nowhere'")
    with pytest.raises(Rejected, match="contract: asked about kind 'rare': it chose 'nowhere'"):
        gated(rare, (Row(), Row("rare")))


def test_a_function_that_changes_its_mind_is_refused():
    whim = "state = [0]\ndef route(request, scores, similar):\n"
    whim += "    state[0] = state[0] + 1\n    return 'x' if state[0] % 2 else 'y'\n"
    with pytest.raises(Rejected, match="asked twice about kind 'a' it chose differently"):
        gated(Strategy("f", "function", 1, source=whim))


def test_a_busy_machine_lets_a_good_function_pass():
    good = code(SOME_WORK)
    with LoadedFunction(good, DEADLINE) as ask_function, starved(descendants(os.getpid())):
        check_function(good.source, ask_function, USUAL)


def test_a_slow_function_is_refused_by_its_contract():
    with pytest.raises(Rejected, match="deadline"):
        gated(code("x = 0\nfor i in range(10**9): x = x + i\nreturn 'x'"))
