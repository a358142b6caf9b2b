"""TODO: what this module promises."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from router.domain import Request

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


Seconds = Annotated[float, Field(gt=0, le=86_400)]


Dollars = Annotated[float, Field(ge=0)]


Secret = Annotated[
    str,
    Field(
        pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
        description="a reference to the environment, ${NAME}; never the secret itself",
    ),
]


Capability = Literal["chat", "tools", "images", "json", "embeddings"]


class Values(BaseModel):
    """Frozen, and closed: a key nobody reads is an error, not a silence."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True
    )


class Price(Values):
    """Dollars per million tokens."""

    input: Dollars = 0.0
    output: Dollars = 0.0
    cached_input: Dollars | None = Field(None, description="default: the price of input")

    def cost_usd(self, *, input_tokens: int, output_tokens: int, cached_tokens: int) -> float:
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = max(input_tokens - cached_tokens, 0)
        return (fresh * self.input + cached_tokens * cached + output_tokens * self.output) / 1e6


class Timeouts(Values):
    """Seconds a call may spend in each phase before it counts as failed."""

    connect: Seconds = 5.0
    first: Seconds = Field(60.0, description="until the first byte of the answer")
    between: Seconds = Field(30.0, description="between two pieces of a stream")
    total: Seconds = 600.0


class Breaker(Values):
    """When a backend that fails is left alone, and for how long."""

    failures: int = Field(5, ge=1, description="in a row; 401, 402 and 403 open it at once")
    cooldown: Seconds = Field(5.0, description="doubles each time the probe fails")
    longest: Seconds = 60.0


class Retry(Values):
    times: int = Field(2, ge=0, le=10)
    backoff: Seconds = Field(0.2, description="upper end of the first wait; doubles; full jitter")
    longest: Seconds = Field(5.0, description="a Retry-After beyond this moves on instead")


class Autoscale(Values):
    min: int = Field(1, ge=1)
    max: int = Field(1, ge=1)
    ongoing: float = Field(16.0, gt=0, description="calls in flight that one replica should have")


class BackendSettings(Values):
    """What any backend can be told, whatever its kind."""

    price: Price = Price()
    timeouts: Timeouts = Timeouts()
    breaker: Breaker = Breaker()
    retry: Retry = Retry()
    concurrency: int = Field(64, ge=1, le=100_000, description="calls at once, per replica")
    queue: int = Field(256, ge=0, le=100_000, description="calls that may wait, per replica")
    queue_seconds: Seconds = 30.0
    replicas: Autoscale = Autoscale()
    cpus: float = Field(0.05, ge=0, description="what Ray reserves for a replica")
    gpus: float = Field(0.0, ge=0)
    max_response_bytes: int = Field(32 * 2**20, ge=1024)
    capabilities: tuple[Capability, ...] = ("chat",)
    context_window: int | None = Field(
        None, ge=1, description="tokens; longer prompts go elsewhere"
    )

    region: str = Field("", max_length=64, description="where it stands, for who must stay there")

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names a caller may give in `model` to mean this backend."""
        return ()

    def refuses(self, request: Request) -> str:  # noqa: ARG002
        """Why this backend cannot answer such a request, or nothing."""
        return ""
