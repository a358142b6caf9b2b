"""The file of an evaluation's answers and scores, a line each, written before anything counts.

An answer is on the disk as soon as it arrived, so a kill loses no answer that had arrived. The
answers that were under way at a kill are asked for again. The first line says what was asked, and
the file of another evaluation is refused.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from router.files import append_lines, lock_if_free

Key = tuple[str, str]  # the question's id and the plan


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """A plan's answer to a question; with `refusal`, why the plan cannot answer it."""

    text: str
    cost_usd: float | None  # None: unknown
    seconds: float
    backend: str = ""
    refusal: str = ""
    proven: bool = False  # computed, and proved by the sandbox
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """The score of an answer by a check or a judge; None if it could not tell."""

    by: str
    score: float | None
    reason: str = ""
    cost_usd: float | None = 0.0


class ForeignLedger(ValueError):
    """The file holds answers of another evaluation, or is no file of answers at all."""


@dataclass
class Ledger:
    handle: int
    answers: dict[Key, PlanAnswer] = field(default_factory=dict)
    scores: dict[Key, AnswerScore] = field(default_factory=dict)
    # For answers, judges, and tries that gave no answer; what costs an unknown amount is left out.
    spent_usd: float = 0.0

    def answer(self, key: Key, answer: PlanAnswer) -> None:
        self._add({"question": key[0], "plan": key[1], "answer": asdict(answer)})

    def score(self, key: Key, score: AnswerScore) -> None:
        self._add({"question": key[0], "plan": key[1], "score": asdict(score)})

    def waste(self, cost_usd: float | None) -> None:
        """Note what a request cost that got no answer."""
        if cost_usd:
            self._add({"wasted_usd": cost_usd})

    def begin(self, questions: str) -> None:
        self._write({"evaluation": questions})

    def take(self, line: Mapping[str, Any]) -> None:
        """Apply a line of the file."""
        match line:
            case {"wasted_usd": cost_usd}:
                self.spent_usd += cost_usd
            case {"question": question, "plan": plan, "answer": answer}:
                self.answers[question, plan] = PlanAnswer(**answer)
                self.spent_usd += answer["cost_usd"] or 0.0
            case {"question": question, "plan": plan, "score": score}:
                self.scores[question, plan] = AnswerScore(**score)
                self.spent_usd += score["cost_usd"] or 0.0
            case _:
                raise KeyError("no line of an evaluation")

    def _add(self, line: dict[str, Any]) -> None:
        self._write(line)
        self.take(line)

    def _write(self, line: dict[str, Any]) -> None:
        append_lines(self.handle, orjson.dumps(line) + b"\n", durable=True)


@contextlib.contextmanager
def open_ledger(path: Path, questions: str) -> Iterator[Ledger]:
    """Lock the file and read what it holds. `questions` is their fingerprint."""
    try:
        handle = lock_if_free(path)
    except OSError as error:
        raise ForeignLedger(f"{path} cannot be written: {error.strerror}") from None
    if handle is None:
        raise ForeignLedger(f"another evaluation writes to {path}: wait for it")
    try:
        ledger = Ledger(handle)
        content = path.read_bytes()
        lines = content[: content.rfind(b"\n") + 1].splitlines()  # a torn last line is no answer
        if lines:
            _read(ledger, lines, path, questions)
        else:
            ledger.begin(questions)
        yield ledger
    finally:
        os.close(handle)


def _read(ledger: Ledger, lines: list[bytes], path: Path, questions: str) -> None:
    for place, line in enumerate(lines, 1):
        try:
            fields = orjson.loads(line)
            if place > 1:
                ledger.take(fields)
            elif fields["evaluation"] != questions:
                wrong = f"{path} holds answers to other questions"
                raise ForeignLedger(f"{wrong}: give another file with --output")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            wrong = f"{path}:{place} is no line of an evaluation"
            raise ForeignLedger(f"{wrong}: give another file with --output") from None
