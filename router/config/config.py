"""The whole configuration as one frozen value, with the folders of its files."""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from router.config.alerts import Alerts
from router.config.backends import AnyBackend, LearnedSettings
from router.config.conversations import Conversations
from router.config.growth import Growth
from router.config.guardrails import Guards
from router.config.knowledge import Stores
from router.config.objective import Objective, Trials
from router.config.plan_steps import lead
from router.config.plans import AnyPlan, Code
from router.config.plans_by_name import with_plans
from router.config.reuse import Reuse
from router.config.server import DashboardSettings, Keys, Server, TelemetrySettings
from router.config.signals import DEFAULT, Sources
from router.config.training import LEARNED, Lessons, with_learned
from router.config.values import CLAIMING, Name, Values
from router.wire.addresses import is_loopback


class Config(Values):
    server: Server = Server()
    keys: Keys = Keys()
    telemetry: TelemetrySettings = TelemetrySettings()
    dashboard: DashboardSettings = DashboardSettings()
    backends: dict[Name, AnyBackend] = Field(min_length=1)
    plans: dict[Name, AnyPlan] = Field(
        default_factory=dict,
        validate_default=True,
        min_length=1,
        description="default: each backend that is a model, by its own name",
    )
    objective: Objective = Objective()
    signals: Sources = DEFAULT
    guardrails: Guards = ()
    reuse: Reuse = Reuse()
    conversations: Conversations = Conversations()
    trials: Trials = Trials()
    growth: Growth = Growth()
    knowledge: Stores = Field(
        default_factory=dict, description="stores of documents and rows, by their names"
    )
    training: Lessons = Field(
        "auto", description="the lessons of continuous training, by name; auto: what it finds"
    )
    alerts: Alerts = Alerts()

    @model_validator(mode="before")
    @classmethod
    def _plans_by_name(cls, raw: Any) -> Any:
        return with_plans(with_learned(raw))

    @property
    def asking(self) -> tuple[str, ...]:
        """Plans to choose among by complexity; other rules choose programs, specialists,
        knowledge and last resorts."""
        plans = (n for n, plan in self.plans.items() if not self._ruled(n, plan))
        return tuple(plans) or tuple(self.plans)

    @property
    def learned_backend(self) -> str | None:
        """The backend that answers with whichever trained model a plan names."""
        settings = self.backends.get(LEARNED)
        named = isinstance(settings, LearnedSettings) and settings.model is None
        return LEARNED if named else None

    @property
    def last_resorts(self) -> frozenset[str]:
        """The plans that answer only what no other plan can."""
        leads = {name: self.backends[lead(plan, self.plans)] for name, plan in self.plans.items()}
        return frozenset(name for name, settings in leads.items() if settings.last_resort)

    def _ruled(self, name: str, plan: AnyPlan) -> bool:
        if isinstance(plan, Code) or name in self.last_resorts:
            return True
        return self.backends[lead(plan, self.plans)].kind in CLAIMING

    @property
    def data(self) -> Path:
        return Path(self.server.data).resolve()

    @property
    def encoders_folder(self) -> Path:
        given = self.server.encoders
        return Path(given).resolve() if given else self.data / "encoders"

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
    def growth_folder(self) -> Path:
        return self.data / "growth"

    @property
    def knowledge_folder(self) -> Path:
        return self.data / "knowledge"

    @property
    def models_folder(self) -> Path:
        return self.data / "models"

    @property
    def training_folder(self) -> Path:
        return self.data / "training"

    @property
    def files_folder(self) -> Path:
        return self.data / "files"

    @property
    def batches_folder(self) -> Path:
        return self.data / "batches"

    @property
    def reuse_folder(self) -> Path:
        return self.data / "solutions"

    @property
    def committees_folder(self) -> Path:
        return self.data / "committees"

    @property
    def conversations_folder(self) -> Path:
        return self.data / "conversations"

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
