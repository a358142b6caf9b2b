"""What happened, a line of JSON for each request, written by a thread off the request path.

Prompts and answers are not in it unless the configuration asks; a hash and a length are.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import orjson

from router.domain import Trace
from router.features import prompt_text


class Journal(Protocol):
    def append(self, trace: Trace) -> None: ...
    def close(self) -> None: ...


class FileJournal:
    """One writer's file. What was appended is written together, every few ms.

    The thread looks by itself: waking it for each row would have it take the interpreter from the
    very request whose answer is about to go out.
    """

    def __init__(self, path: Path, *, log_prompts: bool = False, seconds: float = 0.02) -> None:
        self.log_prompts = log_prompts
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._seconds = seconds
        self._rows: deque[Mapping[str, Any]] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def append(self, trace: Trace) -> None:
        self._rows.append(row_of(trace, log_prompts=self.log_prompts))

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._file.close()

    def _write(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.wait(self._seconds)
            lines = []
            while self._rows:
                row = orjson.dumps(self._rows.popleft(), option=orjson.OPT_APPEND_NEWLINE)
                lines.append(row)
            if lines:
                with contextlib.suppress(OSError):  # a full disk must not stop the answers
                    self._file.write(b"".join(lines))
                    os.fdatasync(self._file.fileno())


def row_of(trace: Trace, *, log_prompts: bool) -> Mapping[str, Any]:
    request, decision = trace.request, trace.decision
    prompt = request.body
    row = {
        "request_id": request.id,
        "ts": trace.started_at,
        "key_id": request.key_id,
        "session": request.session,
        "model": request.model,
        "stream": request.stream,
        "strategy": decision.strategy,
        "plan": decision.plan,
        "propensity": decision.propensity,
        "probabilities": dict(decision.probabilities),
        "ineligible": dict(decision.ineligible),
        "complexity": decision.score,
        "parts": dict(decision.parts),
        "backend": trace.backend,
        "status": trace.status,
        "error": trace.error,
        "cost_usd": trace.cost_usd,
        "seconds": trace.seconds,
        "first_byte_seconds": trace.first_byte_seconds,
        "overhead_seconds": trace.overhead_seconds,
        "request_bytes": len(prompt),
        "request_hash": blake2b(prompt, digest_size=8).hexdigest(),
        "attempts": [
            {
                "backend": a.backend,
                "status": a.status,
                "fault": a.fault,
                "detail": a.detail,
                "seconds": a.seconds,
                "input_tokens": a.usage.input_tokens,
                "output_tokens": a.usage.output_tokens,
                "cached_tokens": a.usage.cached_tokens,
                "tokens_estimated": a.usage.estimated,
                "cost_usd": a.cost_usd,
            }
            for a in trace.attempts
        ],
    }
    return row | ({"prompt": prompt_text(request.fields)} if log_prompts else {})
