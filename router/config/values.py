"""Values that several sections of the configuration share: names, units, backend settings.

A value is frozen, and refuses unknown keys.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from router.catalog import FREE, Price
from router.domain import Fields, Request

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
NAME_RULE = "a name is at most 64 letters, digits, `.`, `_` and `-`, the first a letter or digit"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
# A tag of a request is any printable text without a comma: a header separates tags by commas.
TAG_PATTERN = r"^[^\x00-\x20\x7f,](?:[^\x00-\x1f\x7f,]{0,62}[^\x00-\x20\x7f,])?$"
TAG_RULE = "a tag is 1 to 64 printable characters, with no comma, and with no blank at its ends"
TagName = Annotated[str, Field(pattern=TAG_PATTERN)]
HOST_PATTERN = r"^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])$"
HostName = Annotated[str, Field(pattern=HOST_PATTERN)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Secret = Annotated[
    str,
    Field(
        pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
        description="a reference to the environment, ${NAME}; never the secret itself",
    ),
]
Capability = Literal[
    "chat",
    "tools",
    "images",  # images in chat; `image_generation` makes them
    "json",
    "embeddings",
    "completions",
    "rerank",
    "moderations",
    "image_generation",
    "speech",
    "transcription",
]
# What is passed through to a server that speaks OpenAI's protocol. No table knows who can do it:
# the file says so.
PASSED_THROUGH: frozenset[Capability] = frozenset(
    {
        *("completions", "rerank", "moderations"),
        *("image_generation", "speech", "transcription"),
    }
)


# The kinds that answer from documents, and only a question that their documents seem to answer.
CLAIMING: frozenset[str] = frozenset({"specialist", "knowledge"})


class Values(BaseModel):
    """The base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True
    )


class Timeouts(Values):
    """Seconds that each phase of a call may take before the call counts as failed."""

    connect: Seconds = 5.0
    first: Seconds = Field(60.0, description="seconds until the first byte of the answer")
    between: Seconds = Field(30.0, description="seconds between two pieces of a stream")
    total: Seconds = 600.0


class Breaker(Values):
    """When Waggle stops calling a failing backend, and for how long."""

    failures: int = Field(
        5, ge=1, description="failures in a row until the backend rests; 1 if it is 401, 402 or 403"
    )
    cooldown: Seconds = Field(5.0, description="seconds of rest; each further failure doubles them")
    longest: Seconds = Field(60.0, description="upper bound of the cooldown, in seconds")


class Retry(Values):
    """How often Waggle tries a failed call again at the same backend, and how long it waits."""

    times: int = Field(2, ge=0, le=10)
    backoff: Seconds = Field(
        0.2, description="highest first wait in seconds; each wait doubles it; full jitter"
    )
    longest: Seconds = Field(
        5.0, description="longest wait in seconds; a longer Retry-After ends the tries"
    )


class Autoscale(Values):
    """The bounds for the number of a backend's replicas."""

    min: int = Field(1, ge=1)
    max: int = Field(1, ge=1)
    ongoing: float = Field(16.0, gt=0, description="calls in flight that a replica should have")


class BackendSettings(Values):
    """Settings that every kind of backend has.

    `parameters` are the fields of a request that a plan may set for this kind of backend, and
    `is_model` says whether a model reads the messages: then a plan may give it a system message.
    `shares` names the process that backends of this kind share, if they are small; empty: each has
    its own. `translates` says that `refuses` looks at every field, so that what a plan sets counts
    too. `holds_to_schemas` says that every answer keeps to the schema in `response_format`, and
    `reads_extensions` that the backend reads what `router.dialects.extensions` names. `passes` is
    what this kind of backend can do of that which is passed through.
    """

    parameters: ClassVar[frozenset[str]] = frozenset()
    passes: ClassVar[frozenset[Capability]] = frozenset()
    is_model: ClassVar[bool] = False
    shares: ClassVar[str] = ""
    translates: ClassVar[bool] = False
    holds_to_schemas: ClassVar[bool] = False
    reads_extensions: ClassVar[bool] = False

    enabled: bool = Field(
        True, description="false: it stays in the file, and nothing is sent to it"
    )
    weight: float = Field(
        1.0,
        gt=0,
        le=1000,
        description="its share of the requests of plans that ask one of several: `ask: [a, b]`",
    )
    price: Price | None = Field(
        None,
        description="default: by the table of prices; null: unknown, which is not free",
    )
    timeouts: Timeouts = Timeouts()
    breaker: Breaker = Breaker()
    retry: Retry = Retry()
    concurrency: int = Field(64, ge=1, le=100_000, description="most calls at once in one replica")
    queue: int = Field(256, ge=0, le=100_000, description="most calls that wait in one replica")
    queue_seconds: Seconds = Field(30.0, description="longest time that a call waits")
    process: Literal["shared", "own"] | None = Field(
        None,
        description="whether it runs in one process with others like it; default: shared where it "
        "is small, and its replicas, cpus, gpus and memory are as usual",
    )
    replicas: Autoscale = Autoscale()
    cpus: float = Field(0.05, ge=0, description="cores that Ray reserves for a replica")
    gpus: float = Field(0.0, ge=0, description="GPUs that Ray reserves for a replica")
    max_response_bytes: int = Field(32 * 2**20, ge=1024)
    replica_memory_mb: int | None = Field(
        2048, ge=256, description="a replica that needs more ends, and a new one starts; null: any"
    )
    capabilities: tuple[Capability, ...] = ("chat",)
    context_window: int | None = Field(
        None, ge=1, description="in tokens; a longer prompt goes to another backend"
    )
    region: str = Field(
        "", max_length=64, description="place of the backend, for requests bound to a region"
    )
    last_resort: bool = Field(
        False, description="answers only what no other plan can; never when chosen among others"
    )
    repeat_temperature: float = Field(
        0.2,
        ge=0,
        le=2,
        description="answers sampled at a higher stated temperature are repeated only if asked for",
    )

    @property
    def off(self) -> str:
        """Why nothing may be sent to this backend; empty if something may."""
        return "" if self.enabled else "is switched off (enabled: false)"

    @property
    def shared_process(self) -> str:
        """The name of the process that this backend shares with others; empty: its own."""
        if self.process == "own" or not self.shares:
            return ""
        usual = all(
            getattr(self, name) == BackendSettings.model_fields[name].get_default()
            for name in ("replicas", "cpus", "gpus", "replica_memory_mb")
        )
        return self.shares if usual else ""

    @model_validator(mode="after")
    def _can_share(self) -> "BackendSettings":
        if self.process == "shared" and not self.shared_process:
            rule = "needs a small kind, and replicas, cpus, gpus and replica_memory_mb as usual"
            raise ValueError(f"process = shared: {rule}; take the line out")
        return self

    @property
    def asks_stores(self) -> tuple[str, ...]:
        """The stores whose words its answers may hold. Each answer then depends on what its caller
        may read at that moment: it is neither remembered nor written into telemetry."""
        return ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names that a caller may give in `model` for this backend."""
        return ()

    @property
    def speaks(self) -> frozenset[str]:
        """The dialects beside chat in which this backend takes requests as their callers wrote
        them."""
        return frozenset()

    @model_validator(mode="after")
    def _passes_only_what_it_can(self) -> Self:
        unable = ", ".join(sorted(PASSED_THROUGH.intersection(self.capabilities) - self.passes))
        if unable:
            rule = f"a backend of this kind cannot do that: leave {unable} out, or use kind openai"
            raise ValueError(f"capabilities = {unable}: {rule}")
        return self

    def refuses(self, request: Request) -> str:  # noqa: ARG002
        """Why this backend cannot answer the request; empty if it can."""
        return ""

    @property
    def steadily(self) -> Mapping[str, Any]:
        """The fields by which Waggle's own questions ask for an answer that does not vary."""
        return {"temperature": 0}

    @property
    def named_model(self) -> tuple[str, str] | None:
        """The model's name and its server's address, for the tables of prices and abilities."""
        return None

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:
        """Why an answer of this backend to a request with these fields must not be given again;
        empty if it may. `caller_agrees`: the caller asks for a remembered answer."""
        temperature = fields.get("temperature")
        if not isinstance(temperature, int | float) or temperature <= self.repeat_temperature:
            return ""
        if caller_agrees or fields.get("seed") is not None:
            return ""
        return f"temperature = {temperature:g} asks for answers that differ"

    def repeatable(self, fields: Fields, *, caller_agrees: bool = False) -> bool:
        """Whether an answer may be given again to a request with the same fields."""
        return not self.unrepeatable(fields, caller_agrees=caller_agrees)


class OwnSettings(BackendSettings):
    """Settings of the backends that run on this machine, and cost nothing unless the file says."""

    price: Price | None = FREE
