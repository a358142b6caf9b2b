"""`GET /health/live`: this process answers. `GET /health/ready`: a backend can answer as well."""

from dataclasses import dataclass

from router.api.incoming import Incoming
from router.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class HealthEndpoint:
    engine: Engine
    router: str

    async def live(self, incoming: Incoming) -> None:
        await incoming.reply.json(200, {"status": "live", "router": self.router})

    async def ready(self, incoming: Incoming) -> None:
        engine, now = self.engine, self.engine.wall()
        backends = {}
        for name in engine.config.backends:
            replicas = len(engine.attempts.replicas(name))
            resting = engine.tries.resting.get(name, 0.0) > now
            state = "resting" if resting else "up" if replicas else "starting"
            backends[name] = {"state": state, "replicas": replicas}
        ready = any(backend["state"] == "up" for backend in backends.values())
        status = {
            "status": "ready" if ready else "not ready",
            "router": self.router,
            "plans": list(engine.config.plans),
            "backends": backends,
        }
        if engine.journal.trouble:
            status["telemetry"] = f"not written: {engine.journal.trouble}"
        await incoming.reply.json(200 if ready else 503, status)
