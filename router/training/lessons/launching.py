"""Starts the process of a lesson."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from router.config.config import Config
from router.files import write_durably
from router.training.lessons.lesson_run import LessonJob
from router.training.lessons.subjects import Subject
from router.training.trainer import Wish
from router.training.workplace import JOB, RESULT


class Process(Protocol):
    """A process that trains."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def kill(self) -> None: ...
    def wait(self) -> int: ...


def launched(folder: Path) -> Process:
    """Start the process of the lesson whose job lies in a folder."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "router.training.lessons.lesson_run", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
        )


def prepare(
    config: Config, folder: Path, subject: Subject, keys: tuple[str, ...], since: int, now: float
) -> None:
    """Write what a lesson's process is to do into the lesson's folder."""
    wish = Wish(subject.lesson.kind, allowed_loss=subject.lesson.most_below)
    job = LessonJob(
        subject.name,
        subject.query(keys, since).as_json(),
        asdict(wish),
        int(now * 1e6),
        str(config.models_folder),
        str(config.training_folder),
        str(config.telemetry_folder),
        str(config.encoders_folder),
        config.reuse.encoder,
    )
    (folder / RESULT).unlink(missing_ok=True)
    write_durably(folder / JOB, job.encoded())
