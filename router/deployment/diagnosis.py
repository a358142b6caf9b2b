"""What `waggle doctor` finds out about a part of the machine or of the service, and the mend."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    what: str
    verdict: Verdict
    state: str
    mend: str = ""
