"""An author writes the nodes that judged answers call for, and they stand where they belong."""

import asyncio
import json

import numpy as np
import pytest

from router.growth.traffic import Traffic
from router.request.context import NAMES
from router.request.patterns import Pattern, Patterns
from router.routing.nodes import placed_at
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.changes import open_trial, register
from router.trials.node_evidence import halves, marks_of_answers, marks_of_requests, worded_answers
from router.trials.node_openings import node_openings
from router.trials.node_requests import act
from router.trials.node_reviews import hear_once, in_short, lineage
from router.trials.node_trials import back_by_hand, register_node
from router.trials.node_writing import check_written, node_in
from router.trials.proposing import Proposer
from tests.learning.traffic import features_of
from tests.router.scripted import ScriptedModel
from tests.sparing import slow_after
from tests.telemetry.stored import MINUTE, request, signal
from tests.trials.test_commands import SOURCE
from tests.trials.test_director import by_kind, made, taught_view
from tests.trials.test_nodes import DIGITS, REFUNDS, acting, gated, node, on_trial

TAGGED = NAMES.index("tagged")
SORTS = ("bill", "poem", "recipe")
TALK = "please look at the {sort} that we sent and tell Smith about number {n} quickly"


@pytest.fixture
def world(tmp_path):
    world = made(tmp_path)
    yield world
    world.stored.close()


def answered(world, count, answer, quality, *, kind="open"):
    """Judged requests with words: `answer(plan, sort)` and `quality(plan, sort, answer)`."""
    chance = np.random.default_rng(3)
    rows, signals = [], []
    for n in range(count):
        world.at += MINUTE // 60
        plan, sort = str(chance.choice(["cheap", "dear"])), str(chance.choice(SORTS))
        prompt = TALK.format(sort=sort, n=n)
        text = answer(plan, sort, chance)
        row = request(
            world.at,
            plan=plan,
            kind=kind,
            strategy="bandit",
            eligible=["cheap", "dear"],
            probabilities=[0.5, 0.5],
            propensity=0.5,
            features_version=3,
            features=untagged(features_of(prompt)),
            prompt=prompt,
            words=sorted({*prompt.lower().split()} - {str(n)}),
            answer=text,
            cost_usd=0.0001,
        )
        rows.append(row)
        signals.append(signal(row, quality(plan, sort, text)))
    world.stored.write("requests", rows, "r1")
    world.stored.write("signals", signals, "r1")
    return worded_answers(world.director.telemetry)


def untagged(numbers):
    return [*numbers[:TAGGED], 0.0, *numbers[TAGGED + 1 :]]


def with_digits(plan, sort, chance):
    return "It is 7." if plan == "dear" or chance.random() < 0.5 else "It is seven."


def digits_are_right(plan, sort, text):
    return float(any(map(str.isdigit, text)))


def one_plan_each(plan, sort, text):
    return float((plan == "dear") == (sort == "bill"))


def sorts_lose(plan, sort, text):
    return 0.2 if sort == "poem" else 0.9


def reply(source, cases):
    return f"Here:\n```python\n{source}\n```\nand\n```json\n{json.dumps(cases)}\n```\n"


VALIDATOR = reply(
    DIGITS,
    [{"answer": "7", "expect": True}, {"answer": "it is 8", "expect": True},
     {"answer": "seven", "expect": False}, {"answer": "", "expect": False}],
)  # fmt: skip


def word_cases(expect):
    return [{"request": {"words": [word]}, "expect": expect(word)} for word in (*SORTS, "none")]


def test_what_an_author_sees_is_shared_and_names_nobody(world):
    rows = answered(world, 200, with_digits, digits_are_right)
    words = {word for marks in marks_of_requests(rows) for word in marks}
    assert {"bill", "poem"} <= words
    assert not words & {"smith", "number 7"}
    forms = {mark for marks in marks_of_answers(rows) for mark in marks}
    assert "it has a digit" in forms
    assert "it has several lines" not in forms  # no answer has: a mark that tells nothing apart


@pytest.mark.parametrize(
    ("answer", "quality", "kind", "name", "line"),
    [
        (with_digits, digits_are_right, "validator", "checks-cheap",
         "it has a digit: 0% of the wrong answers, 100% of the good ones"),
        (lambda *_: "It is 7.", one_plan_each, "classifier", "kinds-of-open",
         "requests with the word `bill`: dear is worth 1.00 more than cheap"),
        (lambda *_: "It is 7.", sorts_lose, "matcher", "about-poem",
         "requests with the word `poem`: the mean quality is 0.70 below the others'"),
    ],
)  # fmt: skip
def test_each_kind_of_node_is_asked_for_where_it_may_gain(world, answer, quality, kind, name, line):
    rows = answered(world, 400, answer, quality)
    best = node_openings(rows, world.config)[0]
    assert (best.kind, best.name) == (kind, name)
    assert line in best.lines


def test_no_node_is_asked_for_where_answers_are_good_or_bad_by_chance(world):
    chance = np.random.default_rng(5)
    rows = answered(world, 400, with_digits, lambda *_: float(chance.random() < 0.7))
    assert node_openings(rows, world.config) == []


def test_an_author_is_asked_and_its_validator_enters_the_shadow_at_its_plan(world):
    answered(world, 500, with_digits, digits_are_right)
    trials = world.config.trials.model_copy(update={"writer": "a"})
    config = world.config.model_copy(update={"trials": trials})
    proposer, view = Proposer(world.director, config, world.now), taught_view(world, by_kind, 5)
    proposer.propose("write_node", view, [])
    prompt = proposer.errand.prompt
    assert "def validate(request, answer, document):" in prompt
    assert "Smith" not in prompt
    assert "that we sent" not in prompt
    proposer.hear((proposer.errand.id, reply(DIGITS, [])), lambda: view)
    assert "cases: 0 are there, and 4 are the least" in world.book.notes[-1]["why"]
    proposer.propose("write_node", view, [])
    assert "cases: 0 are there" in proposer.errand.prompt  # so that no fault is made twice
    proposer.hear((proposer.errand.id, VALIDATOR), lambda: view)
    (trial,) = world.book.live_nodes
    assert (trial.candidate, trial.state, trial.opened_by) == ("checks-cheap@1", "shadow", "author")
    assert placed_at(world.book.steering().nodes, "cheap") == "checks-cheap"
    with pytest.raises(Rejected, match=r"^checks-cheap: in use, or asked for often enough"):
        proposer.propose("write_node", view, [])


def test_that_no_node_is_asked_for_has_a_reason_of_its_own(world):
    nobody = Proposer(world.director, world.config, world.now)
    trials = world.config.trials.model_copy(update={"writer": "a"})
    config = world.config.model_copy(update={"trials": trials})
    writer, view = Proposer(world.director, config, world.now), taught_view(world, by_kind, 5)
    with pytest.raises(Rejected, match=r"^trials\.writer names no backend$"):
        nobody.propose("write_node", view, [])
    with pytest.raises(Rejected, match="no form of wrong answers"):
        writer.propose("write_node", view, [])
    answered(world, 500, with_digits, digits_are_right)
    writer.propose("write_node", view, [])
    with pytest.raises(Rejected, match="author is at work"):
        writer.propose("write_node", view, [])


@pytest.mark.parametrize(
    ("answer", "quality", "text", "why"),
    slow_after(1, [
        (with_digits, digits_are_right,
         reply("def validate(request, answer, document):\n    return 'x' in answer",
               [{"answer": "x", "expect": True}] * 4), "good ones; at least 20% and at most 5%"),
        (lambda *_: "It is 7.", one_plan_each,
         reply("def classify(request):\n    return 'verse' if 'poem' in request['words'] else None",
               word_cases(lambda word: "verse" if word == "poem" else None)),
         "their best plan is cheap like that of all others"),
        (lambda *_: "It is 7.", sorts_lose,
         reply("def match(request):\n    return 'bill' in request['words']",
               word_cases(lambda word: word == "bill")), "they are answered no worse"),
    ]),
)  # fmt: skip
def test_a_node_that_brings_nothing_on_unseen_answers_is_refused(world, answer, quality, text, why):
    seen, unseen = halves(answered(world, 400, answer, quality))
    opening = node_openings(seen, world.config)[0]
    with pytest.raises(Rejected, match=why):
        check_written(node_in(text, opening, "a"), opening, unseen, world.config)


def test_a_classifier_and_a_matcher_that_bring_something_pass_their_gates(world):
    seen, unseen = halves(answered(world, 400, lambda *_: "It is 7.", one_plan_each))
    opening = node_openings(seen, world.config)[0]
    bills = "def classify(request):\n    return 'bills' if 'bill' in request['words'] else None"
    text = reply(bills, word_cases(lambda word: "bills" if word == "bill" else None))
    check_written(node_in(text, opening, "a"), opening, unseen, world.config)


def test_a_validator_has_one_place_and_the_plan_must_have_no_gate(world):
    at = world.now()
    with pytest.raises(
        Rejected, match=r"plan = other: no plan is called that\. Known: cheap, dear"
    ):
        world.change(register_node, node("validator", DIGITS, plan="other"), at)
    with pytest.raises(Rejected, match="plan = cheap: a matcher stands at no gate"):
        world.change(register_node, node("matcher", REFUNDS, "refunds", plan="cheap"), at)
    world.change(register_node, node("validator", DIGITS, "first", plan="cheap"), at)
    with pytest.raises(Rejected, match="first stands at cheap"):
        world.change(register_node, node("validator", DIGITS, "second", plan="cheap"), at)


def test_growth_sees_the_pattern_of_a_matcher_as_long_as_the_matcher_is_in_use(world):
    world.change(register_node, node("matcher", REFUNDS, "refunds"), world.now())
    living = Patterns(1, (Pattern("p1", "", {1: 1.0}, 0.3),))
    traffic = Traffic(3, dict.fromkeys(("refunds", "p1", "p2")))
    assert [*traffic.of_living(living, world.book.matched).patterns] == ["refunds", "p1"]
    world.change(back_by_hand, "refunds", world.now())
    assert [*traffic.of_living(living, world.book.matched).patterns] == ["p1"]


# -- in service


async def test_a_validator_that_stands_at_a_plan_mends_what_it_refuses():
    a = ScriptedModel(["It is seven.", "It is 7."])
    placed = node("validator", DIGITS, plan="p")
    async with gated(a, acting(placed), gate=None) as waggle:
        answer = await waggle.chat("How many?", model="p")
        assert answer.text == "It is 7."
        (exposure,) = waggle.journal.traces[-1].decision.exposures
        assert (exposure.side, exposure.apart) == ("candidate", True)


@pytest.mark.parametrize("trial", [
    on_trial(node("validator", DIGITS, plan="p"), shadow=True),
    acting(node("validator", "def validate(request, answer, document):\n  return 3", plan="p")),
])  # fmt: skip
async def test_nobody_notices_a_placed_validator_that_does_not_act(trial):
    async with gated(ScriptedModel("It is seven."), trial, gate=None) as waggle:
        answer = await waggle.chat("How many?", model="p")
        assert answer.text == "It is seven."
        assert "x-waggle-partial" not in answer.headers
        assert len(waggle.journal.traces[-1].decision.exposures) == 1


async def test_other_requests_go_on_while_a_slow_node_thinks():
    slow = "def validate(request, answer, document):\n    return sum(range(3 * 10**6)) > 0"
    async with gated(ScriptedModel("x"), acting(node("validator", slow))) as waggle:
        functions, turns = waggle.engine.functions, 0
        call = asyncio.ensure_future(functions.ask_apart(node("validator", slow), ({}, "", None)))
        while not call.done():
            await asyncio.sleep(0)
            turns += 1
        assert call.result() is True
        assert turns > 100


# -- reviews and lineage

SLOW = """
def match(request):
    seen = []
    return any(word in request["words"] for word in sorted(request["words"]) if sorted(SORTED))
""".replace("SORTED", "request['words']")


def test_reviewers_read_every_version_and_the_book_keeps_what_each_follows(world):
    at = world.now()
    world.change(register_node, node("matcher", REFUNDS, "refunds"), at)
    world.change(back_by_hand, "refunds", at)
    world.change(register_node, node("matcher", SLOW, "refunds"), at)
    assert lineage(world.book, "refunds@2") == ["refunds@1"]
    short = {key: in_short(line["verdicts"]) for key, line in world.book.reviews.items()}
    assert short == {"refunds@1": "accept", "refunds@2": "performance: revise"}
    world.change(register, Strategy("mine", "function", source=SOURCE), at)
    world.change(register, Strategy("mine", "function", source=SOURCE), at)
    assert lineage(world.book, "mine@2") == ["mine@1"]
    assert in_short(world.book.reviews["mine@2"]["verdicts"]) == "accept"


def test_an_author_hears_once_what_the_reviewers_want(world):
    with pytest.raises(Rejected, match="reviewers: performance: revise: line 4: `sorted"):
        hear_once(world.book, "write matcher m", SLOW)
    note = {"do": "note", "at": 1.0, "subject": "write matcher m", "what": "refused"}
    world.change(lambda _: [note | {"why": "reviewers: performance: revise"}])
    hear_once(world.book, "write matcher m", SLOW)  # it has heard, and its trial decides
    world.change(lambda _: [note | {"why": "case 1 fails"}])
    with pytest.raises(Rejected, match="reviewers"):
        hear_once(world.book, "write matcher m", SLOW)


# -- what operators see and do


def test_an_operator_lists_approves_and_takes_back_functions_and_nodes(world):
    world.change(register_node, node("matcher", REFUNDS, "refunds"), world.now())
    world.change(register, Strategy("mine", "function", source=SOURCE), world.now())
    world.change(open_trial, "mine-1", "mine@1", world.now(), shadow=True)

    def wish(do, name=""):
        command = {"do": do, **({"name": name} if name else {})}
        answer = act(world.director, command, world.now())
        states = {row["key"]: (row["kind"], row["state"], row["acts"]) for row in answer["nodes"]}
        return states["mine@1"], states["refunds@1"]

    assert wish("list") == (("router", "shadow", False), ("matcher", "shadow", False))
    assert wish("approve", "refunds")[1] == ("matcher", "adopted", True)
    assert wish("approve", "mine")[0] == ("router", "adopting", True)
    assert wish("remove", "refunds")[1] == ("matcher", "rolled back", False)
    assert wish("remove", "mine")[0] == ("router", "rolled back", False)
    (row,) = [row for row in act(world.director, {"do": "list"}, 0.0)["nodes"] if row["cases"] == 0
              and row["kind"] == "matcher"]  # fmt: skip
    assert [v["verdict"] for v in row["reviews"]] == ["accept"] * 3


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"do": "forbid", "name": "x"}, "one of approve, remove or list is meant"),
        ({"do": "remove", "name": "x"}, "no function or node is called that. There are: none yet"),
        ({"do": "remove", "name": "x", "at": 1}, "at: remove takes name and nothing more"),
        ({"do": "approve"}, "name = None: approve needs the name of a function or a node"),
        (
            {"do": "approve", "name": "x" * 201},
            "xx: approve needs the name of a function or a node",
        ),
    ],
)
def test_a_wish_that_cannot_be_carried_out_is_refused_by_name(world, wish, why):
    assert why in act(world.director, wish, world.now())["rejected"]
