"""What is known of a batch, in OpenAI's form and on the disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import orjson

Status = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]
ENDED: frozenset[Status] = frozenset({"failed", "completed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch. After it was made, only the process that carries batches out changes it.

    `concludes` is what the batch becomes once its files are there.
    """

    id: str
    key_id: str
    endpoint: str
    input_file_id: str
    completion_window: str
    created_at: int
    expires_at: int
    output_file_id: str  # shown once the file is there
    error_file_id: str
    keep_seconds: float | None = None  # how long the files of the answers are kept
    status: Status = "validating"
    concludes: Status = "completed"
    metadata: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    completed: int = 0
    failed: int = 0
    has_output: bool = False
    has_errors: bool = False
    times: Mapping[str, int] = field(default_factory=dict)  # of the steps, such as in_progress_at
    stores: Sequence[str] = ()  # of knowledge, whose words its answers may hold

    @property
    def open(self) -> bool:
        return self.status not in ENDED

    def json(self, *, cancelling_at: int | None = None) -> dict[str, Any]:
        """The batch as its caller sees it; `cancelling_at`: when somebody asked to cancel it."""
        cancelling = cancelling_at is not None and self.open and self.status != "finalizing"
        times: dict[str, int | None] = dict.fromkeys(_TIMES)
        times |= self.times
        if cancelling_at is not None:
            times["cancelling_at"] = cancelling_at
        errors = {"object": "list", "data": list(self.errors)} if self.errors else None
        counts = {"total": self.total, "completed": self.completed, "failed": self.failed}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": errors,
            "input_file_id": self.input_file_id,
            "completion_window": self.completion_window,
            "status": "cancelling" if cancelling else self.status,
            "output_file_id": self.output_file_id if self.has_output else None,
            "error_file_id": self.error_file_id if self.has_errors else None,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            **times,
            "request_counts": counts,
            "metadata": dict(self.metadata) or None,
        }

    def written(self) -> bytes:
        return orjson.dumps({each.name: getattr(self, each.name) for each in fields(self)})


_TIMES = (
    *("in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at"),
    *("cancelling_at", "cancelled_at"),
)


def batch_in(content: bytes) -> BatchRecord | None:
    """The batch in a record's bytes; None if they are no record."""
    try:
        return BatchRecord(**orjson.loads(content))
    except (orjson.JSONDecodeError, TypeError):
        return None
