"""What reading a request comes to."""

from dataclasses import dataclass, field

from sandbox.spec import Spec


@dataclass(slots=True)
class Read:
    """What was found; `problem` is why it is not enough, or not for a program."""

    spec: Spec | None = None
    problem: str = ""
    reasons: list[str] = field(default_factory=list)
