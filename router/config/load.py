"""waggle.yaml and the environment, read once into frozen values. The only reader of either.

Every mistake in a file is reported at once, with its line, its rule and a way to mend it. Secrets
stay references to the environment until the process that needs one reads it.
"""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from router.config.backends import SHIPPED, LocalSettings, SpecialistSettings
from router.config.checks import _cross_checks
from router.config.config import Config
from router.config.plans import PATTERNS
from router.config.yaml_tree import (
    REFERENCE,
    ConfigError,
    explained,
    problems,
    read_tree,
)

EMBEDDED = Path(str(files("router") / "default.yaml"))


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


def secrets_of(config: Config) -> tuple[str, ...]:
    """Names of the environment variables that some backend reads its secret from."""
    references = [getattr(backend, "api_key", None) for backend in config.backends.values()]
    references += config.telemetry.otlp.headers.values()
    return tuple(
        sorted({match[1] for ref in references if ref and (match := REFERENCE.match(ref))})
    )
