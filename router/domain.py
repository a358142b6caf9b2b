"""The nouns of routing. Plain values: no I/O, no clock, no configuration."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from os import urandom
from typing import Any, Literal

from learner.policy import Arm, Distribution
from learner.preference import Estimate, Preference

Fields = Mapping[str, Any]
MEMORY = "memory"  # the backend's name in a trace whose answer was remembered


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request says: read once, where the request is parsed."""

    text: str  # all words of the conversation, oldest first
    last_words: str  # the text of the user's last message
    tokens: int  # an estimate for `text`
    shape: Any  # the JSON shape or schema that the answer should have, or None
    needs: frozenset[str]  # what a backend must be able to do: `tools`, `images`, `json`
    difficulty: Mapping[str, float]  # 0 to 1 for each part of the complexity score
    kind: str  # of request, by what stands out most
    language: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants. `body` goes on byte for byte; `fields` is that body, parsed."""

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
    operation: Literal["chat", "embeddings"] = "chat"
    task: str = ""  # what the caller calls this kind of request, if anything
    max_cost_usd: float | None = None
    max_latency_ms: float | None = None
    preference: Preference | None = None  # how the caller weighs cost and time against quality
    region: str = ""  # where its backends must stand; empty: anywhere
    only: tuple[str, ...] = ()  # the plans that this request may use; empty: all
    scope: str = ""  # whose solutions this request may use
    reuse: Literal["", "off", "exact", "similar"] = ""  # which remembered answers may serve
    no_store: bool = False  # whether its answer must not be remembered
    ttl_seconds: float | None = None  # how long its answer may be remembered


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused before any decision about it."""

    request_id: str
    at: float
    operation: str
    status: int
    code: str
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `estimated`: the backend reported none, and they are estimated here."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one backend. `fault` is empty if the backend answered."""

    backend: str
    status: int
    fault: str
    detail: str
    seconds: float
    first_byte_seconds: float = 0.0
    usage: Usage = Usage()
    cost_usd: float = 0.0
    provider: str = ""
    role: str = ""  # its place in the plan: `cascade.1`, `refine.critic`
    parent: int = 0  # the step whose answer it works on, counted from 1; 0: none
    swap_seconds: float = 0.0  # the part of `seconds` until its model was loaded

    def summary(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.backend}: {self.fault or 'ok'}{status} ({self.detail})"


@dataclass(frozen=True, slots=True)
class Exposure:
    """A request's part in a trial. `apart`: the other side would have chosen `other` instead."""

    trial: str
    name: str
    side: Literal["candidate", "current", "shadow"]
    unit: str  # the conversation or request that was assigned, as a digest
    chance: float  # the probability of this side
    apart: bool
    other: str = ""
    trouble: str = ""  # why the candidate gave no answer of its own


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a request went where it went: enough to replay the draw."""

    plan: Arm
    propensity: float
    strategy: str
    probabilities: Distribution
    ineligible: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[float | None, ...] = ()  # the features of the request: see `context.NAMES`
    features_version: int = 1
    policy_version: str = ""
    kind: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)  # dollars each plan costs by its price
    estimates: tuple[Estimate, ...] = ()  # what the bandit expected of each plan
    exposures: tuple[Exposure, ...] = ()  # the trials it was part of

    @property
    def explored(self) -> bool:
        """Whether the plan taken was not the plan that the policy preferred."""
        return self.probabilities.get(self.plan, 1.0) < max(self.probabilities.values(), default=0)


@dataclass(frozen=True, slots=True)
class Answered:
    """A record of an answer: its size and hash, and its words only if they are to be kept."""

    size: int
    digest: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """Which solution was recalled for a request, and why that was thought right."""

    tier: Literal["exact", "reuse", "adapt", "pattern", "novel"]
    solution: int
    similarity: float = 1.0
    chance: float = 1.0  # the probability that it is right
    propensity: float = 1.0  # of answering from memory; if `checked`, of not doing so
    reason: str = ""  # in none of the caller's words, because telemetry keeps it
    bucket: str = ""
    checked: bool = False  # whether a new answer was made to compare with the remembered one


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that has happened to one request so far."""

    request: Request
    decision: Decision
    started_at: float
    operation: str = "chat"
    attempts: tuple[Attempt, ...] = ()
    status: int = 0
    error: str = ""
    error_type: str = ""
    seconds: float = 0.0
    first_byte_seconds: float = 0.0
    overhead_seconds: float = 0.0
    answer: Answered | None = None
    keep_prompt: bool = False
    computed: Mapping[str, Any] | None = None  # the program, its run and the verdict on it
    premium_plan: str = ""
    premium_cost_usd: float = 0.0
    answered_by: int = 0  # the step that the answer came from, counted from 1; 0: the last
    partial: str = ""  # one word for why the plan was not carried out to its end
    recalled: "Recalled | None" = None  # the solution that was recalled
    partial_reason: str = ""  # in words that may quote the request: never kept

    def after(self, attempt: Attempt) -> "Trace":
        return replace(self, attempts=(*self.attempts, attempt))

    @property
    def cost_usd(self) -> float:
        return sum(attempt.cost_usd for attempt in self.attempts)

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
        """How much of the answer was remembered: exact, reuse, adapt, pattern or novel."""
        return "novel" if self.recalled is None else self.recalled.tier

    @property
    def answering(self) -> Attempt | None:
        """The step that the answer came from."""
        return self.attempts[self.answered_by - 1] if self.attempts else None

    @property
    def backend(self) -> str:
        if self.answering is None:
            return MEMORY if self.tier in ("exact", "reuse") else ""
        return self.answering.backend


@dataclass(frozen=True, slots=True)
class About:
    """The request that a signal is about, with the facts that sums over signals need."""

    request_id: str
    ts_micros: int
    key_id: str = ""
    strategy: str | None = None
    plan: str | None = None
    kind: str | None = None
    reuse_tier: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A statement about the quality of an answer. `score` goes from 0 to 1, or is None; `weight`
    says how much the source is believed beside others."""

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


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the service, not to one request."""

    id: str
    at: float
    kind: str
    subject: str
    state: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy that begins to decide, under the version that its decisions carry."""

    version: str
    strategy: str
    settings: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class TrialNews:
    """A trial's new state, with the numbers behind it."""

    trial: str
    name: str
    state: str
    settings: Mapping[str, Any]
    at: float


def new_id(now: float) -> str:
    """A UUIDv7: it sorts by time, so that files of rows can be searched by it."""
    tail = bytearray(urandom(10))
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    text = (int(now * 1000).to_bytes(6, "big") + tail).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


CHAT, EMBEDDINGS = "/chat/completions", "/embeddings"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one backend."""

    path: str
    body: bytes
    stream: bool
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of an answer, and its bytes as they come."""

    status: int
    content_type: str
    body: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


class Fault(Exception):
    """A call that brought no answer. `kind` is one word, and `detail` says more.

    Kinds: connect, timeout, protocol, too_large, unavailable, bad_request.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


COMPUTE, RUN = "/compute", "/run"  # a statistical request with its program; any program


@dataclass(frozen=True, slots=True)
class Home:
    """Where a conversation lives."""

    plan: str
    backend: str
    at: float
