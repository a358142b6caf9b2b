"""The options of the dashboard's process; they hold no secrets."""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from router.config.config import Config
from router.wire.addresses import reachable


@dataclass(frozen=True, slots=True)
class DashboardOptions:
    """Paths of telemetry and keys, the dashboard's address, and the weights for its figures."""

    telemetry: str
    host: str = "127.0.0.1"
    port: int = 8050
    hosts: tuple[str, ...] = ()  # names by which it answers without keys, beside loopback's
    keys: str = ""  # path of the file with the keys
    cost_weight: float = 0.1
    latency_weight: float = 0.05
    reuse_budget: float | None = None
    service: str = ""  # address of the service that the playground asks; empty: there is none

    @classmethod
    def of(cls, config: Config) -> "DashboardOptions":
        preference = config.objective.preference
        return cls(
            telemetry=str(config.telemetry_folder),
            host=config.dashboard_host,
            port=config.dashboard_port,
            hosts=config.server.hosts,
            keys=str(config.keys_file),
            cost_weight=preference.cost,
            latency_weight=preference.latency,
            reuse_budget=config.reuse.budget if config.reuse.mode != "off" else None,
            service=f"http://{reachable(config.server.host)}:{config.server.port}",
        )

    @classmethod
    def read(cls, text: str) -> "DashboardOptions":
        fields = orjson.loads(text)
        return cls(**fields | {"hosts": tuple(fields["hosts"])})

    def written(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @property
    def folder(self) -> Path:
        return Path(self.telemetry)

    @property
    def url(self) -> str:
        return f"http://{reachable(self.host)}:{self.port}"
