"""Settings of every kind of backend; `router.backends.build` makes a backend from its settings."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from router.catalog import FREE
from router.catalog.names import provider_of
from router.config.llama import LlamaSettings
from router.config.network import AnthropicSettings, GeminiSettings, NetworkSettings
from router.config.parameters import PARAMETERS, SAMPLING
from router.config.plan_checks import ModelReference
from router.config.values import (
    PASSED_THROUGH,
    BackendSettings,
    Capability,
    Name,
    OwnSettings,
    Values,
)
from router.domain import CHAT_DIALECT, Fields, Request
from router.records.rules import RuleText
from router.request.text import last_user_text
from router.request.wants import shape_of
from sandbox.runner import Limits, Tier

SHIPPED = "shipped:"  # prefix of a document folder that comes with Waggle


class EncoderSettings(OwnSettings):
    shares: ClassVar[str] = "programs"

    kind: Literal["encoder"]
    folder: str | None = Field(None, description="model folder; default: all-MiniLM-L6-v2")
    encoders: str | None = Field(
        None, description="folder of exported encoders; default: server.encoders"
    )
    passes: ClassVar[frozenset[Capability]] = frozenset({"rerank"})
    capabilities: tuple[Capability, ...] = ("embeddings", "rerank")


class RecordSettings(OwnSettings):
    """Settings of the backends that invent records."""

    parameters: ClassVar[frozenset[str]] = frozenset({"seed"})
    shares: ClassVar[str] = "programs"

    most_values: int = Field(
        1_000_000, ge=1, le=100_000_000, description="most JSON values of one answer"
    )
    most_text_mb: int = Field(32, ge=1, le=4096, description="most text of one answer")
    locale: str = Field(
        "en_US",
        pattern=r"^[a-z]{2}_[A-Z]{2}$",
        description="the language of values where names and examples do not show it",
    )
    encoders: str | None = Field(
        None, description="folder of exported encoders; default: server.encoders"
    )

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:  # noqa: ARG002
        named = any(fields.get(name) is not None for name in ("seed", "variant"))
        return "" if named else "invented records differ without a `seed` or `variant`"


class EnricherSettings(RecordSettings):
    kind: Literal["enricher"]
    as_of: dt.date | None = Field(
        None, description="the day on which ages are computed; default: today"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def refuses(self, request: Request) -> str:
        if request.reading.shape is None:
            return "fills records up to a JSON shape, and the request holds no shape"
        return ""


class GeneratorSettings(RecordSettings):
    kind: Literal["generator"]
    as_of: dt.date = Field(
        dt.date(2026, 1, 1),
        description="the day on which ages are right; another day makes other records",
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def refuses(self, request: Request) -> str:
        if request.reading.shape is None:
            return "makes records for a JSON shape, and the request holds no shape"
        return ""


class LearnedSettings(OwnSettings):
    shares: ClassVar[str] = "programs"

    kind: Literal["learned"]
    model: ModelReference | None = Field(None, description="default: the `model` of the plan")
    home: str | None = Field(None, description="folder of models; default: in server.data")
    encoders: str | None = Field(
        None, description="folder of exported encoders; default: server.encoders"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:  # noqa: ARG002
        return "a learned model answers anew for nothing, and may have been replaced"


class Adapted(Values):
    """A model of a folder with an adapter that was trained for it."""

    of: Name = Field(description="the model whose folder the adapter was trained on")
    model: ModelReference


class LocalSettings(OwnSettings):
    parameters: ClassVar[frozenset[str]] = frozenset(SAMPLING)
    is_model: ClassVar[bool] = True

    kind: Literal["local"]
    models: dict[Name, str] = Field(
        min_length=1, description="the folder of each model, by its name; the first is the default"
    )
    adapters: dict[Name, Adapted] = Field(
        default_factory=dict, description="models of this backend with what was trained, by name"
    )
    home: str | None = Field(None, description="folder of adapters; default: in server.data")
    at_once: Annotated[int, Field(ge=1, le=16)] | Literal["fit"] = Field(
        1, description="most models in memory at the same time; fit: as many as memory holds"
    )
    replica_memory_mb: int | None = Field(
        None, ge=256, description="a replica that needs more ends, and a new one starts; null: any"
    )
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_new_tokens: int = Field(512, ge=1, le=100_000, description="if the caller sets no bound")
    capabilities: tuple[Capability, ...] = ("chat",)

    @model_validator(mode="after")
    def _sound(self) -> "LocalSettings":
        for name, folder in self.models.items():
            if not folder:
                raise ValueError(f"the folder of {name} is empty: name one")
        for name, adapted in self.adapters.items():
            if name in self.models:
                raise ValueError(f"{name} is a model and an adapter: give the adapter another name")
            if adapted.of not in self.models:
                there = ", ".join(self.models)
                raise ValueError(f"{name} is of {adapted.of}, which is no model here: name {there}")
        return self

    @property
    def aliases(self) -> tuple[str, ...]:
        return (*self.models, *self.adapters)

    def folder(self, name: str) -> Path:
        adapted = self.adapters.get(name)
        return Path(self.models[adapted.of if adapted is not None else name])

    def model_of(self, fields: Mapping[str, Any]) -> str:
        """The model that the request names, or else the first configured model."""
        model = fields.get("model")
        return model if model in self.aliases else next(iter(self.models))


class OpenAISettings(NetworkSettings):
    parameters: ClassVar[frozenset[str]] = frozenset(PARAMETERS)
    passes: ClassVar[frozenset[Capability]] = PASSED_THROUGH

    kind: Literal["openai"]
    dialects: tuple[Literal["chat", "responses", "messages"], ...] | None = Field(
        None,
        description="what the server speaks; such requests pass through as they came; default: "
        "chat, and responses at api.openai.com",
    )
    capabilities: tuple[Capability, ...] = Field(
        ("chat", "tools", "json"),
        description="default: by the table of abilities; a model that it lacks is not sent images",
    )

    @property
    def speaks(self) -> frozenset[str]:
        if self.dialects is not None:
            return frozenset(self.dialects) - {CHAT_DIALECT}
        at_openai = all(provider_of(address) == "openai" for address in self.addresses)
        return frozenset({"responses"}) if at_openai else frozenset()

    @model_validator(mode="after")
    def _speaks_chat(self) -> "OpenAISettings":
        if self.dialects is not None and CHAT_DIALECT not in self.dialects:
            rule = "must have chat, in which Waggle sends what other dialects and plans ask"
            raise ValueError(f"dialects = {', '.join(self.dialects)} {rule}")
        return self


class SandboxSettings(OwnSettings):
    shares: ClassVar[str] = "programs"

    kind: Literal["sandbox"]
    min_level: Literal[1, 2, 3] = Field(
        1, description="lowest level of isolation; a machine that reaches less runs no program"
    )
    wall_seconds: float = Field(5.0, gt=0, le=300, description="longest time of a program")
    memory_mb: int = Field(512, ge=64, le=65_536, description="memory of one program")
    at_once: int | None = Field(
        None, ge=1, le=256, description="most programs that run at once; default: one for each core"
    )
    waiting: int = Field(64, ge=0, le=10_000, description="most programs that may wait")
    ready: tuple[Tier, ...] = Field(
        ("numpy",), description="libraries loaded at the start; scipy loads some seconds later"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def refuses(self, request: Request) -> str:
        # The reader of figures is half of what a command would import; most commands read none.
        from router.request.statistical import interpretation_of

        if interpretation_of(request).computed:
            return ""
        # This text goes to telemetry, so it must not quote the request as the detailed reasons do.
        return "computes, and this is no statistical request that says all it must"

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:  # noqa: ARG002
        """Figures may be given again, and drawn data only with a seed.

        The program of drawn data may be run again, because each run draws anew."""
        if fields.get("seed") is not None or shape_of(fields) is not None:
            return ""
        from router.request.statistical import interpret

        spec = interpret(last_user_text(fields), fields.get("data")).spec
        if spec is None or spec.kind != "generate" or spec.seed is not None:
            return ""
        return "drawn data differs without a `seed`"

    @property
    def limits(self) -> Limits:
        cpu = max(1, round(self.wall_seconds))
        return Limits(self.wall_seconds, cpu, memory_bytes=self.memory_mb << 20)


class SpecialistSettings(OwnSettings):
    shares: ClassVar[str] = "programs"

    kind: Literal["specialist"]
    folder: str = Field(
        min_length=1, description="of .md, .txt, .html or .pdf files, or `shipped:ethereum`"
    )
    encoder: str | None = Field(None, description="model folder; default: all-MiniLM-L6-v2")
    writer: Name | None = Field(
        None, description="a backend that answers in prose from the passages alone"
    )
    passages: int = Field(3, ge=1, le=20, description="number of passages in an answer")
    enough: float = Field(0.65, ge=0, le=1, description="lowest confidence of an answer")
    home: str | None = Field(None, description="folder of the index; default: in server.data")
    encoders: str | None = Field(
        None, description="folder of exported encoders; default: server.encoders"
    )
    capabilities: tuple[Capability, ...] = ("chat",)

    @property
    def documents(self) -> Path:
        if self.folder.startswith(SHIPPED):
            name = self.folder.removeprefix(SHIPPED)
            return Path(__file__).parent.parent / "documents" / "shipped" / name
        return Path(self.folder)


class KnowledgeSettings(OwnSettings):
    """A backend that answers from stores of knowledge, with what its caller may read of them."""

    shares: ClassVar[str] = "programs"

    kind: Literal["knowledge"]
    stores: tuple[Name, ...] = Field(min_length=1, description="names below `knowledge`")
    writer: Name | None = Field(
        None, description="a backend that answers in prose from the passages alone"
    )
    passages: int = Field(3, ge=1, le=20, description="number of passages in an answer")
    tokens: int | None = Field(
        None, ge=20, description="of what goes to the writer: the telling sentences; null: all"
    )
    enough: float = Field(0.65, ge=0, le=1, description="lowest confidence of an answer")
    perhaps: float = Field(
        0.25, ge=0, le=1, description="lowest confidence of a passage that is given as unsure"
    )
    rerank: str | None = Field(
        None, min_length=1, description="folder of a cross-encoder that ranks passages again"
    )
    home: str | None = Field(None, description="folder of all stores; default: in server.data")
    keys: str | None = Field(None, description="the key file; default: that of the service")
    encoder: str | None = Field(
        None, description="as that of its stores: model folder, multilingual, or by their language"
    )
    encoders: str | None = Field(
        None, description="folder of exported encoders; default: server.encoders"
    )
    capabilities: tuple[Capability, ...] = ("chat",)

    @property
    def asks_stores(self) -> tuple[str, ...]:
        return self.stores


class ValidatorSettings(OwnSettings):
    shares: ClassVar[str] = "programs"

    kind: Literal["validator"]
    schema_: dict[str, Any] | None = Field(
        None, alias="schema", description="JSON Schema; default: the request's shape"
    )
    rules: tuple[RuleText, ...] = Field((), description="between fields, e.g. `price <= msrp`")
    formats: bool = Field(True, description="check email, date, uri and other formats")
    repair: bool = Field(False, description="mend a value if only one correction is possible")
    most_steps: int = Field(
        20_000_000, ge=1000, description="most steps of checking one request; a second has 300,000"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def refuses(self, request: Request) -> str:
        stated = self.schema_ is not None or self.rules or request.fields.get("rules")
        if stated or request.reading.shape is not None:
            return ""
        return "validates records, and the request has no shape, schema or rules for them"


Writer = Annotated[
    OpenAISettings | AnthropicSettings | GeminiSettings | LocalSettings | LlamaSettings,
    Field(discriminator="kind"),
]


class TwinSettings(BackendSettings):
    """A twin writes through another backend, its writer, and costs what the writer costs."""

    parameters: ClassVar[frozenset[str]] = frozenset(SAMPLING)
    is_model: ClassVar[bool] = True

    kind: Literal["twin"]
    model: ModelReference
    writer: Writer
    home: str | None = Field(None, description="folder of models; default: in server.data")
    examples: int = Field(3, ge=0, le=12, description="texts of the person that the writer sees")
    notice: str | None = Field(
        "Written by a program in the voice of {name}.",
        max_length=300,
        description="the last line of each text, unless it must be JSON; null: none",
    )

    @model_validator(mode="before")
    @classmethod
    def _priced(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "price" in raw or not isinstance(raw.get("writer"), dict):
            return raw
        writer = raw["writer"]
        own = writer.get("kind") in ("llama", "local")
        return {**raw, "price": writer.get("price", FREE if own else None)}

    def unrepeatable(self, fields: Fields, *, caller_agrees: bool = False) -> str:  # noqa: ARG002
        return "a twin writes anew, since consent may end"


SingleBackend = (
    OpenAISettings
    | AnthropicSettings
    | GeminiSettings
    | GeneratorSettings
    | EnricherSettings
    | ValidatorSettings
    | SpecialistSettings
    | KnowledgeSettings
    | LearnedSettings
    | LocalSettings
    | LlamaSettings
    | EncoderSettings
    | SandboxSettings
)
AnyBackend = Annotated[SingleBackend | TwinSettings, Field(discriminator="kind")]
KINDS: Mapping[str, type[BackendSettings]] = {
    get_args(settings.model_fields["kind"].annotation)[0]: settings
    for settings in get_args(get_args(AnyBackend)[0])
}
