"""Plans as the file writes them: frozen values, nested to any depth.

A step is a plan, or the name of a backend or plan. Each pattern has a key of its own, which shows
the pattern of a mapping: `{ask: small}`, `{cascade: [small, large], accept: ...}`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag, WithJsonSchema, model_validator

from router.catalog import Dollars
from router.config.plan_checks import Check, Gate, Share
from router.config.values import NAME_PATTERN, Name, Values
from router.records.rules import RuleText

SEATS = 2, 5  # fewest and most members of a committee that a model designs
SYNTHESIS = "synthesis"  # an author that calls no backend: it needs only the spec


_NAME_SCHEMA = {"type": "string", "pattern": NAME_PATTERN}
_NAMES_SCHEMA = {"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA, "minItems": 1}]}


class Plan(Values):
    """The base of all patterns, with their common bounds and gate."""

    pattern: ClassVar[str]  # the pattern's key in the file

    max_cost: Dollars | None = Field(None, description="most dollars; checked before each step")
    max_latency_ms: float | None = Field(None, gt=0, description="checked before each step")
    gate: Gate | None = Field(None, description="a check that the plan's answer must pass")
    when: RuleText | None = Field(
        None,
        description="a rule on the answer before a later step of a pipeline, e.g. `total > 100`: "
        "where it does not hold, the step is left out",
    )
    every: int | None = Field(
        None,
        ge=2,
        le=1_000_000,
        description="only every so many-th request has this later step of a pipeline",
    )

    @model_validator(mode="after")
    def _left_out_only_later(self) -> "Plan":
        for place, step in self.places:
            later = isinstance(self, Pipeline) and place != "0"
            if not isinstance(step, str) and step.conditional and not later:
                raise ValueError(
                    "`when` and `every` belong to a step of a pipeline after its first: "
                    f"take them from step {place} of this {self.pattern}"
                )
        return self

    @property
    def conditional(self) -> bool:
        """Whether some requests leave this step out."""
        return self.when is not None or self.every is not None

    @property
    def places(self) -> "Places":
        """The steps of the plan, each with its name in telemetry."""
        return ()

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        """The steps that the plan needs, and how many of them must be able to answer."""
        steps = tuple(step for _, step in self.places)
        return steps, len(steps)

    @property
    def leading(self) -> "Step":
        """The step or backend whose answer becomes the plan's answer, if nothing fails."""
        return self.places[0][1]

    @property
    def calls(self) -> "Calls":
        """Each step and backend that the plan calls, with the fewest and the most calls."""
        return tuple((step, 1, 1) for _, step in self.places)

    def with_steps(self, steps: Sequence["Step"]) -> "Plan":
        """The same plan with other steps, in the order of `places`."""
        return self.model_copy(update={self.pattern: tuple(steps)}) if steps else self

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Backends that the plan calls besides its steps, each with its purpose."""
        gate = self.gate.asks if self.gate else ()
        return tuple(("gate", name) for name in gate)


class Example(Values):
    """A request and its answer, which a plan shows before the caller's conversation."""

    prompt: str = Field(min_length=1, max_length=8000)
    answer: str = Field(min_length=1, max_length=8000)


def _numbered(steps: tuple["Step", ...]) -> "Places":
    return tuple((str(n), step) for n, step in enumerate(steps))


class Ask(Plan):
    """Ask one backend; if it fails, ask the fallbacks in turn."""

    pattern = "ask"

    ask: Annotated[Name, WithJsonSchema(_NAMES_SCHEMA)] = Field(
        description="a backend, or a list of equals: each request goes to one, by their `weight`"
    )
    equals: tuple[Name, ...] = Field(
        (), description="the others of a list in `ask`: `ask: [a, b]` is short for it"
    )
    fallback: tuple[Name, ...] = ()
    fields: Literal["anchors"] | tuple[str, ...] | None = Field(
        None,
        description="fields of the shape to ask for; `anchors`: fields that imply the others",
    )
    instruct: str | None = Field(None, description="an instruction beside the conversation")
    system: str | None = Field(
        None, min_length=1, description="the system message, in place of the caller's"
    )
    examples: tuple[Example, ...] = Field(
        (),
        max_length=8,
        description="requests with their answers, shown to the model before the conversation",
    )
    set_: dict[str, JsonValue] = Field(
        default_factory=dict,
        alias="set",
        description="parameters of the request body, e.g. temperature; they win over the caller's",
    )
    model: str | None = Field(None, min_length=1, description="name of the backend's model")

    @model_validator(mode="before")
    @classmethod
    def _one_of_equals(cls, raw: Any) -> Any:
        """`ask: [a, b]` as `ask: a` with the equal `b`."""
        if not isinstance(raw, dict) or not isinstance(raw.get("ask"), list | tuple):
            return raw
        names = list(raw["ask"])
        if not names:
            raise ValueError("`ask` names no backend: name at least one")
        if len(set(map(str, names))) < len(names):
            raise ValueError("`ask` names a backend twice: name each once, and set its `weight`")
        return {**raw, "ask": names[0], "equals": [*names[1:], *(raw.get("equals") or ())]}

    @property
    def backends(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.ask, *self.equals, *self.fallback)))

    @property
    def alike(self) -> tuple[str, ...]:
        """The backends of which each request asks one, by weight."""
        return (self.ask, *self.equals)

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
        """Whether the plan checks and bounds nothing: then the engine needs no executor."""
        return (
            self.gate is None
            and self.max_cost is None
            and self.max_latency_ms is None
            and self.fields is None
            and self.instruct is None
            and not self.examples
        )

    @property
    def changes(self) -> bool:
        """Whether the plan sends another body than the caller's, beside `fields`."""
        return bool(self.set_ or self.system or self.instruct or self.examples or self.model)


class Code(Plan):
    """Compute the answer: an author writes a program, and the sandbox runs it."""

    pattern = "code"

    code: Name = Field(description="a backend of kind `sandbox`")
    authors: tuple[Name, ...] = Field(
        (SYNTHESIS,),
        description="backends that write programs, in turn; `synthesis`, by rule, is always first",
    )
    words: Name | None = Field(None, description="the backend that adds text to computed records")
    reviewer: Name | None = Field(
        None,
        description="the backend that reviews a program before it serves other requests; null: the "
        "built-in reviewers alone",
    )
    fallback: tuple[Name, ...] = ()

    @property
    def backends(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.code, *self.fallback)))

    @property
    def leading(self) -> "Step":
        return self.code

    @property
    def calls(self) -> "Calls":
        words = ((self.words, 0, 1),) if self.words else ()
        return ((self.code, 1, 1), *((name, 0, 2) for name in self.models), *words)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return (self.code,), 1

    @property
    def all_authors(self) -> tuple[str, ...]:
        """The authors in turn; `synthesis` comes first, because it costs nothing."""
        return (SYNTHESIS, *self.models)

    @property
    def models(self) -> tuple[str, ...]:
        """The backends that write programs."""
        return tuple(dict.fromkeys(name for name in self.authors if name != SYNTHESIS))


class Cascade(Plan):
    """Ask the cheapest rung first, then dearer rungs; the last rung's answer is not checked."""

    pattern = "cascade"

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
        # Agreement compares two drafts, so the cascade asks at least two rungs.
        sure = 1 if self.accept.agreement is None else 2
        rungs = [(step, int(n < sure), 1) for n, step in enumerate(self.cascade)]
        checks = [(name, 1, len(self.cascade) - 1) for name in self.accept.asks]
        return (*rungs, *checks)

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        return (*((("accept", name)) for name in self.accept.asks), *super().asks)


class Pipeline(Plan):
    """Run steps in a row: each step works on the answer of the step before it."""

    pattern = "pipeline"

    pipeline: tuple["Step", ...] = Field(min_length=1, max_length=20)

    @property
    def places(self) -> "Places":
        return _numbered(self.pipeline)

    @property
    def leading(self) -> "Step":
        return self.pipeline[-1]

    @property
    def calls(self) -> "Calls":
        return tuple(
            (step, int(isinstance(step, str) or not step.conditional), 1) for step in self.pipeline
        )


class FanOut(Plan):
    """Run all steps at once, and merge their answers into one."""

    pattern = "fan_out"

    fan_out: tuple["Step", ...] = Field(min_length=2, max_length=20)
    merge: Literal["deep", "vote", "best", "fuse"]
    by: Name | None = Field(
        None, description="the backend that judges (`best`) or writes the merged answer (`fuse`)"
    )
    weights: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="of votes; default: the scores learned for each backend"
    )
    deadline_ms: float | None = Field(
        None, gt=0, description="later answers do not count if `quorum` answers are there"
    )
    quorum: int = Field(1, ge=1, description="how many answers are enough")

    @model_validator(mode="after")
    def _whole(self) -> "FanOut":
        if (self.merge in ("best", "fuse")) != (self.by is not None):
            raise ValueError(
                "`by` names the backend that merges by `best` or `fuse`, and only then"
            )
        if self.quorum > len(self.fan_out):
            steps = len(self.fan_out)
            raise ValueError(f"quorum = {self.quorum} of {steps} answers can never arrive")
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
    critic: "Critics" = Field(
        description="the backend that grades a draft from 0 to 1, or a list of them; `{code: "
        "SANDBOX}` in the list compares the draft with what a program computes",
    )
    fixer: Name | None = Field(
        None, description="the backend that corrects a draft; default: the draft's step"
    )
    until: Share = Field(0.8, description="the grade at which a draft is good enough")
    max: int = Field(3, ge=1, le=10, description="most rounds of correction")
    finally_: "Step | None" = Field(
        None,
        alias="finally",
        description="the step that gets the best draft and its problems, if no draft is good "
        "enough; the critics grade its answer too",
    )

    @model_validator(mode="after")
    def _judged(self) -> "Refinement":
        if not self.critics:
            raise ValueError("`critic` names the backends that grade a draft: name at least one")
        if len(set(map(str, self.critics))) < len(self.critics):
            raise ValueError("`critic` names a backend twice: name each critic once")
        return self

    @property
    def critics(self) -> tuple["Critic", ...]:
        """Every critic: the name of a backend, or a program."""
        return (self.critic,) if isinstance(self.critic, str) else self.critic


class Refine(Plan):
    """Draft an answer, have a critic grade it, and mend it until the grade is high enough."""

    pattern = "refine"

    refine: Refinement

    @property
    def places(self) -> "Places":
        parts = self.refine
        programs = tuple(
            (f"critic.{n}", critic)
            for n, critic in enumerate(parts.critics)
            if isinstance(critic, Code)
        )
        last = () if parts.finally_ is None else (("finally", parts.finally_),)
        return (("draft", parts.draft), *programs, *last)

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        return (self.refine.draft,), 1

    @property
    def calls(self) -> "Calls":
        parts = self.refine
        last = () if parts.finally_ is None else ((parts.finally_, 0, 1),)
        most = 1 + parts.max + len(last)  # the answer of `finally` is graded too
        return (
            (parts.draft, 1, 1),
            *((critic, 1, most) for critic in parts.critics),
            (parts.fixer or parts.draft, 0, parts.max),
            *last,
        )

    def with_steps(self, steps: Sequence["Step"]) -> "Refine":
        by_place = dict(zip((place for place, _ in self.places), steps, strict=True))
        critic: Any = self.refine.critic
        if not isinstance(critic, str):
            critic = tuple(by_place.get(f"critic.{n}", each) for n, each in enumerate(critic))
        changes = {
            "draft": by_place["draft"],
            "critic": critic,
            "finally_": by_place.get("finally"),
        }
        return self.model_copy(update={"refine": self.refine.model_copy(update=changes)})

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        critics = (("critic", each) for each in self.refine.critics if isinstance(each, str))
        fixer = (("fixer", self.refine.fixer),) if self.refine.fixer else ()
        return (*critics, *fixer, *super().asks)


class Reviewing(Values):
    draft: "Step"
    reviewer: Name = Field(description="the backend that reads the whole conversation")
    max: int = Field(1, ge=0, le=5, description="how often the draft may be written again")


class Review(Plan):
    """Draft an answer; a backend that reads the whole conversation says whether the answer fits."""

    pattern = "review"

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
    """Start the next step when a step takes longer than its p95; the first answer wins."""

    pattern = "hedge"

    hedge: tuple["Step", ...] = Field(min_length=2, max_length=5)
    after_ms: float = Field(
        1000.0, gt=0, description="wait before the next step, until the p95 of a step is known"
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


Part = Annotated[
    str,
    Field(max_length=1000, description="what the member stands for, e.g. `the sceptic`"),
]


class AskMember(Ask):
    """A member of a committee that asks one backend."""

    role: Part = ""

    @property
    def changes(self) -> bool:
        return bool(self.role) or super().changes


class CodeMember(Code):
    """A member of a committee, or a critic, that computes."""

    role: Part = ""


class Stop(Values):
    agreement: Share = Field(
        description="how much the members must agree, from 0 to 1, for a round to be the last"
    )


class Conferring(Values):
    """Who confers: members that the file names, or that `design` names for each kind of request.

    In a compiled plan with `design`, `members` are the models from which the design may choose.
    """

    members: tuple["Member", ...] = Field(
        (), max_length=10, description="backends, plans, programs (`code:`) and validators"
    )
    design: Name | None = Field(
        None, description="the model that names members and roles, once a kind of request"
    )
    rounds: int = Field(
        2, ge=1, le=5, description="most rounds; from the second on, members see the others' words"
    )
    chair: Name | None = Field(
        None,
        description="the model that writes the answer; default: what most members agree with",
    )
    gate: Check | None = Field(
        None, description="a check of the answer; its reasons go back to the members"
    )
    revise: int | None = Field(
        None, ge=0, le=3, description="rounds after a refusal by the gate; default: 1"
    )
    stop: Stop | None = Field(None, description="when the rounds end early; default: never")

    @model_validator(mode="after")
    def _whole(self) -> "Conferring":
        if bool(self.members) == (self.design is not None):
            raise ValueError(
                "`members` names who confers, or `design` the model that chooses them: give "
                "exactly one of the two"
            )
        if len(self.members) == 1:
            raise ValueError("a committee needs at least 2 members, and there is 1: add more")
        if self.revise and self.gate is None:
            raise ValueError("`revise` needs a `gate` whose reasons go back: add it")
        return self

    @property
    def revisions(self) -> int:
        """How often the gate may send the answer back."""
        return 0 if self.gate is None else 1 if self.revise is None else self.revise


class Committee(Plan):
    """Members answer alone, then see what the others said; a chair or agreement decides."""

    pattern = "committee"

    committee: Conferring

    @property
    def places(self) -> "Places":
        return tuple((str(n), member) for n, member in enumerate(self.committee.members))

    @property
    def vital(self) -> tuple[tuple["Step", ...], int]:
        """At least two members must be able to answer; a design may give one model two roles."""
        parts = self.committee
        if parts.design is not None:
            return parts.members or (parts.design,), 1
        return parts.members, 2

    @property
    def leading(self) -> "Step":
        parts = self.committee
        return parts.chair or parts.design or parts.members[0]

    @property
    def calls(self) -> "Calls":
        parts = self.committee
        least, most = self.turns
        members = tuple((member, least, most) for member in parts.members)
        if parts.design is not None:  # `router.plans.costs` counts the members of a design
            members = ((parts.design, 0, 1),)
        turns = 1 + parts.revisions
        chair = ((parts.chair, 1, turns),) if parts.chair else ()
        checks = tuple((name, 1, turns) for name in parts.gate.asks) if parts.gate else ()
        return (*members, *chair, *checks)

    @property
    def turns(self) -> tuple[int, int]:
        """How often a member speaks, at least and at most."""
        parts = self.committee
        least = parts.rounds if parts.stop is None and parts.design is None else 1
        return least, parts.rounds + parts.revisions

    def with_steps(self, steps: Sequence["Step"]) -> "Committee":
        committee = self.committee.model_copy(update={"members": tuple(steps)})
        return self.model_copy(update={"committee": committee})

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        parts = self.committee
        design = (("design", parts.design),) if parts.design else ()
        chair = (("chair", parts.chair),) if parts.chair else ()
        checks = tuple(("gate", name) for name in parts.gate.asks) if parts.gate else ()
        return (*design, *chair, *checks, *super().asks)


PATTERNS: Mapping[str, type[Plan]] = {
    class_.pattern: class_
    for class_ in (Ask, Code, Cascade, Pipeline, FanOut, Refine, Review, Hedge, Committee)
}
# The plans that a member of a committee may be, by the key that shows each.
MEMBERS: Mapping[str, type[Plan]] = {"ask": AskMember, "code": CodeMember}
# Pydantic puts these tags into the places of its errors; `pydantic_errors` removes them.
TAGGED = "a plan with "
SEATED = "a member with "
NAMED = "a name"
LISTED = "a list"


def _tag(value: Any) -> str | None:
    """The tag of a step: `NAMED` for a name, or else the pattern that the mapping has as key."""
    if isinstance(value, str):
        return NAMED
    if isinstance(value, Plan):
        return TAGGED + value.pattern
    keys = value if isinstance(value, dict) else ()
    return next((TAGGED + pattern for pattern in PATTERNS if pattern in keys), None)


def _member_tag(value: Any) -> str | None:
    """The tag of a member or a critic."""
    if isinstance(value, str):
        return NAMED
    if isinstance(value, Plan):
        return SEATED + value.pattern
    keys = value if isinstance(value, dict) else ()
    return next((SEATED + pattern for pattern in MEMBERS if pattern in keys), None)


_Tagged: TypeAlias = (
    Annotated[Ask, Tag(TAGGED + "ask")]
    | Annotated[Code, Tag(TAGGED + "code")]
    | Annotated[Cascade, Tag(TAGGED + "cascade")]
    | Annotated[Pipeline, Tag(TAGGED + "pipeline")]
    | Annotated[FanOut, Tag(TAGGED + "fan_out")]
    | Annotated[Refine, Tag(TAGGED + "refine")]
    | Annotated[Review, Tag(TAGGED + "review")]
    | Annotated[Hedge, Tag(TAGGED + "hedge")]
    | Annotated[Committee, Tag(TAGGED + "committee")]
)
AnyPlan = Annotated[_Tagged, Discriminator(_tag)]
Step = Annotated[Annotated[Name, Tag(NAMED)] | _Tagged, Discriminator(_tag)]
Member = Annotated[
    Annotated[Name, Tag(NAMED)]
    | Annotated[AskMember, Tag(SEATED + "ask")]
    | Annotated[CodeMember, Tag(SEATED + "code")],
    Discriminator(_member_tag),
]
Critic = Annotated[
    Annotated[Name, Tag(NAMED)] | Annotated[CodeMember, Tag(SEATED + "code")],
    Discriminator(_member_tag),
]
Critics = Annotated[
    Annotated[Name, Tag(NAMED)] | Annotated[tuple[Critic, ...], Tag(LISTED)],
    Discriminator(lambda value: NAMED if isinstance(value, str) else LISTED),
]
Places = tuple[tuple[str, Step], ...]
Calls = tuple[tuple[Step, int, int], ...]  # step, fewest calls, most calls
for _model in (
    *(Cascade, Pipeline, FanOut, Refinement, Refine, Reviewing, Review, Hedge),
    *(Conferring, Committee),
):
    _model.model_rebuild()
