"""References to environment variables, `${NAME}` or `${NAME:-default}`; places of secrets."""

import re
from collections.abc import Callable

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]{0,2000}))?\}")
Location = tuple[str | int, ...]

_SECRETS = frozenset({"api_key"})
_PLACES_OF_SECRETS = (("alerts", "url"), ("alerts", "secret"))
_SECTIONS_OF_SECRETS = frozenset({"headers", "query", "api_keys"})


def is_secret(at: Location) -> bool:
    """Whether this place holds a secret: then the file must give a reference, not the value."""
    if at in _PLACES_OF_SECRETS:
        return True
    return any(part in _SECRETS or part in _SECTIONS_OF_SECRETS for part in at[-2:])


def with_secrets(text: str, read_secret: Callable[[str], str]) -> str:
    """A text with the values of the secrets that it refers to."""
    return REFERENCE.sub(lambda match: read_secret(f"${{{match[1]}}}"), text)
