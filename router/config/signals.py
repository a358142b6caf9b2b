"""Sources of quality besides the app's feedback: the check and the weight of each source."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from router.config.values import Name, Values
from router.records.rules import RuleText

Kind = Literal[
    "json",
    "schema",
    "regex",
    "rules",
    "realism",
    "tests",
    "specialist",
    "judge",
    "behaviour",
    "outcome",
]
_BELIEVED: Mapping[str, float] = {
    "json": 0.5,
    "schema": 0.8,
    "regex": 0.6,
    "rules": 0.8,
    "realism": 0.5,
    "tests": 0.9,
    "specialist": 0.7,
    "judge": 0.5,
    "behaviour": 0.0,  # earned, by comparison with ratings
    "outcome": 0.3,
}
_ASKS = frozenset({"tests", "specialist", "judge"})


class SignalSource(Values):
    """One source of quality; it judges an answer after the caller has received the answer."""

    kind: Kind
    by: Name | None = Field(
        None, description="the backend that judges, the specialist, or the sandbox that runs tests"
    )
    against: Name | None = Field(
        None,
        description="backend whose answer the judge compares; default: the judge gives a grade",
    )
    regex: str | None = Field(None, max_length=1000, description="must match in the answer")
    rules: tuple[RuleText, ...] = Field((), description="rules of a record, e.g. `price <= msrp`")
    share: float = Field(1.0, gt=0, le=1, description="share of requests, drawn at random")
    weight: float | None = Field(
        None, gt=0, le=1, description="how much the signal counts; default: by kind"
    )
    plans: tuple[Name, ...] = Field((), description="only answers of these plans; default: all")

    @model_validator(mode="after")
    def _whole(self) -> "SignalSource":
        if (self.by is None) == (self.kind in _ASKS):
            needed = "needs" if self.by is None else "takes no"
            raise ValueError(f"a signal of kind {self.kind} {needed} `by`")
        if (self.kind == "regex") != (self.regex is not None):
            raise ValueError("`regex` belongs to a signal of kind regex, and to no other")
        if (self.kind == "rules") != bool(self.rules):
            raise ValueError("`rules` belong to a signal of kind rules, and to no other")
        if self.against is not None and self.kind != "judge":
            raise ValueError("only a signal of kind judge takes `against`")
        if self.kind == "behaviour" and (self.weight is not None or self.share < 1 or self.plans):
            raise ValueError(
                "a signal of kind behaviour takes no weight, share or plans: its weight is measured"
            )
        if self.kind == "outcome" and (self.share < 1 or self.plans):
            raise ValueError(
                "a signal of kind outcome takes no share or plans: an outcome is a whole session's"
            )
        return self

    @property
    def believed(self) -> float:
        return _BELIEVED[self.kind] if self.weight is None else self.weight


Sources = Annotated[
    tuple[SignalSource, ...],
    Field(
        description="sources of quality; default: whether an answer is JSON and fits its schema, "
        "what users do next, and how agents' sessions end"
    ),
]
DEFAULT = (
    SignalSource(kind="json"),
    SignalSource(kind="schema"),
    SignalSource(kind="behaviour"),
    SignalSource(kind="outcome"),
)
# Kinds that look at the form of an answer, for what is unlikely in it, or for its words in
# documents, where "can" and "cannot" count the same: they can say that an answer is bad, and never
# that it is right.
FORM: frozenset[str] = frozenset({"json", "schema", "regex", "rules", "realism", "specialist"})

# The weight of feedback from a check, a judge or a behaviour; the app's own feedback has the
# weight 1.
WEIGHTS = {"check": 0.8, "judge": 0.5, "implicit": 0.0}
