"""Looks up a request in the memory before a decision, and answers from memory.

`router.reuse` decides whether two requests are the same.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from learner.policy import Arm
from router.calls.outcome import CallOutcome
from router.config.capabilities import able
from router.config.config import Config
from router.domain import (
    CHAT,
    Attempt,
    Call,
    Decision,
    Reading,
    Recalled,
    Reply,
    Request,
    Trace,
    Usage,
)
from router.encoding.encoding_thread import EncodingThread
from router.plans.compiled import Plans
from router.plans.settings import changed_by
from router.request.reading import fill
from router.request.statistical import interpretation_of
from router.reuse.evidence import pair_of
from router.reuse.guards import GuardVerdict
from router.reuse.memory import SolutionMemory
from router.reuse.memory_query import MemoryQuery, exact_key, program_space, query_of
from router.reuse.programs.remembered import is_free
from router.reuse.programs.standards import NO_STANDARDS, Standards
from router.reuse.recollection import Candidate, Recollection
from router.reuse.solution import Solution
from router.routing.named import may_use
from router.value import value
from router.verified import verified_by
from router.wire.beside import LONG_BYTES, beside
from router.wire.chat_replies import chat_reply, completion, reply_base
from router.wire.chat_replies import usage_of as counted

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix
    from router.reuse.verifier import PairVerifier

_CHARACTERS = 16_384  # characters in one piece of a streamed answer
_KEPT_READINGS = 512  # of requests that were answered from memory
_REMEMBERED_USES = 10_000  # answers from memory for which later verdicts count
_THE_SAME = GuardVerdict("words", ("the very same request",))

AskBackend = Callable[[str, Call], Awaitable[CallOutcome]]
MayAnswer = Callable[[Solution], bool]  # whether a solution may answer this caller
MatchForm = Callable[[MemoryQuery, MayAnswer], Awaitable[Recollection | None]]


@value
class Lookup:
    """What the memory held for a request before the decision."""

    query: MemoryQuery
    match: Recollection | None = None
    vector: "Matrix | None" = None
    library: Sequence[tuple[float, Solution]] = ()  # similarity and program, most similar first
    standards: Standards = NO_STANDARDS  # what authors of programs may see
    doubtful: Candidate | None = None  # a backend may say whether its answer serves
    questions: tuple[Attempt, ...] = ()  # the calls that asked the backend
    author_may_read: bool = False  # whether the author of programs may see this request

    @property
    def answers(self) -> bool:
        """Whether the memory holds the answer itself, so that no plan has to run."""
        return self.match is not None and self.match.recalled.tier in ("exact", "reuse")


@value
class SentAnswer:
    """A remembered answer that was sent. A later verdict on it also counts for similar answers."""

    bucket: str
    space: bytes
    solution: int
    neighbourhood: int
    keys: tuple[bytes, bytes]  # the exact keys of the request that was answered, and of this one

    @property
    def pair(self) -> bytes:
        return pair_of(*self.keys)


def open_memory(
    config: Config, *, wall: Callable[[], float], tell: Callable[..., None]
) -> SolutionMemory | None:
    """Open the memory in the data folder; None if the configuration turns reuse off."""
    if config.reuse.mode == "off":
        return None

    def encoder() -> EncodingThread:
        from router.encoding.home import encoder_of

        return EncodingThread(encoder_of(config.reuse.encoder, str(config.encoders_folder)))

    def verifier() -> "PairVerifier":
        from router.reuse.verifier import verifier_of

        return verifier_of(str(config.encoders_folder))

    similar = config.reuse.mode == "similar"
    memory = SolutionMemory(
        config.reuse_folder,
        config.reuse,
        encoder=encoder if similar else None,
        verifier=verifier if similar else None,
        wall=wall,
        tell=tell,
    )
    memory.start()
    return memory


@dataclass
class Recall:
    memory: SolutionMemory
    uniform: Callable[[], float]
    uses: OrderedDict[str, SentAnswer] = field(default_factory=OrderedDict)
    match_form: MatchForm | None = None
    _readings: dict[bytes, Reading] = field(default_factory=dict)  # by the keys of their requests

    async def look(
        self,
        plans: Plans,
        request: Request,
        *,
        scope: str,
        backend: str,
        allowed: Sequence[str],
    ) -> Lookup:
        size, mode = len(request.body), self.memory.mode(request)
        key = await beside(size, partial(exact_key, request, scope=scope, backend=backend))
        exact = self.memory.exact(key) if mode != "off" else None
        may_repeat = partial(_may_repeat, plans, request)
        if exact is not None and exact.answer and _may(plans, exact, allowed) and may_repeat(exact):
            self._read(key, request)
            reason, proven = "the very same request was answered", verified_by(exact.proof)
            recalled = Recalled("exact", exact.id, reason=reason, verified=proven)
            query = MemoryQuery(scope, b"", key, "", mode, keeps=False)
            return Lookup(query, Recollection(recalled, exact, _THE_SAME))
        query = await beside(
            size, partial(query_of, request, key, scope=scope, backend=backend, mode=mode)
        )
        if query.mode == "off":
            return Lookup(query)
        codes = any(plans[name].codes for name in plans.names)
        computes = codes and interpretation_of(request).spec is not None
        of_programs = program_space(query.scope)
        vector = await self.memory.vector(query, of_programs if computes else query.space)
        written = codes and any(code.models for name in plans.names for code in plans[name].codes)
        if vector is None and written and not computes:
            vector = await self.memory.vector(query, of_programs)
        library: Sequence[tuple[float, Solution]] = ()
        if query.mode == "similar" and (computes or (written and vector is not None)):
            programs = self.memory.programs(query, vector)
            library = [
                (similarity, program)
                for similarity, program in programs
                if _may(plans, program, allowed) and is_free(program) != computes
            ]
        if computes:
            return Lookup(query, None, vector, library, self.memory.standards)
        lookup = Lookup(
            query,
            None,
            vector,
            library,
            self.memory.standards,
            author_may_read=author_may_read(plans, request, allowed),
        )
        if self.match_form is not None and query.mode == "similar":
            by_form = await self.match_form(
                query, lambda each: _may(plans, each, allowed) and may_repeat(each)
            )
            if by_form is not None:
                return replace(lookup, match=by_form)
        if vector is None:
            return lookup
        nominated = await self.memory.similar(query, vector, self.uniform())
        match, doubtful = nominated.match, nominated.open
        if match is not None and not (
            _may_match(plans, request, match, allowed) and may_repeat(match.solution)
        ):
            match = None
        if doubtful is not None and not (
            _may(plans, doubtful.solution, allowed)
            and may_repeat(doubtful.solution)
            and may_ask_verifier(plans, request, allowed)
        ):
            doubtful = None
        return replace(lookup, match=match, doubtful=doubtful)

    def _read(self, key: bytes, request: Request) -> None:
        """Read the words of a request that was answered before: once for all that are the same."""
        same = self._readings.get(key)
        if same is not None:
            fill(request.reading, same)
        elif len(request.body) <= LONG_BYTES:
            self._readings[key] = request.reading
            request.reading.kind  # noqa: B018 - reads the words
            if len(self._readings) > _KEPT_READINGS:
                del self._readings[next(iter(self._readings))]

    def agreed(self, lookup: Lookup, candidate: Candidate) -> Lookup:
        """The lookup after a backend said that the candidate's answer serves the request."""
        accepted = replace(candidate, by="asked", probability=1.0)
        match = self.memory.accepted(lookup.query, lookup.vector, accepted, self.uniform())
        return replace(lookup, match=match)

    def decision(self, request: Request, match: Recollection, policy_version: str) -> Decision:
        arm = Arm(match.solution.plan)
        return Decision(
            arm,
            1.0,
            "reuse",
            {arm: 1.0},
            reason=match.recalled.reason,
            policy_version=policy_version,
            kind=request.task or request.reading.kind,
        )

    def whole(self, request: Request, solution: Solution, text: str, usage: Usage) -> bytes:
        """A remembered answer, with this text, as a completion without its cost."""
        call = Call(CHAT, b"", False, request.id)
        base = reply_base(call, solution.model or solution.backend)
        return completion(base, text, "stop", counted(usage.input_tokens, usage.output_tokens))

    def streamed(self, request: Request, solution: Solution, text: str) -> Reply:
        """A remembered answer, with this text, in the format of a model's stream."""
        pieces = [text[i : i + _CHARACTERS] for i in range(0, len(text), _CHARACTERS)] or [""]
        call = Call(CHAT, b"", True, request.id)
        model = solution.model or solution.backend
        return chat_reply(call, model, pieces, request.reading.tokens)

    def used(self, trace: Trace, lookup: Lookup) -> None:
        assert lookup.match is not None
        recalled = lookup.match.recalled
        self.memory.add_use(trace.request.id, recalled.solution, trace.request.key_id)
        self.uses[trace.request.id] = SentAnswer(
            recalled.bucket,
            lookup.query.space,
            recalled.solution,
            recalled.neighbourhood,
            (lookup.match.solution.exact, lookup.query.exact),
        )
        if len(self.uses) > _REMEMBERED_USES:
            self.uses.popitem(last=False)


def recalled_program(computed: Mapping[str, Any] | None) -> Recalled | None:
    """The remembered program from which the executed program was made, if any."""
    reuse = (computed or {}).get("reuse")
    if not reuse:
        return None
    reason = f"a remembered program: {reuse['change']}"
    return Recalled(reuse["tier"], reuse["solution"], reuse["similarity"], reason=reason)


def to_adapt(request: Request, solution: Solution) -> bytes:
    """The body of a request that asks a backend to adapt the remembered answer."""
    fields: dict[str, Any] = dict(request.fields)
    messages = list(fields["messages"])
    beside = (
        f"This was asked before:\n{solution.request}\n\nand answered so:\n{solution.answer}\n\n"
        "Answer what is asked now. Keep of that answer what still holds, and change what does not."
    )
    fields["messages"] = [*messages[:-1], {"role": "system", "content": beside}, messages[-1]]
    return orjson.dumps(fields)


def _may(plans: Plans, solution: Solution, allowed: Sequence[str]) -> bool:
    """Whether the solution's plan still exists with the same prompts and parameters, and this
    caller may use the plan."""
    plan = solution.plan
    made = next((each for each in plans.made if each.name == plan), None)
    if allowed and (plan if made is None else made.parent) not in allowed:
        return False
    configured = plan in plans.names or plan in plans.config.backends or made is not None
    return configured and plans[plan].form == solution.form


def unrepeatable(plans: Plans, request: Request, plan: str, backends: Iterable[str]) -> str:
    """Why an answer that these backends made for the plan must not be given again to the request;
    empty if it may. Nobody speaks for a backend that is configured no more: its answers are not
    repeated.

    The plan's parameters count as the backend got them. The caller's own count too, unless the
    caller names the plan: another plan may answer next time, without those parameters.
    """
    agrees = request.reuse in ("exact", "similar")
    for name in backends:
        settings = plans.config.backends.get(name)
        if settings is None:
            return f"{name} is configured no more"
        if settings.asks_stores:
            return f"{name} answers by what its caller may read at that moment"
        sets = plans[plan].sets.get(name, ()) if plan in plans else ()
        bodies = [{**request.fields, **changed_by(s, request.fields, settings)} for s in sets if s]
        if request.model != plan or not bodies:
            bodies.append(dict(request.fields))
        for fields in bodies:
            if reason := settings.unrepeatable(fields, caller_agrees=agrees):
                return reason
    return ""


def _may_repeat(plans: Plans, request: Request, solution: Solution) -> bool:
    # What a program answered was looked at when it was kept, by the same fields: reading them for
    # figures again would take longer than the whole lookup.
    if solution.kind == "program":
        return True
    return not unrepeatable(plans, request, solution.plan, [solution.backend])


def _may_match(plans: Plans, request: Request, match: Recollection, allowed: Sequence[str]) -> bool:
    if not _may(plans, match.solution, allowed):
        return False
    return match.recalled.tier != "adapt" or _may_adapt(plans, request, allowed)


def author_may_read(plans: Plans, request: Request, allowed: Sequence[str]) -> bool:
    """Whether the author of programs may see this caller's request and its answer: not if the
    caller may not use that backend, or chose plans or a region."""
    author = plans.config.reuse.author
    if author is None or request.only or request.region:
        return False
    return may_use(plans, author, allowed)


def may_ask_verifier(plans: Plans, request: Request, allowed: Sequence[str]) -> bool:
    """Whether the verifying backend may read this caller's request. A request with plans, a region
    or bounds of its own gets a normal decision instead."""
    bounds = (request.max_cost_usd, request.max_latency_ms)
    if plans.verifier is None or request.only or request.region or bounds != (None, None):
        return False
    return all(may_use(plans, backend, allowed) for backend in plans.verifier.chain)


def _may_adapt(plans: Plans, request: Request, allowed: Sequence[str]) -> bool:
    """Whether this caller may use the configured adapter. A request with plans, a region or bounds
    of its own gets a normal decision instead."""
    adapter = plans.config.reuse.adapter
    bounds = (request.max_cost_usd, request.max_latency_ms)
    if adapter is None or request.only or request.region or bounds != (None, None):
        return False
    if able(plans.config.backends[adapter], request):
        return False
    return may_use(plans, adapter, allowed)
