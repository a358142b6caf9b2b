"""Environment variables: secrets to read, and settings for the processes that Waggle starts.

Only this module and `load` read environment variables.
"""

import os
from collections.abc import Iterable, Mapping

from router.config.references import REFERENCE

TOKEN_VARIABLE = "WAGGLE_TOKEN"


def read_secret(reference: str) -> str:
    """The value of the variable in `${NAME}`; a `LookupError` names a variable that is not set."""
    match = REFERENCE.fullmatch(reference)
    name = match[1] if match else reference
    try:
        return os.environ[name]
    except KeyError:
        raise LookupError(f"{name} is not in the environment: set it and start again") from None


def export(settings: Mapping[str, str], *, force: bool = False) -> None:
    """Set variables for child processes; unless `force`, variables that are already set stay."""
    for name, value in settings.items():
        if force or name not in os.environ:
            os.environ[name] = value


def environment(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def environment_of(names: Iterable[str]) -> dict[str, str]:
    """The variables of these names that are set and not empty."""
    return {name: os.environ[name] for name in names if os.environ.get(name)}
