"""What the process of a dashboard is given: nothing secret, and nothing of the service's own."""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from router.config.config import Config
from router.wire.addresses import reachable


@dataclass(frozen=True, slots=True)
class DashboardOptions:
    """Where telemetry and keys lie, where the dashboard listens, and what its figures weigh."""

    telemetry: str
    host: str = "127.0.0.1"
    port: int = 8050
    keys: str = ""  # the file that holds them
    cost_weight: float = 0.1
    latency_weight: float = 0.05
    reuse_budget: float | None = None

    @classmethod
    def of(cls, config: Config) -> "DashboardOptions":
        preference = config.objective.preference
        return cls(
            telemetry=str(config.telemetry_folder),
            host=config.dashboard_host,
            port=config.dashboard_port,
            keys=str(config.keys_file),
            cost_weight=preference.cost,
            latency_weight=preference.latency,
            reuse_budget=config.reuse.budget if config.reuse.mode != "off" else None,
        )

    @classmethod
    def read(cls, text: str) -> "DashboardOptions":
        return cls(**orjson.loads(text))

    def written(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @property
    def folder(self) -> Path:
        return Path(self.telemetry)

    @property
    def url(self) -> str:
        return f"http://{reachable(self.host)}:{self.port}"
