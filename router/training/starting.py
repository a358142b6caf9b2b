"""Starts training runs in processes of their own, and follows them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.config.backends import LocalSettings
from router.config.config import Config
from router.files import write_durably
from router.training.data_query import DataRefused
from router.training.data_sets import DataSets
from router.training.run import BUSY, DONE, REFUSED, note
from router.training.trainer import Wish
from router.training.workplace import JOB, RESULT, Job, progress_in

_LOOK_SECONDS = 0.2


class RunEnded(RuntimeError):
    """A run ended without a model; the message says why."""


def base_folder(config: Config, base: str) -> str:
    """The folder of the model that an adapter is for: `base` names a model of a `local` backend, or
    a folder; empty: the only model there is. Raises `DataRefused`."""
    models = {
        name: Path(settings.models[name]).resolve()
        for settings in config.backends.values()
        if isinstance(settings, LocalSettings)
        for name in settings.models
    }
    if not base and len(models) == 1:
        return str(next(iter(models.values())))
    folder = models.get(base) or Path(base).resolve()
    if not base or not folder.is_dir():
        there = ", ".join(models) or "none"
        raise DataRefused(
            f"--base {base!r} is no folder and no model of a backend of kind local (there is "
            f"{there}): name the model that the adapter is for"
        )
    return str(folder)


def job_of(config: Config, name: str, data: str, wish: Wish, *, promote: bool = False) -> Job:
    """What is to be trained on the present version of a data set. Raises `DataRefused`."""
    chosen = DataSets(config.training_folder / "data").named(data)
    return Job(
        name,
        chosen.reference,
        chosen.hash,
        wish,
        str(config.models_folder),
        str(config.training_folder),
        str(config.telemetry_folder),
        str(config.encoders_folder),
        promote,
    )


@dataclass
class Running:
    """A training run in its process."""

    job: Job
    process: "subprocess.Popen[bytes]"

    def wait(
        self, tell: Callable[[float, str], None] = lambda _done, _what: None
    ) -> dict[str, Any]:
        """Follow the run to its end, and return its facts. Raises `DataRefused` or `RunEnded`."""
        while True:
            try:
                status = self.process.wait(_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                progress = progress_in(self.job.folder)
                tell(float(progress.get("done", 0.0)), str(progress.get("what", "starting")))
        log = (self.job.folder / "log").read_text("utf-8", "replace").strip()
        if status == DONE:
            result: dict[str, Any] = orjson.loads((self.job.folder / RESULT).read_bytes())
            return result
        if status == REFUSED:
            raise DataRefused(log.splitlines()[-1])
        if status == BUSY:
            raise RunEnded("the same run is under way: wait for its end")
        if status < 0:
            note(self.job, "killed", why=f"signal {-status}")
            raise RunEnded(f"signal {-status} ended the run: the same command goes on where it was")
        raise RunEnded(f"the run failed: see {self.job.folder / 'log'}")


def start(job: Job) -> Running:
    """Start a run, or go on with one that was killed. What it writes lies in its folder."""
    folder = job.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(folder / JOB, job.encoded())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "router.training.run", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(folder),
        )
    return Running(job, process)
