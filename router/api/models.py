"""`GET /v1/models` and `GET /v1/models/NAME`: the names that a request may give as its model."""

from dataclasses import dataclass
from typing import Any

from router.api.incoming import Admission, Incoming
from router.engine.engine import Engine
from router.routing.named import AUTO
from router.wire.errors import NotFound

MODEL_PATH = "/v1/models/{name*}"  # names of models may have slashes


@dataclass(frozen=True, slots=True)
class ModelsEndpoint:
    engine: Engine
    admission: Admission
    started_at: int

    async def get(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "app")
        await incoming.reply.json(200, {"object": "list", "data": self._models()})

    async def get_by_name(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "app")
        name = incoming.params["name"]
        for model in self._models():
            if model["id"] == name:
                await incoming.reply.json(200, model)
                return
        raise NotFound("model_not_found", f"The model `{name}` does not exist.", "model")

    def _models(self) -> list[dict[str, Any]]:
        config = self.engine.config
        owners = [(AUTO, "waggle"), *((plan, "plan") for plan in config.plans)]
        others = (item for item in config.backends.items() if item[0] not in config.plans)
        owners += [(name, settings.kind) for name, settings in others]
        return [
            {"id": name, "object": "model", "created": self.started_at, "owned_by": owner}
            for name, owner in owners
        ]
