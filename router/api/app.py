"""The ASGI application: a table of routes, and one rule that turns each failure into an answer.

The endpoints for chat, embeddings and models follow OpenAI's protocol. Each endpoint has a file of
its own name.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from router.api.chat import ChatEndpoint
from router.api.embeddings import EmbeddingsEndpoint
from router.api.feedback import FeedbackEndpoint
from router.api.health import HealthEndpoint
from router.api.incoming import Admission, Incoming
from router.api.learner import LearnerClient, LearnerEndpoint
from router.api.metrics import MetricsEndpoint
from router.api.models import MODEL_PATH, ModelsEndpoint
from router.api.openapi import OpenApiEndpoint
from router.api.replies import ReplyWriter, request_id_header
from router.api.route import RouteEndpoint
from router.api.sql import SqlEndpoint
from router.api.trials import TrialsEndpoint
from router.domain import Refusal, new_id
from router.engine.engine import Engine
from router.hive import Hive
from router.telemetry.lookup import Memory
from router.wire.asgi import CallerLeft, Receive, Scope, Send, lifespan
from router.wire.errors import MethodNotAllowed, NotFound, Refused, error_body, kind_of
from router.wire.header_text import check_text
from router.wire.web_pages import check_json

Endpoint = Callable[[Incoming], Awaitable[None]]
Routes = Mapping[str, Mapping[str, Endpoint]]

_log = logging.getLogger("waggle")
_UNLISTED = ("/health", MODEL_PATH)  # paths that a 404 does not list
_OPERATIONS = {"/v1/chat/completions": "chat", "/v1/embeddings": "embeddings"}


class App:
    """One router as an ASGI application. `running` counts the requests that are being answered."""

    def __init__(
        self,
        engine: Engine,
        admission: Admission,
        *,
        hive: Hive,
        memory: Memory,
        learner: LearnerClient | None,
        name: str,
        started_at: int,
    ) -> None:
        self._engine, self._admission = engine, admission
        self.running = 0
        models = ModelsEndpoint(engine, admission, started_at)
        trials = TrialsEndpoint(admission, learner)
        health = HealthEndpoint(engine, name)
        self._routes: Routes = {
            "/v1/chat/completions": {"POST": ChatEndpoint(engine, admission).post},
            "/v1/embeddings": {"POST": EmbeddingsEndpoint(engine, admission).post},
            "/v1/route": {"POST": RouteEndpoint(engine, admission).post},
            "/v1/feedback": {"POST": FeedbackEndpoint(engine, admission, memory).post},
            "/v1/sql": {"POST": SqlEndpoint(engine, admission).post},
            "/v1/models": {"GET": models.get},
            "/v1/learner": {"GET": LearnerEndpoint(engine, admission, learner).get},
            "/v1/trials": {"GET": trials.get, "POST": trials.post},
            "/health/live": {"GET": health.live},
            "/health/ready": {"GET": health.ready},
            "/metrics": {"GET": MetricsEndpoint(engine, admission, hive, name).get},
            "/openapi.json": {"GET": OpenApiEndpoint().get},
            "/health": {"GET": health.live},
            MODEL_PATH: {"GET": models.get_by_name},
        }

    @property
    def routes(self) -> Routes:
        return self._routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request_id = new_id(self._engine.wall())
        incoming = Incoming(scope, dict(scope["headers"]), receive, ReplyWriter(send), request_id)
        self.running += 1
        try:
            self._admission.refuse_foreign_pages(incoming)
            check_text(incoming.headers)
            endpoint = self._endpoint(incoming.method, incoming.path)
            if incoming.method == "POST":
                check_json(incoming.headers)
            await endpoint(incoming)
        except Refused as error:
            await self._refuse(incoming, error)
        except CallerLeft:
            self._engine.metrics.count("waggle_requests_total", plan="", status="499")
        except Exception:
            _log.exception("request %s failed", request_id)
            message = f"Waggle failed; the request was {request_id}. This is a bug."
            headers = [request_id_header(request_id)]
            await incoming.reply.error(500, error_body(message, "server_error"), headers)
        finally:
            self.running -= 1
            self._engine.allowances.close(request_id)
            self._admission.release(incoming)

    def _endpoint(self, method: str, path: str) -> Endpoint:
        endpoints = self._routes.get(MODEL_PATH if path.startswith(MODEL_PATH) else path)
        if endpoints is None:
            listed = ", ".join(route for route in self._routes if route not in _UNLISTED)
            raise NotFound("unknown_url", f"There is nothing at {path}. Known: {listed}.")
        if method == "HEAD" and "GET" in endpoints:
            return endpoints["GET"]  # the server sends the head alone
        if method not in endpoints:
            heads = ["HEAD"] if "GET" in endpoints else []
            raise MethodNotAllowed(method, path, [*endpoints, *heads])
        return endpoints[method]

    async def _refuse(self, incoming: Incoming, error: Refused) -> None:
        engine, status = self._engine, error.status
        engine.metrics.count("waggle_requests_total", plan="", status=str(status))
        operation = _OPERATIONS.get(incoming.path)
        if operation is not None:
            code = error.code or kind_of(status)
            at, key_id = engine.wall(), incoming.key_id
            engine.journal.refuse(Refusal(incoming.id, at, operation, status, code, key_id))
        headers = [request_id_header(incoming.id), *error.headers]
        await incoming.reply.error(status, error.body, headers)
