"""Settings of continuous training: narrow tasks that a small model takes over from a plan. Pure."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from router.config.values import Name, Values

LEARNED = "learned"  # the backend of trained models that a file need not name
NEEDS = (("telemetry", "prompts"), ("telemetry", "answers"), ("trials", "propose"))


class Lesson(Values):
    """A narrow task, or a pattern of requests, for which a model is trained again and again."""

    task: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="the task as callers name it in x-waggle-task"
    )
    pattern: Annotated[str, Field(pattern=r"^p[1-9][0-9]{0,8}$")] | None = Field(
        None, description="a pattern of `waggle patterns`, in place of a task"
    )
    teacher: Name | None = Field(
        None, description="the plan whose answers are learned; default: all plans that answer well"
    )
    kind: Literal["head"] = "head"
    rows: int = Field(
        300, ge=100, le=20_000, description="judged answers that are new when it is trained"
    )
    every_hours: float | None = Field(
        None, gt=0, description="train again after so many hours, with a sixth of the rows new"
    )
    on_drift: bool = Field(True, description="train again where answers turned out to have changed")
    most_below: float = Field(
        0.01, gt=0, le=0.2, description="most quality that its answers may lose to the teacher's"
    )
    least_quality: float = Field(
        0.8, ge=0, le=1, description="answers that were judged lower are not learned"
    )

    @model_validator(mode="after")
    def _one_subject(self) -> "Lesson":
        if (self.task is None) == (self.pattern is None):
            raise ValueError("a lesson has either `task` or `pattern`: name one of them")
        return self


Lessons = Literal["auto"] | dict[Name, Lesson]


def with_learned(raw: Any) -> Any:
    """The raw values of a file with a backend for models that are trained, if any may be."""
    if not isinstance(raw, dict) or not may_train(raw):
        return raw
    backends, plans = raw.get("backends"), raw.get("plans")
    taken = {*_names(backends), *_names(plans)}
    if not isinstance(backends, dict) or LEARNED in taken:
        return raw
    return {**raw, "backends": {**backends, LEARNED: {"kind": "learned"}}}


def may_train(raw: Any) -> bool:
    """Whether the raw values of a file let anything be trained."""
    training = raw.get("training", "auto")
    return bool(training) and not lacking(raw)


def lacking(raw: Any) -> list[str]:
    """The settings without which nothing can be trained."""
    given = {(section, name): _section(raw, section).get(name) for section, name in NEEDS}
    return [f"{section}.{name}" for (section, name), value in given.items() if value is not True]


def _section(raw: Any, name: str) -> dict[str, Any]:
    section = raw.get(name)
    return section if isinstance(section, dict) else {}


def _names(raw: Any) -> list[str]:
    return list(raw) if isinstance(raw, dict) else []
