"""waggle.yaml and the environment, read once into frozen values. The only reader of either.

Every mistake in a file is reported at once, with its line, its rule and a way to mend it. Secrets
stay references to the environment until the process that needs one reads it.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from router.backends.base import Dollars, Name, Seconds, Secret, Values
from router.backends.kinds import AnyBackend
from router.backends.local import LocalSettings
from router.backends.specialist import SHIPPED, SpecialistSettings
from router.features import PARTS
from router.plans.grammar import PATTERNS, AnyPlan, Ask, Code, Pipeline, lead, resolved
from router.plans.names import cycle, names_in
from router.reuse.settings import Reuse
from router.signals.settings import DEFAULT, Sources
from router.wire.addresses import is_loopback
from router.yamlfile import (
    REFERENCE,
    ConfigError,
    Found,
    explained,
    problems,
    read_tree,
    unknown,
)

EMBEDDED = Path(str(files("router") / "default.yaml"))
TOKEN_VARIABLE = "WAGGLE_TOKEN"


class Limits(Values):
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
    limits: Limits = Limits()


class Otlp(Values):
    """Where OpenTelemetry goes; nowhere unless an endpoint is named."""

    endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="OTLP over HTTP, e.g. http://localhost:4318"
    )
    headers: dict[str, Secret] = Field(default_factory=dict)
    traces: bool = True
    metrics: bool = True


class Telemetry(Values):
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


FROM_PASSAGES = (
    "Above are numbered passages from documents. Answer the question from them alone, in your own "
    "words, and name the passages you used by their numbers in brackets. What they do not say, you "
    "do not know: say so."
)
_WEIGHTS = dict(zip(PARTS, (0.6, 0.4, 0.3, 0.5, 0.5, 0.5, 0.6), strict=True))
Weight = Annotated[float, Field(ge=0, le=1)]
Part = Literal["fields", "nesting", "arrays", "rules", "length", "code", "question"]


class LadderSettings(Values):
    rungs: tuple[Name, ...] = Field((), description="plans, from the cheapest; default: as listed")
    cuts: tuple[Annotated[float, Field(ge=0, le=10)], ...] | None = Field(
        None, description="where the next rung begins, 0 to 10; default: evenly spread"
    )
    weights: dict[Part, Weight] = Field(default_factory=dict)

    @property
    def all_weights(self) -> dict[str, float]:
        return _WEIGHTS | {str(part): weight for part, weight in self.weights.items()}


class Weights(Values):
    """What a unit of log-cost and of log-latency takes off quality."""

    cost: float = Field(0.1, ge=0, le=10)
    latency: float = Field(0.05, ge=0, le=10)


class Budget(Values):
    """What may be spent; the bandit keeps to it. One of the two."""

    dollars_per_day: Dollars | None = None
    dollars_per_1k: Dollars | None = Field(None, description="for each thousand requests")

    @model_validator(mode="after")
    def _one(self) -> "Budget":
        if (self.dollars_per_day is None) == (self.dollars_per_1k is None):
            raise ValueError("a budget is either `dollars_per_day` or `dollars_per_1k`")
        if not (self.dollars_per_day or self.dollars_per_1k):
            raise ValueError("a budget of nothing leaves nothing to choose: name more than 0")
        return self


class Learning(Values):
    """How the bandit learns, and how much it may risk."""

    explore: float = Field(
        0.1, ge=0, le=1, description="share of requests for plans not yet known to be as good"
    )
    margin: float = Field(
        0.02, ge=0, le=1, description="of utility: how much worse than the default is as good"
    )
    floor: float = Field(0.001, ge=0, le=0.05, description="least share of any plan")
    memory: float = Field(
        20_000, ge=100, le=1e9, description="judged answers after which one counts half"
    )
    snapshot_seconds: Seconds = Field(30.0, description="between two snapshots that are kept")
    snapshots: int = Field(20, ge=2, le=10_000, description="how many are kept")
    stale_seconds: Seconds = Field(30.0, description="a router says so that heard nothing as long")
    encode: bool = Field(False, description="a sentence vector for each request: 1.5 ms")


class Trials(Values):
    """How strategies compete, and what may happen without an operator."""

    propose: bool = Field(False, description="open trials of what is distilled, written or simpler")
    adopt: bool = Field(False, description="adopt winners by steps; else an operator does")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance of a false verdict of one trial")
    most_requests: int = Field(20_000, ge=100, description="a trial ends undecided after these")
    epsilon: float = Field(
        0.01, gt=0, le=0.5, description="of utility: what may be lost to be simpler"
    )
    control: float = Field(
        0.02, ge=0.02, le=0.5, description="share of requests that what was adopted is held against"
    )
    step_requests: int = Field(
        100, ge=10, description="judged requests, decided apart, in each step of an adoption"
    )
    shadow_requests: int = Field(100, ge=10, description="before a function is tried for real")
    every_hours: float = Field(24.0, gt=0, description="between two looks for something simpler")
    function_ms: float = Field(5.0, gt=0, le=1000, description="deadline of a routing function")
    writer: Name | None = Field(None, description="the backend that writes routing functions")


Quality = Annotated[float, Field(ge=0, le=1)]


class Objective(Values):
    strategy: Literal["ladder", "fixed", "bandit"] = "ladder"
    plan: Name | None = Field(None, description="of the strategy `fixed`; the bandit's default")
    optimize: Literal["quality", "balanced", "cheap", "fast"] = "balanced"
    weights: Weights | None = Field(None, description="in place of what `optimize` stands for")
    budget: Budget | None = None
    cards: dict[Name, dict[str, Quality]] = Field(
        default_factory=dict,
        description="quality expected of a plan, by kind of request or task; `any` for all",
    )
    learning: Learning = Learning()
    premium: Name | None = Field(
        None, description="the plan that savings are counted against; default: the dearest"
    )
    ladder: LadderSettings = LadderSettings()


class Config(Values):
    server: Server = Server()
    keys: Keys = Keys()
    telemetry: Telemetry = Telemetry()
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


def find(given: Path | None) -> Path:
    """The file to read: the one named, else ./waggle.yaml, else the embedded default."""
    if given is not None:
        return given
    here = Path("waggle.yaml")
    return here if here.is_file() else EMBEDDED


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a file, or raise a `ConfigError` that holds every problem in it."""
    shown = "(embedded default)" if path == EMBEDDED else str(path)
    tree = read_tree(path, shown, os.environ if environ is None else environ)
    found = [*tree.found, *_cross_checks(tree.root)]
    config = None
    try:
        config = Config.model_validate(tree.root)
    except ValidationError as error:
        schema = Config.model_json_schema()
        found += [explained(one, schema, PATTERNS) for one in error.errors(include_url=False)]
    if found or config is None:
        raise ConfigError(problems(shown, found, tree.lines))
    return config


def at_home(config: Config) -> Config:
    """Folders as they are from here, wherever the process runs that needs them."""
    backends = dict(config.backends)
    for name, settings in config.backends.items():
        if isinstance(settings, LocalSettings):
            folders = {model: str(Path(f).resolve()) for model, f in settings.models.items()}
            backends[name] = settings.model_copy(update={"models": folders})
        if isinstance(settings, SpecialistSettings):
            folder = settings.folder
            if not folder.startswith(SHIPPED):
                folder = str(Path(folder).resolve())
            home = settings.home or str(config.data / "specialists" / name)
            encoders = settings.encoders or str(config.data / "encoders")
            told = {"folder": folder, "home": home, "encoders": encoders}
            backends[name] = settings.model_copy(update=told)
    return config.model_copy(update={"backends": backends})


def read_secret(reference: str) -> str:
    """The value behind `${NAME}`, in the process that needs it."""
    match = REFERENCE.fullmatch(reference)
    name = match[1] if match else reference
    try:
        return os.environ[name]
    except KeyError:
        raise LookupError(f"{name} is not in the environment: set it and start again") from None


def secrets_of(config: Config) -> tuple[str, ...]:
    """Names of the environment variables that some backend reads its secret from."""
    references = [getattr(backend, "api_key", None) for backend in config.backends.values()]
    references += config.telemetry.otlp.headers.values()
    return tuple(
        sorted({match[1] for ref in references if ref and (match := REFERENCE.match(ref))})
    )


def export(settings: Mapping[str, str], *, force: bool = False) -> None:
    """Into this process's environment, for what it starts. What the operator set stands."""
    for name, value in settings.items():
        if force or name not in os.environ:
            os.environ[name] = value


def environment(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def _cross_checks(raw: Mapping[str, Any]) -> Iterator[Found]:
    """What a single value cannot know: whether the names it gives exist."""
    backends, plans = _names(raw.get("backends")), _names(raw.get("plans"))
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    for name, plan in _items(raw.get("plans")):
        yield from _name_checks(raw, name, plan)
        if name == "auto" or name in backends:
            rule = "a plan may not be called `auto`, nor as a backend is"
            yield ("plans", name), name, rule, "Give it another name."
    for name, told in _items(raw.get("backends")):
        if isinstance(told, dict) and told.get("kind") == "specialist":
            yield from _specialist_checks(name, told, backends)
    for where, name, wanted in _signal_names(raw):
        known = kinds if wanted == "backend" else plans
        if name not in known:
            yield ("signals", *where), name, *unknown(wanted, name, known)
        elif where[1] == "by" and kinds[name] != _JUDGES.get(_kind_at(raw, where), kinds[name]):
            rule = f"this is of kind {kinds[name]}"
            mend = f"Name a backend of kind {_JUDGES[_kind_at(raw, where)]}."
            yield ("signals", *where), name, rule, mend
    if "auto" in backends:
        yield ("backends", "auto"), "auto", "`auto` means routing", "Give it another name."
    round_ = cycle(dict(_items(raw.get("plans"))))
    if round_:
        rule = f"it leads back to itself: {' → '.join(round_)}"
        yield ("plans", round_[0]), round_[0], rule, "Take one of these names out."
    yield from _helpers(raw, backends)
    objective = raw.get("objective")
    if isinstance(objective, dict):
        yield from _objective_checks(objective, plans)
        yield from _ladder_length(objective, _asking(raw))


def _helpers(raw: Mapping[str, Any], backends: Iterable[str]) -> Iterator[Found]:
    """Backends that do something for us beside answering."""
    for section, key in (("reuse", "adapter"), ("trials", "writer")):
        told = raw.get(section)
        name = told.get(key) if isinstance(told, dict) else None
        if isinstance(name, str) and name not in set(backends):
            yield (section, key), name, *unknown("backend", name, backends)


_JUDGES = {"tests": "sandbox", "specialist": "specialist"}


def _signal_names(raw: Mapping[str, Any]) -> Iterator[tuple[tuple[int | str, ...], str, str]]:
    """Every name that a source of signals gives, where it stands, and what it must be that of."""
    signals = raw.get("signals")
    for index, source in enumerate(signals if isinstance(signals, list) else ()):
        if not isinstance(source, dict):
            continue
        for key in ("by", "against"):
            if isinstance(source.get(key), str):
                yield (index, key), source[key], "backend"
        plans = source.get("plans")
        for n, plan in enumerate(plans if isinstance(plans, list) else ()):
            if isinstance(plan, str):
                yield (index, "plans", n), plan, "plan"


def _kind_at(raw: Mapping[str, Any], where: tuple[int | str, ...]) -> str:
    return str(raw["signals"][where[0]].get("kind"))


def _specialist_checks(name: str, told: Mapping[str, Any], backends: set[str]) -> Iterator[Found]:
    writer, folder = told.get("writer"), told.get("folder")
    if isinstance(writer, str) and (writer not in backends or writer == name):
        yield ("backends", name, "writer"), writer, *unknown("backend", writer, backends - {name})
    if not isinstance(folder, str):
        return
    documents = SpecialistSettings(kind="specialist", folder=folder or ".").documents
    if not documents.is_dir():
        rule = "there is no such folder of documents"
        mend = "Give an existing folder, or `shipped:ethereum` or `shipped:football`."
        yield ("backends", name, "folder"), folder, rule, mend


def _name_checks(raw: Mapping[str, Any], plan: str, told: Any) -> Iterator[Found]:
    """Whether each name in a plan is that of something that can do what it is named for."""
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    plans = _names(raw.get("plans"))
    if isinstance(told, str):
        return  # a plan is a mapping: its own rule says so
    for where, name, role in names_in(told, ("plans", plan)):
        known = {*kinds, *plans} if role == "step" else set(kinds)
        if name not in known:
            what = "backend or plan" if role == "step" else "backend"
            yield where, name, *unknown(what, name, known)
        elif role == "code" and kinds[name] != "sandbox":
            rule = f"programs run in a backend of kind sandbox, and this is of kind {kinds[name]}"
            yield where, name, rule, "Name a backend of kind sandbox."
        elif role == "validator" and kinds[name] != "validator":
            rule = f"what validates is of kind validator, and this is of kind {kinds[name]}"
            yield where, name, rule, "Name a backend of kind validator, or use `judge`."
        elif role in ("step", "backend") and kinds.get(name) == "sandbox":
            yield where, name, "a sandbox answers no chat", "Use it as `code:` of a plan."


def _objective_checks(objective: Mapping[str, Any], plans: set[str]) -> Iterator[Found]:
    for key in ("plan", "premium"):
        name = objective.get(key)
        if isinstance(name, str) and name not in plans:
            yield ("objective", key), name, *unknown("plan", name, plans)
    for name in _names(objective.get("cards")) - plans:
        yield ("objective", "cards", name), name, *unknown("plan", name, plans)
    if objective.get("strategy") == "fixed" and objective.get("plan") is None:
        rule = "the strategy `fixed` needs to know its plan"
        yield ("objective", "strategy"), "fixed", rule, "Add `plan: NAME` below objective."
    ladder = objective.get("ladder")
    rungs = ladder.get("rungs") if isinstance(ladder, dict) else None
    for index, rung in enumerate(rungs if isinstance(rungs, list) else ()):
        if isinstance(rung, str) and rung not in plans:
            yield ("objective", "ladder", "rungs", index), rung, *unknown("plan", rung, plans)


def _ladder_length(objective: Mapping[str, Any], plans: set[str]) -> Iterator[Found]:
    settings = objective.get("ladder")
    settings = settings if isinstance(settings, dict) else {}
    rungs, cuts = settings.get("rungs"), settings.get("cuts")
    if isinstance(cuts, list):
        if all(isinstance(cut, int | float) for cut in cuts) and cuts != sorted(cuts):
            yield ("objective", "ladder", "cuts"), cuts, "cuts must rise", f"Write {sorted(cuts)}."
        steps = len(rungs) if isinstance(rungs, list) else len(plans)
        if len(cuts) != steps - 1:
            rule = f"{steps} rungs need {steps - 1} cuts, and there are {len(cuts)}"
            yield ("objective", "ladder", "cuts"), cuts, rule, "Add or remove a cut."


def _asking(raw: Mapping[str, Any]) -> set[str]:
    plans = dict(_items(raw.get("plans")))
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    ruled = {
        n
        for n, p in plans.items()
        if isinstance(p, dict) and ("code" in p or kinds.get(str(p.get("ask"))) == "specialist")
    }
    return set(plans) - ruled or set(plans)


def _names(section: Any) -> set[str]:
    return set(section) if isinstance(section, dict) else set()


def _items(section: Any) -> Iterable[tuple[str, Any]]:
    return section.items() if isinstance(section, dict) else ()
