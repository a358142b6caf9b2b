"""The ASGI application: a table of routes, and one rule that turns each failure into an answer.

The endpoints for chat, embeddings and models follow OpenAI's protocol. Each endpoint has a file of
its own name.
"""

import logging

from router.api.ask import AskEndpoint
from router.api.batches import BatchesEndpoint
from router.api.budgets import BudgetsEndpoint
from router.api.count_tokens import CountTokensEndpoint
from router.api.dialects.chat import ChatDialect
from router.api.dialects.messages import MessagesDialect
from router.api.doors import DOORS
from router.api.embeddings import EmbeddingsEndpoint
from router.api.feedback import FeedbackEndpoint
from router.api.files import FILE_MEDIA, FilesEndpoint
from router.api.health import HealthEndpoint
from router.api.incoming import Admission, Incoming
from router.api.knowledge import KnowledgeEndpoint
from router.api.knowledge_rights import KnowledgeRightsEndpoint
from router.api.learned import TrainedModels
from router.api.learner import LearnerClient, LearnerEndpoint
from router.api.memory_routes import memory_routes
from router.api.metrics import MetricsEndpoint
from router.api.models import MODEL_PATH, ModelsEndpoint
from router.api.openapi import OpenApiEndpoint
from router.api.pass_through import PassThroughEndpoint
from router.api.proposals import ProposalsEndpoint
from router.api.replies import ReplyWriter
from router.api.route import RouteEndpoint
from router.api.routes import Route, Routes
from router.api.sql import SqlEndpoint
from router.api.trials import TrialsEndpoint
from router.audit_log import AuditLog
from router.batches.owner import BatchOwner
from router.conversations.memory import ConversationMemory
from router.domain import Refusal, new_id
from router.engine.engine import Engine
from router.guardrails.refusals import GuardRefused
from router.hive import Hive
from router.telemetry.lookup import Memory
from router.wire.asgi import CallerLeft, Receive, Scope, Send, lifespan
from router.wire.errors import Refused, error_body, kind_of
from router.wire.header_text import check_text
from router.wire.web_pages import check_media

_log = logging.getLogger("waggle")


class App:
    """One router as an ASGI application. `running` counts the requests that are being answered."""

    def __init__(
        self,
        engine: Engine,
        admission: Admission,
        *,
        hive: Hive,
        memory: Memory,
        conversations: ConversationMemory,
        learner: LearnerClient | None,
        audit: AuditLog | None = None,
        name: str,
        started_at: int,
        batches: BatchOwner,
    ) -> None:
        self._engine, self._admission = engine, admission
        self.running = 0
        models = ModelsEndpoint(engine, admission, started_at)
        trials = TrialsEndpoint(admission, learner, audit, engine.wall)
        growth = TrialsEndpoint(admission, learner, audit, engine.wall, "growth")
        models_folder = engine.config.models_folder
        trained = TrainedModels(models_folder, engine.journal.note, engine.wall)
        learned = TrialsEndpoint(admission, learner, audit, engine.wall, "learned", trained)
        written = TrialsEndpoint(admission, learner, audit, engine.wall, "routes")
        health = HealthEndpoint(engine, name)
        ask = AskEndpoint(engine, admission, ChatDialect())
        messages = MessagesDialect()
        ask_claude = AskEndpoint(engine, admission, messages)
        count_tokens = CountTokensEndpoint(engine, admission)
        embeddings = EmbeddingsEndpoint(engine, admission)
        files = FilesEndpoint(engine, admission, batches)
        many = BatchesEndpoint(engine, admission, batches)
        stored = [
            Route("/v1/files", {"GET": files.get, "POST": files.post}, media=FILE_MEDIA),
            Route("/v1/files/{id}", {"GET": files.get_one, "DELETE": files.delete}),
            Route("/v1/files/{id}/content", {"GET": files.content}),
            Route("/v1/batches", {"GET": many.get, "POST": many.post}),
            Route("/v1/batches/{id}", {"GET": many.get_one}),
            Route("/v1/batches/{id}/cancel", {"POST": many.cancel}),
        ]
        rights = KnowledgeRightsEndpoint(engine, admission, audit)
        shared = "/v1/knowledge/{name}"
        stores = KnowledgeEndpoint(engine, admission)
        of_store = {"GET": stores.get, "POST": stores.post, "DELETE": stores.delete}
        proposals = ProposalsEndpoint(engine, admission, audit)
        knowledge = [
            Route("/v1/proposals", {"GET": proposals.get, "POST": proposals.post}),
            Route(shared, of_store),
            Route(f"{shared}/grants", {"GET": rights.grants, "POST": rights.grant}),
            Route(f"{shared}/grants/{{number}}", {"POST": rights.change, "DELETE": rights.revoke}),
            Route(f"{shared}/asks", {"GET": rights.asks, "POST": rights.ask}),
            Route(f"{shared}/asks/{{number}}", {"POST": rights.decide}),
        ]
        passed = [
            Route(
                f"/v1{door.path}",
                {"POST": PassThroughEndpoint(engine, admission, door).post},
                media=door.media,
                operation=door.operation,
            )
            for door in DOORS
        ]
        self.routes = Routes(
            (
                Route("/v1/chat/completions", {"POST": ask.post}, operation="chat"),
                *memory_routes(engine, admission, conversations),
                Route("/v1/messages", {"POST": ask_claude.post}, form=messages, operation="chat"),
                Route("/v1/messages/count_tokens", {"POST": count_tokens.post}, form=messages),
                Route("/v1/embeddings", {"POST": embeddings.post}, operation="embeddings"),
                *passed,
                *stored,
                *knowledge,
                Route("/v1/route", {"POST": RouteEndpoint(engine, admission).post}),
                Route("/v1/feedback", {"POST": FeedbackEndpoint(engine, admission, memory).post}),
                Route("/v1/budgets", {"GET": BudgetsEndpoint(engine, admission, hive).get}),
                Route("/v1/sql", {"POST": SqlEndpoint(engine, admission).post}),
                Route("/v1/models", {"GET": models.get}),
                Route("/v1/learner", {"GET": LearnerEndpoint(engine, admission, learner).get}),
                Route("/v1/trials", {"GET": trials.get, "POST": trials.post}),
                Route("/v1/growth", {"GET": growth.get, "POST": growth.post}),
                Route("/v1/learned", {"GET": learned.get, "POST": learned.post}),
                Route("/v1/routes", {"GET": written.get, "POST": written.post}),
                Route("/health/live", {"GET": health.live}),
                Route("/health/ready", {"GET": health.ready}),
                Route("/metrics", {"GET": MetricsEndpoint(engine, admission, hive, name).get}),
                Route("/openapi.json", {"GET": OpenApiEndpoint().get}),
                Route("/health", {"GET": health.live}, listed=False),
                Route(MODEL_PATH, {"GET": models.get_by_name}, listed=False),
            )
        )
        many.routes = self.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request_id = new_id(self._engine.wall())
        incoming = Incoming(scope, dict(scope["headers"]), receive, ReplyWriter(send), request_id)
        route, incoming.params = self.routes.find(incoming.path)
        if route is not None:
            incoming.reply.form = route.form
            incoming.reply.marks = route.form.headers(request_id)
        self.running += 1
        try:
            self._admission.refuse_foreign_pages(incoming)
            check_text(incoming.headers)
            if route is None:
                raise self.routes.unknown(incoming.path)
            endpoint = route.endpoint(incoming.method, incoming.path)
            if incoming.method == "POST":
                check_media(incoming.headers, route.media)
            await endpoint(incoming)
        except Refused as error:
            await self._refuse(incoming, error, route.operation if route is not None else "")
        except CallerLeft:
            self._engine.metrics.count("waggle_requests_total", plan="", status="499")
        except Exception:
            _log.exception("request %s failed", request_id)
            message = f"Waggle failed; the request was {request_id}. This is a bug."
            body = error_body(message, "server_error")
            await incoming.reply.error(500, body, [], request_id=request_id)
        finally:
            self.running -= 1
            self._engine.allowances.close(request_id)
            self._admission.release(incoming)

    async def _refuse(self, incoming: Incoming, error: Refused, operation: str) -> None:
        engine, status = self._engine, error.status
        engine.metrics.count("waggle_requests_total", plan="", status=str(status))
        if operation:
            code = error.code or kind_of(status)
            at, key_id = engine.wall(), incoming.key_id
            guarded = error.guarded if isinstance(error, GuardRefused) else None
            refusal = Refusal(incoming.id, at, operation, status, code, key_id, guarded)
            engine.journal.refuse(refusal)
        await incoming.reply.error(status, error.body, error.headers, request_id=incoming.id)
