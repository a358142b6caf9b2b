"""`python -m router.training.lessons.lesson_run FOLDER`: make a lesson's data set, and train on it.

The process is niced, and may be killed at any moment: a data set is named only when it is whole,
and so is a model. The same lesson goes on where it was.
"""

import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from router.files import lock_if_free, write_durably
from router.training.data_query import DataQuery, DataRefused, query_of
from router.training.data_sets import DataSets
from router.training.logged_rows import LoggedRows, logged_rows, views_of
from router.training.making import DataMaker
from router.training.meaning import meaning_in
from router.training.run import NICE, carry_out_noted
from router.training.trainer import Wish
from router.training.workplace import JOB, LOCK, RESULT, Job

_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LessonJob:
    """A lesson's query and wish. All folders are absolute."""

    name: str
    query: Mapping[str, Any]
    wish: Mapping[str, Any]
    now_micros: int
    models: str
    training: str
    telemetry: str
    encoders: str
    encoder: str | None

    def encoded(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def maker_of(job: LessonJob) -> tuple[DataMaker, DataQuery]:
    """What makes the data set of a lesson, and of which rows."""

    def read(query: DataQuery) -> LoggedRows:
        with views_of(Path(job.telemetry)) as con:
            return logged_rows(con, query)

    sets = DataSets(Path(job.training) / "data")
    meaning = meaning_in(job.encoder, job.encoders, _say)
    return DataMaker(sets, read, meaning), query_of(job.query)


def carry_out(job: LessonJob) -> Mapping[str, Any]:
    """Make the data set, train, and return what came of it. Raises `DataRefused`."""
    maker, query = maker_of(job)
    data = maker.make(job.name, query, job.now_micros).data_set
    run = Job(
        job.name,
        data.reference,
        data.hash,
        Wish(**job.wish),
        job.models,
        job.training,
        job.telemetry,
        job.encoders,
    )
    run.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(run.folder / JOB, run.encoded())
    result = carry_out_noted(run)
    return {**result, "data": data.reference, "rows": data.card["rows"], "run": run.run}


def _say(what: str) -> None:
    print(what, file=sys.stderr)  # noqa: T201 - the lesson's log


def main(folder: Path) -> int:
    os.umask(0o077)
    os.nice(NICE)
    job = LessonJob(**orjson.loads((folder / JOB).read_bytes()))
    while lock_if_free(folder / LOCK) is None:
        time.sleep(_WAIT_SECONDS)  # a learner that was killed left a process at the same work
    try:
        result = carry_out(job)
    except DataRefused as error:
        result = {"state": "refused", "why": str(error)}
    except Exception as error:
        traceback.print_exc()
        result = {"state": "failed", "why": f"{type(error).__name__}: see {folder / 'log'}"}
    write_durably(folder / RESULT, orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
