"""How far the training of an adapter is: what is written down, so that a killed run goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

_PATIENCE = 3  # checks without progress after which training ends
_FACTS = "facts"


@dataclass
class Course:
    """The weights of now and the best ones, after a number of steps at a rate."""

    rate: float
    step: int
    losses: list[float]  # on rows that are not learned from; the first is from before training
    best_at: int  # the place of the lowest loss
    now: list[torch.Tensor]
    best: list[torch.Tensor]
    moments: list[torch.Tensor] = field(default_factory=list)  # of the optimizer

    @property
    def goes_on(self) -> bool:
        return len(self.losses) - 1 - self.best_at < _PATIENCE

    def see(
        self, step: int, loss: float, weights: list[torch.Tensor], moments: list[torch.Tensor]
    ) -> None:
        self.step, self.now, self.moments = step, weights, moments
        self.losses.append(loss)
        if loss < self.losses[self.best_at]:
            self.best, self.best_at = weights, len(self.losses) - 1

    def written(self) -> bytes:
        facts = {
            "rate": self.rate,
            "step": self.step,
            "losses": self.losses,
            "best_at": self.best_at,
        }
        tensors = {_FACTS: torch.frombuffer(bytearray(orjson.dumps(facts)), dtype=torch.uint8)}
        for name, parts in (("now", self.now), ("best", self.best), ("moment", self.moments)):
            tensors |= {f"{name} {n}": part.contiguous() for n, part in enumerate(parts)}
        return save({name: part.detach().cpu().clone() for name, part in tensors.items()})

    @classmethod
    def read(cls, state: bytes, like: Sequence[torch.Tensor]) -> "Course | None":
        """The course in a file, for weights of these sizes; None if the file holds none."""
        if not state:
            return None
        try:
            tensors = load(state)
            facts = orjson.loads(bytes(tensors[_FACTS].tolist()))
            parts = {name: _numbered(tensors, name) for name in ("now", "best", "moment")}
        except (SafetensorError, ValueError, KeyError, RuntimeError):
            return None
        if [part.shape for part in parts["now"]] != [part.shape for part in like]:
            return None
        place = like[0].device
        now, best, moments = ([part.to(place) for part in parts[name]] for name in parts)
        return cls(
            facts["rate"], facts["step"], facts["losses"], facts["best_at"], now, best, moments
        )


def _numbered(tensors: dict[str, torch.Tensor], name: str) -> list[torch.Tensor]:
    return [
        tensors[f"{name} {n}"] for n in range(sum(key.startswith(f"{name} ") for key in tensors))
    ]
