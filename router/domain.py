"""The plain values of routing, such as requests, decisions, traces and signals.

The module does no I/O, and reads neither the clock nor the configuration.
"""

from collections.abc import AsyncIterator, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from os import register_at_fork, urandom
from typing import Any, Literal

from learner.policy import Arm, Distribution
from learner.preference import Estimate, Preference
from router.value import value
from router.verified import Verified, verified_in

Fields = Mapping[str, Any]
MEMORY = "memory"  # a trace names this backend if the answer came from memory


@value
class Trajectory:
    """What has happened in an agent's session so far, by the messages of its latest request."""

    agent: str  # the kind of the request, one of `agent_kinds.AGENTS`
    turns: int = 0  # answers so far
    calls: int = 0  # of tools
    errors: int = 0  # results of tools that were errors
    errors_in_row: int = 0  # the latest results that were errors
    repeats: int = 0  # how often the latest call was made before it, in a row
    edits: int = 0  # calls that changed files
    tests: Literal["", "failing", "passing"] = ""  # how the latest test run ended
    failing_in_row: int = 0  # the latest test runs that failed
    edited_since_tests: bool = False
    checked: bool = False  # a command ran without an error since the latest edit
    waits: bool = False  # the user wrote last, and no tool
    loop: int = 0  # answers since the user wrote
    last_failed: bool | None = None  # whether the latest turn's calls failed; None: it called none
    tokens: int = 0

    @property
    def stuck(self) -> bool:
        """Whether the same thing failed again, or was tried again."""
        return max(self.errors_in_row, self.repeats, self.failing_in_row) >= 2


@value
class Reading:
    """The facts in a request's words, which the router reads once, when it parses the request."""

    text: str  # all words of the conversation, oldest first
    last_words: str  # what the user wrote last, without what an agent's harness added
    tokens: int  # the estimated number of tokens in `text`
    shape: Any  # the JSON shape or schema that the answer should have, or None
    needs: frozenset[str]  # what a backend must be able to do: `tools`, `images`, `json`
    difficulty: Mapping[str, float]  # 0 to 1 for each part of the complexity score
    kind: str  # the likeliest kind of request by its words, such as `code` or `question`
    kinds: tuple[float, ...]  # how much the words speak for each of `kinds.BY_WORDS`
    language: str
    words: str  # the words that features are made of: `text`, or what an agent's users wrote
    trajectory: Trajectory | None = None  # None: the request is not an agent's
    unread: Fields = field(default_factory=dict, repr=False, compare=False)  # what is still to read


CHAT_DIALECT = "chat"  # OpenAI's chat completions, the inner form of every request for an answer


@value
class Native:
    """A request as its caller wrote it, in another dialect than chat completions. `path` is where
    a backend takes the dialect, and `headers` are those that belong to the dialect."""

    dialect: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()  # fields that change the answer, and that chat lacks
    read: Any = field(default=None, repr=False)  # what the door keeps to write the answer


# What a request asks for. All but the first are passed through to a backend that can do it.
Operation = Literal[
    "chat",
    "embeddings",
    "completions",
    "rerank",
    "moderations",
    "image_generation",
    "speech",
    "transcription",
]


@value
class Request:
    """A parsed request. `body` holds the caller's bytes, and `fields` the JSON in them."""

    id: str
    body: bytes
    fields: Fields
    model: str
    stream: bool
    include_usage: bool
    session: str
    session_given: bool
    continues: bool
    reading: Reading
    key_id: str = ""
    operation: Operation = "chat"
    path: str = ""  # where a backend takes it, if the operation is passed through
    media: str = ""  # the content type of `body`; empty: JSON
    task: str = ""  # the caller's own name for this kind of request
    max_cost_usd: float | None = None
    max_latency_ms: float | None = None
    preference: Preference | None = None  # how the caller weighs cost and time against quality
    region: str = ""  # the region that its backends must be in; empty: any
    only: tuple[str, ...] = ()  # the plans that this request may use; empty: all
    reuse: Literal["", "off", "exact", "similar"] = ""  # the remembered answers that may be reused
    no_store: bool = False  # whether the answer must not be stored for reuse
    ttl_seconds: float | None = None  # how long the answer may be reused
    compared: bool = False  # whether several plans are asked the same, to be judged side by side
    native: Native | None = None  # the request in its caller's dialect, if that is not chat's
    tags: tuple[str, ...] = ()  # by which the caller wants to see what it spends
    team: str = ""  # the team of its key
    left_out: tuple[str, ...] = ()  # fields of `native` that change no answer, and chat lacks
    stores: tuple[str, ...] = ()  # of knowledge, whose words what was said before may hold
    guarded: "Guarded | None" = None  # None: no guard is configured for it
    before: tuple["Attempt", ...] = ()  # calls made for it before the decision, such as a summary

    @property
    def dialect(self) -> str:
        return CHAT_DIALECT if self.native is None else self.native.dialect

    @property
    def passed_on(self) -> Native | None:
        """The caller's own bytes, if a backend of the dialect may get them as they are."""
        return None if self.guarded is not None and self.guarded.reads else self.native


@value
class Refusal:
    """A request that was refused before any decision about it."""

    request_id: str
    at: float
    operation: str
    status: int
    code: str
    key_id: str = ""
    guarded: "Guarded | None" = None  # what the guards did, if they refused it


@value
class Usage:
    """The tokens of one call; with `estimated`, the router's estimate, as the backend gave none."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0  # read from the provider's cache; part of the input
    estimated: bool = False
    written_tokens: int = 0  # written to the provider's cache; part of the input


@value
class Attempt:
    """One call to one backend. `fault` is empty if the backend answered."""

    backend: str
    status: int
    fault: str
    detail: str
    seconds: float
    first_byte_seconds: float = 0.0
    usage: Usage = Usage()
    cost_usd: float | None = 0.0  # None: unknown, because the backend's price is
    provider: str = ""
    role: str = ""  # the call's place in the plan: `cascade.1`, `refine.critic`
    parent: int = 0  # number of the step whose answer this call works on; 0: none
    swap_seconds: float = 0.0  # the part of `seconds` spent on loading the model

    def priced(self, usage: Usage, cost_usd: float | None, provider: str) -> "Attempt":
        """The same call with its tokens and its cost."""
        return Attempt(
            self.backend,
            self.status,
            self.fault,
            self.detail,
            self.seconds,
            self.first_byte_seconds,
            usage,
            cost_usd,
            provider,
            self.role,
            self.parent,
            self.swap_seconds,
        )

    def summary(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.backend}: {self.fault or 'ok'}{status} ({self.detail})"


@value
class GuardNote:
    """What one guard did. `rule` names what it acted by, and never quotes the words."""

    guard: str
    at: Literal["before", "after"]
    outcome: Literal["passed", "redacted", "marked", "blocked", "failed", "skipped", "held"]
    rule: str = ""
    seconds: float = 0.0


@value
class Guarded:
    """What the guards did to a request before any call of a plan."""

    notes: tuple[GuardNote, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict, repr=False)  # behind each placeholder
    calls: tuple[Attempt, ...] = ()  # of guards that ask a backend
    reads: bool = False  # whether the inner form must be sent: a guard changed or reads it


def total_usd(attempts: Iterable[Attempt]) -> float | None:
    """What these calls cost together; None if the cost of any is unknown."""
    total = 0.0
    for attempt in attempts:
        if attempt.cost_usd is None:
            return None
        total += attempt.cost_usd
    return total


def known_usd(attempts: Iterable[Attempt]) -> float:
    """What those of these calls cost whose cost is known."""
    return sum(attempt.cost_usd or 0.0 for attempt in attempts)


@value
class Exposure:
    """A request's part in a trial. `apart`: the other side would choose the plan `other`."""

    trial: str
    name: str
    side: Literal["candidate", "current", "shadow"]
    unit: str  # digest of the conversation or request that was assigned to the side
    chance: float  # the probability that the unit falls on this side
    apart: bool
    other: str = ""
    trouble: str = ""  # why a routing function could not decide, if one failed


@value
class Shadow:
    """What `auto` would have chosen for a request whose caller, or a default, chose the plan."""

    named: Arm
    plan: Arm  # as it was drawn from `odds`
    share: float  # the chance that `auto` answered
    strategy: str
    policy_version: str
    odds: Distribution
    unpriced: tuple[str, ...] = ()  # plans that `auto` might choose, of unknown price


@value
class Decision:
    """The chosen plan with the reasons, and all that is needed to repeat the draw."""

    plan: Arm
    propensity: float
    strategy: str
    probabilities: Distribution
    ineligible: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[float | None, ...] = ()  # the request's features, named in `context.NAMES`
    features_version: int = 3
    policy_version: str = ""
    kind: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)  # each plan's dollars, by prices alone
    unpriced: tuple[str, ...] = ()  # plans of unknown cost, whose rates are only for comparing
    estimates: tuple[Estimate, ...] = ()  # the bandit's estimates of each plan
    exposures: tuple[Exposure, ...] = ()  # the trials that the request was part of
    shadow: Shadow | None = None
    settings: tuple[Mapping[str, Any], ...] = ()  # what the plan changes in its calls' bodies
    terms: tuple[int, ...] = ()  # the buckets of the request's own words
    pattern: str = ""  # the id of the pattern that the request belongs to; empty: none

    @property
    def explored(self) -> bool:
        """Whether the chosen plan was less likely than the policy's preferred plan."""
        return self.probabilities.get(self.plan, 1.0) < max(self.probabilities.values(), default=0)


@value
class Answered:
    """The size and hash of an answer, and its words if telemetry keeps words."""

    size: int
    digest: str
    text: str | None = None
    chances: Mapping[str, float] = field(default_factory=dict)  # of its alternatives, by logprobs


@value
class Recalled:
    """The solution that was recalled for a request, and the reason why."""

    tier: Literal["exact", "reuse", "adapt", "pattern", "novel"]
    solution: int
    similarity: float = 1.0
    chance: float = 1.0  # the probability that the solution is right for the request
    propensity: float = 1.0  # the probability of serving it or, if `checked`, of checking it
    reason: str = ""  # without the caller's words, because telemetry keeps the reason
    bucket: str = ""
    checked: bool = False  # whether a backend answered as well, to check the solution
    verified: Verified | None = None  # what proved the answer, if it was computed
    bound: float = 0.0  # the upper bound of the share of wrong answers in the bucket
    neighbourhood: int = 0  # the part of the space for which the bucket was judged


@dataclass(slots=True)
class Trace:
    """Everything that has happened to one request so far: the engine's record, one for each
    request, which the engine completes until the request ends. Nothing changes it after that."""

    request: Request
    decision: Decision
    started_at: float
    attempts: tuple[Attempt, ...] = ()
    questions: tuple[Attempt, ...] = ()  # calls beside the plan: about memory, for a summary
    status: int = 0
    error: str = ""
    error_type: str = ""
    seconds: float = 0.0
    first_byte_seconds: float = 0.0
    overhead_seconds: float = 0.0
    answer: Answered | None = None
    keep_prompt: bool = False
    computed: Mapping[str, Any] | None = None  # the program, its run, its verdict and its level
    premium_plan: str = ""
    premium_cost_usd: float | None = 0.0
    answered_by: int = 0  # the step that the answer came from, counted from 1; 0: the last
    partial: str = ""  # one word that says why the plan stopped early, if it did
    recalled: "Recalled | None" = None  # the solution that was recalled
    guards: tuple[GuardNote, ...] = ()  # what the guards did, before and after the call
    partial_reason: str = ""  # may quote the request, so telemetry never stores it
    ended: str = ""  # `refused` or `cut`, if routers notice what becomes of answers
    closing: str = ""  # the end of an answer that ended an agent's loop; never stored in telemetry
    stores: tuple[
        str, ...
    ] = ()  # of knowledge, which its caller may read, whose words its answer may hold
    cites: bool = False  # whether a grant may demand that the answer cites its store
    private: bool = False  # whether it may hold words of stores: then no word of it is written
    chances: Mapping[str, float] = field(default_factory=dict)  # of its plan's short answer

    @property
    def operation(self) -> str:
        return self.request.operation

    @property
    def sources(self) -> tuple[str, ...]:
        """All stores of knowledge whose words its answer may hold: also those of earlier answers
        that its caller may read no longer."""
        return tuple(dict.fromkeys((*self.stores, *self.request.stores)))

    @property
    def cost_usd(self) -> float | None:
        """What all calls cost; None if the cost of any is unknown."""
        if not self.questions:
            return total_usd(self.attempts)
        return total_usd((*self.attempts, *self.questions))

    @property
    def about(self) -> "About":
        """The facts of this request that every signal about it carries."""
        return About(
            self.request.id,
            int(self.started_at * 1e6),
            self.request.key_id,
            self.decision.strategy,
            self.decision.plan,
            self.decision.kind,
            self.tier,
        )

    @property
    def tier(self) -> str:
        """How much of the answer came from memory: exact, reuse, adapt, pattern or novel."""
        return "novel" if self.recalled is None else self.recalled.tier

    @property
    def verified(self) -> Verified | None:
        """How far the answer was checked, if it was computed, now or when it was remembered."""
        if self.computed is not None:
            return verified_in(self.computed)
        return None if self.recalled is None else self.recalled.verified

    @property
    def answering(self) -> Attempt | None:
        """The attempt that gave the answer."""
        return self.attempts[self.answered_by - 1] if self.attempts else None

    def fail(self, status: int, error: str, error_type: str) -> None:
        self.status, self.error, self.error_type = status, error, error_type

    def with_answering(self, attempt: Attempt) -> tuple[Attempt, ...]:
        """The attempts, with another record of the one that gave the answer."""
        if len(self.attempts) == 1:
            return (attempt,)
        attempts = list(self.attempts)
        attempts[self.answered_by - 1] = attempt
        return tuple(attempts)

    @property
    def backend(self) -> str:
        answering = self.answering
        if answering is None:
            return MEMORY if self.tier in ("exact", "reuse") else ""
        return answering.backend


@value
class About:
    """The request that a signal is about, with the facts by which reports group signals."""

    request_id: str
    ts_micros: int
    key_id: str = ""
    strategy: str | None = None
    plan: str | None = None
    kind: str | None = None
    reuse_tier: str | None = None


@value
class Signal:
    """A statement about the quality of an answer. `score` goes from 0 to 1, or is None; `weight`
    says how much this source counts beside other sources."""

    id: str
    at: float
    about: About
    source: str
    metric: str
    value: str | None = None
    score: float | None = None
    weight: float = 1.0
    comment: str | None = None
    demonstration: str | None = None
    key_id: str = ""
    rival: str | None = None  # the answer that a judge compared with; only where answers are kept


@value
class Event:
    """Something that happened to the service, not to one request."""

    id: str
    at: float
    kind: str
    subject: str
    state: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@value
class PolicyInForce:
    """The record of a policy that begins to decide; its decisions carry `version`."""

    version: str
    strategy: str
    settings: Mapping[str, Any]
    at: float


@value
class TrialNews:
    """A trial's new state, with its settings and its numbers."""

    trial: str
    name: str
    state: str
    settings: Mapping[str, Any]
    at: float


# Bytes by chance for ids to come: asking the kernel for each id alone lets other threads go first.
_tails: list[bytes] = []
register_at_fork(after_in_child=_tails.clear)
_TAILS = 256


def new_id(now: float) -> str:
    """A new UUIDv7. These ids sort by time, so that a row is found by its id quickly."""
    try:
        tail = bytearray(_tails.pop())
    except IndexError:
        drawn = urandom(10 * _TAILS)
        _tails.extend(drawn[at : at + 10] for at in range(10, len(drawn), 10))
        tail = bytearray(drawn[:10])
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    text = (int(now * 1000).to_bytes(6, "big") + tail).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


CHAT, EMBEDDINGS, RERANK = "/chat/completions", "/embeddings", "/rerank"
COMPLETIONS = "/completions"
MESSAGES, RESPONSES = "/messages", "/responses"
COUNT_TOKENS = "/messages/count_tokens"  # of Anthropic's API


@value
class Call:
    """One request to one backend, or to the next backend where that fails."""

    path: str
    body: bytes
    stream: bool
    request_id: str = ""
    bodies: Mapping[str, bytes] = field(default_factory=dict)  # of backends that need another body
    native: Native | None = None  # the caller's own request, for backends that speak its dialect
    extended: bool = False  # whether `body` may have members that only some kinds of backends read

    dialect: str = CHAT_DIALECT  # of `body`, and of the answer
    headers: Mapping[str, str] = field(default_factory=dict)  # of the dialect, for its server
    raw: bool = False  # whether the answer may be of any type, and passes as it comes
    key_id: str = ""  # of the caller for whom a plan makes the call; empty: nobody's

    def to(self, backend: str, *, speaks: Container[str] = ()) -> "Call":
        """The call as this backend gets it, which `speaks` these dialects."""
        body = self.bodies.get(backend)
        if body is not None:
            return replace(self, body=body, bodies={}, native=None)
        native = self.native
        if native is None or native.dialect not in speaks:
            return self
        return replace(
            self,
            path=native.path,
            body=native.body,
            dialect=native.dialect,
            headers=native.headers,
            native=None,
            extended=False,
        )


@value
class Reply:
    """A backend's reply: its head, and the bytes of its body as they arrive."""

    status: int
    content_type: str
    body: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


class Fault(Exception):
    """A call failed. `kind` is one word, and `detail` a sentence.

    Kinds are, for example, connect, timeout, protocol, too_large and unavailable. `retry_after`:
    seconds after which the same call may succeed, where that is known.
    """

    def __init__(self, kind: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


# Faults of calls that came too often: nothing is broken, and a later call may succeed.
BUSY = frozenset({"queue_full", "rate_limited"})


COMPUTE, RUN = "/compute", "/run"  # paths of a sandbox: run and verify a program; only run it


@value
class LastAnswer:
    """The last answer of a conversation, and hashes of the message that it answered."""

    about: About
    words: bytes
    at: float
    earlier: bytes = b""  # the digest of the user's message before; empty if there is none
    steps: int = 0  # messages of the request after the user's last, such as results of tools
    last: bytes = b""  # the digest of the last of these


@value
class Warm:
    """A prompt that a backend has read, and may still have in its provider's prompt cache."""

    backend: str
    tokens: int
    at: float


@value
class Home:
    """The plan and the backend that a conversation stays with."""

    plan: str
    backend: str
    at: float
    last: LastAnswer | None = None  # if routers notice what users do next
    warm: tuple[Warm, ...] = ()  # of an agent's session: what each backend has read of it
    turns: tuple[About, ...] = ()  # of an agent's session: its latest turns, oldest first
    failed: frozenset[str] = frozenset()  # the ids of those of its turns whose calls failed

    @property
    def stayed(self) -> int:
        """How many of an agent's latest turns this plan answered."""
        others = (n for n, turn in enumerate(reversed(self.turns)) if turn.plan != self.plan)
        return next(others, len(self.turns))
