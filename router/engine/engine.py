"""Carries a request through: recall, decide, call backends, answer, record.

The engine acts; the modules that it calls decide. A request keeps the configuration and the policy
that it began with, even if newer versions arrive meanwhile.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import orjson

from learner.policy import Arm
from router.calls.attempts import Attempts
from router.calls.outcome import CallOutcome
from router.config.config import Config
from router.config.plan_checks import Gate
from router.config.plans import AnyPlan, Ask
from router.domain import (
    CHAT,
    EMBEDDINGS,
    Attempt,
    Call,
    Decision,
    Event,
    Recalled,
    Request,
    Signal,
    Trace,
    new_id,
)
from router.engine.accounting import beside_premium
from router.engine.allowances import Allowances
from router.engine.answer_judges import AnswerJudges
from router.engine.asked_nodes import Validating, answer_ahead, answers_ahead
from router.engine.conversations import Homes
from router.engine.crossings import Crossing
from router.engine.form_programs import FormPrograms
from router.engine.form_writing import FormWriting
from router.engine.forms import FormAnswers
from router.engine.functions import Functions
from router.engine.guard_functions import GuardFunctions
from router.engine.guard_questions import GuardQuestions
from router.engine.guarding import Guarding, begun_notes, refuse_unread_stream
from router.engine.keeping import Keeping
from router.engine.passing import Passing
from router.engine.plan_runs import PlanRuns
from router.engine.progress import Answer, InProgress
from router.engine.recall import Lookup, Recall, open_memory, to_adapt
from router.engine.replying import Replying, usage_of
from router.engine.request_ledger import RequestLedger
from router.engine.request_meters import RequestMeters
from router.engine.summarizing import Summarizing
from router.engine.tries import Tries
from router.engine.verifying import Verifying
from router.keys import single_owner
from router.knowledge.rights.callers import CallerRights
from router.knowledge.rights.given import answers_in
from router.plans.bodies import Work
from router.plans.compiled import Plans
from router.plans.concluding import stream_of
from router.plans.designs import Designs
from router.plans.made import MadePlan, usable
from router.plans.settings import bodies_of
from router.reuse.recollection import Recollection
from router.routing.case import Surroundings
from router.routing.claims import Claims
from router.routing.decide import chain_of, route
from router.routing.deciders import Deciders
from router.routing.following import Following
from router.routing.ladder import policy_in_force, policy_of
from router.routing.named import compared, named
from router.routing.node_contract import NodeSays
from router.routing.nodes import placed_at
from router.routing.passing import passing
from router.routing.shadow import DRAWN, auto_serves, shadowed, share_of_auto
from router.signals.assessor import Assessor
from router.telemetry.journal import Journal
from router.telemetry.metrics import Metrics
from router.wire.answers import answer_text
from router.wire.errors import Unroutable

_SETTLED = ("sticky", "computed", "specialist", "last_resort")  # `auto` could only decide the same
_PATHS = {"chat": CHAT, "embeddings": EMBEDDINGS}


@dataclass
class Engine:
    config: Config
    attempts: Attempts
    journal: Journal
    allowances: Allowances
    metrics: Metrics
    homes: Homes
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic  # measures how long ago; nobody can set it
    uniform: Callable[[], float] = random.random

    claims: Claims = field(default_factory=Claims)
    scores: Mapping[str, float] = field(default_factory=dict)  # each backend's score
    following: Following = field(default_factory=Following)
    silent: dict[str, float] = field(default_factory=dict)  # since when the learner, the hive is
    remembers: bool = False  # whether solutions may be reused, if configured
    recall: Recall | None = field(default=None, init=False)
    functions: Functions | None = field(default=None, init=False)  # routing functions of strategies
    made: tuple[MadePlan, ...] = field(default=(), init=False)  # by growth, as the learner says

    def __post_init__(self) -> None:
        self.rights = CallerRights(
            self.config.knowledge_folder, self.config.keys_file, wall=self.wall
        )
        self.tries = Tries(self.attempts, self.metrics, self.steady, self.uniform, self.tell)
        self.assessor = Assessor(
            self.tries.try_chain, self.say, self.journal.note, self.wall, self.uniform
        )
        self.ledger = RequestLedger(
            self.journal,
            RequestMeters(self.metrics),
            self.allowances,
            self.homes,
            self.wall,
            self.tell,
            self.say,
        )
        questions = GuardQuestions(self.tries, self.allowances)
        self.guarding = Guarding(questions, self.metrics, GuardFunctions())
        self.replying = Replying(self.ledger, self.assessor, self.guarding, self.rights.gave)
        self.plan_runs = PlanRuns(
            self.tries,
            self.replying,
            self.allowances,
            self.score,
            self.uniform,
            Designs(self.config.committees_folder, self.wall),
            lambda trace: Validating(trace, self.following.steering, self.functions),
        )
        self.passing = Passing(self.tries, self.allowances, self.replying)
        self.verifying = Verifying(self.tries, self.allowances, self.steady)
        self.summarizing = Summarizing(self.tries, self.allowances, self.guarding, self.steady)
        self.allowances.leasing.tell = self._tell_crossing
        self._begin(self.config)

    def _begin(self, config: Config) -> None:
        self.config, self.plans = config, Plans(config, self.made)
        self.policy = policy_of(self.plans)
        self.allowances.leasing.routers = config.server.replicas
        self.guarding.functions.keep(config.guardrails)
        self.allowances.leasing.alert_shares = config.alerts.budget
        self.following.bandit = None  # the plans may have changed; a new bandit comes soon
        if self.recall is not None:
            self.recall.memory.reconfigure(config.reuse)
        elif self.remembers:
            memory = open_memory(config, wall=self.wall, tell=self.tell)
            if memory is not None:
                self.recall = Recall(memory, self.uniform)
                judges = AnswerJudges(
                    self.verifying, self.tries.try_chain, self.journal.note, self.wall
                )
                self.replying.keeping = Keeping(
                    self.recall, self.wall, self.tell, self._ask_backend, judges
                )
        if self.recall is not None and self.replying.keeping is not None:
            self._learn_forms(self.recall, self.replying.keeping)
        self.rights.declare(config.knowledge)
        in_force = policy_in_force(self.plans, at=self.wall())
        self.policy_version = in_force.version
        self.journal.policy(in_force)

    def _learn_forms(self, recall: Recall, keeping: Keeping) -> None:
        """Learn forms, and answer by them, if an author of their programs is configured."""
        if self.config.reuse.author is None:
            keeping.forms = recall.match_form = None
        elif keeping.forms is None:
            writing = FormWriting(
                recall.memory, self._ask_backend, self.wall, self.journal.note, FormPrograms()
            )
            keeping.forms = FormAnswers(recall.memory, writing, self.wall, self.uniform)
            recall.match_form = keeping.forms.match

    def reconfigure(self, config: Config) -> None:
        self._begin(config)
        resting = self.tries.resting
        for backend in resting.keys() - config.backends.keys():
            del resting[backend]

    async def with_sources(self, request: Request) -> Request:
        """The request, with the stores whose words stand in the answers that it goes on with."""
        if not self.plans.of_stores or request.operation != "chat":
            return request
        answers = answers_in(request.fields.get("messages"))
        if not answers:
            return request
        given = await asyncio.to_thread(self.rights.given, request.key_id, answers, request.session)
        return replace(request, stores=tuple(dict.fromkeys((*request.stores, *given))))

    async def look(
        self, request: Request, *, scope: str, backend: str, allowed: tuple[str, ...]
    ) -> Lookup | None:
        """Look up the request in the memory of this scope, before any decision about it."""
        if self.recall is None or self.config.reuse.mode == "off":
            return None
        return await self.recall.look(
            self.plans, request, scope=scope, backend=backend, allowed=allowed
        )

    async def remembered(self, request: Request, lookup: Lookup) -> Answer:
        """Answer from memory, without a call of a plan."""
        assert self.recall is not None
        assert lookup.match is not None
        solution = lookup.match.solution
        decision = self.recall.decision(request, lookup.match, self.policy_version)
        progress = self._begun(request, decision, lookup, recalled=lookup.match.recalled)
        text, refused = await self.guarding.text(progress, solution.answer)
        if refused is not None:
            return self.replying.blocked(progress, refused)
        usage = usage_of(progress.trace, text)
        progress.trace.status = 200
        self.recall.used(beside_premium(self.plans, progress.trace, usage), lookup)
        if request.stream:
            reply = self.recall.streamed(request, solution, text)
            answer = self.replying.recited(progress, stream_of(reply.body), text)
        else:
            body = self.recall.whole(request, solution, text, usage)
            answer = self.replying.from_memory(progress, body, text, usage)
        return self.guarding.restored(answer)

    async def decided(
        self,
        request: Request,
        *,
        backend: str,
        allowed: tuple[str, ...],
        lookup: Lookup | None = None,
        scope: str = "",
    ) -> Decision:
        """The decision, after the written matchers and classifiers were asked. `scope` owns what
        the caller's key remembers; empty: the key alone."""
        says: Mapping[str, NodeSays] = {}
        steering = self.following.steering
        if steering is not None and steering.nodes and not backend:
            self._know(request, lookup)
            around = Surroundings(
                lens=self.following.lens,
                vector=self._vector(request),
                steering=steering,
                patterns=self.following.patterns,
            )
            says = await answers_ahead(self.functions, self.plans, request, around)
        return self.decide(
            request, backend=backend, allowed=allowed, lookup=lookup, scope=scope, says=says
        )

    def decide(
        self,
        request: Request,
        *,
        backend: str,
        allowed: tuple[str, ...],
        lookup: Lookup | None = None,
        scope: str = "",
        says: Mapping[str, NodeSays] = MappingProxyType({}),
    ) -> Decision:
        """A decision at once, by what written nodes have said."""
        decision = self._decision(request, backend, allowed, lookup, scope, says)
        if decision.pattern and not (self.plans[decision.plan].stores or request.stores):
            self.following.words.see(decision.pattern, request.reading.last_words)
        settings = self.plans[decision.plan].shown
        return replace(decision, settings=settings) if settings else decision

    def _decision(
        self,
        request: Request,
        backend: str,
        allowed: tuple[str, ...],
        lookup: Lookup | None,
        scope: str,
        says: Mapping[str, NodeSays],
    ) -> Decision:
        now = self.wall()
        home = None
        if request.session_given or request.continues:
            seconds = self.config.server.sticky_seconds
            home = self.homes.find(request.session, now=now, seconds=seconds)
        around = Surroundings(
            allowed,
            self.tries.resting_at(self.steady()),
            home=home,
            policy_version=self.policy_version,
            priced_only=self.allowances.needs_prices(request.id),
            scope=scope or single_owner(request.key_id),
            call_node=partial(answer_ahead, says) if says else None,
            now=now,
            hidden=self.hidden_from(request.key_id),
        )
        decision = named(self.plans, request, backend, around)
        if decision is not None and request.compared:
            around = self._surroundings(request, around, lookup)
            return compared(self.plans, request, decision, around)
        live = self.config.objective.start == "live" or request.operation != "chat"
        if decision is not None and (backend or live):
            return decision
        around = self._surroundings(request, around, lookup)
        return self._route(request, around) if live else self._shadowed(request, decision, around)

    def _shadowed(
        self, request: Request, decision: Decision | None, around: Surroundings
    ) -> Decision:
        """The decision while `auto` is in the shadow, or was; None: the caller named nothing."""
        config, steering = self.config, self.following.steering
        switched = auto_serves(config.objective, steering)
        if switched and (decision is None or around.home is not None):
            return self._route(request, around)
        if decision is None:
            decision = self._default(request, around)
        if decision.strategy in _SETTLED:
            return decision
        share = share_of_auto(
            config.objective, request, switched=switched, control=config.trials.control
        )
        try:
            auto = self._route(request, replace(around, home=None))
        except Unroutable:  # `auto` could not decide this request, and the caller could
            return decision
        return shadowed(self.plans, request, decision, auto, share=share)

    def _route(self, request: Request, around: Surroundings) -> Decision:
        by = Deciders(self.policy, self.following.bandit)
        return route(self.plans, by, request, around, uniform=self.uniform())

    def _default(self, request: Request, around: Surroundings) -> Decision:
        """The decision without anything that was learned: by `objective.plan`, or by the ladder."""
        rules = replace(around, steering=None, policy_version=self.policy_version)
        return route(self.plans, Deciders(self.policy), request, rules, uniform=self.uniform())

    def _surroundings(
        self, request: Request, around: Surroundings, lookup: Lookup | None
    ) -> Surroundings:
        """Add to the surroundings everything that a choice among several plans may use."""
        config, following = self.config, self.following
        self._know(request, lookup)
        claims = self.claims.of(config, request)  # may make the vector
        around = replace(
            around,
            claims=claims,
            lens=following.lens,
            vector=self._vector(request),
            patterns=following.patterns,
            wait=self.tries.loads.wait if config.objective.waits else None,
        )
        steering = following.steering
        if following.bandit is not None and (steering or config.objective.strategy == "bandit"):
            around = replace(around, policy_version=following.version)
        if steering is not None:
            call_function = self.functions.ask if self.functions is not None else None
            around = replace(
                around, steering=steering, call_function=call_function, similar=_similar(lookup)
            )
        # A lens that is fitted to prompts without vectors would never see one.
        if following.collecting and not self.claims.preparing:
            following.collect(request, around.vector)
        return around

    def hidden_from(self, key_id: str) -> frozenset[str]:
        """The plans and backends that ask stores of which this caller may read none: nothing may
        show the caller that they exist."""
        plans = self.plans
        return frozenset(
            name
            for name in plans.of_stores
            if any(
                not self.rights.readable(key_id, self.config.backends[backend].asks_stores)
                for backend in plans[name].backends
                if backend in self.config.backends and self.config.backends[backend].asks_stores
            )
        )

    async def answer(
        self, request: Request, decision: Decision, lookup: Lookup | None = None
    ) -> Answer:
        if lookup is not None and lookup.doubtful is not None:
            lookup = await self._ask_verifier(request, decision, lookup)
            if lookup.answers:
                return await self.remembered(request, lookup)
        recalled = None
        if lookup is not None and lookup.match is not None:
            recalled = lookup.match.recalled
            if recalled.tier == "adapt":
                request, decision, recalled = self._adapting(request, decision, lookup.match)
        progress = self._begun(request, decision, lookup, recalled=recalled)
        plan = self._with_placed_gate(request, decision.plan)
        free = decision.plan not in self.plans.doubting and (
            _unbounded(request) or _native_only(request)
        )
        if isinstance(plan, Ask) and plan.plain and free and not progress.trace.cites:
            answer = await self._ask(progress, plan)
        else:
            answer = await self.plan_runs.answer(progress, plan)
        return self.guarding.restored(answer)

    def _know(self, request: Request, lookup: Lookup | None) -> None:
        """Spare the claims a second encoding of what the memory has encoded."""
        if lookup is not None and lookup.vector is not None:
            self.claims.know(self.config, request, lookup.vector)

    def _vector(self, request: Request) -> list[float] | None:
        always = self.config.objective.learning.encode
        return self.claims.vector(self.config, request, always=always)

    def _with_placed_gate(self, request: Request, name: str) -> AnyPlan:
        """The plan, with the gate of a written validator that stands there by itself. Who wants a
        stream gets it at once, and unchecked, as without the validator."""
        plan, steering = self.plans[name].tree, self.following.steering
        if steering is None or plan.gate is not None or request.stream or _native_only(request):
            return plan
        validator = placed_at(steering.nodes, name)
        return plan.model_copy(update={"gate": Gate(function=validator)}) if validator else plan

    async def passed_on(
        self, request: Request, *, backend: str, allowed: tuple[str, ...]
    ) -> Answer:
        """Pass a request through to a backend that can do its operation, by price and order."""
        around = Surroundings(
            allowed,
            self.tries.resting_at(self.steady()),
            policy_version=self.policy_version,
            priced_only=self.allowances.needs_prices(request.id),
            hidden=self.hidden_from(request.key_id),
        )
        refuse_unread_stream(self.config, request)
        decision, chain = passing(self.plans, request, backend, around)
        progress = self._begun(request, decision, None, recalled=None)
        return self.guarding.restored(await self.passing.answer(progress, chain))

    async def _ask_verifier(self, request: Request, decision: Decision, lookup: Lookup) -> Lookup:
        """Ask the verifying backend about the doubtful candidate, and keep what it says."""
        candidate, keeping = lookup.doubtful, self.replying.keeping
        assert candidate is not None
        if keeping is None:
            return lookup
        calls: list[Attempt] = []
        try:
            serves = await self.verifying.one_answer_serves(
                self.plans, request, decision, lookup, calls
            )
        except asyncio.CancelledError:
            lookup = replace(lookup, questions=tuple(calls))
            progress = self._begun(request, decision, lookup, recalled=None)
            progress.leave()
            self.ledger.finish(progress)
            raise
        lookup = replace(lookup, questions=tuple(calls))
        return lookup if serves is None else keeping.judged(lookup, candidate, serves=serves)

    async def _ask(self, progress: InProgress, plan: Ask) -> Answer:
        """Call one backend, or the next backends of its chain until one answers."""
        request, strategy = progress.trace.request, progress.trace.decision.strategy
        home = self.homes.find(request.session, now=progress.trace.started_at, seconds=1e9)
        if home is not None and home.plan != progress.trace.decision.plan:
            home = None
        chain = chain_of(progress.plans, plan, request, strategy=strategy, home=home)
        config, tried = progress.plans.config, list[Attempt]()
        bodies: dict[str, bytes] = {}
        if plan.changes:
            bodies = bodies_of(plan, request, Work(tail=True), chain, config.backends)
        first = next(iter(bodies.values()), request.body)
        call = Call(
            _PATHS[request.operation],
            first,
            request.stream,
            request.id,
            bodies,
            native=request.passed_on,
            extended=request.native is not None,
            key_id=request.key_id,
        )
        try:
            end = await self.allowances.reserve(config, chain, request, first)
            outcome = await self.tries.try_chain(config, chain, call, tried)
            end(tried, streams=True)  # the end of the request settles it
            progress.trace.attempts = tuple(tried)
            if outcome.stream is None and outcome.answered:
                return await self.replying.whole(progress, outcome)
        except asyncio.CancelledError:
            progress.trace.attempts = tuple(tried)
            progress.leave()
            self.ledger.finish(progress)
            raise
        if outcome.stream is not None:
            body = self.replying.streamed(progress, outcome, outcome.stream)
            return Answer(200, b"", progress.trace, stream=body, dialect=outcome.dialect)
        return self.replying.failed(progress, outcome)

    def _begun(
        self,
        request: Request,
        decision: Decision,
        lookup: Lookup | None,
        *,
        recalled: Recalled | None,
    ) -> InProgress:
        notes = begun_notes(self.config, request)
        calls = request.guarded.calls if request.guarded is not None else ()
        trace = Trace(
            request,
            decision,
            started_at=self.wall(),
            keep_prompt=self.config.telemetry.prompts,
            recalled=recalled,
            questions=(*request.before, *calls, *(() if lookup is None else lookup.questions)),
            guards=notes,
        )
        plan = trace.decision.plan  # of a remembered answer, it may be gone
        asks = self.plans[plan].stores if plan in self.plans else ()
        if asks or request.stores:
            stores = tuple(dict.fromkeys((*asks, *request.stores)))
            trace.stores = self.rights.readable(request.key_id, stores)
            own = [store for store in trace.stores if store in asks]
            trace.cites = self.rights.must_cite(request.key_id, own)
            trace.private, trace.keep_prompt = True, False
        begun = time.perf_counter() - sum(note.seconds for note in notes)
        return InProgress(self.plans, trace, begun, lookup)

    def _adapting(
        self, request: Request, decision: Decision, match: Recollection
    ) -> tuple[Request, Decision, Recalled | None]:
        """If an adapter is configured, ask it to adapt the recalled answer to this request."""
        adapter = self.config.reuse.adapter
        certain = decision.strategy in ("named", DRAWN, "compared", "computed", "specialist")
        if adapter is None or certain or match.solution.kind != "text":
            return request, decision, None
        arm = Arm(adapter)
        decision = replace(
            decision,
            plan=arm,
            propensity=1.0,
            strategy="reuse",
            probabilities={arm: 1.0},
            reason=match.recalled.reason,
        )
        return replace(request, body=to_adapt(request, match.solution)), decision, match.recalled

    # -- work beside answering ---------------------------------------------------------------------

    def say(self, signals: Sequence[Signal]) -> None:
        """Record Waggle's own verdicts on answers, and judge remembered answers by them."""
        self.journal.say(signals)
        self.heard(signals)

    def heard(self, signals: Sequence[Signal]) -> None:
        if self.replying.keeping is not None:
            self.replying.keeping.heard(signals)

    def tell(self, kind: str, subject: str, state: str, **detail: Any) -> None:
        """Record an event of the service in this router's journal."""
        now = self.wall()
        self.journal.note(Event(new_id(now), now, kind, subject, state, detail))

    def _tell_crossing(self, crossing: Crossing) -> None:
        """Record that a budget reached a share of its dollars, under an id that routers share."""
        subject = f"{crossing.owner} {crossing.rule} {crossing.period}"
        state = f"{crossing.share:.0%}"
        detail = {
            "owner": crossing.owner,
            "rule": crossing.rule,
            "used": crossing.used_usd,
            "limit": crossing.limit_usd,
        }
        event_id = f"budget {subject} {state}"
        self.journal.note(Event(event_id, self.wall(), "budget", subject, state, detail))

    def tell_once(self, kind: str, event_id: str, state: str) -> None:
        """Record an event that every router sees, under an id that all routers share."""
        detail = {"policy_version": self.policy_version, "plans": list(self.config.plans)}
        self.journal.note(Event(event_id, self.wall(), kind, self.policy_version, state, detail))

    async def completion(self, backend: str, prompt: str) -> str:
        """A backend's answer to a prompt of Waggle's own; empty if the backend does not answer."""
        body = orjson.dumps({"model": backend, "messages": [{"role": "user", "content": prompt}]})
        if backend not in self.config.backends:
            return ""
        outcome = await self._ask_backend(backend, Call(CHAT, body, False, new_id(self.wall())))
        return answer_text(outcome.body) if outcome.answered else ""

    async def _ask_backend(self, backend: str, call: Call) -> CallOutcome:
        return await self.tries.try_chain(self.config, (backend,), call, [])

    async def steer(self) -> None:
        """Load the functions that the current trials and strategies need, and compile the plans
        that growth made. A request goes on with the plans that it began with."""
        steering = self.following.steering
        made = steering.made if steering is not None else ()
        if made != self.made and usable(self.config, made) != self.plans.made:
            self.plans = self.plans.with_made(made)
        self.made = made
        wanted = steering.functions if steering is not None else ()
        deadline = self.config.trials.function_ms / 1000
        if self.functions is None and wanted:
            self.functions = Functions(
                deadline, lambda key, state, why: self.tell("function", key, state, reason=why)
            )
        if self.functions is not None:
            self.functions.deadline_seconds = deadline
            await self.functions.follow(wanted)

    def score(self, backend: str) -> float:
        """The weight of a backend's vote: its score, or 1 if it has none."""
        return self.scores.get(backend, 1.0)


def _similar(lookup: Lookup | None) -> list[dict[str, Any]]:
    """The remembered answer to a similar request, in the form that routing functions get."""
    if lookup is None or lookup.match is None:
        return []
    recalled, solution = lookup.match.recalled, lookup.match.solution
    return [
        {
            "plan": solution.plan,
            "similarity": recalled.similarity,
            "tier": recalled.tier,
            "rate": solution.rate,
        }
    ]


def _native_only(request: Request) -> bool:
    """Whether only the caller's own bytes say all that the request asks."""
    return request.native is not None and bool(request.native.needs)


def _unbounded(request: Request) -> bool:
    return request.max_cost_usd is None and request.max_latency_ms is None
