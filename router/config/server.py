"""TODO: what this module promises."""

from pydantic import Field

from router.config.values import Dollars, Seconds, Secret, Values


class KeyLimits(Values):
    """What one key may use. None: no bound."""

    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    dollars_per_day: Dollars | None = None

    @property
    def any(self) -> bool:
        return any(
            bound is not None
            for bound in (self.requests_per_minute, self.tokens_per_minute, self.dollars_per_day)
        )


class Server(Values):
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    data: str = Field("./var", min_length=1)
    replicas: int = Field(2, ge=1, le=64)
    max_request_bytes: int = Field(8 * 2**20, ge=1024, le=2**30)
    sticky_seconds: Seconds = 3600.0


class DashboardSettings(Values):
    """The pages that operators watch; `waggle serve` starts them beside the service."""

    enabled: bool = True
    host: str | None = Field(None, description="default: that of the server")
    port: int | None = Field(None, ge=1, le=65535, description="default: 50 above the server's")


class Keys(Values):
    file: str = "keys.json"
    limits: KeyLimits = KeyLimits()


class Otlp(Values):
    """Where OpenTelemetry goes; nowhere unless an endpoint is named."""

    endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="OTLP over HTTP, e.g. http://localhost:4318"
    )
    headers: dict[str, Secret] = Field(default_factory=dict)
    traces: bool = True
    metrics: bool = True


class TelemetrySettings(Values):
    prompts: bool = Field(False, description="keep the words of requests, not only their hash")
    answers: bool = Field(False, description="keep the words of answers, not only their hash")
    seal_seconds: Seconds = Field(5.0, description="how long rows stay in a journal at most")
    seal_rows: int = Field(10_000, ge=100, le=1_000_000)
    keep_days: float | None = Field(None, gt=0, description="older rows are pruned; null: never")
    keep_bytes: int | None = Field(
        None, ge=2**20, description="the oldest rows beyond this are pruned; null: never"
    )
    grace_seconds: Seconds = Field(
        600.0, description="how long a database that was opened before stays readable"
    )
    sql_rows: int = Field(10_000, ge=1, le=1_000_000, description="most rows of POST /v1/sql")
    sql_seconds: Seconds = Field(10.0, description="longest query of POST /v1/sql")
    otlp: Otlp = Otlp()
