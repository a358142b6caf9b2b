"""Plays a world's stream through the real engine, telemetry, learner, trials and growth, in one
process.

The backends are the world's models. A backend sees only the messages of its call: it recovers the
request from the last of them that the world knows, the instruction from those of the system and
after, and worked examples from the pairs in between. Nothing of a plan reaches the world otherwise.
Time is the world's: its clock moves between requests, and a call takes as long as the world says.
"""

import asyncio
import datetime as dt
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import orjson

from router.config.config import Config
from router.demo.in_process import Clock, InProcessService, in_process_service
from router.domain import Call, Reply, Trace
from router.telemetry.journal import Journal
from router.telemetry.self_analysis import AnalysedTime, score_of
from router.telemetry.store.catalog import CATALOG_FILE
from router.wire.chat_replies import completion, in_one_piece, reply_base

BEGIN = 1_764_547_200.0  # 1 December 2025, in the midst of nothing
TURN_EVERY = 40  # requests between two turns of the learner
WRITER = "writer"  # the backend that writes instructions, if the world has an author
UNDECIDED = ("running", "decided")  # the states of a trial that nobody acted on yet
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """What a call said beside the request: the marks of a made plan, as the model sees them."""

    model: str
    instruct: str = ""
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """A request of the stream, and how it was answered."""

    i: int
    kind: str  # hidden from the system
    plan: str
    strategy: str
    ok: bool
    ms: float
    usd: float
    calls: tuple[Made, ...]
    on_trial: bool  # whether a trial decided which side answered

    @property
    def last(self) -> Made:
        return self.calls[-1] if self.calls else Made("")


@dataclass
class Scene:
    """The request that is being answered, and what the world did for it."""

    world: Any
    answer: Callable[..., Any]  # of the world: (request, model, …) -> Reply
    request: Any = None
    calls: list[Made] = field(default_factory=list)
    replies: list[Any] = field(default_factory=list)
    written: int = 0  # instructions that the world's author wrote

    def begin(self, request: Any) -> None:
        self.request, self.calls, self.replies = request, [], []

    @property
    def ms(self) -> float:
        return float(sum(reply.ms for reply in self.replies))


@dataclass
class WorldBackend:
    """Answers calls as a model of the world does."""

    name: str
    scene: Scene

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        messages = orjson.loads(call.body)["messages"]
        text, usage = self._reply(messages)
        body = completion(reply_base(call, self.name), text, "stop", usage)
        yield Reply(200, "application/json", in_one_piece(body))

    async def close(self) -> None:
        pass

    def _reply(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, int]]:
        scene, request = self.scene, self.scene.request
        at = place_of(messages, request.text) if request is not None else None
        if at is None:
            return self._written(messages), usage_of(0, 0)
        made = made_in(self.name, messages, at)
        attempt = Counter(call.model for call in scene.calls)[self.name]
        reply = scene.answer(
            request, self.name, instruct=made.instruct, examples=made.examples, attempt=attempt
        )
        scene.calls.append(made)
        scene.replies.append(reply)
        return reply.text, usage_of(reply.usd, reply.tokens_out)

    def _written(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """What the author of the world writes when shown prompts of a pattern."""
        author = getattr(self.scene.world, "author", None)
        if author is None or self.name != WRITER:
            return "I cannot help with that."
        whole = "\n".join(text_of(message) for message in messages)
        prompts = [text for text in self.scene.world.meta if text in whole]
        self.scene.written += 1
        return str(author(prompts, attempt=self.scene.written))


@dataclass
class TimedJournal:
    """The journal of the service; a request took as long as the world says."""

    inner: Journal
    scene: Scene

    def append(self, trace: Trace) -> None:
        trace.seconds = self.scene.ms / 1000
        self.inner.append(trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


def place_of(messages: Sequence[Mapping[str, Any]], text: str) -> int | None:
    """The position of the request among the messages; None if the call is about something else."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at]["role"] == "user" and text_of(messages[at]) == text:
            return at
    return None


def made_in(model: str, messages: Sequence[Mapping[str, Any]], at: int) -> Made:
    """What stands around the request: instructions, and pairs of a prompt and its answer."""
    words, examples, prompt = [], [], ""
    for n, message in enumerate(messages):
        match message["role"]:
            case "system" | "developer":
                words.append(text_of(message))
            case "user" if n < at:
                prompt = text_of(message)
            case "assistant" if n < at:
                examples.append((prompt, text_of(message)))
            case "user" if n > at:
                words.append(text_of(message))
    return Made(model, "\n\n".join(words), tuple(examples))


def usage_of(usd: float, tokens_out: int) -> dict[str, int]:
    """Tokens that cost so many dollars at one dollar per million, so that costs are the world's."""
    units = max(1, round(usd * _MILLION))
    output = min(tokens_out, units)
    return {
        "prompt_tokens": units - output,
        "completion_tokens": output,
        "total_tokens": units,
    }


def config_of(models: Sequence[str], data: str, changes: Mapping[str, Any]) -> Config:
    """A configuration with a backend for each model of a world."""
    price = {"input": 1.0, "output": 1.0}
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "price": price}
    settings: dict[str, Any] = {
        "server": {"data": data},
        "backends": {name: {**backend, "model": name} for name in models},
        "plans": {name: {"ask": name} for name in models if name != WRITER},
        "objective": {"strategy": "bandit", "optimize": "balanced"},
        "signals": [],
        "telemetry": {"seal_seconds": 3, "prompts": True, "answers": True},
        "trials": {"propose": True, "adopt": True},
    }
    for name, value in changes.items():
        old = settings.get(name)
        settings[name] = {**old, **value} if isinstance(old, dict) and name != "plans" else value
    return Config.model_validate(settings)


@dataclass
class Play:
    """A world that is being played; `played` grows with each request."""

    waggle: InProcessService
    scene: Scene
    rate: float = 1.0  # share of answers that users judge
    played: list[Played] = field(default_factory=list)
    seconds: float = 0.0  # real time

    async def requests(self, stream: Sequence[Any]) -> None:
        begun = time.perf_counter()
        for request in stream:
            self.waggle.clock.now = max(self.waggle.clock.now, BEGIN + request.at)
            self.played.append(await self.request(request))
            if len(self.played) % TURN_EVERY == 0:
                await self.learn()
        await self.learn()
        self.seconds += time.perf_counter() - begun

    async def learn(self) -> None:
        """A turn of the learner; then the router carries out what the learner wants written."""
        await self.waggle.learn()
        engine = self.waggle.engine
        errand, engine.following.errand = engine.following.errand, None
        if errand is not None:
            self.scene.begin(None)
            words = await engine.completion(errand.backend, errand.prompt)
            engine.following.done = (errand.id, words)

    async def windows(self, stream: Sequence[Any], size: int = 1000) -> list[str | None]:
        """Play the stream, and return what Waggle itself says of its efficiency after each window:
        of the last window, by all that the last two windows show. None: it does not know."""
        scores = []
        for at in range(0, len(stream), size):
            await self.requests(stream[at : at + size])
            since = BEGIN + stream[max(at - size, 0)].at
            scores.append(await asyncio.to_thread(self._own_score, since, size))
        return scores

    async def course(self, stream: Sequence[Any], points: int = 14) -> list[float]:
        """The course of its efficiency in its own words, by what it knows in the end."""
        return await asyncio.to_thread(self._own_course, BEGIN + stream[0].at, points)

    async def issues(self, stream: Sequence[Any]) -> list[dict[str, Any]]:
        """What Waggle itself says could be better, by all that the stream showed."""
        analysed = self._analysed(BEGIN + stream[0].at, 2000)
        return await asyncio.to_thread(self._rows, analysed.issues())

    def _own_score(self, since: float, newest: int) -> str | None:
        (row,) = self._rows(self._analysed(since, newest).efficiency())
        return None if row["score"] is None else score_of(row)

    def _own_course(self, since: float, points: int) -> list[float]:
        every = (self.waggle.clock() - since) / points
        rows = self._rows(self._analysed(since, 1000).curve(every))
        whole = len(self.played) / points / 2  # the first and the last bucket may hold few requests
        return [round(row["score"], 1) for row in rows if row["n"] >= whole]

    def _analysed(self, since: float, newest: int) -> AnalysedTime:
        weights = self.waggle.config.objective.preference
        begin, end = (
            dt.datetime.fromtimestamp(at, dt.UTC).replace(tzinfo=None)
            for at in (since, self.waggle.clock() + 1)
        )
        return AnalysedTime(begin, end, newest, (weights.cost, weights.latency))

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        path = str(self.waggle.config.telemetry_folder / CATALOG_FILE)
        with duckdb.connect(path, read_only=True) as con:
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    async def request(self, request: Any) -> Played:
        scene = self.scene
        scene.begin(request)
        reply = await self.waggle.ask(request.text)
        trace = reply.trace
        answer = scene.replies[-1] if scene.replies else None
        ok = scene.world.check(request, reply.text)
        if answer is not None:
            judged = self._judgement(request, ok)
            if judged is not None:
                self.waggle.judge(trace, float(judged))
        return Played(
            request.i,
            request.kind,
            trace.decision.plan,
            trace.decision.strategy,
            ok,
            scene.ms,
            sum(each.usd for each in scene.replies),
            tuple(scene.calls),
            self._on_trial(trace),
        )

    def _judgement(self, request: Any, ok: bool) -> bool | None:
        """What a user says of the answer that was served, whichever call gave it."""
        feedback = getattr(self.scene.world, "feedback", None)
        if feedback is None:  # in such a world everybody says how good an answer was
            return ok
        said_good: bool | None = feedback(request, Judged(ok), rate=self.rate)
        return said_good

    def _on_trial(self, trace: Trace) -> bool:
        """Whether a trial that is still undecided had a say in how the request was answered."""
        trials = self.waggle.publisher.director.book.trials
        exposed = (trials.get(exposure.trial) for exposure in trace.decision.exposures)
        return any(trial is not None and trial.state in UNDECIDED for trial in exposed)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a user judges: the answer that was served, whichever call gave it."""

    ok: bool


@asynccontextmanager
async def playing(
    world: Any,
    models: Sequence[str],
    data: str,
    *,
    seed: int,
    answer: Callable[..., Any] | None = None,
    rate: float = 1.0,
    changes: Mapping[str, Any] | None = None,
) -> AsyncIterator[Play]:
    """The service with the world's models as backends, ready for the stream."""
    scene = Scene(world, answer or world.answer)
    config = config_of(models, data, changes or {})
    async with in_process_service(config, clock=Clock(BEGIN), seed=seed) as waggle:
        for name in models:
            waggle.hosts[name].backend = WorldBackend(name, scene)
        journal: Any = TimedJournal(waggle.engine.journal, scene)
        waggle.engine.journal = waggle.engine.ledger.journal = journal
        yield Play(waggle, scene, rate)
