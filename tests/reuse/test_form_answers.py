"""A service that learns forms: programs answer for other values, and bad answers go out of use."""

import json
import math
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import orjson
import pytest

from learner.policy import Arm
from router.api.parse import parse_chat
from router.config.config import Config
from router.demo.in_process import Clock, in_process_service
from router.domain import Reply
from router.engine.form_joining import FormJoining
from router.engine.forms import PROGRAM
from router.engine.recall import author_may_read
from router.plans.made import MadePlan
from router.reuse.evidence import ReuseCheck
from router.reuse.forms.form import form_of
from router.reuse.forms.shelf import Shelf, ShelfRow
from router.reuse.programs.figures import LibraryReader
from router.wire.chat_replies import completion, in_one_piece, reply_base, usage_of
from tests.sparing import slow_after

PROGRAM_SOURCE = (
    "import re\n\ndef solve(text):\n    return str(2 * int(re.search(r'\\d+', text)[0]) {more})\n"
)


class Scripted:
    """A backend that answers with what `says` makes of the last message, and counts its calls."""

    def __init__(self, says) -> None:
        self.says, self.calls = says, 0

    @asynccontextmanager
    async def send(self, call):
        self.calls += 1
        text = self.says(orjson.loads(call.body)["messages"][-1]["content"])
        body = completion(reply_base(call, "m"), text, "stop", usage_of(10, 10))
        yield Reply(200, "application/json", in_one_piece(body))

    async def close(self) -> None:
        pass


def doubled(text: str) -> str:
    digits = "".join(c if c.isdigit() else " " for c in text).split()
    return str(2 * int(digits[0])) if digits else "no number"


@asynccontextmanager
async def service(data, says, writes):
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    config = Config.model_validate(
        {
            "server": {"data": str(data)},
            "backends": {
                "large": {**backend, "price": {"input": 10, "output": 10}},
                "author": {**backend, "price": {"input": 10, "output": 10}},
            },
            "plans": {"large": {"ask": "large"}},
            "objective": {"strategy": "fixed", "plan": "large", "premium": "large"},
            "reuse": {"mode": "similar", "author": "author", "checked": 0.0},
            "signals": [],
        }
    )
    async with in_process_service(config, clock=Clock(1.7e9), seed=1) as waggle:
        await waggle.ready()
        waggle.hosts["large"].backend = large = Scripted(says)
        waggle.hosts["author"].backend = author = Scripted(writes)
        checks = [ReuseCheck(PROGRAM, b"", False, 1.0, 0.0, -n) for n in range(400)]
        waggle.engine.recall.memory.calibration.learn(checks)
        waggle.engine.recall.uniform = waggle.engine.replying.keeping.forms.uniform = lambda: 0.5
        yield waggle, large, author


async def ask(waggle, text: str, score: float | None = 1.0):
    reply = await waggle.ask(text)
    if score is not None:
        waggle.judge(reply.trace, score)
    await waggle.settled()
    return reply


async def test_a_fact_that_changed_is_put_away_for_all_who_ask_for_it(data):
    """Each request was answered before, and one of them tells that its answer is wrong by now."""
    fact = ["PRN-Oak"]

    def says(text: str) -> str:
        return "Oslo" if "capital" in text else doubled(text) if "12" in text else fact[0]

    async with service(data, says, lambda prompt: "not a computation") as (waggle, large, _):
        requests = ["printer on the second floor", "which printer is upstairs", "printer 12"]
        for text in (*requests, "the capital of Norway"):
            await ask(waggle, text)
        fact[0] = "PRN-Elm"
        calls = large.calls
        assert (await ask(waggle, requests[0], score=0.0)).text == "PRN-Oak"
        assert large.calls == calls
        assert [(await ask(waggle, text)).text for text in requests] == ["PRN-Elm", "PRN-Elm", "24"]
        assert large.calls == calls + 2
        assert (await ask(waggle, "the capital of Norway")).text == "Oslo"
        assert large.calls == calls + 2


async def test_a_program_answers_other_values_once_it_reproduced_what_was_rated_well(data):
    def writes(prompt: str) -> str:
        shown = [json.loads(line) for line in prompt.splitlines()]
        assert all(pair["answer"] == doubled(pair["request"]) for pair in shown)
        return f"```python\n{PROGRAM_SOURCE.format(more='')}```"

    async with service(data, doubled, writes) as (waggle, large, author):
        for n in (11, 23, 35):
            assert (await ask(waggle, f"what is the double of {n}")).text == str(2 * n)
        calls = large.calls
        assert author.calls == 1
        reply = await ask(waggle, "What is the double of 4000?", score=0.0)
        assert reply.text == "8000"
        assert large.calls == calls
        assert reply.trace.recalled.bucket == PROGRAM
        assert reply.trace.cost_usd == 0
        # A near miss goes to the model, although a program answers almost the same words.
        assert (await ask(waggle, "what is the double of 35 plus a third")).text == "70"
        assert large.calls == calls + 1
        # The caller rated the program's answer as wrong: that solution answers no more.
        states = [s.state for s in waggle.engine.recall.memory.store.everything("kind = 'program'")]
        assert "quarantined" in states


async def test_a_program_answers_another_wording_only_after_two_answers_that_no_chance_explains(
    data,
):
    def says(text: str) -> str:
        value = int(doubled(text)) // 2
        return str(value + 150) if text.startswith("add") else str(2 * value)

    writes = f"```python\n{PROGRAM_SOURCE.format(more='')}```"
    async with service(data, says, lambda _: writes) as (waggle, _, _author):
        kept = waggle.engine.recall.memory.store.everything
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}")
        await ask(waggle, "add one hundred and fifty to 150 please")  # 300, by chance
        await ask(waggle, "add one hundred and fifty to 220 please")
        await ask(waggle, "how much is twice as many as 41")
        assert {s.request[:6] for s in kept("kind = 'program'")} == {"what i"}
        await ask(waggle, "how much is twice as many as 57")
        requests = [s.request for s in kept("kind = 'program'")]
        assert any(request.startswith("how much is twice") for request in requests)
        assert not any(request.startswith("add") for request in requests)


@pytest.mark.slow
async def test_a_program_answers_wordings_whose_answers_are_older_than_the_program(data):
    replies = iter(["not a computation: no", f"```python\n{PROGRAM_SOURCE.format(more='')}```"])
    async with service(data, doubled, lambda _: next(replies)) as (waggle, large, author):
        for n in (41, 57):
            await ask(waggle, f"how much is twice as many as {n}")
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}")
        calls = large.calls
        assert (await ask(waggle, "how much is twice as many as 4000")).text == "8000"
        assert (large.calls, author.calls) == (calls, 2)


@pytest.mark.slow
async def test_a_program_answers_another_wording_whose_answers_are_long(data):
    def says(text: str) -> str:
        return " ".join(str(n + 1) for n in range(int(re.search(r"\d+", text)[0])))

    source = (
        "import re\n\ndef solve(text):\n"
        "    return ' '.join(str(n + 1) for n in range(int(re.search(r'\\d+', text)[0])))\n"
    )
    async with service(data, says, lambda _: f"```python\n{source}```") as (waggle, large, _author):
        for n in (30, 41, 52):
            await ask(waggle, f"count up to {n}")
        for n in (33, 44, 55):
            await ask(waggle, f"write all the numbers from one to {n}")
        calls = large.calls
        assert (await ask(waggle, "write all the numbers from one to 37")).text == says("37")
        assert large.calls == calls


@pytest.mark.slow
async def test_a_program_answers_no_wording_whose_answers_contradict_it(data):
    def says(text: str) -> str:
        digits = [int(each) for each in re.findall(r"\d+", text)]
        return str(math.prod(digits) if "area" in text else math.lcm(*digits))

    source = (
        "import re, math\n\ndef solve(text):\n"
        "    return str(math.lcm(*map(int, re.findall(r'\\d+', text))))\n"
    )
    async with service(data, says, lambda _: f"```python\n{source}```") as (waggle, _, _author):
        kept = waggle.engine.recall.memory.store.everything
        for first, second in ((4, 6), (10, 15), (8, 12)):
            await ask(waggle, f"lowest multiple of {first} and {second}")
        await ask(waggle, "area of a room of 6 by 9")  # the product is no common multiple here
        for first, second in ((3, 7), (4, 9), (5, 8)):
            await ask(waggle, f"area of a room of {first} by {second}")
        assert {s.request[:6] for s in kept("kind = 'program'")} == {"lowest"}


def test_a_case_that_another_answer_contradicts_is_put_away():
    class Programs:
        def answer(self, space, root, text):
            return str(math.lcm(*(int(each) for each in re.findall(r"\d+", text))))

    def row(id_, request, answer, root=0):
        return ShelfRow(id_, form_of(request), request, answer, root)

    shelf, gone = Shelf(), []
    joining = FormJoining(
        SimpleNamespace(programs=Programs()), lambda _: shelf, lambda _, id_: gone.append(id_)
    )
    for each in (row(1, "area of 3 by 7", "21", 1), row(2, "area of 4 by 9", "36", 1)):
        shelf.add(each, "source")
    shelf.add(row(3, "Area of 8 by 10!", "You get the area if you multiply the sides: it is 80."))
    joining.refute(shelf, b"", shelf.near(form_of("area of 2 by 5")))
    assert gone == []  # a long answer may say the same in other words
    agreeing = [row(9 - n, f"Area of {n} by 7?", f"{7 * n}") for n in (2, 3, 4)]
    for each in (*agreeing, row(4, "Area of 6 by 9!", "54")):
        shelf.add(each)
    joining.refute(shelf, b"", shelf.near(form_of("area of 2 by 5")))
    assert gone == []  # a single one may be rated wrongly
    shelf.remove(agreeing[0].id)
    joining.refute(shelf, b"", shelf.near(form_of("area of 2 by 5")))
    assert sorted(gone) == [1, 2]


async def test_a_wrong_answer_puts_away_all_cases_of_its_program_that_ask_the_same(data):
    source = f"```python\n{PROGRAM_SOURCE.format(more='')}```"
    async with service(data, doubled, lambda _: source) as (waggle, _, _author):
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}")
        kept = waggle.engine.recall.memory.store.everything
        assert [s.state for s in kept("kind = 'program'")] == ["proven"] * 3
        assert (await ask(waggle, "what is the double of 4000", score=0.0)).text == "8000"
        assert [s.state for s in kept("kind = 'program'")] == ["quarantined"] * 3


async def test_a_program_answers_by_the_case_that_the_caller_may_have(data):
    source = f"```python\n{PROGRAM_SOURCE.format(more='')}```"
    async with service(data, doubled, lambda _: source) as (waggle, _, _author):
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}")
        fields = {
            "model": "auto",
            "messages": [{"role": "user", "content": "What is the double of 8"}],
        }
        request = parse_chat(orjson.dumps(fields), {}, request_id="r", key_id="")
        lookup = await waggle.engine.look(request, scope="demo", backend="", allowed=())
        nearest = lookup.match.recalled.solution
        match = waggle.engine.replying.keeping.forms.match
        other = await match(lookup.query, lambda solution: solution.id != nearest)
        assert other.solution.answer == lookup.match.solution.answer == "16"
        assert await match(lookup.query, lambda _: False) is None


MULTIPLE = "math.lcm(*n)"


@pytest.mark.parametrize(
    ("program", "taught", "wording", "right", "alike", "telling"),
    slow_after(1, [
        # All carpets have sides without a common divisor, so both explain the answers.
        (MULTIPLE, "lowest multiple of {} and {}", "carpet for a room {} by {}", "math.prod(n)",
         [(3, 7), (4, 9), (5, 8), (7, 10)], (54, 99)),
        (MULTIPLE, "lowest multiple of {} and {}", "first date that {} and {} share", MULTIPLE,
         [(3, 7), (4, 9), (5, 8), (7, 10)], (54, 99)),
        ("n[0] + n[1]", "sum of {} and {}", "chairs for {} tables each with {}", "n[0] * n[1]",
         [(2, 2), (0, 0)], (3, 4)),
        ("n[0] / n[1]", "divide {} by {}", "tip of {} at {} percent", "n[0] * n[1] / 100",
         [(70, 10), (30, 10)], (80, 20)),
        ("max(n)", "largest among {} and {}", "final reading {} then {}", "n[1]",
         [(3, 7), (4, 9), (5, 8)], (9, 2)),
        ("max(n)", "largest among {} and {}", "highest reading {} then {}", "max(n)",
         [(3, 7), (4, 9), (5, 8)], (9, 2)),
    ]),
)  # fmt: skip
async def test_a_program_joins_no_wording_that_something_else_explains(
    data, program, taught, wording, right, alike, telling
):
    source = (
        "import re, math\n\ndef solve(text):\n"
        f"    n = [int(x) for x in re.findall(r'\\d+', text)]\n    return str({program})\n"
    )

    def says(text: str) -> str:
        n = [int(each) for each in re.findall(r"\d+", text)]
        ours = text.startswith(taught.split()[0])
        return str(eval(program if ours else right, {"math": math, "n": n}))

    async with service(data, says, lambda _: f"```python\n{source}```") as (waggle, _, _author):
        kept = waggle.engine.recall.memory.store.everything
        for pair in ((4, 6), (10, 15), (18, 12), (20, 8)):
            await ask(waggle, taught.format(*pair))
        assert len(list(kept("kind = 'program'"))) >= 3
        for pair in alike:
            await ask(waggle, wording.format(*pair))
        begin = taught.split()[0]
        assert all(s.request.startswith(begin) for s in kept("kind = 'program'"))
        await ask(waggle, wording.format(*telling))
        joined = [s for s in kept("kind = 'program'") if not s.request.startswith(begin)]
        assert bool(joined) == (program == right)


async def test_where_two_programs_differ_a_backend_answers(data):
    source = f"```python\n{PROGRAM_SOURCE.format(more='')}```"
    async with service(data, doubled, lambda _: source) as (waggle, large, _):
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}")
        forms = waggle.engine.replying.keeping.forms
        shelf = next(iter(forms._shelves._shelves.values()))
        for n in (3, 4, 5):
            request = f"what is the double of {n}"
            row = ShelfRow(1_000 + n, form_of(request), request, str(2 * n), 1_003)
            shelf.add(row, PROGRAM_SOURCE.format(more="+ int(re.search(r'\\d+', text)[0]) // 9"))
        calls = large.calls
        assert (await ask(waggle, "what is the double of 8")).trace.recalled.bucket == PROGRAM
        assert (await ask(waggle, "what is the double of 4000")).text == "8000"
        assert large.calls == calls + 1


@pytest.mark.slow
async def test_a_program_that_does_not_reproduce_the_known_answers_is_dropped(data):
    writes = PROGRAM_SOURCE.format(more="+ 1")
    async with service(data, doubled, lambda _: writes) as (waggle, large, author):
        for n in (11, 23, 35, 47):
            await ask(waggle, f"what is the double of {n}")
        assert author.calls == 2  # it may try twice for a form
        assert large.calls == 4
        assert not list(waggle.engine.recall.memory.store.everything("kind = 'program'"))


async def test_a_program_that_reviewers_refuse_goes_back_once_with_the_reason_and_is_kept_never(
    data,
):
    reads = "import os\n" + PROGRAM_SOURCE.format(more="+ 0 * len(os.environ)")
    prompts = []

    def writes(prompt: str) -> str:
        prompts.append(prompt)
        return f"```python\n{reads}```"

    async with service(data, doubled, writes) as (waggle, _, _author):
        for n in (11, 23):
            await ask(waggle, f"what is the double of {n}")
        assert len(prompts) == 2
        assert "the environment, the files and the processes" in prompts[1]
        store = waggle.engine.recall.memory.store
        assert not list(store.everything("kind = 'program'"))
        reader = LibraryReader(store.path)
        verdicts = {(row["reviewer"], row["verdict"]) for row in reader.rows("program_reviews")}
        reader.close()
        assert ("security", "reject") in verdicts


async def test_the_author_sees_no_request_of_a_caller_who_may_not_use_it(data):
    async with service(data, doubled, lambda _: "") as (waggle, _, _author):
        plans = waggle.engine.plans
        fields = {"model": "auto", "messages": [{"role": "user", "content": "double of 2"}]}
        request = parse_chat(orjson.dumps(fields), {}, request_id="r", key_id="")
        assert author_may_read(plans, request, ())
        assert not author_may_read(plans, request, ("large",))
        assert not author_may_read(plans, replace(request, region="eu"), ())
        look = partial(waggle.engine.look, scope="demo", backend="")
        assert not (await look(request, allowed=("large",))).author_may_read


async def test_nothing_is_learned_from_answers_that_nobody_rated(data):
    async with service(data, doubled, lambda _: "") as (waggle, large, author):
        for n in (11, 23, 35):
            await ask(waggle, f"what is the double of {n}", score=None)
        assert (large.calls, author.calls) == (3, 0)


@pytest.mark.slow
async def test_a_well_rated_answer_of_a_made_plan_outlives_the_plan(data):
    made = MadePlan("p1-steps-1", "p1", "large", {"ask": "large", "instruct": "Step by step."})
    async with service(data, doubled, lambda _: "") as (waggle, large, _):
        engine, without = waggle.engine, waggle.engine.plans
        engine.plans = without.with_made([made])
        fields = {"model": "auto", "messages": [{"role": "user", "content": "the double of 21"}]}
        request = parse_chat(orjson.dumps(fields), {}, request_id="r", key_id="")
        lookup = await engine.look(request, scope="demo", backend="", allowed=())
        decision = await engine.decided(request, backend="", allowed=(), lookup=lookup)
        decision = replace(decision, plan=Arm(made.name))
        answer = await engine.answer(request, decision, lookup)
        assert answer.trace.decision.plan == made.name
        waggle.judge(answer.trace, 1.0)
        await waggle.settled()
        engine.plans = without
        calls = large.calls
        assert (await ask(waggle, "the double of 21")).trace.recalled.tier == "exact"
        assert large.calls == calls
