"""How plans are written: frozen values that compose to any depth.

A step is a plan, or the name of a backend or of another plan. Which kind of plan a mapping is, is
said by the one key of it that names a pattern.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from router.config.values import Dollars, Name, Values
from router.records.rules import RuleText

SYNTHESIS = "synthesis"  # the author that is no backend: it writes from the spec alone
Share = Annotated[float, Field(ge=0, le=1)]


class Check(Values):
    """What an answer must hold. Of several, all."""

    schema_: bool | dict[str, Any] | None = Field(
        None, alias="schema", description="true: the request's own shape; else a JSON Schema"
    )
    rules: tuple[RuleText, ...] = Field((), description="e.g. `price <= msrp`, of each record")
    regex: str | None = Field(None, max_length=1000, description="found in the answer")
    validator: Name | None = Field(None, description="a backend of kind `validator` that is asked")
    judge: Name | None = Field(None, description="a backend that says from 0 to 1 how good it is")
    least: Share = Field(0.7, description="of what `judge` says")
    probability: Share | None = Field(
        None, description="least mean probability of a token, by the backend's logprobs"
    )
    entropy: float | None = Field(None, gt=0, description="most bits a token, by its top_logprobs")
    agreement: Share | None = Field(
        None, description="how much it says what the draft before it said"
    )

    @model_validator(mode="after")
    def _something(self) -> "Check":
        if not (self.looks_at_text or self.asks or self.wants_logprobs or self.agreement):
            raise ValueError("a check needs something to hold, e.g. `schema: true`")
        return self

    @property
    def looks_at_text(self) -> bool:
        return bool(self.schema_ or self.rules or self.regex)

    @property
    def wants_logprobs(self) -> bool:
        return self.probability is not None or self.entropy is not None

    @property
    def asks(self) -> tuple[str, ...]:
        return tuple(name for name in (self.validator, self.judge) if name)


class Gate(Check):
    """Between steps. What does not hold goes back to the step with the reasons, `repair` times."""

    repair: int = Field(1, ge=0, le=5)


class Plan(Values):
    """What every plan may be told, whatever its pattern."""

    max_cost: Dollars | None = Field(None, description="dollars; checked before each step")
    max_latency_ms: float | None = Field(None, gt=0)
    gate: Gate | None = None

    @property
    def pattern(self) -> str:
        """The key that says which it is."""
        return next(key for key, class_ in PATTERNS.items() if isinstance(self, class_))

    @property
    def places(self) -> "Places":
        """The steps below, each under the name that telemetry gives it."""
        return ()

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        """Steps of which so many must answer, or the plan cannot."""
        steps = tuple(step for _, step in self.places)
        return steps, len(steps)

    @property
    def leading(self) -> "Step":
        """The step or backend that the answer comes from when all goes well."""
        return self.places[0][1]

    @property
    def calls(self) -> "Calls":
        """Each step and backend below, with how often it is called at least and at most."""
        return tuple((step, 1, 1) for _, step in self.places)

    def with_steps(self, steps: Sequence["Step"]) -> "Plan":
        """The same plan over other steps, in the order of `places`."""
        return self.model_copy(update={self.pattern: tuple(steps)}) if steps else self

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Backends that are asked beside the steps, with what for."""
        gate = self.gate.asks if self.gate else ()
        return tuple(("gate", name) for name in gate)


def _numbered(steps: tuple["Step", ...]) -> "Places":
    return tuple((str(n), step) for n, step in enumerate(steps))


class Ask(Plan):
    """One backend."""

    ask: Name
    fallback: tuple[Name, ...] = ()
    fields: Literal["anchors"] | tuple[str, ...] | None = Field(
        None,
        description="only these of the asked shape; `anchors`: those the rest follows from",
    )
    instruct: str | None = Field(None, description="what it is told beside the conversation")
    model: str | None = Field(None, min_length=1, description="of a backend that has several")

    @property
    def backends(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.ask, *self.fallback)))

    @property
    def leading(self) -> "Step":
        return self.ask

    @property
    def calls(self) -> "Calls":
        return ((self.ask, 1, 1),)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return self.backends, 1

    @property
    def plain(self) -> bool:
        """Nothing but the question: the engine takes a shorter way."""
        return (
            self.gate is None
            and self.max_cost is None
            and self.max_latency_ms is None
            and self.fields is None
            and self.instruct is None
            and self.model is None
        )


class Code(Plan):
    """The statistical path."""

    code: Name = Field(description="a backend of kind `sandbox`")
    authors: tuple[Name, ...] = Field(
        (SYNTHESIS,),
        description="of programs, in turn: backends, or `synthesis`, which needs none",
    )
    words: Name | None = Field(None, description="the backend that adds text to computed records")
    fallback: tuple[Name, ...] = ()

    @property
    def backends(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.code, *self.fallback)))

    @property
    def leading(self) -> "Step":
        return self.code

    @property
    def calls(self) -> "Calls":
        return ((self.code, 1, 1), *(((self.words, 0, 1),) if self.words else ()))

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return (self.code,), 1

    @property
    def all_authors(self) -> tuple[str, ...]:
        """Who needs no model comes last at the latest: the simpler program."""
        return tuple(dict.fromkeys((*self.authors, SYNTHESIS)))


class Cascade(Plan):
    """From the cheapest to the dearest, until an answer is accepted; the last always is."""

    cascade: tuple["Step", ...] = Field(min_length=2, max_length=10)
    accept: Check

    @property
    def places(self) -> "Places":
        return _numbered(self.cascade)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return self.cascade, 1

    @property
    def calls(self) -> "Calls":
        # Agreement needs two drafts; the last rung is not checked.
        sure = 1 if self.accept.agreement is None else 2
        rungs = [(step, int(n < sure), 1) for n, step in enumerate(self.cascade)]
        checks = [(name, 1, len(self.cascade) - 1) for name in self.accept.asks]
        return (*rungs, *checks)

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        return (*((("accept", name)) for name in self.accept.asks), *super().asks)


class Pipeline(Plan):
    """Each step sees what the one before it made."""

    pipeline: tuple["Step", ...] = Field(min_length=1, max_length=20)

    @property
    def places(self) -> "Places":
        return _numbered(self.pipeline)

    @property
    def leading(self) -> "Step":
        return self.pipeline[-1]


class FanOut(Plan):
    """All at once, and one answer made of what they say."""

    fan_out: tuple["Step", ...] = Field(min_length=2, max_length=20)
    merge: Literal["deep", "vote", "best", "fuse"]
    by: Name | None = Field(
        None, description="who judges (`best`) or writes the one answer (`fuse`)"
    )
    weights: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="of votes; default: the scores learned for each backend"
    )
    deadline_ms: float | None = Field(
        None, gt=0, description="who is not there by then is left behind, if `quorum` are"
    )
    quorum: int = Field(1, ge=1, description="how many answers are enough")

    @model_validator(mode="after")
    def _whole(self) -> "FanOut":
        if (self.merge in ("best", "fuse")) != (self.by is not None):
            raise ValueError(
                "`by` names the backend that merges by `best` or `fuse`, and only then"
            )
        if self.quorum > len(self.fan_out):
            raise ValueError(f"quorum = {self.quorum} of {len(self.fan_out)} can never be there")
        return self

    @property
    def places(self) -> "Places":
        return _numbered(self.fan_out)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return self.fan_out, self.quorum

    @property
    def calls(self) -> "Calls":
        turns = len(self.fan_out) if self.merge == "best" else 1
        return (*super().calls, *(((self.by, turns, turns),) if self.by else ()))

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        return (*(((self.merge, self.by),) if self.by else ()), *super().asks)


class Refinement(Values):
    draft: "Step"
    critic: Name
    fixer: Name | None = Field(None, description="default: the draft's own step again")
    until: Share = 0.8
    max: int = Field(3, ge=1, le=10, description="rounds of mending")
    finally_: "Step | None" = Field(
        None, alias="finally", description="asked afresh where no round was enough"
    )


class Refine(Plan):
    """Generate, check, correct, until the critic is content."""

    refine: Refinement

    @property
    def places(self) -> "Places":
        last = () if self.refine.finally_ is None else (("finally", self.refine.finally_),)
        return (("draft", self.refine.draft), *last)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return (self.refine.draft,), 1

    @property
    def calls(self) -> "Calls":
        parts = self.refine
        last = () if parts.finally_ is None else ((parts.finally_, 0, 1),)
        return (
            (parts.draft, 1, 1),
            (parts.critic, 1, 1 + parts.max),
            (parts.fixer or parts.draft, 0, parts.max),
            *last,
        )

    def with_steps(self, steps: Sequence["Step"]) -> "Refine":
        draft, *last = steps
        changes = {"draft": draft, "finally_": last[0] if last else None}
        return self.model_copy(update={"refine": self.refine.model_copy(update=changes)})

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        fixer = (("fixer", self.refine.fixer),) if self.refine.fixer else ()
        return (("critic", self.refine.critic), *fixer, *super().asks)


class Reviewing(Values):
    draft: "Step"
    reviewer: Name
    max: int = Field(1, ge=0, le=5, description="how often the draft may be written anew")


class Review(Plan):
    """A backend with room for the whole conversation says whether the answer belongs into it."""

    review: Reviewing

    @property
    def places(self) -> "Places":
        return (("draft", self.review.draft),)

    @property
    def calls(self) -> "Calls":
        turns = 1 + self.review.max
        return ((self.review.draft, 1, turns), (self.review.reviewer, 1, turns))

    def with_steps(self, steps: Sequence["Step"]) -> "Review":
        review = self.review.model_copy(update={"draft": steps[0]})
        return self.model_copy(update={"review": review})

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        return (("reviewer", self.review.reviewer), *super().asks)


class Hedge(Plan):
    """The next begins where the one before is slower than it nearly always is; the first wins."""

    hedge: tuple["Step", ...] = Field(min_length=2, max_length=5)
    after_ms: float = Field(
        1000.0, gt=0, description="until enough calls were seen to know their p95"
    )

    @property
    def places(self) -> "Places":
        return _numbered(self.hedge)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return self.hedge, 1

    @property
    def calls(self) -> "Calls":
        return tuple((step, int(n == 0), 1) for n, step in enumerate(self.hedge))


# The key that says which it is, and the class it is read into. Pydantic puts the tag into the
# place of an error, where a reader takes it out again.
PATTERNS: Mapping[str, type[Plan]] = {
    "ask": Ask,
    "code": Code,
    "cascade": Cascade,
    "pipeline": Pipeline,
    "fan_out": FanOut,
    "refine": Refine,
    "review": Review,
    "hedge": Hedge,
}
TAGGED = "a plan with "
NAMED = "a name"


def _which(value: Any) -> str | None:
    if isinstance(value, str):
        return NAMED
    if isinstance(value, Plan):
        return TAGGED + value.pattern
    keys = value if isinstance(value, dict) else ()
    return next((TAGGED + pattern for pattern in PATTERNS if pattern in keys), None)


_Tagged: TypeAlias = (
    Annotated[Ask, Tag(TAGGED + "ask")]
    | Annotated[Code, Tag(TAGGED + "code")]
    | Annotated[Cascade, Tag(TAGGED + "cascade")]
    | Annotated[Pipeline, Tag(TAGGED + "pipeline")]
    | Annotated[FanOut, Tag(TAGGED + "fan_out")]
    | Annotated[Refine, Tag(TAGGED + "refine")]
    | Annotated[Review, Tag(TAGGED + "review")]
    | Annotated[Hedge, Tag(TAGGED + "hedge")]
)
AnyPlan = Annotated[_Tagged, Discriminator(_which)]
Step = Annotated[Annotated[Name, Tag(NAMED)] | _Tagged, Discriminator(_which)]
Places = tuple[tuple[str, Step], ...]
Calls = tuple[tuple[Step, int, int], ...]
for _model in (Cascade, Pipeline, FanOut, Refinement, Refine, Reviewing, Review, Hedge):
    _model.model_rebuild()
