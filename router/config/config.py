"""TODO: what this module promises."""

from pathlib import Path

from pydantic import Field

from router.config.backends import AnyBackend, SpecialistSettings
from router.config.objective import Objective, Trials
from router.config.plans import AnyPlan, Ask, Code, Pipeline, lead, resolved
from router.config.reuse import Reuse
from router.config.server import DashboardSettings, Keys, Server, TelemetrySettings
from router.config.signals import DEFAULT, Sources
from router.config.values import Name, Values
from router.wire.addresses import is_loopback

FROM_PASSAGES = (
    "Above are numbered passages from documents. Answer the question from them alone, in your own "
    "words, and name the passages you used by their numbers in brackets. What they do not say, you "
    "do not know: say so."
)


class Config(Values):
    server: Server = Server()
    keys: Keys = Keys()
    telemetry: TelemetrySettings = TelemetrySettings()
    dashboard: DashboardSettings = DashboardSettings()
    backends: dict[Name, AnyBackend] = Field(min_length=1)
    plans: dict[Name, AnyPlan] = Field(min_length=1)
    objective: Objective = Objective()
    signals: Sources = DEFAULT
    reuse: Reuse = Reuse()
    trials: Trials = Trials()

    @property
    def asking(self) -> tuple[str, ...]:
        """Plans to choose among by how hard a request is; what a program or a specialist answers
        has a rule of its own."""
        plans = (n for n, plan in self.plans.items() if not self._ruled(plan))
        return tuple(plans) or tuple(self.plans)

    def _ruled(self, plan: AnyPlan) -> bool:
        return isinstance(plan, Code) or self.backends[self.lead_of(plan)].kind == "specialist"

    def plan(self, step: str | AnyPlan) -> AnyPlan:
        """The plan that a step is; the name of a backend stands for asking it. A specialist with a
        writer finds, and the writer says."""
        plan = resolved(step, self.plans)
        if isinstance(plan, Ask) and plan.instruct is None:
            settings = self.backends.get(plan.ask)
            if isinstance(settings, SpecialistSettings) and settings.writer is not None:
                finding = Ask(ask=plan.ask, instruct=FROM_PASSAGES)
                saying = Ask(ask=settings.writer, instruct=FROM_PASSAGES)
                bounds = {"max_cost": plan.max_cost, "max_latency_ms": plan.max_latency_ms}
                return Pipeline(pipeline=(finding, saying), gate=plan.gate, **bounds)
        return plan  # type: ignore[return-value]

    def lead_of(self, step: str | AnyPlan) -> str:
        return lead(step, self.plans)

    @property
    def data(self) -> Path:
        return Path(self.server.data).resolve()

    @property
    def telemetry_folder(self) -> Path:
        return self.data / "telemetry"

    @property
    def learner_folder(self) -> Path:
        return self.data / "learner"

    @property
    def trials_folder(self) -> Path:
        return self.data / "trials"

    @property
    def reuse_folder(self) -> Path:
        return self.data / "solutions"

    @property
    def keys_file(self) -> Path:
        return self.data / self.keys.file

    @property
    def dashboard_host(self) -> str:
        return self.dashboard.host or self.server.host

    @property
    def dashboard_port(self) -> int:
        return self.dashboard.port or min(self.server.port + 50, 65535)

    @property
    def loopback(self) -> bool:
        return is_loopback(self.server.host)
