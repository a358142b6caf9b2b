"""Settings of the backends that call a model server over the network.

Secrets are references to the environment: a key, and a header whose name says that it is secret.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from router.catalog.names import provider_of
from router.config.references import REFERENCE
from router.config.values import BackendSettings, Capability, Secret
from router.dialects.anthropic_request import AnthropicOptions
from router.dialects.anthropic_request import request_of as anthropic_request
from router.dialects.claude_models import ClaudeModel, claude_model
from router.dialects.extensions import plain
from router.dialects.fields import Untranslatable
from router.dialects.gemini_request import GeminiOptions, gemini_request
from router.domain import Fields, Request

Address = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,8000}$")]
AuthName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
QueryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,64}$")]
_SECRET_NAME = re.compile(r"key|token|secret|auth|cookie|password|signature|credential", re.I)
_REFERENCE_ALONE = re.compile(r"(?:[A-Za-z]{1,20} )?" + REFERENCE.pattern)
WITHOUT_LOGPROBS = frozenset({"anthropic"})  # kinds whose servers give none, and refuse the wish
_UNSTEADY = re.compile(r"(?:^|/)(?:o\d|gpt-5)", re.I)  # OpenAI's models without a temperature
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


class NetworkSettings(BackendSettings):
    """Settings of every kind that calls a model server. `usual_address` is that of the kind's
    provider; without it, the file must give an address."""

    is_model: ClassVar[bool] = True
    shares: ClassVar[str] = "network"
    usual_address: ClassVar[str] = ""

    base_url: Address | None = Field(None, description="the address of the server")
    base_urls: tuple[Address, ...] = Field(
        (), max_length=64, description="several servers in place of base_url; least busy first"
    )
    model: str | None = Field(None, min_length=1, description="default: the caller's `model`")
    api_key: Secret | None = None
    api_keys: tuple[Secret, ...] = Field(
        (), max_length=64, description="several keys in place of api_key; least busy first"
    )
    auth: AuthName = Field(
        "bearer",
        description="how the key is sent: `bearer`, or the name of a header such as api-key",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        {}, description="further headers of each request; a secret must be ${NAME}"
    )
    query: dict[QueryName, str] = Field(
        {}, description="query string of each request, e.g. api-version; a secret must be ${NAME}"
    )
    organization: str | None = Field(
        None, pattern=r"^[\x21-\x7e]{1,200}$", description="sent as `openai-organization`"
    )

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.model,) if self.model else ()

    @property
    def steadily(self) -> Mapping[str, Any]:
        return {} if _UNSTEADY.search(self.model or "") else super().steadily

    @property
    def named_model(self) -> tuple[str, str] | None:
        # Addresses of several providers have several prices.
        alike = len({provider_of(address) for address in self.addresses}) == 1
        return (self.model, self.addresses[0]) if self.model and alike else None

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.base_urls or (self.base_url or self.usual_address,)

    @property
    def keys(self) -> tuple[str, ...]:
        return self.api_keys or ((self.api_key,) if self.api_key else ())

    @property
    def endpoints(self) -> tuple[tuple[str, str], ...]:
        """Each address with the reference to its key; empty for no key."""
        addresses, keys = self.addresses, self.keys or ("",)
        if len(addresses) == len(keys):
            return tuple(zip(addresses, keys, strict=True))
        return tuple((address, key) for address in addresses for key in keys)

    @field_validator("headers", "query")
    @classmethod
    def _no_secret_in_the_file(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            if name.lower() in _OURS:
                raise ValueError(f"Waggle writes the header {name} itself: take it out")
            if _SECRET_NAME.search(name) and not _REFERENCE_ALONE.fullmatch(value):
                raise ValueError(f"{name} is a secret: write ${{NAME}}, never its value")
        return values

    @model_validator(mode="after")
    def _sound(self) -> "NetworkSettings":
        if self.base_urls and self.base_url:
            raise ValueError("give base_url or base_urls, not both")
        if not self.addresses[0]:
            raise ValueError("needs a base_url: the address of the server")
        if self.api_key and self.api_keys:
            raise ValueError("give api_key or api_keys, not both")
        addresses, keys = len(self.addresses), len(self.keys)
        if addresses > 1 and keys > 1 and addresses != keys:
            rule = f"{addresses} base_urls and {keys} api_keys"
            raise ValueError(f"{rule}: give one key, or one for each address in the same order")
        return self


class ForeignSettings(NetworkSettings):
    """Settings of the kinds whose servers speak a dialect of their own; callers speak OpenAI's."""

    translates: ClassVar[bool] = True

    model: str = Field(min_length=1)
    max_tokens: int | None = Field(
        None, ge=1, description="bound of an answer whose caller sets none; default: by the model"
    )
    leave_out: tuple[str, ...] = Field(
        (),
        description="fields of requests to leave out, where the API has no counterpart and would "
        "refuse the request",
    )
    capabilities: tuple[Capability, ...] = ("chat", "tools", "images", "json")

    def translate(self, fields: Fields) -> object:
        """The request in the server's dialect; `Untranslatable` names what has no counterpart."""
        raise NotImplementedError

    def untranslatable(self, fields: Fields) -> Untranslatable | None:
        """What in a request with these fields has no counterpart, if there is anything."""
        try:
            self.translate(fields)
        except Untranslatable as reason:
            return reason
        return None

    def refuses(self, request: Request) -> str:
        if request.operation != "chat" or request.dialect in self.speaks:
            return ""  # what the caller wrote in the server's own dialect needs no translation
        translated = request.native is not None and not self.reads_extensions
        fields = plain(request.fields) if translated else request.fields
        reason = self.untranslatable(fields)
        return f"cannot express this request: {reason}" if reason else ""


class AnthropicSettings(ForeignSettings):
    """Anthropic's Messages API."""

    reads_extensions: ClassVar[bool] = True
    usual_address: ClassVar[str] = "https://api.anthropic.com"
    parameters: ClassVar[frozenset[str]] = frozenset(
        {
            *("temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "stop"),
            *("reasoning_effort", "thinking", "parallel_tool_calls", "service_tier"),
        }
    )

    kind: Literal["anthropic"]
    base_url: Address | None = Field(
        None, description="the address of the server, without /v1; default: Anthropic's"
    )
    auth: AuthName = Field(
        "x-api-key", description="how the key is sent: the name of a header, or `bearer`"
    )
    version: str = Field("2023-06-01", pattern=r"^\d{4}-\d\d-\d\d$")
    cache: Literal["5m", "1h"] | None = Field(
        None, description="cache each prompt for so long; null: only where the caller says so"
    )
    thinking: Literal["none", "budget", "adaptive", "adaptive_only"] | None = Field(
        None, description="how the model thinks; default: by its name"
    )

    @property
    def speaks(self) -> frozenset[str]:
        return frozenset({"messages"})

    @property
    def options(self) -> AnthropicOptions:
        return AnthropicOptions(
            self.model, self.max_tokens, self.cache, self.leave_out, self._abilities
        )

    @property
    def _abilities(self) -> ClaudeModel:
        by_name = claude_model(self.model)
        if self.thinking is None or self.thinking == by_name.thinking:
            return by_name
        return ClaudeModel(
            self.thinking,
            samples=self.thinking != "adaptive_only",
            structured=by_name.structured,
            efforts=ClaudeModel().efforts,
            most_tokens=by_name.most_tokens,
        )

    @property
    def steadily(self) -> Mapping[str, Any]:
        return super().steadily if self._abilities.samples else {}

    def translate(self, fields: Fields) -> object:
        return anthropic_request(fields, self.options)


class GeminiSettings(ForeignSettings):
    """Google's Gemini API."""

    usual_address: ClassVar[str] = "https://generativelanguage.googleapis.com"
    parameters: ClassVar[frozenset[str]] = frozenset(
        {
            *("temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "stop"),
            *("reasoning_effort", "seed", "frequency_penalty", "presence_penalty"),
        }
    )

    kind: Literal["gemini"]
    base_url: Address | None = Field(
        None, description="the address of the server, without /v1beta; default: Google's"
    )
    auth: AuthName = Field(
        "x-goog-api-key", description="how the key is sent: the name of a header, or `bearer`"
    )

    @property
    def options(self) -> GeminiOptions:
        return GeminiOptions(self.model, self.max_tokens, self.leave_out)

    def translate(self, fields: Fields) -> object:
        return gemini_request(fields, self.options)
