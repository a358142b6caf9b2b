"""Measures the CPU time of one decision with a policy that has learned, step by step.

    python -m experiments.overhead.deciding [--beside FOLDER]

`FOLDER` is another checkout of this repository, such as one of an earlier commit. Both are measured
in turns, each in a process of its own, with the same requests and the same learned policy. The
times are those of the thread's CPU; each is the smallest of many rounds, as others use the machine.
Parsing the JSON of a body is not part of a decision.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learner import snapshot
from learner.bandit_learner import Bandit
from learner.policy import Arm, Feedback, Outcome
from router.api.parse import parse_body, parse_chat
from router.config.config import Config
from router.domain import Request, Trace
from router.learning.state import settings_of
from router.plans.compiled import Plans
from router.request.complexity import complexity
from router.request.context import context_of, numbers, taught
from router.request.lens import ENOUGH, Lens, fitted
from router.request.reading import reading_of
from router.request.statistical import _kept, warm
from router.request.terms import terms
from router.routing.case import Surroundings, case_of
from router.routing.claims import Claims
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of
from router.telemetry.rows import request_row

HERE = Path(__file__).parent
_ANSWERS, _ROUNDS, _TURNS = 3_000, 15, 2
STEPS = ("reading", "claims", "eligible and features", "odds and draw", "row")
_PRICES = ((0.05, 0.2), (0.15, 0.6), (0.3, 1.2), (1, 4), (2.5, 10), (3, 15), (15, 75))
_EMBEDDED = {
    "generator": {"kind": "generator"},
    "sandbox": {"kind": "sandbox"},
    "football": {"kind": "specialist", "folder": "shipped:football"},
}
_EMBEDDED_PLANS = {
    "records": {"ask": "generator"},
    "computed": {"code": "sandbox"},
    "documents": {"ask": "football"},
}
_TOPICS = (
    *("gardens", "interest rates", "bridges", "our refund policy", "the French revolution"),
    *("queues in Postgres", "a broken bicycle", "photosynthesis", "tax on rent", "whales"),
)
_ASKED = (
    *("What is the usual reason for {}?", "Write a friendly note to a client about {}."),
    *("Compare two ways to think about {} and justify which is better.", "Tell me about {}."),
    *("def total(rows):\n    return sum(rows)\n\nRefactor this python function for {}.",),
    *("Summarize the following about {} in three points.", "¿Qué es lo más importante de {}?"),
    *("Prove step by step that {} must be at least as costly as before.", "translate: {}"),
)
_SENTENCES = (
    "The committee met on Tuesday and read the report about {} once more.",
    "Nobody could say when the figures for {} had last been checked, nor by whom.",
    "In 2019 there were 412 cases, and in 2023 no fewer than 1,277 of them.",
    "It is required that each record about {} has a unique name and at least one address.",
)


def settings(*, embedded: bool) -> dict[str, Any]:
    """Seven models of different prices; `embedded` adds backends that need no model."""
    backends: dict[str, Any] = {
        f"model-{at}": {
            "kind": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "model": f"m{at}",
            "price": {"input": price[0], "output": price[1]},
        }
        for at, price in enumerate(_PRICES)
    }
    plans: dict[str, Any] = {f"plan-{at}": {"ask": f"model-{at}"} for at in range(len(_PRICES))}
    if embedded:
        backends, plans = backends | _EMBEDDED, plans | _EMBEDDED_PLANS
    return {"backends": backends, "plans": plans, "objective": {"strategy": "bandit"}}


def prompt(chance: random.Random, sentences: int = 0) -> str:
    question = chance.choice(_ASKED).format(chance.choice(_TOPICS))
    more = (chance.choice(_SENTENCES).format(chance.choice(_TOPICS)) for _ in range(sentences))
    return " ".join((*more, question))


def agents_messages(chance: random.Random) -> list[dict[str, Any]]:
    """The thirty messages of a coding agent's session, with edits and tests that fail at first."""
    about = chance.choice(_TOPICS)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You are a coding agent. " + "Be careful with files. " * 200},
        {"role": "user", "content": f"<system-reminder>Todo: none</system-reminder>\nFix {about}"},
    ]
    calls = (
        ("read_file", {"path": "src/queue.py"}, "1\timport os\n" * 120),
        ("bash", {"command": "python -m pytest tests"}, "E  AssertionError\n2 failed, 9 passed\n"),
        ("edit", {"path": "src/queue.py", "old": "x = 1", "new": f"x = {about!r}"}, "done"),
        ("bash", {"command": "python -m pytest tests"}, "11 passed in 0.52s\n"),
        ("grep", {"pattern": "total"}, "src/queue.py:12: total = 0\n" * 20),
    )
    for at in range(14):
        name, arguments, result = calls[at % len(calls)]
        call = {"name": name, "arguments": json.dumps(arguments)}
        messages += [
            {
                "role": "assistant",
                "content": f"Step {at}.",
                "tool_calls": [{"id": f"c{at}", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"c{at}", "content": result},
        ]
    return messages


def bodies(kind: str, count: int, *, seed: int) -> list[bytes]:
    """Requests of one kind: `short`, `long` with about 4,000 tokens, or an `agent`'s."""
    chance, made = random.Random(seed), []
    for _ in range(count):
        fields: dict[str, Any] = {"model": "auto"}
        if kind == "agent":
            fields["messages"] = agents_messages(chance)
            names = ("bash", "edit", "grep", "read_file", "todo_write")
            fields["tools"] = [
                {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
                for name in names
            ]
        else:
            text = prompt(chance, 230 if kind == "long" else 0)
            fields["messages"] = [{"role": "user", "content": text}]
        made.append(json.dumps(fields).encode())
    return made


def learned(plans: Plans) -> tuple[bytes, bytes]:
    """The snapshot of a bandit that learned from some thousand answers and has trees; its lens."""
    chance = random.Random(1)
    kinds = ("short", "short", "short", "short", "agent")
    requests = [request_of(bodies(chance.choice(kinds), 1, seed=at)[0]) for at in range(_ANSWERS)]
    readings = [request.reading for request in requests]
    chosen = readings[:ENOUGH]
    lens = fitted([terms(r.words) for r in chosen], [None] * ENOUGH, [r.kinds for r in chosen])
    bandit = Bandit(taught(lens.number))
    arms = [Arm(name) for name in plans.names if name.startswith("plan-")]
    bandit.set_arms(arms)
    for at, reading in enumerate(readings):
        row = numbers(reading, complexity(reading, plans.weights), tagged=False, lens=lens)
        context = dict(context_of(row, "", lens=lens.number))
        context.pop("complexity")
        arm = arms[at % len(arms)]
        strong = arms.index(arm) / len(arms)
        hard = "kind=reasoning" in context or "kind=code" in context or "agent=edit" in context
        good = chance.random() < (0.3 + 0.6 * strong if hard else 0.75 + 0.1 * strong)
        bandit.learn(Feedback(str(at), arm, context, float(good), propensity=1 / len(arms)))
        for kind in ("", next(name for name in context if name.startswith("kind="))):
            bandit.see(Outcome(arm, context, 1.0, 0.4 + strong), kind)
        if bandit.trees_are_due:
            bandit.grow(bandit.policy().priced({}).prices)
    return snapshot.written(bandit), lens.written()


def request_of(body: bytes) -> Request:
    return parse_chat(body, {}, request_id="r", key_id="")


class Decider:
    """Decides as a router does, and can do each step of that alone."""

    def __init__(self, plans: Plans, bandit: bytes, lens: bytes) -> None:
        self.plans, self.lens, self.claims = plans, Lens.read(lens), Claims()
        policy = snapshot.read(bandit, settings_of(plans.config)).policy(fallback=policy_of(plans))
        assert policy.insight is not None
        assert len(policy.insight.forest.roots)
        self.by = Deciders(policy_of(plans), policy)

    def claiming(self, request: Request) -> Surroundings:
        claims = self.claims.of(self.plans.config, request)
        vector = self.claims.vector(self.plans.config, request, always=False)
        return Surroundings(claims=claims, lens=self.lens, vector=vector, policy_version="v1")

    def times(self, body: bytes) -> dict[str, float]:
        """The CPU seconds of each step of one decision. A message is new, and was never read."""
        _kept.clear()
        request, fields, clock = request_of(body), parse_body(body), time.thread_time_ns
        words = request.reading.last_words  # read before the clock runs, if it was still unread
        begun = clock()
        reading_of(fields)
        read = clock()
        around = self.claiming(request)
        claimed = clock()
        case_of(self.plans, request, around)
        prepared = clock()
        case_of(self.plans, request, around)  # what it interprets is remembered now
        prepared_again = clock()
        decision = route(self.plans, self.by, request, around, uniform=0.5)
        routed = clock()
        request_row(Trace(request, decision, 0.0))
        written = clock()
        assert words == request.reading.last_words
        drawn = routed - prepared_again - (prepared_again - prepared)
        steps = (read - begun, claimed - read, prepared - claimed, drawn, written - routed)
        return dict(zip(STEPS, steps, strict=True))


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """Microseconds of each step: the least of all rounds, averaged over the requests of a kind."""
    warm()
    result = {}
    for embedded in (False, True):
        config = settings(embedded=embedded) | {"server": {"data": str(folder / "data")}}
        decider = Decider(
            Plans(Config.model_validate(config)),
            (folder / "bandit").read_bytes(),
            (folder / "lens").read_bytes(),
        )
        for kind in ("short", "long", "agent"):
            means = [_least(decider, body) for body in bodies(kind, 6, seed=9)]
            name = f"{kind}, embedded" if embedded else kind
            result[name] = {step: statistics.mean(m[step] for m in means) / 1e3 for step in STEPS}
    return result


def _least(decider: Decider, body: bytes) -> dict[str, float]:
    rounds = [decider.times(body) for _ in range(_ROUNDS)]
    return {step: min(times[step] for times in rounds) for step in STEPS}


def beside(folders: Sequence[Path], inputs: Path) -> list[dict[str, dict[str, float]]]:
    """The figures of each checkout: the least of several turns."""
    turns: list[list[Any]] = [[] for _ in folders]
    for _ in range(_TURNS):
        for at, folder in enumerate(folders):
            turns[at].append(json.loads(run(folder, "--inputs", inputs)))
    return [
        {
            kind: {s: round(min(turn[kind][s] for turn in each), 1) for s in STEPS}
            for kind in each[0]
        }
        for each in turns
    ]


def run(checkout: Path, option: str, inputs: Path) -> bytes:
    """What this program prints if it runs on a checkout. Many threads of BLAS take many times the
    CPU on matrices as small as these, so a service has one, too."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = os.environ | one_thread | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, str(HERE / "deciding.py"), option, str(inputs)]
    output = subprocess.run(
        command, env=environment, cwd=checkout, stdout=subprocess.PIPE, check=True
    )
    return output.stdout


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--beside", type=Path, help="another checkout to measure in turns")
    parser.add_argument("--inputs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--learn", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inputs is not None:
        print(json.dumps(measured(options.inputs)))
        return
    if options.learn is not None:
        bandit, lens = learned(Plans(Config.model_validate(settings(embedded=False))))
        (options.learn / "bandit").write_bytes(bandit)
        (options.learn / "lens").write_bytes(lens)
        return
    own = HERE.parent.parent
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder)
        run(own, "--learn", inputs)
        folders = [own, *((options.beside.resolve(),) if options.beside else ())]
        figures = dict(zip(("now", "before"), beside(folders, inputs), strict=False))
    for name, kinds in figures.items():
        for kind, steps in kinds.items():
            parts = ", ".join(f"{step} {us:.0f}" for step, us in steps.items())
            print(f"{name:7}{kind:16}{sum(steps.values()):6.0f} µs: {parts}")
    result = {"machine": platform.processor() or platform.machine(), "answers": _ANSWERS, **figures}
    (HERE / "deciding.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
