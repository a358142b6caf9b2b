"""The version of this installation. pyproject.toml alone states it; everything else asks here."""

from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def version() -> str:
    return metadata.version("waggle")
