"""The card of a model: where it came from, what it can do, and how well, as its file says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

ModelKind = Literal["head", "fill", "adapter", "twin"]


class BrokenModel(RuntimeError):
    """A model's files are missing, changed or of another making; the message names the mend."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one version of a model. `files` maps each file to the SHA-256 of its
    content, and `target` says whether the model gives answers or judges them."""

    name: str
    version: int
    kind: ModelKind
    target: Literal["answer", "quality"]
    features: str
    made_at: float
    run: str
    data: Mapping[str, Any]  # name, version and hash of the data set
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    slices: tuple[Mapping[str, Any], ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    threshold: float = 1.0
    cost: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""  # the version that was promoted when this one was made
    files: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.version}"


def card_in(content: bytes, where: str) -> Card:
    """The card in a file's content; `where` names the file in an error."""
    try:
        fields = orjson.loads(content)
        return Card(**{**fields, "slices": tuple(fields["slices"])})
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BrokenModel(f"{where} is no card of a model ({error}): train it again") from None
