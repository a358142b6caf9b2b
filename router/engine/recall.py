"""The engine's part of reuse: what is looked up before a decision, and what is kept after it."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from learner.policy import Arm
from router.calls.outcome import CallOutcome
from router.config.capabilities import able
from router.config.config import Config
from router.config.plans import backends_of
from router.domain import CHAT, COMPUTE, Call, Decision, Recalled, Reply, Request, Signal, Trace
from router.encoding.batching import Batching
from router.request.complexity import kind_of
from router.request.statistical import job_of, reading_of
from router.request.text import prompt_text, tokens_in
from router.request.wants import needs
from router.reuse.editing import edit_program
from router.reuse.guards import GuardVerdict
from router.reuse.library import variations
from router.reuse.memory import SolutionMemory
from router.reuse.memory_query import MemoryQuery, exact_key, program_space, query_of
from router.reuse.recollection import Recollection
from router.reuse.solution import Solution
from router.reuse.solution_store import ReuseCheck
from router.wire.chat_replies import chat_reply
from sandbox.spec import Spec

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix

_CHARACTERS = 16_384  # of a remembered answer, in one piece of a stream
_REMEMBERED_USES = 10_000  # answers from memory whose judgement still counts as evidence
_THE_SAME = GuardVerdict("same", ("the very same request",))
_ALIKE, _APART = 0.85, 0.6  # cosine of two answers that say the same, and that do not


Ask = Callable[[str, Call], Awaitable[CallOutcome]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found for a request before anything was decided."""

    wish: MemoryQuery
    found: Recollection | None = None
    vector: "Matrix | None" = None
    library: Sequence[tuple[float, Solution]] = ()

    @property
    def answers(self) -> bool:
        """Whether the answer itself is remembered: no plan is carried out."""
        return self.found is not None and self.found.recalled.tier in ("exact", "reuse")


def remember(
    config: Config,
    *,
    uniform: Callable[[], float],
    wall: Callable[[], float],
    tell: Callable[..., None],
    ask: Ask,
) -> "Remembering | None":
    """A memory in the data folder, where the configuration wants one."""
    if config.reuse.mode == "off":
        return None

    def encoder() -> Batching:
        from router.encoding.home import encoder_of

        home = str(config.data / "encoders")
        return Batching(encoder_of(config.reuse.encoder, home))

    similar = config.reuse.mode == "similar"
    folder = config.reuse_folder
    made = SolutionMemory(
        folder, config.reuse, encoder=encoder if similar else None, wall=wall, tell=tell
    )
    made.start()
    return Remembering(made, uniform, wall, tell, ask)


@dataclass
class Remembering:
    memory: SolutionMemory
    uniform: Callable[[], float]
    wall: Callable[[], float]
    tell: Callable[..., None]
    ask: Ask | None = None  # a backend, for a program that is reviewed
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _uses: OrderedDict[str, tuple[str, bytes, int]] = field(default_factory=OrderedDict)

    async def look(
        self, config: Config, request: Request, *, backend: str, allowed: Sequence[str]
    ) -> Looked:
        scope, mode = request.scope, self.memory.mode(request)
        key = exact_key(request, scope=scope, backend=backend)
        exact = self.memory.exact(key) if mode != "off" else None
        if exact is not None and exact.answer and _may(config, exact, allowed):
            recalled = Recalled("exact", exact.id, reason="the very same request was answered")
            wish = MemoryQuery(scope, b"", key, "", mode, keeps=False)
            return Looked(wish, Recollection(recalled, exact, _THE_SAME))
        wish = query_of(request, key, scope=scope, backend=backend, mode=mode)
        if wish.mode == "off":
            return Looked(wish)
        computes = reading_of(request.fields).spec is not None
        space = program_space(wish.scope) if computes else wish.space
        vector = await self.memory.vector(wish, space)
        library: Sequence[tuple[float, Solution]] = ()
        found = None
        if wish.mode == "similar" and computes:
            library = [
                one for one in self.memory.programs(wish, vector) if _may(config, one[1], allowed)
            ]
        elif vector is not None:
            found = self.memory.similar(wish, vector, self.uniform())
            if found is not None and not _may(config, found.solution, allowed):
                found = None
            if found is not None and found.recalled.tier == "adapt":
                found = found if _may_adapt(config, request, allowed) else None
        return Looked(wish, found, vector, library)

    def decision(self, request: Request, found: Recollection, policy_version: str) -> Decision:
        arm, recalled = Arm(found.solution.plan), found.recalled
        return Decision(
            arm,
            1.0,
            "reuse",
            {arm: 1.0},
            reason=recalled.reason,
            policy_version=policy_version,
            kind=request.task or kind_of(request.fields),
        )

    def reply(self, request: Request, solution: Solution) -> Reply:
        """A remembered answer, as a model would have sent it."""
        text = solution.answer
        pieces = [text[i : i + _CHARACTERS] for i in range(0, len(text), _CHARACTERS)] or [""]
        call = Call(CHAT, b"", request.stream, request.id)
        prompt_tokens = tokens_in(prompt_text(request.fields))
        return chat_reply(call, solution.model or solution.backend, pieces, prompt_tokens)

    def used(self, trace: Trace, looked: Looked) -> None:
        assert looked.found is not None
        recalled = looked.found.recalled
        self.memory.add_use(trace.request.id, recalled.solution)
        self._uses[trace.request.id] = (recalled.bucket, looked.wish.space, recalled.solution)
        if len(self._uses) > _REMEMBERED_USES:
            self._uses.popitem(last=False)

    # -- after an answer ------------------------------------------------------------------------

    def wants(self, config: Config, looked: Looked | None) -> bool:
        """Whether the words of this answer are of use."""
        if looked is None or config.reuse.mode == "off":
            return False
        checks = looked.found is not None and looked.found.recalled.checked
        return checks or (looked.wish.keeps and looked.wish.mode != "off")

    def answered(self, config: Config, looked: Looked, trace: Trace, text: str, model: str) -> None:
        """An answer went out that was not remembered: it may be from now on."""
        if trace.status != 200 or not text or trace.partial:
            return
        found = looked.found
        if found is not None and found.recalled.checked:
            self._compare(looked, found, text)
        if not looked.wish.keeps or looked.wish.mode == "off":
            return
        if trace.computed is not None:
            if trace.computed["verified"]:
                self._keep_program(config, looked, trace, text)
            return
        if len(text.encode()) <= config.reuse.most_bytes:
            self._keep_text(config, looked, trace, text, model)

    def _keep_text(
        self, config: Config, looked: Looked, trace: Trace, text: str, model: str
    ) -> None:
        adapted = trace.tier == "adapt" and trace.recalled is not None
        solution = replace(
            self._bare(config, looked, trace),
            space=looked.wish.space,
            kind="text",
            answer=text,
            state="proven" if config.reuse.keep == "all" else "unproven",
            proof="kept without proof" if config.reuse.keep == "all" else "",
            model=model,
        )
        if adapted and trace.recalled is not None:
            change = "a backend adapted it"
            solution = replace(solution, parent=trace.recalled.solution, change=change)
        self.memory.keep(solution)

    def _keep_program(self, config: Config, looked: Looked, trace: Trace, text: str) -> None:
        """A verified program. One that was only given other numbers is no other program."""
        computed = trace.computed or {}
        reuse = computed.get("reuse") or {}
        if reuse.get("tier") == "reuse":
            self.memory.add_use(trace.request.id, int(reuse["solution"]))
            return
        checks = len(computed.get("verification", {}).get("checks", ()))
        sandbox = trace.backend
        kept = self.memory.keep(
            solution := replace(
                self._bare(config, looked, trace),
                space=program_space(looked.wish.scope),
                kind="program",
                answer=text if len(text.encode()) <= config.reuse.most_bytes else "",
                program=computed["program"],
                spec=computed["spec"],
                seed=int(computed["seed"]) % 2**62,
                state="proven",
                proof=f"verified: {checks} checks",
                parent=int(reuse.get("solution", 0)),
                change=str(reuse.get("change", "")),
                model=str(computed.get("author", "")),
            )
        )
        task = asyncio.ensure_future(self._review(solution, kept, sandbox))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _review(self, solution: Solution, kept: "Future[int]", sandbox: str) -> None:
        """Before it is used widely: the program with other numbers, run and verified."""
        if self.ask is None or solution.spec.get("kind") != "generate":
            return
        id_ = await asyncio.wrap_future(kept)
        held = tried = 0
        for text, seed in variations(solution):
            fields = {"messages": [{"role": "user", "content": text}]}
            spec = reading_of(fields).spec
            change = edit_program(solution.program, Spec.of(solution.spec), spec) if spec else None
            if change is None:
                continue
            job = job_of(fields, seed=seed, turn=0, source=change.source)
            outcome = await self.ask(sandbox, Call(COMPUTE, job, False, solution.request_id))
            if not outcome.answered:
                return  # it says nothing of the program
            tried += 1
            held += bool(orjson.loads(outcome.body).get("document"))
        if tried:
            verdict = "passed" if held == tried else "failed"
            self.memory.add_review(id_, f"{verdict}: {held} of {tried} variations held")

    def _bare(self, config: Config, looked: Looked, trace: Trace) -> Solution:
        import numpy as np

        now = self.wall()
        ttl = trace.request.ttl_seconds
        ttl = config.reuse.ttl_seconds if ttl is None else min(ttl, config.reuse.ttl_seconds)
        encoder = self.memory.encoder
        vector = looked.vector
        return Solution(
            scope=looked.wish.scope,
            space=b"",
            exact=looked.wish.exact,
            kind="text",
            request=looked.wish.text,
            vector=b"" if vector is None else np.asarray(vector, np.float32).tobytes(),
            encoder=encoder.encoder.name if encoder is not None and vector is not None else "",
            plan=trace.decision.plan,
            backend=trace.backend,
            policy_version=trace.decision.policy_version,
            cost_usd=trace.cost_usd,
            seconds=trace.seconds,
            created=now,
            expires=now + ttl,
            request_id=trace.request.id,
        )

    def _compare(self, looked: Looked, found: Recollection, text: str) -> None:
        task = asyncio.ensure_future(self._compared(looked, found, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compared(self, looked: Looked, found: Recollection, text: str) -> None:
        same = alike(found.solution.answer, text)
        if same is None and self.memory.encoder is not None:
            try:
                one, two = await asyncio.gather(
                    self.memory.encoder.encode(found.solution.answer[:2000]),
                    self.memory.encoder.encode(text[:2000]),
                )
            except Exception:  # nothing is learned from it, then
                return
            cosine = float(one @ two)
            same = True if cosine >= _ALIKE else False if cosine < _APART else None
        if same is not None:
            recalled = found.recalled
            self._learn(
                ReuseCheck(
                    recalled.bucket,
                    looked.wish.space,
                    not same,
                    1.0,
                    self.wall(),
                    recalled.solution,
                ),
                by="made anew",
            )

    def _learn(self, check: ReuseCheck, *, by: str) -> None:
        """Evidence on a bucket, for the calibration and for whoever asks the telemetry."""
        self.memory.add_check(check)
        state = "wrong" if check.wrong else "right"
        told = {"bucket": check.bucket, "weight": check.weight, "by": by}
        self.tell("reuse", str(check.solution), state, **told)

    def heard(self, signals: Sequence[Signal]) -> None:
        """Verdicts on answers; on one that came from memory, evidence on its like as well."""
        self.memory.judge(signals)
        for signal in signals:
            use = self._uses.get(signal.about.request_id)
            if use is not None and use[0] and signal.score is not None:
                bucket, space, id_ = use
                wrong = signal.score <= 0.3
                if wrong or signal.score >= 0.7:
                    self.memory.add_check(
                        ReuseCheck(bucket, space, wrong, signal.weight, signal.at, id_)
                    )


_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def alike(one: str, two: str) -> bool | None:
    """Whether two answers say the same; None where that cannot be told from their letters."""
    plain, other = (" ".join(text.lower().split()).rstrip(".!") for text in (one, two))
    if plain == other:
        return True
    if plain[:1] in "[{" and other[:1] in "[{":
        try:
            return bool(orjson.loads(one) == orjson.loads(two))
        except orjson.JSONDecodeError:
            return None
    if sorted(_NUMBERS.findall(plain)) != sorted(_NUMBERS.findall(other)):
        return False if max(len(plain), len(other)) < 200 else None
    mine, theirs = set(plain.split()), set(other.split())
    shared = len(mine & theirs) / max(len(mine | theirs), 1)
    return True if shared >= 0.8 else None


def recalled_program(computed: Mapping[str, Any] | None) -> Recalled | None:
    """What a program that was run owes to one of before."""
    reuse = (computed or {}).get("reuse")
    if not reuse:
        return None
    reason = f"a remembered program: {reuse['change']}"
    return Recalled(reuse["tier"], reuse["solution"], reuse["similarity"], reason=reason)


def to_adapt(request: Request, solution: Solution) -> bytes:
    """The request with the remembered answer beside it, for a backend that changes it to fit."""
    fields: dict[str, Any] = dict(request.fields)
    messages = list(fields["messages"])
    beside = (
        f"This was asked before:\n{solution.request}\n\nand answered so:\n{solution.answer}\n\n"
        "Answer what is asked now. Keep of that answer what still holds, and change what does not."
    )
    fields["messages"] = [*messages[:-1], {"role": "system", "content": beside}, messages[-1]]
    return orjson.dumps(fields)


def _may(config: Config, solution: Solution, allowed: Sequence[str]) -> bool:
    """A plan that this caller may use, and that there still is."""
    plan = solution.plan
    return (not allowed or plan in allowed) and (plan in config.plans or plan in config.backends)


def _may_adapt(config: Config, request: Request, allowed: Sequence[str]) -> bool:
    """Whether there is a backend for it that this caller may use. Who names plans, a region or
    bounds gets a decision that keeps to them."""
    adapter = config.reuse.adapter
    bounds = (request.max_cost_usd, request.max_latency_ms)
    if adapter is None or request.only or request.region or bounds != (None, None):
        return False
    if able(config.backends[adapter], request, needs(request.fields) | {"chat"}):
        return False
    known = (plan for plan in allowed if plan in config.plans)
    return not allowed or any(adapter in backends_of(plan, config.plans) for plan in known)
