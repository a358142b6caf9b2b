"""Reads waggle.yaml and the environment once, into a frozen `Config`.

One error lists every mistake in the file, with its line, the broken rule and a way to mend it. A
secret stays a reference, `${NAME}`, until the process that needs the secret reads it.
"""

import datetime as dt
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.config.backends import (
    SHIPPED,
    EncoderSettings,
    KnowledgeSettings,
    LearnedSettings,
    LocalSettings,
    RecordSettings,
    SpecialistSettings,
    TwinSettings,
)
from router.config.config import Config
from router.config.cross_checks import cross_checks
from router.config.facts import filled
from router.config.knowledge import MULTILINGUAL, StoreSettings
from router.config.llama import PACKAGED, LlamaSettings
from router.config.network import NetworkSettings
from router.config.plans import PATTERNS
from router.config.plans_by_name import with_plans
from router.config.problems import ConfigError, problems_of
from router.config.pydantic_errors import mistake_of
from router.config.references import REFERENCE
from router.config.setting_checks import effort_checks
from router.config.training import with_learned
from router.config.yaml_tree import read_tree

EXPORTS_VARIABLE = "WAGGLE_ENCODERS"  # where an image keeps the encoders that its build exported
EMBEDDED = Path(str(files("router") / "default.yaml"))


def find(given: Path | None) -> Path:
    """The configuration file: the given file, else ./waggle.yaml, else the embedded default."""
    if given is not None:
        return given
    here = Path("waggle.yaml")
    return here if here.is_file() else EMBEDDED


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file, and fill in what the tables know of its models."""
    return filled(as_written(path, environ), dt.datetime.now(dt.UTC))


def as_written(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file; a `ConfigError` holds every problem of the file."""
    environ = os.environ if environ is None else environ
    shown = "(embedded default)" if path == EMBEDDED else str(path)
    tree = read_tree(path, shown, environ)
    root = with_plans(with_learned(tree.root))
    mistakes = [*tree.mistakes, *cross_checks(root)]
    try:
        config = Config.model_validate(root)
        mistakes += [] if mistakes else effort_checks(root, config)
    except ValidationError as invalid:
        schema = Config.model_json_schema()
        errors = invalid.errors(include_url=False)
        mistakes += [mistake_of(error, schema, PATTERNS) for error in errors]
    if mistakes:
        raise ConfigError(problems_of(shown, mistakes, tree.lines))
    exports = environ.get(EXPORTS_VARIABLE)
    return _with_exports(config, exports) if exports and not config.server.encoders else config


def _with_exports(config: Config, folder: str) -> Config:
    server = config.server.model_copy(update={"encoders": folder})
    return config.model_copy(update={"server": server})


def _backend_at_home(config: Config, name: str, settings: Any) -> Any:
    """The settings of a backend with absolute folders; those of a twin's writer, too."""
    if isinstance(settings, LocalSettings):
        folders = {model: str(Path(f).resolve()) for model, f in settings.models.items()}
        home = settings.home or str(config.models_folder)
        settings = settings.model_copy(update={"models": folders, "home": home})
    if isinstance(settings, EncoderSettings):
        model = str(Path(settings.folder).resolve()) if settings.folder else None
        exports = settings.encoders or str(config.encoders_folder)
        settings = settings.model_copy(update={"folder": model, "encoders": exports})
    if isinstance(settings, RecordSettings):
        exports = settings.encoders or str(config.encoders_folder)
        settings = settings.model_copy(update={"encoders": exports})
    if isinstance(settings, LearnedSettings):
        places = {
            "home": settings.home or str(config.models_folder),
            "encoders": settings.encoders or str(config.encoders_folder),
        }
        settings = settings.model_copy(update=places)
    if isinstance(settings, LlamaSettings) and not settings.model.startswith(PACKAGED):
        path = str(Path(settings.model).resolve())
        settings = settings.model_copy(update={"model": path})
    if isinstance(settings, KnowledgeSettings):
        first = config.knowledge.get(settings.stores[0])
        model = settings.encoder or (None if first is None else first.encoder)
        beside = {
            "home": settings.home or str(config.knowledge_folder),
            "keys": settings.keys or str(config.keys_file),
            "encoder": _model_place(model),
            "rerank": None if settings.rerank is None else str(Path(settings.rerank).resolve()),
            "encoders": settings.encoders or str(config.encoders_folder),
        }
        settings = settings.model_copy(update=beside)
    if isinstance(settings, SpecialistSettings):
        folder = settings.folder
        if not folder.startswith(SHIPPED):
            folder = str(Path(folder).resolve())
        places = {
            "folder": folder,
            "home": settings.home or str(config.data / "specialists" / name),
            "encoders": settings.encoders or str(config.encoders_folder),
        }
        settings = settings.model_copy(update=places)
    if isinstance(settings, TwinSettings):
        writer = _backend_at_home(config, name, settings.writer)
        home = settings.home or str(config.models_folder)
        settings = settings.model_copy(update={"home": home, "writer": writer})
    return settings


def at_home(config: Config) -> Config:
    """The configuration with absolute folders, for a process in another working directory."""
    backends = {
        name: _backend_at_home(config, name, settings) for name, settings in config.backends.items()
    }
    guards = tuple(
        guard.model_copy(update={"file": str(Path(guard.file).resolve())}) if guard.file else guard
        for guard in config.guardrails
    )
    sections = {"backends": backends, "guardrails": guards, "knowledge": _stores_at_home(config)}
    placed = config.model_copy(update=sections)
    given = config.server.encoders
    return _with_exports(placed, str(config.encoders_folder)) if given else placed


def _model_place(model: str | None) -> str | None:
    """The folder of an encoder with its whole path; a name stays a name."""
    return model if model in (None, MULTILINGUAL) else str(Path(model or "").resolve())


def _stores_at_home(config: Config) -> dict[str, StoreSettings]:
    """The settings of all stores, with absolute paths."""

    def placed(path: str | None) -> str | None:
        return path if path is None or "://" in path else str(Path(path).resolve())

    return {
        name: store.model_copy(
            update={
                "folder": placed(store.folder),
                "encoder": _model_place(store.encoder),
                "queries": {
                    table: query.model_copy(update={"database": placed(query.database)})
                    for table, query in store.queries.items()
                },
            }
        )
        for name, store in config.knowledge.items()
    }


def secrets_of(config: Config) -> tuple[str, ...]:
    """The names of the environment variables that hold secrets of this configuration."""
    references = [*config.telemetry.otlp.headers.values()]
    references += [text for text in (config.alerts.url, config.alerts.secret) if text is not None]
    for backend in config.backends.values():
        if isinstance(backend, NetworkSettings):
            references += [*backend.keys, *backend.headers.values(), *backend.query.values()]
    names = {match[1] for text in references for match in REFERENCE.finditer(text)}
    return tuple(sorted(names))
