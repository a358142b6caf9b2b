"""An evaluation asks each thing once, keeps what it paid for, and stops at its budget."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.evaluation.ledger import ForeignLedger, PlanAnswer, open_ledger
from router.evaluation.questions import fingerprint, questions_in
from router.evaluation.running import Evaluation, Job, NoAnswer
from router.evaluation.summary import mean_interval, outcome_rows, share_interval, summaries
from tests.sparing import draws

PLANS = ("cheap", "dear")


class FakeAsker:
    """Answers with the prompt's number, or fails; counts what it was asked and what it took."""

    def __init__(self, cost_usd=0.01, says=None):
        self.cost_usd, self.says = cost_usd, says or (lambda model, prompt: prompt.split()[-1])
        self.requests = []
        self.taken_usd = 0.0
        self.broken = set()

    async def ask(self, model, fields, *, task):
        await asyncio.sleep(0)
        prompt = fields["messages"][-1]["content"]
        self.requests.append((model, prompt))
        self.taken_usd += self.cost_usd
        if (model, prompt) in self.broken:
            raise NoAnswer("503: busy", cost_usd=self.cost_usd)
        return PlanAnswer(self.says(model, prompt), self.cost_usd, 0.5, "b")


def numbered(count, **options):
    rows = [{"prompt": f"say {n}", "expected": n} for n in range(count)]
    return questions_in(rows, "q", **{"check": "number", "judged": False, **options})


def ran(path, questions, asker, *, budget=None, at_once=4, expected=0.01, judge=""):
    with open_ledger(path, fingerprint(questions)) as ledger:
        evaluation = Evaluation(ledger, asker, judge, lambda *_: expected, budget)
        jobs = [Job(question, plan) for question in questions for plan in PLANS]
        asyncio.run(evaluation.run(jobs, at_once))
        evaluation.left = sum(evaluation.missing(job) for job in jobs)
        return evaluation


def test_every_plan_answers_every_question_once_and_is_scored(tmp_path):
    questions = numbered(5)
    asker = FakeAsker(says=lambda model, prompt: prompt if model == "dear" else "no")
    done = ran(tmp_path / "a", questions, asker)
    assert len(asker.requests) == len(set(asker.requests)) == 10
    assert done.ledger.spent_usd == pytest.approx(0.1)
    cheap, dear = summaries(questions, PLANS, done.ledger)
    assert (cheap.quality.mean, dear.quality.mean) == (0.0, 1.0)
    assert dear.quality.low == pytest.approx(0.566, abs=0.001)  # Wilson's interval of 5 in 5
    rows = outcome_rows(questions, PLANS, done.ledger)
    assert len(rows) == 10
    assert rows[1]["plan"] == "dear"
    assert rows[1]["score"] == 1.0
    assert rows[1]["prompt"] == "say 0"


def test_run_again_it_asks_for_nothing_that_it_has(tmp_path):
    questions, path = numbered(5), tmp_path / "a"
    ran(path, questions, FakeAsker())
    asker = FakeAsker()
    assert ran(path, questions, asker).left == 0
    assert asker.requests == []


@draws(40)
@given(cut=st.integers(1, 4000), at_once=st.integers(1, 8))
def test_cut_off_anywhere_it_keeps_every_answer_whose_line_is_whole(tmp_path_factory, cut, at_once):
    """A kill leaves some prefix of the file."""
    questions, path = numbered(6), tmp_path_factory.mktemp("cut") / "a"
    ran(path, questions, FakeAsker())
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    whole = content.count(b'"answer":') - (b'"answer":' in content[content.rfind(b"\n") + 1 :])
    asker = FakeAsker()
    assert ran(path, questions, asker, at_once=at_once).left == 0
    assert len(asker.requests) == 12 - whole


@draws(60)
@given(
    budget=st.floats(0.001, 0.3),
    at_once=st.integers(1, 6),
    real=st.floats(0.0, 0.03),
)
def test_the_budget_is_passed_by_no_more_than_the_errors_of_the_requests_under_way(
    tmp_path_factory, budget, at_once, real
):
    expected = 0.01
    asker = FakeAsker(cost_usd=real)
    path = tmp_path_factory.mktemp("budget") / "a"
    done = ran(path, numbered(10), asker, budget=budget, at_once=at_once, expected=expected)
    assert done.ledger.spent_usd == pytest.approx(asker.taken_usd)
    assert asker.taken_usd <= budget + at_once * max(real - expected, 0) + 1e-9
    if done.left:
        assert "would pass the budget" in done.stopped
        assert asker.taken_usd + at_once * max(real, expected) + expected > budget


def test_a_failed_request_is_paid_for_named_and_asked_again_the_next_time(tmp_path):
    questions, path, asker = numbered(2), tmp_path / "a", FakeAsker()
    asker.broken = {("dear", "say 1")}
    done = ran(path, questions, asker)
    assert done.failures == {("row-2", "dear"): "503: busy"}
    assert done.left == 1
    assert done.ledger.spent_usd == pytest.approx(0.04)
    again = FakeAsker()
    assert ran(path, questions, again).ledger.spent_usd == pytest.approx(0.05)
    assert again.requests == [("dear", "say 1")]


def test_a_judge_grades_once_and_its_cost_counts(tmp_path):
    def says(model, prompt):
        return '{"score": 0.25, "problems": "vague"}' if model == "large" else "x"

    path = tmp_path / "a"
    questions = questions_in([{"prompt": f"say {n}"} for n in range(3)], "q", check="", judged=True)
    asker = FakeAsker(says=says)
    done = ran(path, questions, asker, judge="large")
    assert done.ledger.spent_usd == pytest.approx(0.12)
    assert {score.score for score in done.ledger.scores.values()} == {0.25}
    assert {score.reason for score in done.ledger.scores.values()} == {"vague"}
    other = FakeAsker(says=says)
    ran(path, questions, other, judge="second")  # another judge grades the answers that are there
    assert {model for model, _ in other.requests} == {"second"}


def test_a_judge_that_takes_no_temperature_is_asked_without_one(tmp_path):
    class Strict(FakeAsker):
        async def ask(self, model, fields, *, task):
            answer = await super().ask(model, fields, task=task)
            if model == "large" and "temperature" in fields:
                return PlanAnswer("", 0.0, 0.1, refusal="`temperature` is no longer taken")
            return answer

    questions = questions_in([{"prompt": "say 1"}], "q", check="", judged=True)
    asker = Strict(says=lambda model, _: '{"score": 0.5}' if model == "large" else "x")
    done = ran(tmp_path / "a", questions, asker, judge="large")
    assert {score.score for score in done.ledger.scores.values()} == {0.5}


def test_the_sandbox_is_asked_once_for_what_all_plans_are_compared_with(tmp_path):
    class Computes(FakeAsker):
        async def ask(self, model, fields, *, task):
            answer = await super().ask(model, fields, task=task)
            proven = model == "compute" and fields["messages"][-1]["content"] != "say 1"
            return PlanAnswer(answer.text, 0.0, 0.1, proven=proven)

    rows = [{"prompt": f"say {n}"} for n in range(2)]
    questions, asker = questions_in(rows, "q", check="computed", judged=False), Computes()
    with open_ledger(tmp_path / "a", "x") as ledger:
        evaluation = Evaluation(ledger, asker, "", lambda *_: 0.0, None)
        jobs = [Job(question, plan, "compute") for question in questions for plan in PLANS]
        asyncio.run(evaluation.run(jobs, 4))
    assert [model for model, _ in asker.requests].count("compute") == 2
    assert ledger.scores["row-1", "dear"].score == 1.0
    assert ledger.scores["row-2", "dear"].score is None
    assert ledger.scores["row-2", "dear"].reason == "the sandbox proved no answer"


def test_the_file_of_another_evaluation_and_a_file_of_something_else_are_refused(tmp_path):
    path = tmp_path / "a"
    ran(path, numbered(2), FakeAsker())
    with pytest.raises(ForeignLedger, match="answers to other questions"):
        ran(path, numbered(3), FakeAsker())
    path.write_text("my diary\n")
    with pytest.raises(ForeignLedger, match="no line of an evaluation"):
        ran(path, numbered(2), FakeAsker())
    assert path.read_text() == "my diary\n"
    with open_ledger(tmp_path / "b", "x"), pytest.raises(ForeignLedger, match="another evaluation"):
        ran(tmp_path / "b", numbered(2), FakeAsker())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_the_interval_of_quality_holds_its_mean_and_lies_between_0_and_1(scores):
    interval = share_interval(scores)
    assert 0 <= interval.low <= interval.mean + 1e-12
    assert interval.mean - 1e-12 <= interval.high <= 1
    assert interval.low < interval.high


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=100))
def test_the_interval_of_a_mean_holds_it(values):
    interval = mean_interval(values)
    assert interval.low <= interval.mean + 1e-9
    assert interval.mean <= interval.high + 1e-9
