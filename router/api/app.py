"""The endpoint: OpenAI's protocol in, OpenAI's protocol out, over raw ASGI."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from router.api.feedback import parse_feedback, signals_of
from router.api.parse import parse_chat, parse_embeddings, parse_query
from router.api.replies import (
    JSON,
    SSE,
    ReplyWriter,
    explained,
    explained_trace,
    ids,
    partly,
    told,
    with_explanation,
)
from router.config.config import Config
from router.config.plans import votes
from router.config.server import KeyLimits
from router.domain import CHAT, EMBEDDINGS, Decision, Refusal, Request, new_id
from router.engine.engine import Answer, Engine
from router.engine.recall import Looked
from router.hive import Hive, News
from router.keys import Denied, Key, Keyring
from router.routing.decide import AUTO
from router.routing.messages import NewsRequest as AskedForNews
from router.routing.messages import Published
from router.telemetry.analyst import Bounds, QueryRefused, ask
from router.telemetry.journal import NotDurable
from router.telemetry.lookup import Memory
from router.telemetry.metrics import exposition
from router.wire.asgi import BodyTooLarge, Receive, Scope, Send, WhileConnected, lifespan, read_body
from router.wire.errors import (
    BadRequest,
    Limited,
    MethodNotAllowed,
    NotFound,
    Refused,
    Unavailable,
    error_body,
    kind_of,
    retry_after_header,
)
from router.wire.splice import replaced

_log = logging.getLogger("waggle")
_ANYONE = Key(id="", name="anyone", salt="00", digest="", scopes=("app", "analyst", "admin"))


@dataclass(slots=True)
class Incoming:
    """One HTTP request, as it came, and the way to answer it."""

    scope: Scope
    headers: Mapping[bytes, bytes]
    receive: Receive
    reply: ReplyWriter
    id: str
    key_id: str = ""

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path.rstrip("/") or "/"

    @property
    def backend(self) -> str:
        """The backend that the caller wants, by header or query; usually none."""
        header = self.headers.get(b"x-llm-backend")
        if header:
            return header.decode("latin-1")
        if self.scope.get("query_string"):
            query: str = self.scope["query_string"].decode("latin-1")
            return parse_qs(query).get("backend", [""])[0]
        return ""


class Teacher(Protocol):
    """The learner, as a router sees it."""

    async def hear(self, asked: AskedForNews) -> Published: ...
    async def told(self) -> Mapping[str, Any]: ...
    async def trials(self, asked: Mapping[str, Any]) -> Mapping[str, Any]: ...


class Parse(Protocol):
    def __call__(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request: ...


class App:
    """One router: the ASGI application, and the loop that keeps it in step with the others."""

    def __init__(
        self,
        engine: Engine,
        hive: Hive,
        keys: Iterable[Key],
        memory: Memory,
        *,
        learner: Teacher | None = None,
        name: str,
        started_at: int,
    ) -> None:
        self.engine = engine
        self._learner = learner
        self._hive = hive
        self._memory = memory
        self._querying = 0
        self._keyring = Keyring(keys)
        self._name = name
        self._started_at = started_at
        self._running = 0
        self._stale = False
        self._position = 0
        self._replicas: dict[str, int] = {}
        self._errand: asyncio.Task[None] | None = None
        self._routes: dict[tuple[str, str], Callable[[Incoming], Awaitable[None]]] = {
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/embeddings"): self._embeddings,
            ("POST", "/v1/route"): self._route,
            ("POST", "/v1/feedback"): self._feedback,
            ("POST", "/v1/sql"): self._sql,
            ("GET", "/v1/learner"): self._learner_told,
            ("GET", "/v1/trials"): self._trials_told,
            ("POST", "/v1/trials"): self._trials_asked,
            ("GET", "/v1/models"): self._list_models,
            ("GET", "/health"): self._live,
            ("GET", "/health/live"): self._live,
            ("GET", "/health/ready"): self._ready,
            ("GET", "/metrics"): self._metrics,
        }

    def close(self) -> None:
        if self.engine.remembering is not None:
            self.engine.remembering.memory.close()
        self.engine.journal.close()

    def reconfigure(self, config: Config, keys: Iterable[Key]) -> None:
        self.engine.reconfigure(config)
        self._keyring = Keyring(keys)

    async def exchange(self) -> None:
        """Tell the hive what happened here, and hear what happened elsewhere."""
        self._watch_replicas()
        self.engine.metrics.gauge("waggle_requests_running", self._running)
        metrics = self.engine.metrics.snapshot()
        news = News(self.engine.homes.untold(), self._position, metrics)
        try:
            heard = await self._hive.exchange(self._name, news)
        except Exception:
            self.engine.homes.tell_again(news.sessions)
            self.engine.metrics.count("waggle_hive_unreachable_total")
            return
        self._position = heard.position
        self.engine.homes.hear(heard.sessions)

    async def learn(self) -> None:
        """What was said of each backend's answers, for the plans that count votes by it."""
        if not votes(self.engine.config.plans):
            return
        try:
            learned = await self._memory.scores()
        except LookupError as error:
            _log.warning("votes are counted by the scores of before: %s", error)
            return
        # One of whom nothing is known yet counts as one of whom little is.
        self.engine.learned = dict.fromkeys(self.engine.config.backends, 0.5) | dict(learned)

    async def follow(self) -> None:
        """Ask the learner for news; without an answer, go on with what it said last."""
        engine, following = self.engine, self.engine.following
        if self._learner is None:
            return
        now = engine.wall()
        try:
            told = await self._learner.hear(following.asked)
            following.hear(told, now=now)
            await engine.steer()
            await self._run_errand()
        except Exception as error:
            engine.metrics.count("waggle_learner_unreachable_total")
            _log.debug("the learner did not answer: %r", error)
        if following.heard_at is None:
            return
        age = max(engine.wall() - following.heard_at, 0.0)
        stale = age > engine.config.objective.learning.stale_seconds
        engine.metrics.gauge("waggle_policy_age_seconds", age)
        engine.metrics.gauge("waggle_policy_stale", float(stale or bool(following.refused)))
        if stale != self._stale:
            self._stale = stale
            state = "stale" if stale else "fresh"
            engine.tell("policy", self._name, state, version=following.version, seconds=round(age))

    def _watch_replicas(self) -> None:
        now = {b: len(self.engine.attempts.replicas(b)) for b in self.engine.config.backends}
        for backend, count in now.items():
            before = self._replicas.get(backend)
            if before is None and count:
                self.engine.tell("topology", backend, "found", replicas=count)
            elif before is not None and before != count:
                state = "grew" if count > before else "shrank"
                self.engine.tell("topology", backend, state, replicas=count, before=before)
        self._replicas = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        now = self.engine.wall()
        asked = Incoming(scope, dict(scope["headers"]), receive, ReplyWriter(send), new_id(now))
        self._running += 1
        try:
            await self._dispatch(asked)
        except Refused as error:
            await self._refuse(asked, error)
        except Exception:
            _log.exception("request %s failed", asked.id)
            message = f"Waggle failed; the request was {asked.id}. This is a bug."
            await asked.reply.error(500, error_body(message, "server_error"), ids(asked.id))
        finally:
            self._running -= 1

    async def _dispatch(self, asked: Incoming) -> None:
        handler = self._routes.get((asked.scope["method"], asked.path))
        if handler is not None:
            await handler(asked)
        elif asked.scope["method"] == "GET" and asked.path.startswith("/v1/models/"):
            await self._model(asked)
        else:
            raise _no_route(asked.scope["method"], asked.path)

    async def _chat(self, asked: Incoming) -> None:
        key, request = await self._request(asked, parse_chat)
        await self.engine.allowances.admit(key, self._limits)
        request = replace(request, scope=key.remembers_as)
        looked = await self.engine.look(request, backend=asked.backend, allowed=key.plans)
        remembered = looked is not None and looked.answers
        decision = None if remembered else self._decide(asked, request, key, looked)
        async with WhileConnected(asked.receive):
            if looked is not None and decision is None:
                answer = await self.engine.remembered(request, looked)
            else:
                assert decision is not None
                answer = await self.engine.answer(
                    request, decision, path=CHAT, wanted="chat", looked=looked
                )
            explain = asked.headers.get(b"x-waggle-explain", b"").lower() == b"true"
            if answer.stream is None:
                await self._reply(asked.reply, answer, explain=explain)
            else:
                await self._stream(asked.reply, answer, explain=explain)

    async def _embeddings(self, asked: Incoming) -> None:
        key, request = await self._request(asked, parse_embeddings)
        await self.engine.allowances.admit(key, self._limits)
        decision = self._embedder(asked, request)
        async with WhileConnected(asked.receive):
            answer = await self.engine.answer(
                request, decision, path=EMBEDDINGS, wanted="embeddings"
            )
            await self._reply(asked.reply, answer, explain=False)

    async def _route(self, asked: Incoming) -> None:
        """Decide, and say so, without answering: nothing is called, stored or charged."""
        key, request = await self._request(asked, parse_chat)
        decision = self._decide(asked, request, key)
        await asked.reply.json(200, {"object": "route", **explained(decision, request)})

    async def _feedback(self, asked: Incoming) -> None:
        """Acknowledged when it is durable, and not before."""
        key = self._authorize(asked, "app")
        feedback = parse_feedback(await self._body(asked))
        try:
            known = await self._memory.find(feedback.request_id)
        except LookupError as error:
            raise _unavailable(str(error)) from None
        if known is None or not (known.about.key_id == key.id or "admin" in key.scopes):
            message = (
                f"There is no answered request {feedback.request_id}. Feedback takes the id from "
                "x-waggle-request-id, once the answer has ended."
            )
            raise NotFound("unknown_request", message, "request_id")
        again = asked.headers.get(b"idempotency-key", b"").decode("latin-1")
        signals, signal_ids = signals_of(
            feedback, known, key_id=key.id, idempotency_key=again, at=self.engine.wall()
        )
        try:
            await self.engine.journal.keep(signals)
            self.engine.heard(signals)
        except NotDurable as error:
            raise _unavailable(f"it could not be made durable ({error})") from None
        told = {
            "object": "feedback",
            "feedback_id": signal_ids[0],
            "request_id": feedback.request_id,
            "signals": signal_ids,
            "new": len(signals),
        }
        await asked.reply.whole(200, orjson.dumps(told), [JSON, *ids(asked.id)])

    async def _sql(self, asked: Incoming) -> None:
        self._authorize(asked, "analyst")
        settings = self.engine.config.telemetry
        query = parse_query(await self._body(asked), most_rows=settings.sql_rows)
        if self._querying >= _QUERIES:
            message = f"{_QUERIES} queries are running on this router: wait for one to end."
            raise Limited(message, 1.0)
        self._querying += 1
        try:
            bounds = Bounds(query.rows, settings.sql_seconds)
            async with WhileConnected(asked.receive):
                told = await ask(self.engine.config.telemetry_folder, query.sql, bounds)
        except QueryRefused as refusal:
            raise BadRequest(str(refusal), "sql") from None
        finally:
            self._querying -= 1
        await asked.reply.whole(200, told, [JSON, *ids(asked.id)])

    async def _learner_told(self, asked: Incoming) -> None:
        """What was learned: per kind of request and plan, and what the policy makes of it."""
        self._authorize(asked, "analyst")
        if self._learner is None:
            raise NotFound("no_learner", "Nothing learns here: this router runs alone.")
        try:
            told = await self._learner.told()
        except Exception as error:
            _log.debug("the learner did not answer: %r", error)
            message = "The learner does not answer at the moment; routers go on with its last word."
            raise Unavailable("learner_away", message) from None
        here = self.engine.following.told(now=self.engine.wall())
        await asked.reply.json(200, {**told, "router": here})

    async def _trials_told(self, asked: Incoming) -> None:
        """Every trial with its numbers, every strategy, and who serves."""
        self._authorize(asked, "analyst")
        await asked.reply.json(200, await self._of_trials({"do": "list"}))

    async def _trials_asked(self, asked: Incoming) -> None:
        """`{"do": "new" | "stop" | "adopt" | "rollback" | "register" | "simplify", ...}`."""
        self._authorize(asked, "admin")
        try:
            wanted = orjson.loads(await self._body(asked))
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"The body is not JSON: {error}.") from None
        if not isinstance(wanted, dict):
            raise BadRequest('The body must be an object: {"do": "new", ...}.')
        told = await self._of_trials(wanted)
        if "rejected" in told:
            raise BadRequest(str(told["rejected"]), "do")
        await asked.reply.json(200, told)

    async def _of_trials(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._learner is None:
            raise NotFound("no_learner", "Nothing learns here: this router runs alone.")
        try:
            return await self._learner.trials(wanted)
        except Exception as error:
            _log.debug("the learner did not answer: %r", error)
            message = "The learner does not answer at the moment: ask again."
            raise Unavailable("learner_away", message) from None

    async def _run_errand(self) -> None:
        """Ask a backend for the learner, beside the requests of callers."""
        following = self.engine.following
        errand, following.errand = following.errand, None
        if errand is None or (self._errand is not None and not self._errand.done()):
            return

        async def run() -> None:
            following.done = (errand.id, await self.engine.asked(errand.backend, errand.prompt))

        self._errand = asyncio.ensure_future(run())

    async def _list_models(self, asked: Incoming) -> None:
        self._authorize(asked, "app")
        await asked.reply.json(200, {"object": "list", "data": self._models()})

    async def _live(self, asked: Incoming) -> None:
        await asked.reply.json(200, {"status": "live", "router": self._name})

    async def _request(self, asked: Incoming, parse: Parse) -> tuple[Key, Request]:
        """Who asks, and what; refused before anything else is done for them."""
        key = self._authorize(asked, "app")
        body = await self._body(asked)
        return key, parse(body, asked.headers, request_id=asked.id, key_id=key.id)

    async def _body(self, asked: Incoming) -> bytes:
        most = self.engine.config.server.max_request_bytes
        try:
            return await read_body(asked.receive, most=most)
        except BodyTooLarge:
            message = f"The request is larger than server.max_request_bytes = {most}."
            raise BadRequest(message, status=413) from None

    def _decide(
        self, asked: Incoming, request: Request, key: Key, looked: Looked | None = None
    ) -> Decision:
        return self.engine.decide(
            request, wanted="chat", backend=asked.backend, allowed=key.plans, looked=looked
        )

    def _embedder(self, asked: Incoming, request: Request) -> Decision:
        """Embeddings are no matter of taste: vectors of two models must not be mixed."""
        config = self.engine.config
        backend = asked.backend
        if not backend and request.model == AUTO:
            able = [n for n, b in config.backends.items() if "embeddings" in b.capabilities]
            if not able:
                message = "No backend makes embeddings: configure one of kind `encoder`."
                raise NotFound("no_embedding_backend", message, "model")
            backend = able[0]
        decision = self.engine.decide(request, wanted="embeddings", backend=backend, allowed=())
        settings = config.backends.get(str(decision.plan))
        if settings is None or "embeddings" not in settings.capabilities:
            message = f"The model `{request.model}` makes no embeddings here."
            raise NotFound("model_not_found", message, "model")
        return decision

    async def _reply(self, send: ReplyWriter, answer: Answer, *, explain: bool) -> None:
        headers = [JSON, *told(answer.trace)]
        if answer.retry_after is not None:
            headers.append(retry_after_header(answer.retry_after))
        body = answer.body
        if explain and body.startswith(b"{"):
            body = replaced(body, {b'"waggle"': orjson.dumps(explained_trace(answer.trace))})
        elif answer.trace.partial and body.startswith(b"{"):
            body = replaced(body, {b'"waggle"': orjson.dumps(partly(answer.trace))})
        await send.whole(answer.status, body, headers)

    async def _stream(self, send: ReplyWriter, answer: Answer, *, explain: bool) -> None:
        assert answer.stream is not None
        stream = answer.stream
        headers = [*SSE, *told(answer.trace, streaming=True)]
        try:
            # A generator that was never begun runs no clean-up: its first piece is there already.
            piece = await anext(stream)
            await send.begin(200, headers)
            unsaid = explain
            while piece:
                if unsaid:  # in the first event that is one: comments may come before it
                    plain, piece = piece, with_explanation(piece, answer.trace)
                    unsaid = piece is plain
                await send.more(piece)
                piece = await anext(stream, b"")
            await send.end()
        finally:
            await stream.aclose()  # type: ignore[attr-defined]  # an async generator, always

    def _authorize(self, asked: Incoming, scope: str) -> Key:
        if not self._keyring.required:
            return _ANYONE
        header = asked.headers.get(b"authorization", b"").decode("latin-1")
        key = self._keyring.identify(header)
        asked.key_id = key.id  # known also of one who is then refused
        if scope not in key.scopes and "admin" not in key.scopes:
            message = f"This key has the scopes {', '.join(key.scopes)}; this needs `{scope}`."
            raise Denied(403, "scope_missing", message)
        return key

    @property
    def _limits(self) -> KeyLimits:
        return self.engine.config.keys.limits

    def _models(self) -> list[dict[str, Any]]:
        config = self.engine.config
        named = [(AUTO, "waggle"), *((p, "plan") for p in config.plans)]
        named += [(b, settings.kind) for b, settings in config.backends.items()]
        return [
            {"id": name, "object": "model", "created": self._started_at, "owned_by": owner}
            for name, owner in named
        ]

    async def _model(self, asked: Incoming) -> None:
        self._authorize(asked, "app")
        name = asked.path.removeprefix("/v1/models/")
        for model in self._models():
            if model["id"] == name:
                await asked.reply.json(200, model)
                return
        raise NotFound("model_not_found", f"The model `{name}` does not exist.", "model")

    async def _ready(self, asked: Incoming) -> None:
        engine = self.engine
        now = engine.wall()
        backends = {}
        for name in engine.config.backends:
            replicas = len(engine.attempts.replicas(name))
            resting = engine.resting.get(name, 0.0) > now
            state = "resting" if resting else "up" if replicas else "starting"
            backends[name] = {"state": state, "replicas": replicas}
        ready = any(b["state"] == "up" for b in backends.values())
        status = {
            "status": "ready" if ready else "not ready",
            "router": self._name,
            "plans": list(engine.config.plans),
            "backends": backends,
        }
        if self.engine.journal.trouble:
            status["telemetry"] = f"not written: {self.engine.journal.trouble}"
        await asked.reply.json(200 if ready else 503, status)

    async def _metrics(self, asked: Incoming) -> None:
        self._authorize(asked, "analyst")
        own = {self._name: self.engine.metrics.snapshot()}
        others: Mapping[str, bytes] = {}
        with contextlib.suppress(Exception):  # without the hive: our own counters
            others = await self._hive.all_metrics()
        text = exposition({**others, **own}).encode()
        await asked.reply.whole(200, text, [(b"content-type", b"text/plain; version=0.0.4")])

    async def _refuse(self, asked: Incoming, error: Refused) -> None:
        status = error.status
        self.engine.metrics.count("waggle_requests_total", plan="", status=str(status))
        if asked.path in _OPERATIONS:
            refusal = Refusal(
                asked.id,
                self.engine.wall(),
                _OPERATIONS[asked.path],
                status,
                error.code or kind_of(status),
                asked.key_id,
            )
            self.engine.journal.refuse(refusal)
        await asked.reply.error(status, error.body, [*ids(asked.id), *error.headers])


_OPERATIONS = {"/v1/chat/completions": "chat", "/v1/embeddings": "embeddings"}
_QUERIES = 2
_ROUTES = {
    "/v1/chat/completions": "POST",
    "/v1/embeddings": "POST",
    "/v1/route": "POST",
    "/v1/feedback": "POST",
    "/v1/sql": "POST",
    "/v1/models": "GET",
    "/v1/learner": "GET",
    "/v1/trials": "GET or POST",
    "/health/live": "GET",
    "/health/ready": "GET",
    "/metrics": "GET",
}


def _unavailable(reason: str) -> Unavailable:
    message = f"Feedback was not taken: {reason}. Send it again; twice is once."
    return Unavailable("not_durable", message)


def _no_route(method: str, path: str) -> Refused:
    if path in _ROUTES:
        return MethodNotAllowed(method, path, _ROUTES[path].split(" or "))
    message = f"There is nothing at {path}. Known: {', '.join(_ROUTES)}."
    return NotFound("unknown_url", message)


async def keep_learning(app: App, seconds: float = 30.0) -> None:
    while True:
        await app.learn()
        await asyncio.sleep(seconds)


async def keep_following(app: App, seconds: float = 0.5) -> None:
    while True:
        await app.follow()
        await asyncio.sleep(seconds)


async def keep_exchanging(
    app: App, seconds: float = 0.25, idle_turns: int = 4, also: Callable[[], None] = lambda: None
) -> None:
    """News is told soon; without any, the counters are told and the others heard now and then."""
    turn = 0
    while True:
        await asyncio.sleep(seconds)
        turn += 1
        if turn >= idle_turns or app.engine.homes.has_news:
            turn = 0
            also()
            await app.exchange()
