"""What `/v1/learned` does with models that Waggle trained: it lists them, promotes a version, and
goes back to the version before.

Routers use what is promoted from their next request on, without a reload.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.domain import Event, new_id
from router.models.card import BrokenModel
from router.models.registry import NoSuchModel, Registry, parsed
from router.training.model_changes import Refused, cards, promote, rollback


@dataclass(frozen=True, slots=True)
class TrainedModels:
    """The registry of models in a folder; `note` writes to telemetry what became of one."""

    folder: Path
    note: Callable[[Event], None]
    wall: Callable[[], float]

    async def carry_out(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out a command. The answer has `rejected`, with the reason, if it is not allowed."""
        return await asyncio.to_thread(self._carry_out, command)

    def _carry_out(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        registry, name = Registry(self.folder), command.get("name")
        change: Callable[[], str]
        match command.get("do"):
            case "list":
                return self._listed(registry)
            case "promote" | "rollback" if not isinstance(name, str) or not 0 < len(name) <= 200:
                return {"rejected": "`name` must be the name of a model, such as triage@3"}
            case "promote":
                change, state = lambda: promote(registry, str(name)).reference, "promoted"
            case "rollback":
                change, state = lambda: self._back(registry, str(name)), "rolled back to"
            case do:
                return {"rejected": f"`do` is {do!r:.40}, and must be list, promote or rollback"}
        try:
            reference = change()
        except (Refused, NoSuchModel, BrokenModel) as error:
            return {"rejected": str(error)}
        now = self.wall()
        self.note(Event(new_id(now), now, "model", reference, state))
        return self._listed(registry)

    def _back(self, registry: Registry, reference: str) -> str:
        name, _ = parsed(reference)
        return f"{name}@{rollback(registry, name)}"

    def _listed(self, registry: Registry) -> Mapping[str, Any]:
        models = [
            {
                "model": f"{name}@{version.number}",
                "kind": version.kind,
                "promoted": promoted,
                "passed": card is not None and not card.metrics.get("why"),
                "made_at": version.at,
            }
            for card, version, name, promoted in cards(registry)
        ]
        return {"object": "learned", "models": models}
