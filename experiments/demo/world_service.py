"""Plays the outsider's stream of repeats through the real service, with its models as backends.

The models, the author of programs and the judge are the world's. The service sees texts, and the
feedback of the world's users; everything else of a request is hidden from it.
"""

import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from router.config.config import Config
from router.demo.in_process import Clock, InProcessService, in_process_service
from router.domain import Call, Reply
from router.request.text import tokens_in
from router.wire.chat_replies import completion, in_one_piece, reply_base

sys.path.insert(0, str(Path(__file__).parents[1] / "growth" / "worlds"))
BEGIN = 1_764_547_200.0
AUTHOR = "author"
JUDGED = 1.0  # share of answers that users judge, as the world has it
SETTLE_EVERY = 8  # requests between two waits for the memory
TURN_EVERY = 125  # requests between two turns of the learner


@dataclass
class Scene:
    """The request that is being answered, and every request by its text."""

    world: Any
    request: Any = None
    by_text: dict[str, Any] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)


@dataclass
class WorldModel:
    """A model of the world: it answers the request of the scene."""

    name: str
    scene: Scene

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        reply = self.scene.world.answer(self.scene.request, self.name)
        usage = {"prompt_tokens": reply.tokens_in, "completion_tokens": reply.tokens_out}
        body = completion(reply_base(call, self.name), reply.text, "stop", usage)
        yield Reply(200, "application/json", in_one_piece(body))

    async def close(self) -> None:
        pass


@dataclass
class WorldAuthor:
    """Writes programs as the world's author does, for the first request in the prompt."""

    scene: Scene

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        messages = orjson.loads(call.body)["messages"]
        text = self._program(messages[-1]["content"])
        usage = {
            "prompt_tokens": tokens_in(json.dumps(messages)),
            "completion_tokens": tokens_in(text),
        }
        body = completion(reply_base(call, AUTHOR), text, "stop", usage)
        yield Reply(200, "application/json", in_one_piece(body))

    async def close(self) -> None:
        pass

    def _program(self, prompt: str) -> str:
        scene = self.scene
        request = scene.by_text[json.loads(prompt.splitlines()[0])["request"]]
        attempt = scene.attempts[request.i] = scene.attempts.get(request.i, -1) + 1
        source = scene.world.program(request, attempt=attempt)
        return f"```python\n{source}\n```" if source else "not a computation: nothing to calculate"


def config_of(models: Mapping[str, Mapping[str, Any]], data: str, *, start: str) -> Config:
    """The world's models as plans; the dearest one writes the programs."""

    def backend(usd_per_1k: float) -> dict[str, Any]:
        price = {"input": 1000 * usd_per_1k, "output": 1000 * usd_per_1k}
        return {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "price": price}

    dearest = max(model["usd"] for model in models.values())
    return Config.model_validate(
        {
            "server": {"data": data},
            "backends": {
                **{name: backend(model["usd"]) for name, model in models.items()},
                AUTHOR: backend(dearest),
            },
            "plans": {name: {"ask": name} for name in models},
            "objective": {"strategy": "fixed", "plan": start, "premium": start},
            "signals": [],
            "reuse": {"mode": "similar", "author": AUTHOR, "budget": 0.02, "ttl_days": 365},
            "telemetry": {"seal_seconds": 2},
            "trials": {"propose": True, "adopt": True, "every_hours": 84},
        }
    )


@dataclass
class Played:
    """What was served, as the world's judge reads it, and the repeats that went to a model."""

    rows: list[tuple[int, str, str, float]] = field(default_factory=list)
    trials: list[str] = field(default_factory=list)
    trust: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    seconds: float = 0.0


async def play(
    world: Any,
    data: str,
    *,
    models: Mapping[str, Mapping[str, Any]],
    start: str = "large",
    weeks: int = 24,
    feedback: float = JUDGED,
) -> Played:
    scene = Scene(world, by_text={request.text: request for request in world.stream})
    played = Played()
    config = config_of(models, data, start=start)
    begun = time.perf_counter()
    async with in_process_service(config, clock=Clock(BEGIN), seed=world.seed) as waggle:
        for name in models:
            waggle.hosts[name].backend = WorldModel(name, scene)
        waggle.hosts[AUTHOR].backend = WorldAuthor(scene)
        paid = _paid_beside(waggle)
        await waggle.ready()
        for request in world.stream:
            if request.week > weeks:
                break
            waggle.clock.now = max(waggle.clock.now, BEGIN + request.at)
            scene.request = request
            before = paid[0]
            reply = await waggle.ask(request.text)
            verdict = world.feedback(
                request, _Judged(world.check(request, reply.text)), rate=feedback
            )
            if verdict is not None:
                waggle.judge(reply.trace, float(verdict))
            if len(played.rows) % SETTLE_EVERY == 0:
                await waggle.settled()
            recalled = reply.trace.recalled
            tier = recalled.tier if recalled is not None and not recalled.checked else "novel"
            usd = (reply.trace.cost_usd or 0.0) + paid[0] - before
            source = "model" if tier == "novel" else "library"
            played.rows.append((request.i, reply.text, source, usd))
            if len(played.rows) % TURN_EVERY == 0:
                await waggle.learn()
                played.trust[request.week] = _trust(waggle)
        played.trials = [
            f"{trial.name}: {trial.state}"
            for trial in waggle.publisher.director.book.trials.values()
        ]
    played.seconds = time.perf_counter() - begun
    return played


def _trust(waggle: InProcessService) -> dict[str, list[float]]:
    """For each kind of likeness: its checks, those that found a wrong answer, and its stops."""
    if waggle.engine.recall is None:
        return {}
    summary = waggle.engine.recall.memory.calibration.summary()
    return {bucket: [each.checks, each.wrong, each.stops] for bucket, each in summary.items()}


@dataclass(frozen=True, slots=True)
class _Judged:
    ok: bool


def _paid_beside(waggle: InProcessService) -> list[float]:
    """The dollars of calls beside requests, such as the author's; they grow as events are noted."""
    paid = [0.0]
    journal = waggle.engine.journal
    note = journal.note

    def noted(event: Any) -> None:
        paid[0] += float(event.detail.get("cost_usd") or 0.0) if event.kind == "signal" else 0.0
        note(event)

    forms = waggle.engine.replying.keeping.forms if waggle.engine.replying.keeping else None
    if forms is not None:
        forms.writing.note = noted
    return paid
