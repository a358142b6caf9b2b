"""The outcome of reading a request: a spec, or the reason why there is none."""

from dataclasses import dataclass, field

from sandbox.spec import Spec


@dataclass(slots=True)
class ReadOutcome:
    """A spec with the reasons for it; without a spec, `problem` says why no program can answer."""

    spec: Spec | None = None
    problem: str = ""
    reasons: list[str] = field(default_factory=list)
