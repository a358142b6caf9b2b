"""Whose server an address is, and which model a name means. Pure.

A provider is known by https, the whole name of its host and the usual port, so that no address that
only looks like it gets its prices. Nothing on this machine has a provider.
"""

import re
from urllib.parse import urlsplit

from router.wire.addresses import is_loopback

_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.mistral.ai": "mistral",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x-ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.moonshot.ai": "moonshotai",
    "api.minimax.io": "minimax",
    "api.z.ai": "zai",
    "api.perplexity.ai": "perplexity",
}
_FAMILIES_OF_HOSTS = {
    ".openai.azure.com": "azure",
    ".services.ai.azure.com": "azure",
    ".cognitiveservices.azure.com": "azure",
}
_BEDROCK = re.compile(r"bedrock-runtime\.us-(?:east-1|west-2)\.amazonaws\.com")  # list prices

_DATE = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$")
_RELEASE = re.compile(r"-v\d(?::\d)?$")  # Bedrock: `anthropic.claude-opus-4-6-v1:0`
_LONGEST = 200
# Models that hear, speak, draw or search: tokens of words are the smaller part of what they cost.
_BEYOND_WORDS = re.compile(
    r"(?:^|[-_./])(?:audio|banana|deep-research|image|live|realtime|search|transcribe|translate|tts"
    r"|whisper)(?:[-_./]|$)"
)


def provider_of(base_url: str) -> str | None:
    """The provider behind an address, by the host; None if it is unknown or on this machine."""
    try:
        url = urlsplit(base_url)
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        return None
    if not host or is_loopback(host) or url.scheme != "https" or port not in (None, 443):
        return None
    if host in _HOSTS:
        return _HOSTS[host]
    if _BEDROCK.fullmatch(host):
        return "aws"
    return next((name for end, name in _FAMILIES_OF_HOSTS.items() if host.endswith(end)), None)


def is_here(base_url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        return is_loopback((urlsplit(base_url).hostname or "").lower())
    except ValueError:
        return False


def core(model: str) -> str:
    """A model's name in one spelling: without its date, `-latest` or release, dots as dashes."""
    name = model[:_LONGEST].lower()
    name = _RELEASE.sub("", name)
    name = _DATE.sub("", name.removesuffix("-latest"))
    return name.replace(".", "-")


def beyond_words(model: str) -> bool:
    """Whether a model's name says that words are not all that it works with and charges for."""
    return _BEYOND_WORDS.search(model[:_LONGEST].lower()) is not None


def deployment(base_url: str) -> str | None:
    """The deployment that an address at Azure names, `…/openai/deployments/NAME`."""
    try:
        parts = urlsplit(base_url).path.split("/")
    except ValueError:
        return None
    at = parts.index("deployments") + 1 if "deployments" in parts else len(parts)
    return parts[at] if at < len(parts) and parts[at] else None
