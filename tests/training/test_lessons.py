"""Lessons: a narrow task is learned, tried, adopted, audited, rolled back and learned anew."""

import random

import pytest
import yaml

from learner.assignment import Slot
from router.config.config import Config
from router.config.load import load
from router.config.problems import ConfigError
from router.config.training import Lesson
from router.domain import Event, new_id
from router.learning.fold import Fold
from router.learning.publisher import Published
from router.models.registry import NoSuchModel, Registry
from router.plans.made import MadePlan, place_of_task
from router.routing.steering import Live, Steering
from router.routing.strategies import Strategy
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.training.data_sets import DataSets
from router.training.lessons.audits import audit_of
from router.training.lessons.state import LessonState
from router.training.lessons.subjects import Taught
from router.training.lessons.triggers import due, refusal
from router.trials.book import candidate_of
from router.trials.made_trials import AUDITED, adopt_made, state_of
from tests.models import made as heads
from tests.rig import rig
from tests.sparing import slow_after
from tests.telemetry.stored import request, signal
from tests.training.lesson_world import RAW, MadeByHand, World
from tests.upstream import Upstream

NAME = "triage-model-1"


@pytest.fixture
def world(tmp_path):
    """A world that makes data sets, and heads by hand: what else a lesson does takes no time."""
    world = World(tmp_path, MadeByHand, training={"triage": {"task": "tickets", "rows": 100}})
    yield world
    world.stored.close()


@pytest.fixture
def trained_world(tmp_path, monkeypatch):
    monkeypatch.setattr("router.training.run._encoder", lambda _job: None)  # words are enough
    world = World(tmp_path, training={"triage": {"task": "tickets", "rows": 100}})
    yield world
    world.stored.close()


def swapped(label):
    """Another rule: what was `billing` is `access` now."""
    return {"billing": "access", "access": "billing"}.get(label, label)


def test_a_lesson_is_learned_tried_promoted_audited_rolled_back_and_learned_anew(world):
    flow(world, 120)


@pytest.mark.slow
def test_a_lesson_with_real_training_goes_the_same_way(trained_world):
    flow(trained_world, 300)


def flow(world, rows):
    rest = rows - 50
    world.write(50)
    world.turn()
    assert world.teaching.under is None  # too few rows
    world.write(rest)
    world.turn()
    world.turn()
    book = world.director.book
    made = book.made[NAME]
    assert state_of(book, NAME) == "running"
    assert made.plan["cascade"] == [{"ask": "learned", "model": "triage@1"}, "large"]
    assert (made.pattern, made.scope) == (place_of_task("tickets"), "key ")
    assert made.evidence.startswith(f"{rows} judged answers; triage@1 learned")
    assert world.promoted() is None  # nothing answers by the name before it is adopted

    world.write(80)  # its teacher answers as it would, on the other side of the trial
    world.turn()
    assert book.words[NAME]["state"] == AUDITED
    world.director.change(adopt_made, book.trial(NAME), world.now(), "it is cheaper")
    world.turn()
    assert world.promoted() == 1
    assert world.state.state == "adopted"

    world.write(60, swapped)
    world.turn()
    assert state_of(book, NAME) == "rolled back"
    assert "audits" in book.trial(NAME).why
    world.turn()
    assert world.promoted() is None
    world.write(rows - 10, swapped)
    world.turn()
    assert world.state.trigger.startswith("answers changed; ")
    world.turn()
    assert state_of(book, "triage-model-2") == "running"


@pytest.mark.parametrize("plan", slow_after(1, ["vote", "chain", "board"]))
def test_a_vote_a_cascade_and_a_committee_are_teachers_as_any_plan(world, plan):
    world.write(110, plan=plan)
    own = [request(world.at, kind="tickets", plan=plan, gen_ai_provider_name="learned",
                   prompt="my invoice", answer="shipping")]  # fmt: skip
    world.stored.write("requests", own)
    world.stored.write("signals", [signal(row, 1.0) for row in own])
    world.turn()
    world.turn()
    card = DataSets(world.config.training_folder / "data").named("triage").card
    assert set(card["plans"]) == {plan}
    assert card["left_out"] == {"answered by a model that was trained here": 1}
    book = world.director.book
    made = book.made[NAME]
    assert made.parent == plan
    assert made.plan["cascade"] == [{"ask": "learned", "model": "triage@1"}, plan]
    assert made.alike == 110
    assert state_of(book, NAME) == "running"
    assert book.usable(book.strategies[book.trial(NAME).candidate])


@pytest.mark.slow
def test_a_drift_that_the_learner_notices_makes_the_lesson_due_again(world, monkeypatch):
    """The answers of the teacher become bad, and then good again. No audit can see that: what was
    judged bad speaks against nobody."""
    monkeypatch.setattr("learner.bandit_learner.FIRST", 10**6)  # growing trees takes seconds
    config = world.config
    journal = FileJournal(config.telemetry_folder, "learner", Metrics())

    def note(kind, subject, state, **detail):
        journal.note(Event(new_id(world.now()), world.now(), kind, subject, state, detail))

    fold = Fold(config, 0, note, world.now)
    fold.begin()

    def learn():
        while fold.turn():
            pass

    world.write(120)
    learn()
    world.turn()
    world.turn()
    book = world.director.book
    world.director.change(adopt_made, book.trial(NAME), world.now(), "it is cheaper")
    world.turn()
    world.teaching.launch = lambda _folder: None  # what it learns is another test's
    world.write(60, score=0.0)
    learn()
    world.write(20)  # the learner notices that they are good again, and rows count from then on
    learn()
    world.write(110)  # fewer than the lesson had: without a drift they would be too few
    learn()
    journal.close()
    world.turn()
    assert world.teaching.under is not None
    assert world.state.trigger == "answers changed; 111 judged answers since then"  # and the last
    assert state_of(book, NAME) == "adopted"


@pytest.mark.slow
def test_an_operator_ends_it_in_the_registry(world):
    world.write(110)
    world.turn()
    world.turn()
    book, registry = world.director.book, Registry(world.config.models_folder)
    world.director.change(adopt_made, book.trial(NAME), world.now(), "it is cheaper")
    world.turn()
    heads.register(world.config.models_folder, version=2)  # an operator trained and promoted it
    world.turn()
    assert state_of(book, NAME) == "stopped"
    assert "promoted no more" in book.trial(NAME).why
    with pytest.raises(NoSuchModel):
        registry.find("triage@9")


def test_a_lesson_without_good_rows_says_why(trained_world):
    flip, world = random.Random(1), trained_world
    world.write(110, lambda label: flip.choice([label, swapped(label)]))
    world.turn()
    world.turn()
    assert world.state.state == "not tried"
    assert "no confidence" in world.state.why
    assert not world.director.book.made
    world.write(90)
    world.turn()
    assert world.teaching.under is None  # it waits until as much is new


TAUGHT = Taught(300, "key ", (), "large", 0.002, 1.0)


@pytest.mark.parametrize(
    ("state", "rows", "changed", "why"),
    [
        (LessonState("x"), 299, 0, ""),
        (LessonState("x"), 300, 0, "300 judged answers"),
        (LessonState("x", tried_at=1e9, rows=400), 799, 0, ""),
        (LessonState("x", tried_at=1e9, rows=400), 800, 0, "400 new judged answers"),
        (LessonState("x", tried_at=1e9, rows=400), 300, 2e9, "answers changed; 300"),
        (LessonState("x", tried_at=1e9, rows=400), 450, 0, "24 hours and 50 judged answers"),
    ],
)
def test_when_a_lesson_is_due(state, rows, changed, why):
    hours = 24 if "hours" in why else None
    lesson = Lesson(task="tickets", rows=300, every_hours=hours)
    taught = Taught(rows, "key ", (), "large", 0.002, 1.0)
    answer = due(lesson, state, taught, 1e9 + 86_400, changed)
    assert answer.startswith(why)
    assert bool(answer) == bool(why)


def test_only_what_passes_is_tried():
    metrics = {"answered": 0.6, "rows": 100, "expected_calibration_error": 0.02}
    result = {"why": "", "metrics": metrics, "cost": {"ms": 1.0}}
    assert refusal(result, TAUGHT, None) == ""
    assert refusal({**result, "why": "it is unsure"}, TAUGHT, None) == "it is unsure"
    few = {**result, "metrics": {**metrics, "answered": 0.05}}
    assert "answers 5% of the test rows" in refusal(few, TAUGHT, None)
    off = {**result, "metrics": {**metrics, "expected_calibration_error": 0.3}}
    assert "probabilities are off" in refusal(off, TAUGHT, None)
    free = Taught(300, "key ", (), "own", 0.0, 0.001)
    assert "neither cheaper nor much faster than own" in refusal(result, free, None)
    assert "no more than the version" in refusal(result, TAUGHT, {"answered": 0.59})


def test_audits_tell_a_changed_rule_from_chance():
    assert not audit_of([False] * 10, 0.01).passed
    assert audit_of([False] * 60, 0.01).passed
    assert audit_of([False] * 60 + [True, False] * 15, 0.01).alarm
    chance = random.Random(5)
    usual = [[chance.random() < 0.03 for _ in range(400)] for _ in range(100)]
    assert sum(audit_of(each, 0.01).alarm for each in usual) <= 1
    assert audit_of([None] * 50, 0.01).sure == 0


def test_a_backend_of_trained_models_is_there_where_something_may_be_trained():
    assert Config.model_validate(RAW).learned_backend == "learned"
    for left_out in ("telemetry", "trials"):
        raw = {name: value for name, value in RAW.items() if name not in (left_out, "training")}
        assert Config.model_validate(raw).learned_backend is None
    assert Config.model_validate({**RAW, "training": {}}).learned_backend is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"telemetry": {"prompts": True}}, "`telemetry.answers` is not true"),
        ({"training": {"x": {"task": "t", "teacher": "nobody"}}}, "nobody"),
        ({"training": {"x": {"rows": 300}}}, "either `task` or `pattern`"),
    ],
)
def test_a_lesson_that_cannot_be_taught_is_refused(tmp_path, changed, why):
    path = tmp_path / "waggle.yaml"
    path.write_text(yaml.safe_dump({**RAW, **changed}))
    with pytest.raises(ConfigError, match=why):
        load(path, {})


YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-1}}
  learned: {{kind: learned, home: "{home}"}}
plans:
  x: {{ask: a}}
  chain: {{cascade: [a, a], accept: {{regex: "[0-9]"}}}}
objective: {{strategy: fixed, plan: x}}
"""


class Learner:
    def __init__(self, steering):
        self.steering = steering

    async def news(self, _request):
        return Published("", None, steering=self.steering)


@pytest.mark.parametrize(("teacher", "calls"), [("x", 1), ("chain", 2)])
async def test_a_task_is_answered_by_its_model_and_the_teacher_has_the_rest(
    tmp_path, teacher, calls
):
    heads.register(tmp_path, promote=False)
    rung = {"ask": "learned", "model": "triage@1"}
    made = MadePlan(
        "triage-model-1",
        place_of_task("tickets"),
        teacher,
        {"cascade": [rung, teacher], "accept": {"sure": True}},
        kind="model",
    )
    live = Live(Slot("t1", "task", 0.0, 1.0, 1.0), made.name, candidate_of(made))
    serving = Strategy("always-it", "fixed", settings={"plan": teacher})
    learner = Learner(Steering(serving, lives=(live,), version=1, made=(made,)))
    async with (
        Upstream().listening() as upstream,
        rig(YAML.format(url=upstream.url, home=tmp_path), learner=learner) as waggle,
    ):
        await waggle.background.follow()

        async def ask(text, task="tickets"):
            messages = [{"role": "user", "content": text}]
            body = {"model": "auto", "messages": messages}
            headers = {"x-waggle-task": task}
            return await waggle.post("/v1/chat/completions", body, **headers)

        words = heads.KNOWN["billing"]
        sure = await ask(words)
        assert sure.json["choices"][0]["message"]["content"] == "billing"
        assert not upstream.seen
        unsure = await ask("the weather of Lagos in June")
        assert unsure.headers["x-waggle-plan"] == made.name
        assert len(upstream.seen) == calls
        other = await ask(words, task="poems")
        assert other.headers["x-waggle-plan"] == teacher
