"""What every trainer does: it turns a data set into the files and the facts of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from router.encoding.encodes import Encodes
from router.models.card import ModelKind
from router.models.features import FEATURES, Asked, Features
from router.training.data_sets import DataSet

MOST_STEPS = 400  # of an adapter
ALLOWED_LOSS = 0.01  # how much worse than its teacher an answer may be on average


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be trained: parameters that a person may set, all with their defaults."""

    kind: ModelKind = "head"
    target: Literal["answer", "quality"] = "answer"
    allowed_loss: float = ALLOWED_LOSS
    vectors: bool = True  # whether sentence vectors may be used
    most_rows: int = 20_000  # the newest rows are kept
    seed: int = 7
    base: str = ""  # the folder of the model that an adapter is for
    most_steps: int = MOST_STEPS
    consent: Mapping[str, str] = field(default_factory=dict)  # of the person whom a twin is of


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and what is known of it. `passes` says whether it may be promoted, and `why` not."""

    files: Mapping[str, bytes]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    slices: tuple[Mapping[str, Any], ...]
    calibration: Mapping[str, Any]
    threshold: float
    cost: Mapping[str, Any]
    why: str = ""
    features: str = FEATURES
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        return not self.why


class Work(Protocol):
    """Where a trainer works: it tells how far it is, and keeps what is dear to compute."""

    @property
    def encoder(self) -> Encodes | None:
        """The encoder of sentence vectors; None if there is none here."""

    def tell(self, done: float, what: str) -> None:
        """Say which share of the work is done, and what comes next."""

    def features(self, split: str, words: Sequence[Asked], *, vectors: bool) -> list[Features]:
        """The features of a split. Sentence vectors are kept, so that a run that was killed goes
        on where it was."""

    def kept(self, name: str) -> "Kept":
        """A file of the run, by which training goes on where it was killed."""


class Kept(Protocol):
    """The state of a long training, written whole again and again."""

    def read(self) -> bytes:
        """The latest state; empty if there is none yet."""

    def write(self, state: bytes) -> None: ...


class Trainer(Protocol):
    def __call__(self, data: DataSet, wish: Wish, work: Work) -> Trained:
        """Train, calibrate and evaluate. Raises `DataRefused` if nothing can be learned."""
