"""The best answers of a pattern, whose words may be shown to a model again, and to whom.

Words are there only if telemetry keeps those of requests and of answers. They belong to the owner
of their key, as reuse has it: one key, or a group of keys that share. Words of a request that its
caller did not want to be stored are never taken.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from router.trials.logged import LoggedTelemetry

_GOOD = 0.9  # the least quality of an answer that is an example
_POOR = 0.5
_LONGEST = 2000  # characters of a request or of an answer
_LATEST = 300  # judged answers that are read
_OF_OWNER = 0.5  # the least share of the pattern's requests that are the owner's

_ROWS = f"""
SELECT coalesce(r.key_id, ''), r.plan, r.prompt, r.answer, j.quality, r.request_id
FROM all_requests r JOIN (FROM judged WHERE request_ts >= make_timestamp(?)) j
     ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.pattern = ? AND r.ts >= make_timestamp(?) AND r.prompt IS NOT NULL
      AND r.answer IS NOT NULL AND r.status = 200
      AND NOT coalesce(r.no_store, false) AND j.quality IS NOT NULL
      AND length(r.prompt) BETWEEN 1 AND {_LONGEST} AND length(r.answer) BETWEEN 1 AND {_LONGEST}
ORDER BY r.ts DESC LIMIT {_LATEST}
"""


class OwnAnswer(NamedTuple):
    prompt: str
    answer: str
    request_id: str


@dataclass(frozen=True, slots=True)
class OwnWords:
    """Answered requests of one owner, the best first, and requests that were answered badly."""

    owner: str = ""
    good: tuple[OwnAnswer, ...] = ()
    poor: tuple[OwnAnswer, ...] = ()


def own_words(
    telemetry: LoggedTelemetry, pattern: str, since_micros: int, owner_of: Callable[[str], str]
) -> OwnWords:
    rows = telemetry.rows(_ROWS, since_micros, pattern, since_micros)
    owners = Counter(owner_of(key_id) for key_id, *_ in rows)
    if not owners:
        return OwnWords()
    owner, count = owners.most_common(1)[0]
    if count < _OF_OWNER * len(rows) or not owner:
        return OwnWords()
    mine = [row for row in rows if owner_of(row[0]) == owner]
    worth = _means([(plan, quality) for _, plan, _, _, quality, _ in mine])
    best = sorted(
        (row for row in mine if row[4] >= _GOOD), key=lambda row: (-row[4], -worth[row[1]])
    )
    return OwnWords(owner, _different(best), _different(r for r in mine if r[4] <= _POOR))


def _different(rows: Iterable[tuple[Any, ...]]) -> tuple[OwnAnswer, ...]:
    """The first answer of each prompt."""
    answers: dict[str, OwnAnswer] = {}
    for _, _, prompt, answer, _, request_id in rows:
        answers.setdefault(prompt, OwnAnswer(prompt, answer, request_id))
    return tuple(answers.values())


def _means(rows: list[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, list[float]] = {}
    for plan, quality in rows:
        sums.setdefault(plan, []).append(quality)
    return {plan: sum(values) / len(values) for plan, values in sums.items()}
