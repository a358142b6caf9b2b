"""References to environment variables, `${NAME}` or `${NAME:-default}`; places of secrets."""

import re

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]{0,2000}))?\}")
Location = tuple[str | int, ...]

_SECRETS = frozenset({"api_key"})
_SECTIONS_OF_SECRETS = frozenset({"headers"})


def is_secret(at: Location) -> bool:
    """Whether this place holds a secret: then the file must give a reference, not the value."""
    in_section = len(at) > 1 and at[-2] in _SECTIONS_OF_SECRETS
    return at[-1:] != () and (at[-1] in _SECRETS or in_section)
