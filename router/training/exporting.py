"""Writes rows in the formats of those who train models: OpenAI's chat, ShareGPT, pairs for DPO."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from router.training.data_query import DataRefused
from router.training.data_rows import DataRow

_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}


def exported(rows: Iterable[DataRow], form: str) -> Iterator[bytes]:
    """A line for each row."""
    if form not in FORMATS:
        raise DataRefused(f"--format {form}: one of {', '.join(FORMATS)} is meant")
    for row in rows:
        yield orjson.dumps(FORMATS[form](row)) + b"\n"


def _openai(row: DataRow) -> dict[str, Any]:
    return {"messages": [*row.conversation, _assistant(row.answer)]}


def _sharegpt(row: DataRow) -> dict[str, Any]:
    turns = [{"from": _SPEAKERS.get(m.role, m.role), "value": m.content} for m in row.messages]
    return {"conversations": [*turns, {"from": "gpt", "value": row.answer}]}


def _dpo(row: DataRow) -> dict[str, Any]:
    if row.rejected is None:
        raise DataRefused(
            "this data set holds no pairs: make one with `waggle data make NAME --pairs`"
        )
    return {
        "prompt": row.conversation,
        "chosen": [_assistant(row.answer)],
        "rejected": [_assistant(row.rejected)],
    }


def _assistant(answer: str) -> dict[str, str]:
    return {"role": "assistant", "content": answer}


FORMATS: Mapping[str, Callable[[DataRow], dict[str, Any]]] = {
    "openai": _openai,
    "sharegpt": _sharegpt,
    "dpo": _dpo,
}
