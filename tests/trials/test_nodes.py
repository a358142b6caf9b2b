"""Written validators, classifiers and matchers: gates, trials, where they act, and how they go."""

import json
from contextlib import asynccontextmanager
from dataclasses import asdict

import pytest

from learner.assignment import Slot
from router.domain import Trace
from router.engine.functions import Functions
from router.routing.function_contract import NO_OPINION
from router.routing.node_contract import NodeSays, said_by
from router.routing.nodes import Node, NodeTrial, spoken
from router.routing.steering import Steering
from router.telemetry.rows import request_row
from router.trials.book import Rejected
from router.trials.conclusions import follow_turn
from router.trials.course import Course
from router.trials.node_gates import check_node, checked_cases
from router.trials.node_trials import adopt_by_hand, adopt_node, back_by_hand, register_node
from tests.router.scripted import ScriptedModel, only, planned
from tests.telemetry.stored import MINUTE, request, signal
from tests.trials.test_commands import place, run  # noqa: F401 - a fixture
from tests.trials.test_deciding import X, decide
from tests.trials.test_deciding import request as asked_for
from tests.trials.test_director import made

PATIENCE = 30.0
DIGITS = """
def validate(request, answer, document):
    if not any(c.isdigit() for c in answer):
        return "there is no number in it"
    return True
"""
BILLING = """
def classify(request):
    if "invoice" in request["words"]:
        return "billing"
"""
REFUNDS = """
def match(request):
    return "refund" in request["words"]
"""


def node(kind, source, name="n", version=1, cases=(), **fields):
    return Node(name, kind, source, version, cases, **fields)


def acting(candidate, share=1.0, **trial):
    slot = Slot(f"t-{candidate.key}", "node n", 0.0, 1.0, share)
    return NodeTrial(slot, f"trial of {candidate.key}", candidate, watched=True, **trial)


def on_trial(candidate, share=0.5, **trial):
    slot = Slot(f"t-{candidate.key}", "node n", 0.0, 1.0, share)
    return NodeTrial(slot, f"trial of {candidate.key}", candidate, **trial)


# -- the gates


@pytest.mark.parametrize(
    ("kind", "source", "case", "why"),
    [
        ("validator", DIGITS, {"answer": "two", "expect": True}, "case 1 fails: it must say True"),
        ("validator", "import re\n" + DIGITS, {}, "lint: line 1: import is not needed"),
        ("validator", BILLING, {}, "it has no function `validate`"),
        ("validator", "def validate(answer): return 1", {}, "must take request, answer, document"),
        ("validator", "def validate(request, answer, document): return 7", {}, "answered with int"),
        ("validator", "def validate(request, answer, document): return document['x']", {},
         "asked about an example: TypeError"),
        ("classifier", "def classify(request): return request['words'][0]", {},
         "a kind that its source does not name"),
        ("matcher", "def match(request): return '{0.x}'.format(match)", {}, "write an f-string"),
        ("matcher", "s = []\ndef match(request):\n    s.append(1)\n    return len(s) % 2 == 0", {},
         "asked twice, it answered differently"),
        ("matcher", REFUNDS, {"request": {"words": ["refund"]}, "expect": False},
         "it must say False, and said True"),
    ],
)  # fmt: skip
def test_a_gate_refuses_a_node_and_says_why(kind, source, case, why):
    with pytest.raises(Rejected) as error:
        check_node(node(kind, source, cases=(case,) if case else ()), PATIENCE)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("cases", "why"),
    [
        ({}, "cases are a list of at most 100: [{request, answer, expect}]; this is dict"),
        ([{}] * 101, "; this is a list of 101"),
        ([{}], "case 1: a case is an object with `expect`"),
        ([{"expect": True}, {"expect": "yes"}], "case 2: expect = 'yes': a validator says true"),
        ([{"expect": True, "anwser": "x"}], "case 1: anwser: a case takes request, answer, expect"),
        ([{"expect": True, "answer": 3}], "case 1: an answer has at most"),
    ],
)
def test_a_malformed_case_is_named(cases, why):
    with pytest.raises(Rejected) as error:
        checked_cases("validator", cases)
    assert why in str(error.value)


def test_of_what_a_node_says_only_known_words_are_kept():
    assert said_by("classifier", "order 66 of mr smith", BILLING).word == ""
    assert said_by("classifier", "billing", BILLING) == NodeSays("billing")
    assert said_by("validator", ["", "a\nb", "c"], "") == NodeSays("refuses", "a b; c")
    assert said_by("matcher", 0.7, "").word == "matches"
    assert said_by("matcher", 7, "").word == ""


# -- who acts


def test_in_the_shadow_a_node_is_asked_and_does_not_act():
    new = node("validator", DIGITS)
    result = spoken([on_trial(new, shadow=True)], "u1", "d1", lambda _: NodeSays("refuses", "no"))
    assert result.acting is None
    (exposure,) = result.exposures
    assert (exposure.side, exposure.apart, exposure.other) == ("shadow", True, "refuses")


def test_each_side_of_a_trial_has_its_node_and_only_what_differs_is_apart():
    old, new = node("validator", DIGITS), node("validator", DIGITS, version=2)
    trials = [acting(old, 0.9), on_trial(new)]
    says = {old.key: NodeSays("passes"), new.key: NodeSays("refuses", "no")}
    counted = {}
    for n in range(2000):
        result = spoken(trials, f"u{n}", "d", lambda each: says[each.key])
        key = result.acting.key if result.acting else ""
        counted[key] = counted.get(key, 0) + 1
        if not key:
            assert [e.side for e in result.exposures] == ["current"]  # held out of all trials
            continue
        watched, compared = result.exposures
        assert compared.side == ("candidate" if key == new.key else "current")
        assert compared.apart
        assert watched.chance == pytest.approx(0.9)
    assert counted[""] / 2000 == pytest.approx(0.1, abs=0.03)
    assert counted[new.key] / 2000 == pytest.approx(0.45, abs=0.04)
    says[new.key] = NodeSays(trouble=NO_OPINION)  # it lets pass what the other lets pass
    result = spoken(trials, "u1", "d", lambda each: says[each.key])
    assert not any(exposure.apart for exposure in result.exposures[1:])


# -- where they act


@asynccontextmanager
async def gated(model, *trials, gate="n"):
    """A service whose plan `p` is gated by this validator."""
    plan = {"ask": "a", **({"gate": {"function": gate}} if gate else {})}
    async with planned(only(plan), a=model) as waggle:
        engine = waggle.engine
        engine.following.steering = Steering(X, nodes=trials)
        await engine.steer()
        try:
            if engine.functions is not None:
                engine.functions.deadline_seconds = PATIENCE
            yield waggle
        finally:
            if engine.functions is not None:
                await engine.functions.close()


async def test_a_gate_sends_back_what_its_validator_refuses():
    a = ScriptedModel(["It is seven.", "It is 7."])
    async with gated(a, acting(node("validator", DIGITS))) as waggle:
        answer = await waggle.chat("How many?", model="p")
        assert answer.text == "It is 7."
        assert "there is no number in it" in json.dumps(a.requests[1])
        assert "x-waggle-partial" not in answer.headers
        row = request_row(waggle.journal.traces[-1])
        (exposure,) = row["exposures"]
        assert (exposure["variant"], exposure["apart"]) == ("candidate", True)
        assert "no number in it" not in str(row)


@pytest.mark.parametrize(
    ("trials", "why"),
    [
        ((), "n could not be asked: it is not in use"),
        ((acting(node("matcher", REFUNDS)),), "n could not be asked: n is a matcher"),
        ((on_trial(node("validator", DIGITS), shadow=True),), "it is on trial, and does not act"),
        ((acting(node("validator", "def validate(request, answer, document):\n  return 3")),),
         "n has no opinion: it answered with int"),
        ((acting(node("validator", "def validate(request, answer, document):\n  return 1 / 0")),),
         "n has no opinion: ZeroDivisionError"),
        ((acting(node("validator", "def validate(request, answer, document):\n  pass")),),
         "n has no opinion: it has no opinion"),
    ],
)  # fmt: skip
async def test_a_gate_that_could_not_be_asked_is_no_pass_and_the_answer_is_marked(trials, why):
    async with gated(ScriptedModel("It is seven."), *trials) as waggle:
        answer = await waggle.chat("How many?", model="p")
        assert answer.text == "It is seven."
        assert answer.headers["x-waggle-partial"] == "unchecked"
        trace = waggle.journal.traces[-1]
        assert why.replace("it is on trial", "n is on trial") in trace.partial_reason
        assert trace.partial == "unchecked"


async def test_a_long_answer_is_not_shown_to_a_validator():
    async with gated(ScriptedModel("7 " * 40_000), acting(node("validator", DIGITS))) as waggle:
        answer = await waggle.chat("How many?", model="p")
        assert answer.headers["x-waggle-partial"] == "unchecked"


async def test_a_classifier_names_the_kind_and_a_matcher_the_pattern():
    functions = Functions(PATIENCE)
    trials = (acting(node("classifier", BILLING, "c")), acting(node("matcher", REFUNDS, "refunds")))
    steering = Steering(X, nodes=trials)
    await functions.follow(steering.functions)

    def call(each, arguments):
        return said_by(each.kind, functions.ask(each, arguments), each.source)

    def decided(text, **fields):
        given = {"messages": [{"role": "user", "content": text}], "shape": {"name": "string"}}
        request = asked_for(fields=given, **fields)
        decision = decide(steering, request, call_node=call)
        row = request_row(Trace(request, decision, started_at=1.0))
        assert "xyzzy" not in str(row)
        return decision

    try:
        both = decided("refund my invoice xyzzy")
        assert (both.kind, both.pattern) == ("billing", "refunds")
        assert len(both.exposures) == 2
        assert decided("refund my invoice", task="law").kind == "law"
        neither = decided("sing")
        assert neither.kind != "billing"
        assert neither.pattern == ""
    finally:
        await functions.close()


def test_a_matcher_or_classifier_behind_another_that_was_heard_makes_no_difference():
    nodes = [node("matcher", REFUNDS, "a"), node("matcher", REFUNDS, "b")]
    nodes += [node("classifier", BILLING, "c"), node("classifier", BILLING, "d")]
    steering = Steering(X, nodes=tuple(map(acting, nodes)))
    words = {"matcher": NodeSays("matches"), "classifier": NodeSays("billing")}
    given = {"messages": [{"role": "user", "content": "x"}], "shape": {"name": "string"}}
    request = asked_for(fields=given)
    decision = decide(steering, request, call_node=lambda each, _: words[each.kind])
    assert (decision.pattern, decision.kind) == ("a", "billing")
    apart = {exposure.name: exposure.apart for exposure in decision.exposures}
    expected = {"a": True, "b": False, "c": True, "d": False}
    assert apart == {f"trial of {name}@1": value for name, value in expected.items()}


# -- trials in the book


def refusing(_):
    return NodeSays("refuses", "no")


def passing(_):
    return NodeSays("passes")


class NodeWorld:
    """Sends requests whose answers a validator refuses rightly, or wrongly. `always`: what a node
    says of each request."""

    def __init__(self, world, gain, always=None):
        self.world, self.gain, self.always = world, gain, always

    def go(self, count, until=()):
        world = self.world
        for _ in range(count):
            rows, signals = [], []
            for _ in range(200):
                world.at += MINUTE // 60
                world.count += 1
                refuses = world.count % 2 == 0
                trials = world.book.steering().nodes
                ask = refusing if refuses else passing
                if self.always is not None:
                    ask = self.always
                result = spoken(trials, f"u{world.count}", f"u{world.count}", ask)
                acts = refuses and result.acting is not None
                exposures = [asdict(exposure) for exposure in result.exposures]
                for exposure in exposures:
                    exposure["trial_id"], exposure["variant"] = (
                        exposure.pop("trial"),
                        exposure.pop("side"),
                    )
                    del exposure["name"]
                row = request(world.at, plan="cheap", kind="sql", cost_usd=0.0, latency_ms=100.0,
                              status=200, exposures=exposures)  # fmt: skip
                rows.append(row)
                good = 0.5 + self.gain * acts
                signals.append(signal(row, float(world.chance.random() < good)))
            world.stored.write("requests", rows, "r1")
            world.stored.write("signals", signals, "r1")
            world.director.turn()
            if until and world.book.trials and [*world.book.trials.values()][-1].state in until:
                return


@pytest.fixture
def world(tmp_path):
    world = made(tmp_path)
    yield world
    world.stored.close()


def test_a_validator_that_helps_is_adopted_and_goes_when_it_harms(world):
    world.change(register_node, Node("digits", "validator", DIGITS, author="me"), world.now())
    trial = world.book.trial("digits-1")
    assert trial.state == "shadow"
    helpful = NodeWorld(world, 0.45)
    helpful.go(20, until=("adopted",))
    assert world.book.trial("digits-1").state == "adopted"
    assert [news.state for news in world.journal.trials if news.name == "digits-1"][:2] == [
        "shadow",
        "running",
    ]
    assert world.book.serving.key == "always-cheap"  # strategies are as they were
    course = Course(world.book.trial("digits-1"), world.config)
    assert course.phase == "watched"
    world.change(follow_turn, course, "roll back", world.now())
    assert world.book.trial("digits-1").state == "rolled back"
    assert world.book.serving.key == "always-cheap"
    assert world.book.steering().nodes == ()


def test_a_validator_that_does_not_help_is_kept_out(world):
    world.change(register_node, Node("digits", "validator", DIGITS, author="me"), world.now())
    NodeWorld(world, -0.45).go(20, until=("kept",))
    assert world.book.trial("digits-1").state == "kept"


@pytest.mark.parametrize("word", ["matches", "does not match"])
def test_a_matcher_that_matches_everything_is_vetoed_in_the_shadow(world, word):
    everything = Node("everything", "matcher", "def match(request):\n    return True\n")
    world.change(register_node, everything, world.now())
    NodeWorld(world, 0.0, lambda _: NodeSays(word)).go(3, until=("vetoed", "running"))
    trial = world.book.trial("everything-1")
    if word == "matches":
        assert trial.state == "vetoed"
        assert "in the shadow it said `matches` of all" in trial.why
        assert world.book.steering().nodes == ()
    else:  # it changes nothing, and does no harm
        assert trial.state == "running"


def test_a_node_without_effect_says_why(world):
    world.change(register_node, Node("digits", "validator", DIGITS), world.now())
    world.change(adopt_by_hand, "digits", world.now(), keep=0.02)
    late = "the function did not answer before its deadline"
    NodeWorld(world, 0.0, lambda _: NodeSays(trouble=late)).go(1)
    (standing,) = world.director.standings().values()
    assert [*standing["numbers"]["silent"]] == [late]
    assert standing["numbers"]["silent"][late] == 200


def test_a_version_that_goes_gives_its_place_back_to_the_version_before(world):
    first = Node("digits", "validator", DIGITS, author="me")
    world.change(register_node, first, world.now())
    world.change(adopt_by_hand, "digits", world.now(), keep=0.02)
    world.change(register_node, first, world.now())
    with pytest.raises(Rejected, match="a version of digits is on trial"):
        world.change(register_node, first, world.now())
    world.change(adopt_node, world.book.trial("digits-2"), world.now(), why="", keep=0.02)
    (acts,) = world.book.steering().nodes
    assert (acts.candidate.key, acts.current.key) == ("digits@2", "digits@1")
    world.change(back_by_hand, "digits", world.now())
    (acts,) = world.book.steering().nodes
    assert acts.candidate.key == "digits@1"
    world.change(back_by_hand, "digits", world.now())
    with pytest.raises(Rejected, match="no version is in use"):
        world.change(back_by_hand, "digits", world.now())
    with pytest.raises(Rejected, match="digits is a validator already"):
        world.change(register_node, Node("digits", "matcher", REFUNDS), world.now())


def test_commands_register_list_adopt_and_take_back(place, monkeypatch):  # noqa: F811
    (place / "digits.py").write_text(DIGITS)
    (place / "cases.yaml").write_text("- {answer: '7', expect: true}\n- {answer: x, expect: false}")
    new = ("routes", "new", "digits", "--kind")
    assert "Did you mean validator?" in run(*new, "validater", "--source", "digits.py", status=2)
    assert "no.py" in run(*new, "validator", "--source", "no.py", status=2)
    made_it = run(*new, "validator", "--source", "digits.py", "--cases", "cases.yaml")
    assert "digits@1 passes its 2 cases. It is in the shadow" in made_it
    assert f"No service runs on {place / 'var'}; the shadow begins with it." in made_it
    (row,) = json.loads(run("routes", "nodes", "--json"))["nodes"]
    assert (row["state"], row["kind"], len(row["cases"])) == ("shadow", "validator", 2)
    assert "waggle routes adopt digits" in run("trial", "adopt", "digits-1", status=2)
    assert "digits@1 against doing without" in run("trial", "list")
    assert "acts for all but 2%" in run("routes", "adopt", "digits")
    (row,) = json.loads(run("trial", "list", "--json"))["trials"]
    silent = {row["id"]: {"why": "", "numbers": {"silent": {"it failed": 7}}}}
    (place / "var" / "trials" / "numbers.json").write_text(json.dumps(silent))
    shown = run("trial", "show", "digits-1")
    assert "98% of 100% of the traffic" in shown
    assert "On 7 requests it had no effect: it failed." in shown
    monkeypatch.setenv("COLUMNS", "60")  # a name is whole on any screen
    assert "digits@1 adopted: validator by operator" in run("routes", "nodes")
    monkeypatch.setenv("COLUMNS", "300")
    assert 'return "there is no number in it"' in run("routes", "show", "digits")
    assert "No version of digits acts now" in run("routes", "back", "digits")
    assert "no node is called that" in run("routes", "back", "other", status=2)
    run(*new, "validator", "--source", "digits.py")
    assert "Both are the same" in run("routes", "diff", "digits@1", "digits")
    for verb in ("show", "diff"):
        refused = run("routes", verb, "other", *(["digits"] if verb == "diff" else []), status=2)
        assert "other: no function or node is called that. There are: digits@1" in refused
