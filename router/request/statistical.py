"""Interprets requests that a program could answer, and writes jobs for the sandbox."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

import orjson

from router.domain import Fields, Request
from router.request.text import last_user_text
from router.request.wants import shape_of
from sandbox.records import json_text
from sandbox.request import Interpretation, read
from sandbox.spec import Spec

Message = dict[str, str]


_ENOUGH = 32_768  # characters of a table that a decision reads; a computation reads all
_LONG = 16_384  # characters of a message from which it is read in a thread, before the decision
_CPU_SECONDS = 0.02  # that reading may take where it keeps other requests waiting
_CPU_SECONDS_BESIDE = 0.25  # in a thread
_CPU_SECONDS_WHOLE = 10.0  # for a computation, in the sandbox's thread
_KEPT, _MOST_KEPT = 64, 200_000  # interpretations, and characters of a message
_LIKELY = (
    "Draw 10 values from N(0, 1) as CSV, seed 1",
    "Generate 20 user records where ages follow a normal distribution with mean 35 and standard "
    "deviation 12, clipped to 18-100",
)
_SHAPED = Interpretation("linguistic", ("the answer is to have a shape of its own",))


def warm() -> None:
    """Read likely requests, which compiles the patterns: the first real request would pay for it,
    and might not be read within its time."""
    for text in _LIKELY:
        interpret(text, cpu_seconds=_CPU_SECONDS_WHOLE)


def interpretation_of(request: Request) -> Interpretation:
    """What a program could compute from the user's last message; nothing if a shape is given."""
    if request.reading.shape is not None:
        return _SHAPED
    return interpret(request.reading.last_words, request.fields.get("data"))


def interpret(text: str, data: Any = None, *, cpu_seconds: float | None = None) -> Interpretation:
    """Interpret a message for a decision, which reads only the first rows of its table.

    Decision and answer share one interpretation.
    """
    key = text, None if data is None else _beginning(data)
    kept = _kept.get(key)
    if kept is None:
        kept = _read(*key, _CPU_SECONDS if cpu_seconds is None else cpu_seconds)
        if len(text) <= _MOST_KEPT:
            with _keeping:
                _kept[key] = kept
                if len(_kept) > _KEPT:
                    del _kept[next(iter(_kept))]
    return kept


_kept: dict[tuple[str, str | None], Interpretation] = {}
_keeping = Lock()


def read_beside(request: Request) -> None:
    """Interpret a long message in a thread, with time enough for a table, before the decision.

    So is a message whose table came beside it in a long body.
    """
    if len(request.body) <= _LONG:
        return
    words, data = request.reading.last_words, request.fields.get("data")
    if request.reading.shape is None and (len(words) > _LONG or data is not None):
        interpret(words, data, cpu_seconds=_CPU_SECONDS_BESIDE)


def interpret_whole(fields: Fields) -> Interpretation:
    """Interpret a message for the computation, which reads all rows of its table."""
    if shape_of(fields) is not None:
        return _SHAPED
    text, data = last_user_text(fields), fields.get("data")
    return read(text, data, cpu_seconds=_CPU_SECONDS_WHOLE)


@cache
def _load_words() -> None:
    """Load what the reader needs, which takes longer than a reading may."""
    for text in ("What is the mean of 1, 2 and 6?", "Generate 100 ages from N(35, 12)"):
        read(text)


def _read(text: str, data: str | None, cpu_seconds: float) -> Interpretation:
    _load_words()
    if data is not None and data[:1] in ("[", "{"):
        return read(text, orjson.loads(data), cpu_seconds=cpu_seconds)
    return read(text, data, cpu_seconds=cpu_seconds)


def _beginning(data: Any) -> str:
    """The first rows of a table, as text."""
    if isinstance(data, str):
        line_end = data.rfind("\n", 0, _ENOUGH)
        return data if len(data) <= _ENOUGH else data[: line_end if line_end > 0 else _ENOUGH]
    for rows in (200, 20, 3):
        try:
            text = orjson.dumps(_first(data, rows)).decode()
        except TypeError:  # no table may hold integers beyond 64 bits
            break
        if len(text) <= _MOST_KEPT:
            return text
    return "0"


def _first(data: Any, rows: int) -> Any:
    if isinstance(data, dict):
        return {k: v[:rows] if isinstance(v, list) else v for k, v in data.items()}
    return data[:rows] if isinstance(data, list) else data


def job_of(
    text: str, fields: Fields, *, seed: int, turn: int, source: str, count: int | None = None
) -> bytes:
    """A job for the sandbox: the request's words and data, and a program. `count` is the number of
    records, if the request names none."""
    kept: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    if fields.get("data") is not None:
        kept["data"] = fields["data"]
    job = {
        "fields": kept,
        "seed": seed,
        "turn": turn,
        "source": source,
        "as_object": wants_object(fields),
        "count": count,
    }
    return orjson.dumps(job)


def free_job_of(
    text: str, fields: Fields, *, seed: int, programs: Sequence[Mapping[str, Any]], read: bool
) -> bytes:
    """A job for the sandbox: programs of models, to be compared, or to be held against what the
    rules have `read`."""
    kept: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    if fields.get("data") is not None:
        kept["data"] = fields["data"]
    job = {"fields": kept, "seed": seed, "programs": programs, "read": read}
    job["as_object"] = wants_object(fields)
    return orjson.dumps(job)


def wants_object(fields: Fields) -> bool:
    wanted = fields.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_object"


_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.S)


def program_in(answer: str) -> str:
    """The longest block of code in an answer; the whole answer if it has no block."""
    return max(_BLOCK.findall(answer), key=len, default=answer).strip("\n")


def words_job(
    spec: Spec, count: int, *, seed: int, rows: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    """The body of a chat request that asks for the text columns. A model gets the `rows` that its
    texts must fit; the generator reads only a shape."""
    shape = {field.name: "string" for field in spec.words}
    options: dict[str, Any] = {}
    if rows is None:
        content = f"{count} records"
        options = {"shape": shape, "count": count, "seed": seed}
    else:
        content = (
            f"Answer with a JSON array of exactly {count} objects and nothing else. Each has these "
            f"keys, with invented but plausible text, all different: {', '.join(shape)}. The n-th "
            "object belongs to the n-th of these records and fits its values: first names by the "
            "decade of birth and the sex, jobs by the stage of life, places and words by what the "
            f"record says. Do not repeat its values:\n{json_text([dict(row) for row in rows])}"
        )
    return {"model": "auto", "messages": [{"role": "user", "content": content}], **options}


def words_in(answer: str, names: Sequence[str], count: int) -> list[dict[str, str]]:
    """The text of each record in an answer. Raises `ValueError` if texts are missing."""
    start, end = answer.find("["), answer.rfind("]")
    rows = orjson.loads(answer[start : end + 1] if 0 <= start < end else answer)
    if not isinstance(rows, list) or len(rows) < count:
        raise ValueError(f"{count} records were asked for, and {len(rows)} came")
    return [{name: str(row[name]) for name in names} for row in rows[:count]]
