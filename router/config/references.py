"""References to environment variables, `${NAME}` or `${NAME:-default}`, and secrets: those places
may hold nothing but a reference."""

import re

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
Location = tuple[str | int, ...]

_SECRETS = frozenset({"api_key"})
_SECTIONS_OF_SECRETS = frozenset({"headers"})


def is_secret(at: Location) -> bool:
    """Whether the value at this place is a secret: only a reference may be written there."""
    in_section = len(at) > 1 and at[-2] in _SECTIONS_OF_SECRETS
    return at[-1:] != () and (at[-1] in _SECRETS or in_section)
