"""Conditions for accepting an answer: in a cascade, or at the gate of a plan."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from router.config.values import Name, Values
from router.records.rules import RuleText

ModelReference = Annotated[
    str,
    Field(
        max_length=150,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(@[1-9][0-9]{0,8})?$",
        description="NAME, its promoted version, or NAME@3: see `waggle models list`",
    ),
]
Share = Annotated[float, Field(ge=0, le=1)]


class Confidence(Values):
    """How likely an answer is good, by a model that was trained on judged answers."""

    head: ModelReference = Field(
        description="a model trained with `waggle models train NAME --target quality`",
    )
    least: Share = Field(0.8, description="lowest probability of a good answer that is enough")


class Check(Values):
    """Conditions for an answer; the answer must meet all of them."""

    schema_: bool | dict[str, Any] | None = Field(
        None, alias="schema", description="a JSON Schema, or true for the shape of the request"
    )
    rules: tuple[RuleText, ...] = Field((), description="rules of a record, e.g. `price <= msrp`")
    regex: str | None = Field(None, max_length=1000, description="must match in the answer")
    validator: Name | None = Field(
        None, description="a backend of kind `validator` that must find the answer valid"
    )
    judge: Name | None = Field(
        None, description="a backend that grades the answer from 0 to 1; see `least`"
    )
    least: Share = Field(0.7, description="lowest grade by `judge` that is enough")
    probability: Share | None = Field(
        None, description="lowest mean probability of a token, by the backend's logprobs"
    )
    entropy: float | None = Field(
        None, gt=0, description="highest entropy of a token in bits, by the top_logprobs"
    )
    agreement: Share | None = Field(
        None, description="how much the answer must agree with the draft before it"
    )
    confidence: Confidence | None = Field(
        None, description="a trained head must find the answer good, e.g. `{head: good, least: .8}`"
    )
    sure: Literal[True] | None = Field(
        None, description="true: a learned model's answer is enough, unless it is unsure"
    )

    @model_validator(mode="after")
    def _something(self) -> "Check":
        if not self.conditions:
            raise ValueError("a check needs a condition, e.g. `schema: true`")
        return self

    @property
    def conditions(self) -> bool:
        """Whether anything is checked."""
        called = self.asks or self.wants_logprobs or self.agreement
        return bool(self.looks_at_text or called or self.sure or self.confidence)

    @property
    def looks_at_text(self) -> bool:
        return bool(self.schema_ or self.rules or self.regex)

    @property
    def wants_logprobs(self) -> bool:
        return self.probability is not None or self.entropy is not None

    @property
    def asks(self) -> tuple[str, ...]:
        """The backends that the check calls."""
        return tuple(name for name in (self.validator, self.judge) if name)


class Gate(Check):
    """A check of a plan's answer; a failing answer goes back to its plan with the reasons."""

    function: Name | None = Field(
        None, description="a written validator: `waggle routes new NAME --kind validator`"
    )
    repair: int = Field(1, ge=0, le=5, description="how often the step may correct its answer")

    @property
    def conditions(self) -> bool:
        return self.function is not None or super().conditions
