"""The prompts of an evaluation, read from a table and checked before any of them is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from router.evaluation.checks import CHECKS, NEEDS_EXPECTED, Check
from router.outcomes.files import Row, UnreadableTable, is_missing
from router.request.reading import reading_of
from router.request.text import prompt_text

_ID = ("prompt_id", "custom_id", "question_id", "id")
_EXPECTED = ("expected", "expected_answer", "answer", "reference", "target", "gold", "label")
# Fields of a request that a row may have beside its prompt.
_PASSED_ON = ("max_tokens", "temperature", "seed", "shape", "response_format", "tools", "data")


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt, how its answers are checked (None: by the judge), and the expected answer."""

    id: str
    fields: Mapping[str, Any]  # of the request, without the model
    task: str
    kind: str
    tokens: int
    check: Check | None
    expected: Any

    @property
    def prompt(self) -> str:
        return prompt_text(self.fields)


def questions_in(
    rows: Sequence[Row], source: str, *, check: str, judged: bool
) -> tuple[Question, ...]:
    """All questions of a table. `check` scores rows without a check of their own; rows without
    either go to the judge, if there is one."""
    questions: dict[str, Question] = {}
    for place, row in enumerate(rows, 1):
        where = f"{source}: row {place}"
        question = _question(row, place, where, check=check, judged=judged)
        if question.id in questions:
            raise UnreadableTable(f"{where}: the id {question.id!r} stands in another row as well")
        questions[question.id] = question
    return tuple(questions.values())


def fingerprint(questions: Sequence[Question]) -> str:
    """A digest of what is asked, by which a continued evaluation knows its own answers."""
    content = [[question.id, dict(question.fields), question.task] for question in questions]
    return blake2b(orjson.dumps(content, default=str), digest_size=12).hexdigest()


def _question(row: Row, place: int, where: str, *, check: str, judged: bool) -> Question:
    expected = next((row[name] for name in _EXPECTED if not is_missing(row.get(name))), None)
    named = "" if is_missing(row.get("check")) else str(row["check"])
    name = named or ("" if judged and expected is None else check)
    if name and name not in CHECKS:
        raise UnreadableTable(f"{where}: there is no check {name!r}: {', '.join(CHECKS)}")
    if not name and not judged:
        raise UnreadableTable(
            f"{where} has no check: give --judge BACKEND, --check NAME or a column `check`"
        )
    if name in NEEDS_EXPECTED and expected is None:
        raise UnreadableTable(
            f"{where}: the check {name} needs the expected answer, in a column such as `expected`"
        )
    fields = {"messages": _messages(row, where), **_passed_on(row, where)}
    reading = reading_of(fields)
    given = row.get("task")
    return Question(
        next((str(row[at]) for at in _ID if not is_missing(row.get(at))), f"row-{place}"),
        fields,
        "" if is_missing(given) else str(given),
        reading.kind,
        reading.tokens,
        CHECKS[name] if name else None,
        expected,
    )


def _messages(row: Row, where: str) -> list[Any]:
    messages = row.get("messages")
    if isinstance(messages, str) and messages.strip():  # as a CSV file has them
        messages = _json_in(messages, f"{where}: messages")
    if isinstance(messages, list) and messages:
        if all(isinstance(m, dict) and "role" in m and "content" in m for m in messages):
            return messages
        raise UnreadableTable(f"{where}: each of the messages needs a role and a content")
    prompt = row.get("prompt", row.get("question"))
    if not isinstance(prompt, str) or not prompt.strip():
        raise UnreadableTable(f"{where} needs a `prompt`, a text, or `messages`")
    return [{"role": "user", "content": prompt}]


def _passed_on(row: Row, where: str) -> dict[str, Any]:
    fields = {}
    for name in _PASSED_ON:
        value = row.get(name)
        if is_missing(value):
            continue
        fields[name] = _json_in(value, f"{where}: {name}") if isinstance(value, str) else value
    return fields


def _json_in(text: str, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableTable(f"{where} is not JSON: {error}") from None
