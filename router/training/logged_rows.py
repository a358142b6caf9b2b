"""Reads the rows of a data set from telemetry, and counts why other requests are not among them.

Words are there only if telemetry keeps them. What a caller marked as not to be stored is never
read, nor are later requests of the same conversation, because they repeat its words.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb

from router.request.language import LOOKED_AT, language
from router.telemetry.rows import LONGEST_TEXT
from router.telemetry.store import catalog, manifest
from router.training.data_query import DataQuery
from router.training.data_rows import DataRow, Message
from router.training.pairs import LoggedAnswer, preferences

_TAKEN = "taken"

_SEEN = f"""
WITH marked AS (
  SELECT key_id, session, min(ts) AS since FROM all_requests
  WHERE no_store AND session IS NOT NULL GROUP BY ALL),
shown AS (
  SELECT request_id, request_ts, arg_max(demonstration, (ts, n)) AS demonstration,
         arg_max(coalesce(key_id, ''), (ts, n)) AS shown_by
  FROM all_signals WHERE demonstration IS NOT NULL AND length(demonstration) > 0
        AND length(demonstration) < {LONGEST_TEXT} AND $demonstrations GROUP BY ALL),
compared AS (
  SELECT request_id, request_ts, arg_max(rival, (ts, n)) AS rival,
         arg_max(score, (ts, n)) AS against_rival
  FROM all_signals WHERE score IS NOT NULL AND length(rival) BETWEEN 1 AND {LONGEST_TEXT - 1}
  GROUP BY ALL),
seen AS (
  SELECT r.*, j.quality, s.demonstration, s.shown_by, c.rival, c.against_rival, CASE
    WHEN coalesce(r.no_store, false) THEN 'marked by the caller as not to be stored'
    WHEN r.ts >= m.since THEN 'of a conversation with a request that is not to be stored'
    WHEN coalesce(r.status, 0) <> 200 OR r.partial IS NOT NULL THEN 'not answered whole'
    WHEN r.prompt IS NULL THEN 'without the words of the request'
    WHEN length(r.prompt) >= {LONGEST_TEXT} OR length(r.answer) >= {LONGEST_TEXT} THEN 'too long'
    WHEN length(trim(r.prompt)) = 0 THEN 'without words'
    WHEN len(list_filter(r.prompt_parts, lambda part: part.role IN ('tool', 'function'))) > 0
      THEN 'with results of tools'
    WHEN s.demonstration IS NOT NULL THEN '{_TAKEN}'
    WHEN r.gen_ai_provider_name = 'learned' THEN 'answered by a model that was trained here'
    WHEN length(coalesce(r.answer, '')) = 0 THEN 'without the words of the answer'
    WHEN j.quality IS NULL THEN 'not judged'
    WHEN j.quality < $least THEN 'judged lower'
    ELSE '{_TAKEN}' END AS why
  FROM all_requests r
  LEFT JOIN judged j ON j.request_id = r.request_id AND j.request_ts = r.ts
  LEFT JOIN shown s ON s.request_id = r.request_id AND s.request_ts = r.ts
  LEFT JOIN compared c ON c.request_id = r.request_id AND c.request_ts = r.ts
  LEFT JOIN marked m ON m.session = r.session AND m.key_id IS NOT DISTINCT FROM r.key_id
  WHERE r.gen_ai_operation_name = 'chat' AND r.ts >= make_timestamp($since)
        AND r.ts < make_timestamp($until)
        AND ($task = '' OR r.kind = $task) AND ($pattern = '' OR r.pattern = $pattern)
        AND (len($keys) = 0 OR list_contains($keys, coalesce(r.key_id, '')))
        AND (len($plans) = 0 OR list_contains($plans, r.plan)))
"""

_ROWS = f"""{_SEEN}
SELECT request_id, epoch_us(ts), coalesce(key_id, ''), coalesce(session, ''),
       coalesce(pattern, ''), coalesce(kind, ''), coalesce(plan, ''), prompt,
       prompt_parts, coalesce(answer, ''),
       quality, chances, demonstration, coalesce(shown_by, ''), rival, against_rival
FROM seen WHERE why = '{_TAKEN}' ORDER BY ts DESC, request_id LIMIT $most
"""

_LEFT_OUT = f"{_SEEN} SELECT why, count(*) FROM seen WHERE $most > 0 GROUP BY why ORDER BY why"


@dataclass(frozen=True, slots=True)
class LoggedRows:
    rows: tuple[DataRow, ...]  # the latest first
    left_out: Mapping[str, int]  # by reason, the requests that the query meant


@contextmanager
def views_of(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the rows in a folder of telemetry, over views of our own."""
    with duckdb.connect(config={"python_enable_replacements": False, "threads": 1}) as con:
        for statement in catalog.rows_in_memory(folder.absolute(), manifest.load(folder)):
            con.execute(statement)
        yield con


def logged_rows(con: duckdb.DuckDBPyConnection, query: DataQuery) -> LoggedRows:
    """The rows that a query means; its end must be set."""
    given = {
        "demonstrations": query.demonstrations,
        "least": 0.0 if query.pairs else query.least_quality,
        "since": query.since,
        "until": query.until,
        "task": query.task,
        "pattern": query.pattern,
        "keys": list(query.keys),
        "plans": list(query.plans),
        "most": query.most,
    }
    answers = {answer.id: answer for answer in map(_answer, con.execute(_ROWS, given).fetchall())}
    counts = dict(con.execute(_LEFT_OUT, given).fetchall())
    taken = counts.pop(_TAKEN, 0)
    if taken > len(answers):
        counts["older than the latest rows"] = taken - len(answers)
    if not query.pairs:
        return LoggedRows(tuple(answer.row for answer in answers.values()), counts)
    pairs = preferences(list(answers.values()), query.least_quality, query.least_margin)
    beside = {pair.id for pair in pairs} | {pair.rejected_id for pair in pairs}
    if alone := len(answers) - len(beside - {""}):
        counts["without a better or worse answer beside it"] = alone
    return LoggedRows(pairs, counts)


def _answer(logged: Sequence[Any]) -> LoggedAnswer:
    id_, ts, key, session, pattern, task, plan, prompt, parts, answer, *more = logged
    quality, chances, *others = more
    row = DataRow(
        id_,
        ts,
        messages_of(prompt, parts),
        answer,
        0.0 if quality is None else float(quality),
        "judged",
        key=key,
        session=session_hash(session),
        pattern=pattern,
        task=task,
        language=language(prompt[:LOOKED_AT]),
        plan=plan,
        soft=chances or None,
    )
    return LoggedAnswer(row, quality is not None, *others)


def messages_of(prompt: str, parts: Sequence[Mapping[str, Any]] | None) -> tuple[Message, ...]:
    """The messages of a request; one of the user, if the row does not say whose words they are."""
    messages, start = [], 0
    for part in parts or ():
        end = start + part["characters"]
        messages.append(Message(part["role"] or "user", prompt[start:end]))
        start = end + 1
    return tuple(messages) if start == len(prompt) + 1 else (Message("user", prompt),)


def session_hash(session: str) -> str:
    """What stands for the name of a session in a row: the name may be a person's."""
    return blake2b(session.encode(), digest_size=8).hexdigest() if session else ""
