"""Stores that somebody accepted as proposals: a file beside the stores, read with waggle.yaml.

Each such store comes with a backend of its name and a plan `ask-NAME`. Where waggle.yaml has a
store, a backend or a plan of that name, waggle.yaml counts.
"""

from collections.abc import Mapping
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from router.config.backends import KnowledgeSettings
from router.config.config import Config
from router.config.knowledge import Stores, StoreSettings
from router.config.plans import Ask
from router.config.problems import ConfigError, Problem
from router.files import write_durably

FILE = "made.json"
_STORES = TypeAdapter(Stores)


def with_made_stores(config: Config) -> Config:
    """The configuration with the stores that were accepted. Raises `ConfigError`."""
    made = made_stores(config.knowledge_folder)
    stores = {name: each for name, each in made.items() if is_free(config, name)}
    if not stores:
        return config
    backends = {name: KnowledgeSettings(kind="knowledge", stores=(name,)) for name in stores}
    plans = {f"ask-{name}": Ask(ask=name) for name in stores}
    sections = {
        "knowledge": {**config.knowledge, **stores},
        "backends": {**config.backends, **backends},
        "plans": {**config.plans, **plans},
    }
    return config.model_copy(update=sections)


def is_free(config: Config, name: str) -> bool:
    """Whether a store, its backend and its plan may have this name."""
    taken = name in config.knowledge or name in config.backends or name in config.plans
    return not taken and f"ask-{name}" not in config.plans


def made_stores(folder: Path) -> dict[str, StoreSettings]:
    """The stores that were accepted, by name. Raises `ConfigError`."""
    path = folder / FILE
    try:
        return _STORES.validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValidationError as error:
        rule, mend = error.errors()[0]["msg"], "restore it from a copy, or move it away"
        raise ConfigError([Problem(str(path), 0, "file", "", rule, mend)]) from None


def keep_made_stores(folder: Path, stores: Mapping[str, StoreSettings]) -> None:
    fields = {
        name: each.model_dump(mode="json", exclude_unset=True) for name, each in stores.items()
    }
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(folder / FILE, orjson.dumps(fields))
