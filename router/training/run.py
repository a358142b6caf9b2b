"""`python -m router.training.run FOLDER`: carry out the training run whose job lies in a folder.

The process is niced, so that it takes only the time that nobody needs. It may be killed at any
moment: the registry names a model only when its files are whole, and the same run goes on later.
"""

import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from router.domain import Event, new_id
from router.encoding.encodes import Encodes
from router.files import lock_if_free, write_durably
from router.models.card import Card
from router.models.registry import Registry
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.training.data_query import DataRefused
from router.training.data_sets import DataSet, DataSets
from router.training.fill_trainer import train_fill
from router.training.head_trainer import train_head
from router.training.judge_trainer import train_judge
from router.training.model_changes import register
from router.training.trainer import Trained, Trainer, Wish, Work
from router.training.twin_trainer import train_twin
from router.training.workplace import LOCK, RESULT, Job, Workplace, job_in


def train_adapter(data: DataSet, wish: Wish, work: Work) -> Trained:
    """Only a process that trains an adapter loads torch."""
    from router.training import adapter_trainer

    return adapter_trainer.train_adapter(data, wish, work)


TRAINERS: Mapping[str, Trainer] = {  # by kind
    "head": train_head,
    "fill": train_fill,
    "adapter": train_adapter,
    "twin": train_twin,
}
NICE = 15
DONE, REFUSED, BUSY = 0, 3, 4  # exit statuses


def carry_out(job: Job) -> Mapping[str, Any]:
    """Train, register, and return the facts of the run, which are also written to its folder."""
    data = _data_of(job)
    place = Workplace(job, lambda: _encoder(job))
    place.tell(0.0, "reading the data set")
    begun = time.process_time()
    trainer = train_judge if job.wish.target == "quality" else TRAINERS[job.wish.kind]
    trained = trainer(data, job.wish, place)
    seconds = time.process_time() - begun
    if job.wish.consent:
        _data_of(job)  # it is gone if consent was withdrawn meanwhile
    card = _card(job, trained, data, seconds)
    promote = job.promote and trained.passes
    made, digest = register(Registry(Path(job.models)), card, trained.files, promote=promote)
    result = {
        "state": "finished",
        "model": made.reference,
        "digest": digest,
        "promoted": promote,
        "why": trained.why,
        "metrics": made.metrics,
        "parameters": made.parameters,
        "cost": made.cost,
        "cpu_seconds": seconds,
        "curves": trained.curves,
        "calibration": made.calibration,
        # Answers may be words of callers: the card has slices by answer, and telemetry has not.
        "slices": [part for part in made.slices if part["slice"] != "answer"],
    }
    write_durably(job.folder / RESULT, orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY))
    place.tell(1.0, "done")
    place.clear()
    return result


def carry_out_noted(job: Job) -> Mapping[str, Any]:
    """Carry out a job, and write to telemetry what becomes of it."""
    note(job, "running", pid=os.getpid())
    try:
        result = carry_out(job)
    except DataRefused as error:
        note(job, "refused", why=str(error))
        raise
    except Exception as error:
        note(job, "failed", why=type(error).__name__)
        raise
    note(job, **{key: value for key, value in result.items() if key != "digest"})
    return result


def note(job: Job, state: str, **facts: Any) -> None:
    """Write a row about the run to telemetry: `training_runs` has a run's latest row."""
    journal = FileJournal(Path(job.telemetry), "trainer", Metrics())
    now = time.time()
    detail = {"run": job.run, "data": job.data, "kind": job.wish.kind, "target": job.wish.target}
    journal.note(Event(new_id(now), now, "training", job.name, state, {**detail, **facts}))
    journal.close()


def _data_of(job: Job) -> DataSet:
    """The data set of a job, if it is still the one that the job was made for."""
    changed = f"{job.data} has changed since the run was wished for"
    try:
        data = DataSets(Path(job.training) / "data").named(job.data)
    except DataRefused as error:
        raise DataRefused(f"{changed}: {error}") from None
    if data.hash != job.data_hash:
        raise DataRefused(f"{changed}: train again")
    return data


def _card(job: Job, trained: Trained, data: DataSet, seconds: float) -> Card:
    return Card(
        job.name,
        1,  # the registry gives the next number
        job.wish.kind,
        job.wish.target,
        trained.features,
        time.time(),
        job.run,
        {"name": data.name, "version": data.version, "hash": data.hash},
        trained.parameters,
        {**trained.metrics, "why": trained.why, "cpu_seconds": seconds},
        trained.slices,
        trained.calibration,
        trained.threshold,
        trained.cost,
    )


def _encoder(job: Job) -> Encodes | None:
    from router.encoding.encoder import CannotEncode
    from router.encoding.home import encoder_of

    try:
        return encoder_of(None, job.encoders)
    except CannotEncode:
        return None  # heads do without sentence vectors then


def main(folder: Path) -> int:
    os.umask(0o077)
    os.nice(NICE)
    job = job_in(folder)
    if lock_if_free(folder / LOCK) is None:
        return BUSY
    try:
        carry_out_noted(job)
    except DataRefused as error:
        print(str(error), file=sys.stderr)  # noqa: T201 - the command that started the run reads it
        return REFUSED
    except Exception:
        traceback.print_exc()
        return 1
    return DONE


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
