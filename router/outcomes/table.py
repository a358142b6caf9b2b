"""A table of outcomes, read from any usual form: which model got which score on which prompt.

Long form: a row for each answer, with columns for the model and its score. Wide form: a row for
each prompt, with a column of scores for each model. Nested form: a row for each prompt, with
`scores: {model: score}`. A leaderboard: a row for each model, with a column of scores for each
benchmark. Missing scores are left out. The columns are found by their usual names.

Not covered: a wide table whose columns of other numbers (such as a length) have names like models.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.outcomes.files import Row, UnreadableTable, is_missing, number

# The names of columns by which each part of an outcome is found, in this order.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "query", "instruction", "input", "text"),
    "messages": ("messages", "conversation"),
    "prompt_id": ("prompt_id", "question_id", "query_id", "sample_id", "example_id", "id"),
    "model": ("plan", "model", "model_name", "llm", "system", "arm"),
    "score": (
        *("score", "quality", "performance", "reward", "accuracy", "correct", "is_correct"),
        *("rating", "value", "result"),
    ),
    "benchmark": ("benchmark", "dataset", "eval", "eval_name", "test"),
    "category": ("category", "subject", "subset", "subtask"),
    "kind": ("kind",),
    "task": ("task",),
}
_OTHER = frozenset(
    (
        *("cost_usd", "cost", "cost_est_usd", "latency_s", "latency", "latency_ms", "tokens"),
        *("input_tokens", "output_tokens", "output_chars", "index", "split", "seed", "license"),
    )
)


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One answer of one model, with the score as the table has it."""

    model: str
    score: float
    prompt: str = ""
    prompt_id: str = ""
    benchmark: str = ""
    category: str = ""
    kind: str = ""
    task: str = ""

    @property
    def item(self) -> tuple[str, str, str]:
        """What was asked: the same item for each model that answered it."""
        return self.benchmark, self.category, self.prompt_id or self.prompt


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    answers: tuple[ScoredAnswer, ...]
    form: str  # `long`, `wide`, `nested` or `leaderboard`
    missing: int  # scores that are empty
    models: tuple[str, ...]

    @property
    def has_prompts(self) -> bool:
        return any(answer.prompt for answer in self.answers)


def table_of(rows: Sequence[Row], source: str, *, task_column: str = "") -> OutcomeTable:
    """The outcomes in these rows. `task_column` names the column with the callers' task names."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = _columns(names)
    if task_column:
        if task_column not in names:
            raise UnreadableTable(f"{source} has no column {task_column!r}: {_shown(names)}")
        columns["task"] = task_column
    if "scores" in names:
        form, read = "nested", _nested(rows, columns, source)
    elif "model" in columns and "score" in columns:
        form, read = "long", _long(rows, columns, source)
    else:
        scored = _columns_of_scores(rows, names, columns)
        if not scored:
            raise UnreadableTable(
                f"{source} has neither columns `model` and `score`, nor a column of scores for "
                f"each model: {_shown(names)}"
            )
        form, read = "wide", _wide(rows, columns, scored)
        if "model" in columns:
            form, read = "leaderboard", _leaderboard(rows, columns, scored, source)
    answers, missing = [], 0
    for answer in read:
        if answer is None:
            missing += 1
        else:
            answers.append(answer)
    if not answers:
        raise UnreadableTable(f"{source} holds no score")
    models = tuple(dict.fromkeys(answer.model for answer in answers))
    return OutcomeTable(tuple(answers), form, missing, models)


def prompt_in(row: Row, columns: Mapping[str, str]) -> str:
    """The words of a row's prompt, or of the messages of its users."""
    prompt = row.get(columns.get("prompt", ""))
    if isinstance(prompt, str):
        return prompt
    messages = row.get(columns.get("messages", ""))
    if not isinstance(messages, list):
        return ""
    contents = [
        str(message["content"])
        for message in messages
        if isinstance(message, dict) and message.get("role") == "user" and message.get("content")
    ]
    return "\n\n".join(contents)


def _columns(names: Sequence[str]) -> dict[str, str]:
    """The column of each part of an outcome, found by its usual names in any case."""
    plain = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    columns = {}
    for part, usual in _NAMES.items():
        column = next((plain[name] for name in usual if name in plain), None)
        if column is not None:
            columns[part] = column
    return columns


def _about(row: Row, columns: Mapping[str, str]) -> dict[str, str]:
    parts = {
        part: "" if is_missing(row.get(columns[part])) else str(row[columns[part]]).strip()
        for part in ("prompt_id", "benchmark", "category", "kind", "task")
        if part in columns
    }
    return {"prompt": prompt_in(row, columns), **parts}


def _long(
    rows: Sequence[Row], columns: Mapping[str, str], source: str
) -> Iterator[ScoredAnswer | None]:
    for place, row in enumerate(rows, 1):
        model, score = row.get(columns["model"]), row.get(columns["score"])
        if is_missing(model):
            raise UnreadableTable(f"{source}: row {place} names no model")
        yield _answer(str(model), score, _about(row, columns), f"{source}: row {place}")


def _wide(
    rows: Sequence[Row], columns: Mapping[str, str], scored: Sequence[str]
) -> Iterator[ScoredAnswer | None]:
    for place, row in enumerate(rows, 1):
        about = _about(row, columns)
        about["prompt_id"] = about.get("prompt_id") or f"row {place}"
        for model in scored:
            yield _answer(model.strip(), row.get(model), about, f"row {place}")


def _leaderboard(
    rows: Sequence[Row], columns: Mapping[str, str], scored: Sequence[str], source: str
) -> Iterator[ScoredAnswer | None]:
    for place, row in enumerate(rows, 1):
        model, where = row.get(columns["model"]), f"{source}: row {place}"
        if is_missing(model):
            raise UnreadableTable(f"{where} names no model")
        for benchmark in scored:
            about = {"benchmark": benchmark.strip()}
            yield _answer(str(model), row.get(benchmark), about, where)


def _nested(
    rows: Sequence[Row], columns: Mapping[str, str], source: str
) -> Iterator[ScoredAnswer | None]:
    for place, row in enumerate(rows, 1):
        where, scores = f"{source}: row {place}", row.get("scores")
        if not isinstance(scores, dict) or not scores:
            raise UnreadableTable(f'{where} needs "scores", a number for each plan')
        if not prompt_in(row, columns):
            raise UnreadableTable(f'{where} needs a "prompt", a text, and has none')
        about = _about(row, columns)
        about["prompt_id"] = about.get("prompt_id") or f"row {place}"
        for model, score in scores.items():
            yield _answer(str(model), score, about, where)


def _answer(model: str, score: Any, about: Mapping[str, str], where: str) -> ScoredAnswer | None:
    if is_missing(score):
        return None
    value = number(score)
    if value is None:
        raise UnreadableTable(f"{where}: the score of {model} must be a number, not {score!r:.60}")
    return ScoredAnswer(model, value, **about)


def _columns_of_scores(
    rows: Sequence[Row], names: Sequence[str], columns: Mapping[str, str]
) -> list[str]:
    """The columns of numbers that are not known to be something else."""
    taken = {columns[part] for part in columns if part != "score"}
    scored = []
    for name in names:
        if not name or name in taken or name.strip().lower() in _OTHER or "|" in name:
            continue
        values = [row.get(name) for row in rows]
        given = [value for value in values if not is_missing(value)]
        if given and all(number(value) is not None for value in given):
            scored.append(name)
    return scored


def _shown(names: Sequence[str]) -> str:
    return f"its columns are {', '.join(names[:20])}{' ...' if len(names) > 20 else ''}"
