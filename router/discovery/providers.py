"""The providers that `waggle init` knows, and where the environment says that they are. Pure.

A provider of the cloud takes part if the environment holds a key for it. A local server takes part
at its usual port of this machine, or where its variable says. A secret stays in its `Place`:
nothing prints it, and the file names its variable only.

Not covered: keys in other places, such as a keyring or the files of other programs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from router.wire.addresses import is_loopback, reachable

Dialect = Literal[
    "openai", "anthropic", "gemini", "mistral", "xai", "openrouter", "together", "fireworks",
    "azure", "ollama", "lmstudio", "server",
]  # fmt: skip
Kind = Literal["openai", "anthropic", "gemini"]
AZURE_VERSIONS = ("OPENAI_API_VERSION", "AZURE_OPENAI_API_VERSION", "AZURE_API_VERSION")
AZURE_DEPLOYMENTS = ("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_DEPLOYMENT_NAME")
AZURE_VERSION = "2024-10-21"  # the latest that Azure calls stable, for requests
OLLAMA_WINDOWS = ("OLLAMA_CONTEXT_LENGTH",)


@dataclass(frozen=True, slots=True)
class Provider:
    """A cloud or a kind of local server, and the variables of the environment that concern it."""

    name: str  # short, for names of backends and for --only
    title: str
    dialect: Dialect
    base_url: str
    keys: tuple[str, ...]  # the first variable that is set holds the key
    urls: tuple[str, ...]  # variables that replace `base_url`
    kind: Kind = "openai"
    local: bool = False
    logprobs: bool = False  # whether its models say how sure they are of each token
    many_makers: bool = False  # whether it serves the models of others


PROVIDERS = (
    Provider(
        "openai", "OpenAI", "openai", "https://api.openai.com/v1",
        ("OPENAI_API_KEY",), ("OPENAI_BASE_URL", "OPENAI_API_BASE"), logprobs=True,
    ),
    Provider(
        "anthropic", "Anthropic", "anthropic", "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",), ("ANTHROPIC_BASE_URL",), kind="anthropic",
    ),
    Provider(
        "gemini", "Gemini", "gemini", "https://generativelanguage.googleapis.com",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"),
        kind="gemini",
    ),
    Provider(
        "mistral", "Mistral", "mistral", "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY",), ("MISTRAL_BASE_URL",),
    ),
    Provider(
        "groq", "Groq", "openai", "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",), ("GROQ_BASE_URL",), many_makers=True,
    ),
    Provider(
        "deepseek", "DeepSeek", "openai", "https://api.deepseek.com/v1",
        ("DEEPSEEK_API_KEY",), ("DEEPSEEK_BASE_URL",),
    ),
    Provider(
        "xai", "xAI", "xai", "https://api.x.ai/v1", ("XAI_API_KEY",), ("XAI_BASE_URL",),
    ),
    Provider(
        "openrouter", "OpenRouter", "openrouter", "https://openrouter.ai/api/v1",
        ("OPENROUTER_API_KEY",), ("OPENROUTER_BASE_URL",), many_makers=True,
    ),
    Provider(
        "azure", "Azure OpenAI", "azure", "", ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
        ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"), logprobs=True,
    ),
    Provider(
        "together", "Together", "together", "https://api.together.xyz/v1",
        ("TOGETHER_API_KEY",), ("TOGETHER_BASE_URL",), many_makers=True,
    ),
    Provider(
        "fireworks", "Fireworks", "fireworks", "https://api.fireworks.ai/inference/v1",
        ("FIREWORKS_API_KEY",), ("FIREWORKS_BASE_URL",), logprobs=True, many_makers=True,
    ),
    Provider(
        "ollama", "Ollama", "ollama", "http://127.0.0.1:11434/v1",
        ("OLLAMA_API_KEY",), ("OLLAMA_HOST",), local=True,
    ),
    Provider(
        "lmstudio", "LM Studio", "lmstudio", "http://127.0.0.1:1234/v1",
        ("LM_API_TOKEN",), ("LMSTUDIO_BASE_URL",), local=True,
    ),
    Provider(
        "vllm", "vLLM", "server", "http://127.0.0.1:8000/v1",
        ("VLLM_API_KEY",), ("VLLM_BASE_URL",), local=True,
    ),
    Provider(
        "llamacpp", "llama.cpp", "server", "http://127.0.0.1:8080/v1",
        ("LLAMA_API_KEY",), ("LLAMACPP_BASE_URL",), local=True,
    ),
)  # fmt: skip

VARIABLES = (
    *(name for provider in PROVIDERS for name in (*provider.keys, *provider.urls)),
    *AZURE_VERSIONS, *AZURE_DEPLOYMENTS, *OLLAMA_WINDOWS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A server to ask for its models."""

    provider: Provider
    base_url: str  # without a slash at its end, a user or a query
    key: str = ""  # the variable that holds the key; empty: the server takes none
    secret: str = field(default="", repr=False)
    stated: bool = True  # whether the environment names this server; else its usual port is tried
    api_version: str = ""  # of Azure
    deployments: tuple[str, ...] = ()  # of Azure, where the environment names them
    window: int | None = None  # of Ollama's prompts, where the environment says it

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    @property
    def whose(self) -> str:
        """Whose machine a local server runs on; empty if it may be a stranger's, to be paid."""
        name = urlsplit(self.base_url).hostname or ""
        if is_loopback(name):
            return "this machine"
        try:
            own = ip_address(name).is_private
        except ValueError:
            own = "." not in name or name.endswith((".local", ".internal", ".lan"))
        return "a machine of your network" if own else ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A provider whose variables cannot be used as they are, and why."""

    provider: Provider
    reason: str


def places(variables: Mapping[str, str]) -> tuple[Place | Unusable, ...]:
    """Every server to ask, in the order of the table.

    Two names of one server count once: `OPENAI_BASE_URL` may name a server of this machine.
    """
    rows: dict[str, Place | Unusable] = {}
    for provider in PROVIDERS:
        row = _place(provider, {name: text for name, text in variables.items() if text})
        if row is None:
            continue
        at = row.base_url if isinstance(row, Place) else provider.name
        earlier = rows.get(at)
        if isinstance(earlier, Place) and isinstance(row, Place) and provider.local:
            row = replace(row, key=earlier.key, secret=earlier.secret, stated=True)
        rows[at] = row if provider.local else rows.get(at, row)
    return tuple(rows.values())


def _place(provider: Provider, variables: Mapping[str, str]) -> Place | Unusable | None:
    key = next((name for name in provider.keys if name in variables), "")
    url = next((name for name in provider.urls if name in variables), "")
    if not key and not provider.local:
        return None
    if provider.dialect == "azure" and not url:
        return Unusable(
            provider, f"{key} needs the address of the resource: set {provider.urls[0]}"
        )
    address = _address(provider, variables[url]) if url else provider.base_url
    if not address:
        return Unusable(
            provider, f"{url} is no address that can be used: write {_example(provider)}"
        )
    if provider.local and not url:
        key = ""  # a key goes only where the environment says, not to whoever took a port
    secret = variables.get(key, "")
    if not all("!" <= letter <= "~" for letter in secret):
        return Unusable(
            provider, f"{key} holds a space, a line break or an odd letter: set it again"
        )
    return Place(
        provider, address, key, secret, stated=bool(url or not provider.local),
        api_version=_first(variables, AZURE_VERSIONS) or AZURE_VERSION,
        deployments=tuple(_first(variables, AZURE_DEPLOYMENTS).replace(",", " ").split()),
        window=_count(_first(variables, OLLAMA_WINDOWS)) if provider.name == "ollama" else None,
    )  # fmt: skip


def _address(provider: Provider, text: str) -> str:
    """The address in a variable, as the provider's own client reads it; empty if it is none.

    An address with a user or a query is refused: it could hold a secret, and would be written.
    """
    text = text.strip()
    if provider.dialect == "ollama":
        text = _ollama(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    sound = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if not sound or "@" in parts.netloc or parts.query or parts.fragment or " " in text:
        return ""
    if any(letter in text for letter in "${}\"'\\"):
        return ""
    host = reachable(parts.hostname or "").replace("localhost", "127.0.0.1")
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    netloc = host if port is None else f"{host}:{port}"
    return parts._replace(netloc=netloc, path=_path(provider, parts)).geturl()


def _path(provider: Provider, parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    usual = urlsplit(provider.base_url).path
    if provider.kind != "openai" or provider.dialect == "azure":
        for version in ("/v1", "/v1beta", "/openai"):
            path = path.removesuffix(version)
        return path
    return path or usual


def _ollama(text: str) -> str:
    """`OLLAMA_HOST` as Ollama reads it: a host, a port or both, with or without a scheme."""
    scheme, there, rest = text.rpartition("://")
    if there:
        return text
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]"):
        host, port = rest, "11434"
    return f"{scheme or 'http'}://{host or '127.0.0.1'}:{port}"


def _example(provider: Provider) -> str:
    return provider.base_url or "https://NAME.openai.azure.com"


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if name in variables), "")


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text[:9]) > 0 else None
