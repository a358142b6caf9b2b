"""Rows as routers write them, and learners that read them, for tests."""

import numpy as np

from router.config.load import load
from router.learning.fold import Fold
from router.request.complexity import complexity
from router.request.context import numbers
from router.request.reading import reading_of
from tests.telemetry.stored import MINUTE, NOON, request, signal

YAML = """
server: {{data: {data}}}
backends:
  a: {{kind: generator}}
  b: {{kind: generator, price: {{input: 10, output: 30}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, learning: {{snapshots: 3, snapshot_seconds: 1}}{more}}}
"""


def configured(tmp_path, more="", yaml=YAML):
    path = tmp_path / "waggle.yaml"
    path.write_text(yaml.format(data=tmp_path / "var", more=more))
    return load(path, {})


class Traffic:
    """Writes requests, and signals about them, as routers do."""

    def __init__(self, config, stored, seed=1):
        self.config, self.stored = config, stored
        self.chance = np.random.default_rng(seed)
        self.at = NOON
        self.rows = []

    def send(
        self,
        count=30,
        *,
        good=lambda plan, task: plan == "dear",
        writers=("r1", "r2"),
        **given,
    ):
        for n in range(count):
            self.at += MINUTE // 60
            plan = ("cheap", "dear")[int(self.chance.integers(2))]
            task = ("sql", "chat")[int(self.chance.integers(2))]
            row = request(
                self.at,
                plan=plan,
                kind=task,
                eligible=["cheap", "dear"],
                probabilities=[0.5, 0.5],
                rate_usd=0.001,
                **{
                    "strategy": "bandit",
                    "propensity": 0.5,
                    "cost_usd": 0.002,
                    "features_version": 3,
                    "features": features_of(f"{task} request {n}"),
                    **given,
                },
            )
            self.rows.append(row)
            writer = writers[n % len(writers)]
            self.stored.write("requests", [row], writer)
            if self.chance.random() < 0.8:
                score = float(self.chance.random() < (0.9 if good(plan, task) else 0.3))
                self.stored.write("signals", [signal(row, score)], writer)


def features_of(text):
    """The features of a row whose prompt is this text."""
    fields = {"messages": [{"role": "user", "content": text}]}
    reading = reading_of(fields)
    score = complexity(reading, _ANY)
    return numbers(reading, score, tagged=True)


_ANY = dict.fromkeys(("fields", "nesting", "arrays", "rules", "length", "code", "question"), 0.5)


def turned(fold):
    """This fold, after it has read every row."""
    while fold.turn():
        pass
    return fold


def rebuilt(config):
    """A fold that has replayed the learner's whole log; every snapshot must agree with it."""
    fold = Fold(config, 0)
    fold.add_plans()
    for line in fold.registry.logged():
        fold.replay(line)
    return fold


def begun(config):
    """A fold that has started, and has read no new row yet."""
    fold = Fold(config, 0)
    fold.begin()
    return fold
