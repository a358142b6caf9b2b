"""The routes of the memory of conversations, for the table of routes."""

from router.api.conversations import ConversationsEndpoint
from router.api.dialects.responses import ResponsesDialect
from router.api.incoming import Admission
from router.api.kept_responses import KeptResponsesEndpoint
from router.api.remembering import RememberingEndpoint
from router.api.routes import Route
from router.conversations.memory import ConversationMemory
from router.engine.engine import Engine

_RESPONSE, _CONVERSATION = "/v1/responses/{id}", "/v1/conversations/{id}"


def memory_routes(
    engine: Engine, admission: Admission, memory: ConversationMemory
) -> tuple[Route, ...]:
    dialect = ResponsesDialect()
    responses = RememberingEndpoint(engine, admission, dialect, memory)
    kept = KeptResponsesEndpoint(engine, admission, memory)
    talks = ConversationsEndpoint(engine, admission, memory)
    methods = {"GET": talks.get, "POST": talks.update, "DELETE": talks.delete}
    return (
        Route("/v1/responses", {"POST": responses.post}, operation="chat", form=dialect),
        Route(_RESPONSE, {"GET": kept.get, "DELETE": kept.delete}),
        Route(f"{_RESPONSE}/input_items", {"GET": kept.input_items}),
        Route(f"{_RESPONSE}/cancel", {"POST": kept.cancel}),
        Route("/v1/conversations", {"POST": talks.create}),
        Route(_CONVERSATION, methods),
        Route(f"{_CONVERSATION}/items", {"GET": talks.items, "POST": talks.add_items}),
        Route(f"{_CONVERSATION}/items/{{item}}", {"GET": talks.item, "DELETE": talks.delete_item}),
    )
