"""The audit log: who did which administrative act, when, and what it changed.

An act is written down, durably, before it is carried out: none is carried out without a line. If it
fails, a line after it may say so. Each line holds a hash over itself and over the line before; a
file beside the log holds the last number and hash: `problems` sees a line that was changed, taken
out or cut off. A line that a killed writer left unfinished is removed by the next writer.

Not covered: somebody who may write both files can write both anew. Keep the last number and hash
elsewhere (`waggle audit` prints them), and `problems` proves that the log still continues them.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from router.files import alone, append_lines, write_durably

AUDIT_FILE = "audit.jsonl"
_MOST_TEXT = 4_000  # characters of `before` or `after`, as JSON
_TAIL_BYTES = 64 * 1024  # a line is shorter
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Act:
    """An administrative act. `before` and `after` hold no secrets."""

    what: str  # such as `key made`, `trial adopted`
    subject: str
    who: Mapping[str, str]  # a local user, or a key by its id and name
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The number and the hash of a line; all lines before it are bound by the hash."""

    n: int = 0
    hash: str = _START

    def __str__(self) -> str:
        return f"{self.n}:{self.hash}"

    @classmethod
    def read(cls, text: str) -> "Head":
        """Raises `ValueError`."""
        number, _, digest = text.strip().partition(":")
        if not number.isdigit() or len(digest) != len(_START):
            raise ValueError(f"{text[:100]!r} is no number and hash, as `waggle audit` prints them")
        return cls(int(number), digest)


class AuditLog:
    """The log of one data folder. Several processes may write it at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / AUDIT_FILE
        self._head_path = folder / "audit.head"

    def record(self, act: Act, at: str) -> Head:
        """Write an act, durably. `at`: the time, by UTC."""
        with alone(self.path) as handle:
            last, head = self._last(handle), self._kept_head()
            # A log that ends before its head was cut: going on from the head keeps the gap.
            before = last if head is None or head.n <= last.n else head
            line = {
                "n": before.n + 1,
                "at": at,
                "who": dict(act.who),
                "what": act.what,
                "subject": act.subject,
                "before": _short(act.before),
                "after": _short(act.after),
            }
            digest = _hash(before.hash, line)
            written = orjson.dumps(line | {"hash": digest}) + b"\n"
            append_lines(handle, written, durable=True)
            new = Head(before.n + 1, digest)
            write_durably(self._head_path, str(new).encode())
        return new

    def lines(self) -> Iterator[dict[str, Any]]:
        """The acts, the oldest first; a line that is no JSON object is left out."""
        for line in self._raw_lines():
            parsed = _parsed(line)
            if parsed is not None:
                yield parsed

    @property
    def head(self) -> Head:
        return self._kept_head() or Head()

    def problems(self, expected: Head | None = None) -> list[str]:
        """What was changed, taken out or cut off; nothing if the log is whole. `expected`: a head
        of earlier, which the log must hold."""
        problems, last = [], Head()
        hashes = {0: _START}
        for place, raw in enumerate(self._raw_lines(), 1):
            line = _parsed(raw)
            if line is None or not isinstance(line.get("n"), int):
                problems.append(f"line {place} is damaged")
                continue
            if line["n"] != last.n + 1:
                problems.append(f"line {place} has the number {line['n']} after {last.n}: cut")
            content = {name: value for name, value in line.items() if name != "hash"}
            if line.get("hash") != _hash(last.hash, content):
                problems.append(f"line {place} does not continue the line before: changed or cut")
            last = Head(line["n"], str(line.get("hash")))
            hashes[last.n] = last.hash
        for head, name in ((self._kept_head(), "audit.head"), (expected, "the head given")):
            if head is not None and hashes.get(head.n) != head.hash:
                problems.append(f"the log ends at {last.n}, and does not hold {name}, {head.n}")
        return problems

    def _raw_lines(self) -> Iterator[bytes]:
        """The finished lines of the file."""
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))

    def _last(self, handle: int) -> Head:
        """The head by the last finished line of the log."""
        size = os.fstat(handle).st_size
        start = max(size - _TAIL_BYTES, 0)
        tail = os.pread(handle, size - start, start)
        for raw in reversed(tail[: tail.rfind(b"\n") + 1].splitlines()):
            line = _parsed(raw)
            if line is not None and isinstance(line.get("n"), int):
                return Head(line["n"], str(line.get("hash")))
        return Head()

    def _kept_head(self) -> Head | None:
        try:
            return Head.read(self._head_path.read_text())
        except (FileNotFoundError, ValueError):
            return None


def _hash(before: str, line: Mapping[str, Any]) -> str:
    content = orjson.dumps(dict(line), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(before.encode() + content).hexdigest()


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None


def _short(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they can be stored; of too many, only their names."""
    plain: dict[str, Any] = orjson.loads(
        orjson.dumps(dict(values), default=str, option=orjson.OPT_NON_STR_KEYS)
    )
    if len(orjson.dumps(plain)) <= _MOST_TEXT:
        return plain
    return {"left out": f"more than {_MOST_TEXT} characters", "names": [*map(str, plain)][:50]}
