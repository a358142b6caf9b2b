"""What lessons are about, and what telemetry says of each: a narrow task, or a pattern of requests.

The configuration names lessons, or with `training: auto` they are found: tasks and patterns with
many judged answers that are short and come again and again. Nothing here reads words.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from router.config.config import Config
from router.config.training import Lesson
from router.plans.made import place_of_task, task_of_place
from router.request.context import FEATURES_VERSION, NAMES
from router.training.data_query import DataQuery
from router.trials.logged import LoggedTelemetry

WINDOW = 20_000  # the latest requests in which lessons are looked for
_TAGGED = NAMES.index("tagged") + 1
_FORMS = 0.35  # share of the answers that may be written in a form of their own
_SHORT = 300  # characters of an answer on average; longer answers are no labels
_OF_OWNER = 0.5  # the least share of the answers that are of one owner
_OTHERS = re.compile(r"[^a-z0-9]+")

_ANSWERED = """
FROM (SELECT * FROM all_requests WHERE ts >= make_timestamp($since)) r
JOIN (FROM judged WHERE request_ts >= make_timestamp($since)) j
     ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE j.quality >= $least AND r.gen_ai_operation_name = 'chat' AND r.status = 200
      AND r.prompt IS NOT NULL AND r.answer IS NOT NULL AND NOT coalesce(r.no_store, false)
      AND coalesce(r.gen_ai_provider_name, '') <> 'learned'
"""

_SUBJECTS = f"""
SELECT CASE WHEN t THEN kind ELSE '' END, CASE WHEN t THEN '' ELSE pattern END, count(*),
       count(DISTINCT lower(trim(answer))), avg(length(answer))
FROM (SELECT coalesce(r.kind, '') AS kind, coalesce(r.pattern, '') AS pattern, r.answer,
             coalesce(r.features[{_TAGGED}], 0) > 0 AND r.features_version = {FEATURES_VERSION} AS t
      {_ANSWERED})
GROUP BY ALL ORDER BY 3 DESC
"""

_PLANS = f"""
SELECT coalesce(r.key_id, ''), r.plan, count(*),
       avg(coalesce(r.cost_usd, r.rate_usd, 0)), avg(coalesce(r.latency_ms, 0)) / 1000
{_ANSWERED} AND ($task = '' OR r.kind = $task) AND ($pattern = '' OR r.pattern = $pattern)
GROUP BY ALL
"""

_DRIFTED = """
SELECT coalesce(epoch(max(ts)), 0) FROM all_events
WHERE kind = 'drift' AND list_contains($plans, subject)
"""

_SINCE = f"""
SELECT coalesce(epoch_us(min(ts)), 0)
FROM (SELECT ts FROM all_requests ORDER BY ts DESC LIMIT {WINDOW})
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A lesson with its name, which its data set and its model have, too."""

    name: str
    lesson: Lesson

    @property
    def place(self) -> str:
        """What its made plans are for."""
        return self.lesson.pattern or place_of_task(str(self.lesson.task))

    def query(self, keys: tuple[str, ...], since: int) -> DataQuery:
        lesson = self.lesson
        return DataQuery(
            task=lesson.task or "",
            pattern=lesson.pattern or "",
            keys=keys,
            plans=() if lesson.teacher is None else (lesson.teacher,),
            least_quality=lesson.least_quality,
            since=since,
        )


def subject_at(name: str, place: str) -> Subject:
    """The subject of a lesson that was found in traffic before."""
    task = task_of_place(place)
    return Subject(name, Lesson(task=task) if task else Lesson(pattern=place))


@dataclass(frozen=True, slots=True)
class Taught:
    """The good answers to a subject's requests since some time: who gave them, and to whom."""

    rows: int
    owner: str  # whose requests they mostly are; empty: nobody's
    keys: tuple[str, ...]
    teacher: str  # the plan of the configuration that gave most of them; empty: none did
    usd: float  # of one of its answers
    seconds: float


def subjects(config: Config, telemetry: LoggedTelemetry) -> Iterator[Subject]:
    """The lessons of the configuration, or those that traffic suggests."""
    if config.training != "auto":
        yield from (Subject(name, lesson) for name, lesson in config.training.items())
        return
    usual = Lesson(task="any")
    given = {"since": telemetry.rows(_SINCE)[0][0], "least": usual.least_quality}
    for task, pattern, rows, forms, length in telemetry.named_rows(_SUBJECTS, given):
        if rows < usual.rows or forms > _FORMS * rows or length > _SHORT or not (task or pattern):
            continue
        name = f"{'task' if task else 'pattern'}-{_plain(task or pattern)}"
        yield subject_at(name, place_of_task(task) if task else pattern)


def drifted_at(telemetry: LoggedTelemetry, plans: list[str]) -> float:
    """When the learner last noticed that the answers of one of these plans had changed; 0: never"""
    return float(telemetry.named_rows(_DRIFTED, {"plans": plans})[0][0])


def taught(
    config: Config,
    telemetry: LoggedTelemetry,
    subject: Subject,
    since: int,
    owner_of: Callable[[str], str],
) -> Taught:
    query = subject.query((), since)
    given = {
        "since": since or telemetry.rows(_SINCE)[0][0],
        "least": query.least_quality,
        "task": query.task,
        "pattern": query.pattern,
    }
    answers = telemetry.named_rows(_PLANS, given)
    owners: Counter[str] = Counter()
    for key, _, rows, *_ in answers:
        owners[owner_of(key)] += rows
    owner, most = owners.most_common(1)[0] if owners else ("", 0)
    if most < _OF_OWNER * owners.total():
        owner = ""
    mine = [each for each in answers if owner_of(each[0]) == owner] if owner else []
    plans: Counter[str] = Counter()
    for _, plan, rows, *_ in mine:
        plans[plan] += rows
    wanted = subject.lesson.teacher
    able = [p for p, _ in plans.most_common() if p in config.plans and wanted in (None, p)]
    teacher = able[0] if able else ""
    own = [each for each in mine if each[1] == teacher]
    rows = sum(each[2] for each in (own if wanted else mine))
    return Taught(
        rows,
        owner,
        tuple(sorted({each[0] for each in mine if each[0]})),
        teacher,
        _mean(own, 3),
        _mean(own, 4),
    )


def _mean(answers: list[tuple[str, str, int, float, float]], column: int) -> float:
    rows = sum(each[2] for each in answers)
    return sum(each[2] * float(each[column]) for each in answers) / rows if rows else 0.0


def _plain(name: str) -> str:
    return _OTHERS.sub("-", name.lower()).strip("-")[:40]
