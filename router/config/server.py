"""Settings of the service around the backends: its port, keys, telemetry and dashboard."""

from typing import Literal

from pydantic import Field

from router.catalog import Dollars
from router.config.batches import BatchSettings, FileSettings
from router.config.values import HostName, Name, Seconds, Secret, TagName, Values


class KeyLimits(Values):
    """The limits of a key, a team or a tag; null means no limit. Days and months are of UTC."""

    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    dollars_per_day: Dollars | None = None
    dollars_per_month: Dollars | None = None
    unpriced: Literal["refuse", "allow"] = Field(
        "refuse",
        description="with a limit of dollars: whether a backend without a price is asked",
    )

    @property
    def needs_prices(self) -> bool:
        """Whether a backend of unknown price must not be asked."""
        return self.bounds_dollars and self.unpriced == "refuse"

    @property
    def bounds_dollars(self) -> bool:
        return self.dollars_per_day is not None or self.dollars_per_month is not None

    @property
    def any(self) -> bool:
        per_minute = (self.requests_per_minute, self.tokens_per_minute)
        return self.bounds_dollars or any(bound is not None for bound in per_minute)


class Team(KeyLimits):
    """A team of keys, or of teams: what one of them uses counts in the budget of its team."""

    parent: Name | None = Field(None, description="the team that this team is part of")


class Tag(KeyLimits):
    """A tag with a budget, and who may use the tag; without names, every key may."""

    keys: tuple[Name, ...] = Field((), description="names or ids of the keys that may use the tag")
    teams: tuple[Name, ...] = Field((), description="teams whose keys may, with the teams in them")


class Server(Values):
    """The endpoint that callers use."""

    host: str = Field("127.0.0.1", description="every other address needs keys")
    port: int = Field(8000, ge=1, le=65535)
    hosts: tuple[HostName, ...] = Field(
        (), description="without keys: names to answer by, beside loopback's; without a port"
    )
    data: str = Field("./var", min_length=1, description="folder of all that Waggle writes")
    encoders: str | None = Field(
        None, min_length=1, description="folder of exported encoders; default: encoders in `data`"
    )
    replicas: int = Field(2, ge=1, le=64, description="router processes that answer requests")
    connections_per_address: int = Field(
        1000, ge=1, description="open at once from one address of the network; needs HAProxy"
    )
    max_request_bytes: int = Field(8 * 2**20, ge=1024, le=2**30)
    max_held_bytes: int = Field(
        64 * 2**20, ge=1024, description="most bytes of large bodies in a router; more ones wait"
    )
    sticky_seconds: Seconds = Field(
        3600.0, description="how long a conversation stays with its backend after its last turn"
    )
    files: FileSettings = Field(FileSettings(), description="what callers may store by /v1/files")
    batches: BatchSettings = Field(BatchSettings(), description="how /v1/batches is carried out")


class DashboardSettings(Values):
    """The dashboard; `waggle serve` starts it beside the service."""

    enabled: bool = True
    host: str | None = Field(None, description="default: the host of the server")
    port: int | None = Field(None, ge=1, le=65535, description="default: the server's port plus 50")


class Keys(Values):
    """The file of the callers' keys, and the limits of keys, teams and tags."""

    file: str = Field("keys.json", description="file below `data`, from `waggle keys new`")
    limits: KeyLimits = Field(KeyLimits(), description="for keys without limits of their own")
    teams: dict[Name, Team] = Field(default_factory=dict, description="`waggle keys new --team`")
    tags: dict[TagName, Tag] = Field(
        default_factory=dict, description="tags of requests that have a budget: `x-waggle-tags`"
    )

    def line_of(self, team: str) -> tuple[str, ...]:
        """A team, the team that it is part of, and so on; empty for no team."""
        line: list[str] = []
        while team in self.teams and team not in line:
            line.append(team)
            team = self.teams[team].parent or ""
        return tuple(line)


class Otlp(Values):
    """Where Waggle sends OpenTelemetry data; without an endpoint, it sends nothing."""

    endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="OTLP server, e.g. http://localhost:4318"
    )
    headers: dict[str, Secret] = Field(default_factory=dict)
    traces: bool = True
    metrics: bool = True


class TelemetrySettings(Values):
    """What Waggle records about each request, and how long it keeps the records."""

    prompts: bool = Field(False, description="keep the words of requests, not only a hash")
    answers: bool = Field(False, description="keep the words of answers, not only a hash")
    seal_seconds: Seconds = Field(5.0, description="longest time that rows stay in a journal")
    seal_rows: int = Field(10_000, ge=100, le=1_000_000, description="most rows in a journal")
    keep_days: float | None = Field(None, gt=0, description="older rows are deleted; null: never")
    keep_bytes: int | None = Field(
        None, ge=2**20, description="beyond this size the oldest rows are deleted; null: never"
    )
    grace_seconds: Seconds = Field(
        600.0, description="how long an opened database stays readable after rows have moved"
    )
    sql_rows: int = Field(10_000, ge=1, le=1_000_000, description="most rows of POST /v1/sql")
    sql_seconds: Seconds = Field(10.0, description="longest time of a query of POST /v1/sql")
    sql_memory_bytes: int = Field(
        256 * 2**20, ge=160 * 2**20, description="most memory of a query of POST /v1/sql"
    )
    otlp: Otlp = Otlp()
