"""Lessons: a narrow task is learned, tried, adopted, audited, rolled back and learned anew."""

import random

import pytest
import yaml

from learner.assignment import Slot
from router.config.config import Config
from router.config.load import load
from router.config.problems import ConfigError
from router.config.training import Lesson
from router.learning.publisher import Published
from router.models.registry import NoSuchModel, Registry
from router.plans.made import MadePlan, place_of_task
from router.routing.steering import Live, Steering
from router.routing.strategies import Strategy
from router.training.lessons import lesson_run
from router.training.lessons.audits import audit_of
from router.training.lessons.state import LessonState, state_in
from router.training.lessons.subjects import Taught
from router.training.lessons.teaching import Teaching
from router.training.lessons.triggers import due, refusal
from router.trials.book import candidate_of
from router.trials.director import Director
from router.trials.made_trials import AUDITED, adopt_made, state_of
from tests.fakes import MemoryJournal
from tests.models import made as heads
from tests.rig import rig
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal
from tests.training import tickets
from tests.upstream import Upstream

NAME = "triage-model-1"
_SYLLABLES = [a + b for a in "bcdfgklmnprstv" for b in "aeiou"]
BACKEND = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
WORDS = {"telemetry": {"prompts": True, "answers": True}, "trials": {"propose": True}}
RAW = {
    "backends": {"large": BACKEND | {"price": {"input": 10, "output": 30}}},
    "plans": {"large": {"ask": "large"}, "vote": {"fan_out": ["large", "large"], "merge": "vote"}},
    "objective": {"strategy": "fixed", "plan": "large"},
    "training": {"triage": {"task": "tickets", "rows": 200}},
    "reuse": {"encoder": "/nowhere"},
    **WORDS,
}


class Done:
    """A process that trained at once, in this process."""

    def __init__(self, folder):
        job = lesson_run.LessonJob(
            **lesson_run.orjson.loads((folder / lesson_run.JOB).read_bytes())
        )
        result = lesson_run.carry_out(job)
        content = lesson_run.orjson.dumps(result, option=lesson_run.orjson.OPT_SERIALIZE_NUMPY)
        (folder / lesson_run.RESULT).write_bytes(content)

    def poll(self):
        return 0


class World:
    def __init__(self, folder, **more):
        data = {"server": {"data": str(folder), "encoders": str(folder / "none")}}
        self.config = Config.model_validate({**RAW, **data, **more})
        self.at, self.chance, self.notes = NOON, random.Random(3), []
        self.stored = Stored(self.config.telemetry_folder)
        self.director = Director(self.config, MemoryJournal(), self.now)
        self.teaching = Teaching(self.director, self.config, self.now, self._note, Done)

    def _note(self, kind, subject, state, **detail):
        self.notes.append((kind, subject, state))

    def now(self):
        return self.at / 1e6

    def turn(self):
        self.at += MINUTE
        self.teaching.turn()

    def write(self, count, rule=lambda label: label, plan="large", task="tickets"):
        rows = []
        for _ in range(count):
            label = self.chance.choice(list(tickets.TOPICS))
            story = " ".join("".join(self.chance.choices(_SYLLABLES, k=3)) for _ in range(4))
            text = f"{tickets.text_of(label, self.chance)}, as {story} knows"
            parts = [("system", tickets.SYSTEM), ("user", text)]
            self.at += MINUTE
            rows.append(
                request(
                    self.at,
                    plan=plan,
                    kind=task,
                    prompt=f"{tickets.SYSTEM}\n{text}",
                    prompt_parts=[{"role": role, "characters": len(t)} for role, t in parts],
                    answer=tickets.loose(rule(label), self.chance),
                )
            )
        self.stored.write("requests", rows)
        self.stored.write("signals", [signal(row, 1.0) for row in rows])

    @property
    def state(self):
        return state_in(self.teaching.folder, "triage")

    def promoted(self):
        registry = Registry(self.config.models_folder)
        registry.follow()
        return registry.book.models["triage"].promoted


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr("router.training.run._encoder", lambda _job: None)  # words are enough
    world = World(tmp_path)
    yield world
    world.stored.close()


def swapped(label):
    """Another rule: what was `billing` is `access` now."""
    return {"billing": "access", "access": "billing"}.get(label, label)


def test_a_lesson_is_learned_tried_promoted_audited_rolled_back_and_learned_anew(world):
    world.write(150)
    world.turn()
    assert world.teaching.under is None  # too few rows
    world.write(150)
    world.turn()
    world.turn()
    book = world.director.book
    made = book.made[NAME]
    assert state_of(book, NAME) == "running"
    assert made.plan["cascade"] == [{"ask": "learned", "model": "triage@1"}, "large"]
    assert (made.pattern, made.scope) == (place_of_task("tickets"), "key ")
    assert made.evidence.startswith("300 judged answers; triage@1 learned")
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
    world.write(260, swapped)
    world.turn()
    assert world.state.trigger.startswith("answers changed; ")
    world.turn()
    assert state_of(book, "triage-model-2") == "running"


def test_answers_of_a_model_teach_no_model_and_a_vote_is_a_teacher(world):
    world.write(300, plan="vote")
    rows = [request(world.at, kind="tickets", plan="large", gen_ai_provider_name="learned",
                    prompt="my invoice", answer="shipping")] * 1  # fmt: skip
    world.stored.write("requests", rows)
    world.stored.write("signals", [signal(row, 1.0) for row in rows])
    world.turn()
    world.turn()
    made = world.director.book.made[NAME]
    assert made.parent == "vote"
    assert made.plan["cascade"][1] == "vote"
    assert made.alike == 300


def test_an_operator_ends_it_in_the_registry(world):
    world.write(300)
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


def test_a_lesson_without_good_rows_says_why(world):
    flip = random.Random(1)
    world.write(300, lambda label: flip.choice([label, swapped(label)]))
    world.turn()
    world.turn()
    assert world.state.state == "not tried"
    assert "no confidence" in world.state.why
    assert not world.director.book.made
    world.write(100)
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
plans: {{x: {{ask: a}}}}
objective: {{strategy: fixed, plan: x}}
"""


class Learner:
    def __init__(self, steering):
        self.steering = steering

    async def news(self, _request):
        return Published("", None, steering=self.steering)


async def test_a_task_is_answered_by_its_model_and_the_teacher_has_the_rest(tmp_path):
    heads.register(tmp_path, promote=False)
    rung = {"ask": "learned", "model": "triage@1"}
    made = MadePlan(
        "triage-model-1",
        place_of_task("tickets"),
        "x",
        {"cascade": [rung, "x"], "accept": {"sure": True}},
        kind="model",
    )
    live = Live(Slot("t1", "task", 0.0, 1.0, 1.0), made.name, candidate_of(made))
    serving = Strategy("always-x", "fixed", settings={"plan": "x"})
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
        assert len(upstream.seen) == 1
        other = await ask(words, task="poems")
        assert other.headers["x-waggle-plan"] == "x"
