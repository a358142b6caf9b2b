"""Environment variables: secrets to read, and settings for the processes that Waggle starts.

Only this module and `load` read environment variables.
"""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from router.config.references import REFERENCE
from router.wire.addresses import is_loopback

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


def proxy_of(url: str, environ: Mapping[str, str]) -> str:
    """The address of the proxy for a URL, by the usual variables; empty for none.

    This machine is never reached through a proxy. `NO_PROXY` lists hosts, and domains with all
    their hosts; `*` means every host. `ALL_PROXY` counts if it is an HTTP proxy: it is often a
    proxy of sockets, for other programs.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    variables = {name.lower(): value for name, value in environ.items() if value}
    every = variables.get("all_proxy", "")
    if "://" in every and not every.startswith("http://"):
        every = ""
    proxy = variables.get(f"{parts.scheme}_proxy") or every
    if not proxy or is_loopback(host):
        return ""
    for name in variables.get("no_proxy", "").lower().split(","):
        bare = name.strip().removeprefix("*").removeprefix(".").partition(":")[0]
        if name.strip() == "*" or (bare and (host == bare or host.endswith(f".{bare}"))):
            return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_for(url: str) -> str:
    return proxy_of(url, os.environ)
