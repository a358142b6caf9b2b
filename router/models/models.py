"""The models that a process has open: each is read once, and again when another is promoted.

If the files of a newly promoted version cannot be used, the version before it goes on serving, and
the reason is logged once.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from router.models.card import BrokenModel, Card
from router.models.features import Asked
from router.models.fill import fill_in
from router.models.head import Guess, head_in
from router.models.model_files import opened
from router.models.registry import NoSuchModel, Registry, Version
from router.models.twin import twin_in

if TYPE_CHECKING:
    from router.encoding.encodes import Encodes

_log = logging.getLogger("waggle")


class Predicts(Protocol):
    """A model that answers requests."""

    @property
    def encoder(self) -> str:
        """The name of the encoder whose vectors the model needs; empty: none."""

    def of(self, question: Asked, encoder: "Encodes | None" = None) -> Guess: ...
    def quality(self, words: Asked) -> float:
        """How likely an answer to a request is good. Raises `BrokenModel` if the model does not
        judge answers."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    card: Card
    model: Predicts


class Models:
    """The models of a folder, by the references that name them."""

    def __init__(self, folder: Path) -> None:
        self.registry = Registry(folder)
        self._open: dict[str, tuple[Version, OpenModel]] = {}
        self._lock = Lock()
        self._refused: set[str] = set()

    def get(self, reference: str) -> OpenModel:
        """The model that a reference means now. Raises `NoSuchModel` or `BrokenModel`."""
        with self._lock:
            before = self._open.get(reference)
            try:
                name, version = self.registry.find(reference)
            except NoSuchModel:
                self._open.pop(reference, None)
                raise
            if before is not None and before[0].digest == version.digest:
                return before[1]
            try:
                model = open_model(self.registry.files, version.digest)
            except BrokenModel as error:
                if before is None:
                    raise
                if version.digest not in self._refused:
                    self._refused.add(version.digest)
                    _log.error("%s@%d is not used: %s", name, version.number, error)
                return before[1]
            self._open[reference] = version, model
            return model


@lru_cache(maxsize=8)
def models_in(folder: str) -> Models:
    """The models of a folder that this process has open."""
    return Models(Path(folder))


def doubted(models: Models, reference: str, least: float, words: Asked) -> str:
    """Why a head that judges answers does not find this answer good enough; empty if it does."""
    try:
        model = models.get(reference)
        quality = model.model.quality(words)
    except (NoSuchModel, BrokenModel) as error:
        return f"nobody can say how good it is: {error}"
    if quality >= least:
        return ""
    return f"{model.card.reference} finds it good with {quality:.2f} of the {least:g} needed"


def open_model(folder: Path, digest: str) -> OpenModel:
    card, files = opened(folder, digest)
    return OpenModel(card, model_in(card, files))


def model_in(card: Card, files: Mapping[str, bytes]) -> Predicts:
    """The model in these files, by the kind that its card names."""
    match card.kind:
        case "head":
            return head_in(card, files)
        case "fill":
            return fill_in(card, files)
        case "twin":
            return twin_in(card, files)
        case kind:
            raise BrokenModel(f"{card.reference} is of kind {kind}, which answers no request here")
