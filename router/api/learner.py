"""`GET /v1/learner`: the learner's report, and how this router follows the learner."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from router.api.incoming import Admission, Incoming
from router.engine.engine import Engine
from router.routing.messages import NewsRequest, Published
from router.wire.errors import NotFound, Unavailable

_log = logging.getLogger("waggle")


class LearnerClient(Protocol):
    """Calls to the learner, which runs in another process. Any call may fail."""

    async def news(self, request: NewsRequest) -> Published: ...
    async def report(self) -> Mapping[str, Any]: ...
    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]: ...
    async def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]: ...
    async def routes(self, command: Mapping[str, Any]) -> Mapping[str, Any]: ...


@contextmanager
def reached(learner: LearnerClient | None, *, advice: str) -> Iterator[LearnerClient]:
    """Yield the learner for one call. If the learner does not answer, refuse with `advice`."""
    if learner is None:
        raise NotFound("no_learner", "This router has no learner: it runs alone.")
    try:
        yield learner
    except Exception as error:
        _log.debug("the learner did not answer: %r", error)
        message = f"The learner does not answer at the moment: {advice}."
        raise Unavailable("learner_away", message) from None


@dataclass(frozen=True, slots=True)
class LearnerEndpoint:
    """Shows each plan's estimates on each kind of request, and the policy in use."""

    engine: Engine
    admission: Admission
    learner: LearnerClient | None

    async def get(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "analyst")
        with reached(self.learner, advice="routers go on with its last policy") as learner:
            report = await learner.report()
        here = self.engine.following.status(now=self.engine.steady())
        await incoming.reply.json(200, {**report, "router": here})
