"""The folder of a training run: what it is to do, how far it is, and what it must not do twice.

A run is named by what is trained on what, so a run that was killed goes on where it was when the
same is wished again: sentence vectors, which take longest, are kept in blocks as they are made.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from router.encoding.encodes import Encodes
from router.files import write_durably, write_whole
from router.models.features import FEATURES, Asked, Features, features_of
from router.training.trainer import Wish

JOB, PROGRESS, RESULT, LOCK = "job.json", "progress.json", "result.json", "lock"
_BLOCK = 128  # texts
_STATE = ".state"


@dataclass(frozen=True, slots=True)
class Job:
    """What a run trains: a model's name, a data set, and the wish. All its folders are absolute."""

    name: str
    data: str  # NAME@v2
    data_hash: str
    wish: Wish
    models: str  # folder
    training: str
    telemetry: str
    encoders: str
    promote: bool = False

    @property
    def run(self) -> str:
        """The name of the run. Two runs that do the same work have the same name."""
        what = [self.name, self.data, self.data_hash, asdict(self.wish), FEATURES]
        content = orjson.dumps(what, option=orjson.OPT_SORT_KEYS)
        return f"{self.name}-{hashlib.blake2b(content, digest_size=5).hexdigest()}"

    @property
    def folder(self) -> Path:
        return Path(self.training) / "runs" / self.run

    def encoded(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def job_in(folder: Path) -> Job:
    fields = orjson.loads((folder / JOB).read_bytes())
    return Job(**{**fields, "wish": Wish(**fields["wish"])})


@dataclass
class Workplace:
    """Where a trainer works: the run's folder."""

    job: Job
    open_encoder: Callable[[], Encodes | None]

    @cached_property
    def encoder(self) -> Encodes | None:
        return self.open_encoder()

    def tell(self, done: float, what: str) -> None:
        content = orjson.dumps({"done": round(done, 3), "what": what, "pid": os.getpid()})
        write_whole(self.job.folder / PROGRESS, content)

    def features(self, split: str, words: Sequence[Asked], *, vectors: bool) -> list[Features]:
        if not vectors or self.encoder is None:
            return [features_of(each) for each in words]
        rows: list[Features] = []
        for block, start in enumerate(range(0, len(words), _BLOCK)):
            self.tell(0.45 * start / len(words), f"reading {split}")
            part = words[start : start + _BLOCK]
            vector_rows = self._vectors(self.encoder, split, block, part)
            rows += [
                Features(plain.buckets, plain.weights, vector)
                for plain, vector in zip(map(features_of, part), vector_rows, strict=True)
            ]
        return rows

    def _vectors(self, encoder: Encodes, split: str, block: int, part: Sequence[Asked]) -> Any:
        """The sentence vectors of a block, which the run may have made before it was killed."""
        path = self.job.folder / f"{split}-{encoder.name}-{block}.npy"
        if path.is_file():
            made = np.load(path, allow_pickle=False)
            if made.shape == (len(part), encoder.dimensions):
                return made
        made = np.stack([features_of(each, encoder).vector for each in part])
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        beside.replace(path)
        return made

    def kept(self, name: str) -> "KeptFile":
        return KeptFile(self.job.folder / f"{name}{_STATE}")

    def clear(self) -> None:
        """Remove what a finished run needs no more."""
        for path in (*self.job.folder.glob("*.npy"), *self.job.folder.glob(f"*{_STATE}")):
            path.unlink()


@dataclass(frozen=True, slots=True)
class KeptFile:
    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes() if self.path.is_file() else b""

    def write(self, state: bytes) -> None:
        write_durably(self.path, state)


def progress_in(folder: Path) -> Mapping[str, Any]:
    try:
        progress: Mapping[str, Any] = orjson.loads((folder / PROGRESS).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return progress
