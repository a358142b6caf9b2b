"""`GET /v1/models` and `GET /v1/models/NAME`: the names that a request may give as its model.

A caller who sends `anthropic-version` gets the lists, the pages and the errors of Anthropic's API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from router.api.dialects.messages import MessagesDialect, check_version
from router.api.incoming import Admission, Incoming
from router.engine.engine import Engine
from router.routing.named import AUTO
from router.wire.errors import BadRequest, NotFound

_MOST_A_PAGE = 1000
MODEL_PATH = "/v1/models/{name*}"  # names of models may have slashes


@dataclass(frozen=True, slots=True)
class ModelsEndpoint:
    engine: Engine
    admission: Admission
    started_at: int

    async def get(self, incoming: Incoming) -> None:
        as_anthropic = _speaks_anthropic(incoming)
        key = await self.admission.admit(incoming, "app")
        if as_anthropic:
            await incoming.reply.json(200, page_of(self._models(key.id), incoming.query))
        else:
            await incoming.reply.json(200, {"object": "list", "data": self._models(key.id)})

    async def get_by_name(self, incoming: Incoming) -> None:
        as_anthropic = _speaks_anthropic(incoming)
        key = await self.admission.admit(incoming, "app")
        name = incoming.params["name"]
        for model in self._models(key.id):
            if model["id"] == name:
                await incoming.reply.json(200, as_anthropic_has(model) if as_anthropic else model)
                return
        raise NotFound("model_not_found", f"The model `{name}` does not exist.", "model")

    def _models(self, key_id: str) -> list[dict[str, Any]]:
        config, hidden = self.engine.config, self.engine.hidden_from(key_id)
        owners = [(AUTO, "waggle"), *((plan, "plan") for plan in config.plans)]
        others = (item for item in config.backends.items() if item[0] not in config.plans)
        owners += [(name, settings.kind) for name, settings in others]
        return [
            {"id": name, "object": "model", "created": self.started_at, "owned_by": owner}
            for name, owner in owners
            if name not in hidden
        ]


def page_of(models: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the models in Anthropic's form: `limit` of them, after or before one of them."""
    limit = query.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit[:9]) <= _MOST_A_PAGE:
        rule = f"a whole number from 1 to {_MOST_A_PAGE}"
        raise BadRequest(f"`limit` must be {rule}, not {limit[:40]!r}.", "limit")
    names = [model["id"] for model in models]
    begin, end = 0, len(names)
    if query.get("after_id") in names:
        begin = names.index(query["after_id"]) + 1
    if query.get("before_id") in names:
        end = names.index(query["before_id"])
        begin = max(begin, end - int(limit))
    page = [as_anthropic_has(model) for model in models[begin:end]][: int(limit)]
    return {
        "data": page,
        "has_more": begin + len(page) < end if "before_id" not in query else begin > 0,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def as_anthropic_has(model: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(model["created"], UTC).isoformat().replace("+00:00", "Z")
    return {
        "type": "model",
        "id": model["id"],
        "display_name": model["id"],
        "created_at": at,
        "lifecycle": "active",
    }


def _speaks_anthropic(incoming: Incoming) -> bool:
    """Whether the caller speaks Anthropic's dialect; then errors have its form too."""
    if b"anthropic-version" not in incoming.headers:
        return False
    incoming.reply.form = MessagesDialect()
    incoming.reply.marks = incoming.reply.form.headers(incoming.id)
    check_version(incoming.headers)
    return True
