"""A service that learns a narrow task: its telemetry, its book of trials and its lessons."""

import random

import numpy as np
import orjson

from router.config.config import Config
from router.models.features import Asked, features_of
from router.models.head import Doubts, Head, Slot
from router.models.registry import Registry
from router.models.scoring import Linear
from router.request.context import FEATURES_VERSION
from router.training.lessons import lesson_run
from router.training.lessons.state import state_in
from router.training.lessons.teaching import Teaching
from router.trials.director import Director
from tests.fakes import MemoryJournal
from tests.learning.traffic import features_of as features_of_row
from tests.models.made import register
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal
from tests.training import tickets

_SYLLABLES = [a + b for a in "bcdfgklmnprstv" for b in "aeiou"]
BACKEND = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
WORDS = {"telemetry": {"prompts": True, "answers": True}, "trials": {"propose": True}}
RAW = {
    "backends": {"large": BACKEND | {"price": {"input": 10, "output": 30}}, "small": BACKEND},
    "plans": {
        "large": {"ask": "large"},
        "vote": {"fan_out": ["large", "large"], "merge": "vote"},
        "chain": {"cascade": ["small", "large"], "accept": {"agreement": 0.8}},
        "board": {"committee": {"members": ["large", "small"]}},
    },
    "objective": {"strategy": "fixed", "plan": "large"},
    "training": {"triage": {"task": "tickets", "rows": 200}},
    "reuse": {"encoder": "/nowhere"},
    **WORDS,
}


class Trained:
    """A process that trained at once, in this process."""

    def __init__(self, folder):
        job = lesson_run.LessonJob(**orjson.loads((folder / lesson_run.JOB).read_bytes()))
        content = orjson.dumps(self.result(job), option=orjson.OPT_SERIALIZE_NUMPY)
        (folder / lesson_run.RESULT).write_bytes(content)

    def result(self, job):
        return lesson_run.carry_out(job)

    def poll(self):
        return 0


class MadeByHand(Trained):
    """A process that made the data set of its lesson, and a head by hand in place of training."""

    def result(self, job):
        maker, query = lesson_run.maker_of(job)
        data = maker.make(job.name, query, job.now_micros).data_set
        registry = Registry(lesson_run.Path(job.models))
        registry.follow()
        number = len(getattr(registry.book.models.get(job.name), "versions", ())) + 1
        metrics = {
            "answered": 0.9, "loss_answered": 0.0, "differs": 0.0, "rows": 60,
            "expected_calibration_error": 0.01,
        }  # fmt: skip
        answers = labels_of(data)
        facts = {"version": number, "promote": False, "metrics": metrics, "run": f"r{number}"}
        register(registry.path.parent, head_for(answers), name=job.name, **facts)
        return {
            "state": "finished", "why": "", "model": f"{job.name}@{number}", "metrics": metrics,
            "cost": {"ms": 1.0}, "data": data.reference, "rows": data.card["rows"], "run": "r",
        }  # fmt: skip


def labels_of(data):
    """For each topic the label that most of its rows have."""
    counts = {topic: {} for topic in tickets.TOPICS}
    for row in data.rows["train"]:
        for topic, words in tickets.TOPICS.items():
            if any(word in row.text for word in words):
                counts[topic][row.answer] = counts[topic].get(row.answer, 0) + 1
    return {topic: max(each, key=each.get) for topic, each in counts.items()}


def head_for(labels):
    """A head that gives each topic its label, by the words of the topic."""
    values = tuple(sorted(set(labels.values())))
    topics = {t: features_of(Asked(" ".join(words))) for t, words in tickets.TOPICS.items()}
    columns = np.unique(np.concatenate([each.buckets for each in topics.values()]))
    weights = np.zeros((len(columns), len(values)), np.float32)
    for topic, each in topics.items():
        weights[np.searchsorted(columns, each.buckets), values.index(labels[topic])] = 6.0
    scoring = Linear(weights, np.zeros((len(values), 0), np.float32), np.zeros(len(values)))
    certain, ones = np.array([0.0, 1.0], np.float32), np.ones(len(columns), np.float32)
    return Head((Slot("", values),), (scoring,), columns, ones, certain, certain, Doubts(0.5))


class World:
    def __init__(self, folder, process=Trained, **more):
        data = {"server": {"data": str(folder), "encoders": str(folder / "none")}}
        self.config = Config.model_validate({**RAW, **data, **more})
        self.at, self.chance, self.notes = NOON, random.Random(3), []
        self.stored = Stored(self.config.telemetry_folder)
        self.director = Director(self.config, MemoryJournal(), self.now)
        self.teaching = Teaching(self.director, self.config, self.now, self._note, process)

    def _note(self, kind, subject, state, **detail):
        self.notes.append((kind, subject, state))

    def now(self):
        return self.at / 1e6

    def turn(self):
        self.at += MINUTE
        self.teaching.turn()

    def write(self, count, rule=lambda label: label, plan="large", task="tickets", score=1.0):
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
                    features_version=FEATURES_VERSION,
                    features=features_of_row(text),
                    prompt=f"{tickets.SYSTEM}\n{text}",
                    prompt_parts=[{"role": role, "characters": len(t)} for role, t in parts],
                    answer=tickets.loose(rule(label), self.chance),
                )
            )
        self.stored.write("requests", rows)
        self.stored.write("signals", [signal(row, score) for row in rows])

    @property
    def state(self):
        return state_in(self.teaching.folder, "triage")

    def promoted(self):
        registry = Registry(self.config.models_folder)
        registry.follow()
        return registry.book.models["triage"].promoted
