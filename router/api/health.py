"""`GET /health/live`: this process answers. `GET /health/ready`: a backend can answer as well.

`ready` has three states. "ready": everything works. "degraded", still with status 200: requests
are answered, but something is missing, and `reasons` says what. "not ready", with status 503: no
backend can answer. While the whole service starts again, the command answers: "restarting".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.api.incoming import Incoming
from router.engine.engine import Engine
from router.engine.resources import row_of
from router.version import version

_SILENT_SECONDS = 3.0  # a helper that is replaced at once is no reason


@dataclass(frozen=True, slots=True)
class HealthEndpoint:
    engine: Engine
    router: str

    async def live(self, incoming: Incoming) -> None:
        await incoming.reply.json(
            200, {"status": "live", "version": version(), "router": self.router}
        )

    async def ready(self, incoming: Incoming) -> None:
        engine, now = self.engine, self.engine.steady()
        backends: dict[str, dict[str, object]] = {}
        # Who asks without a key learns nothing of stores, so neither of what asks them.
        hidden = engine.hidden_from("")
        for name, settings in engine.config.backends.items():
            if name in hidden:
                continue
            replicas = len(engine.attempts.replicas(name))
            resting = engine.tries.resting.get(name, 0.0) > now
            state = (
                "off"
                if settings.off
                else "resting"
                if resting
                else "up"
                if replicas
                else "starting"
            )
            backends[name] = {"state": state, "replicas": replicas}
            if name in engine.tries.loads.by_backend:
                seen = row_of(engine.tries.loads, name)
                backends[name] |= {"in_flight": seen["in_flight"], "slower_s": seen["slower_s"]}
        states = {name: str(backend["state"]) for name, backend in backends.items()}
        trouble = engine.journal.trouble
        reasons = list(reasons_of(states, engine.silent, trouble, now=now))
        ready = "up" in states.values()
        status = {
            "status": "not ready" if not ready else "degraded" if reasons else "ready",
            "version": version(),
            "router": self.router,
            "plans": [name for name in engine.config.plans if name not in hidden],
            "backends": backends,
        }
        if reasons:
            status["reasons"] = reasons
        if trouble:
            status["telemetry"] = f"not written: {trouble}"
        await incoming.reply.json(200 if ready else 503, status)


def reasons_of(
    backends: Mapping[str, str], silent: Mapping[str, float], trouble: str, *, now: float
) -> Iterator[str]:
    """What is missing. `silent`: since when the learner or the hive has not answered."""
    for name, state in backends.items():
        if state == "starting":
            yield f"backend {name} has no replica: it is starting, or starting again"
        elif state == "resting":
            yield f"backend {name} rests after its errors"
    for name, since in silent.items():
        if now - since >= _SILENT_SECONDS:
            yield f"the {name} has not answered for {now - since:.0f} s"
    if trouble:
        yield f"telemetry is not written: {trouble}"
