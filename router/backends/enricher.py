"""What an enricher can be told."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from router.backends.base import Backend, BackendSettings, Capability, SecretReader
from router.features import shape_of


class EnricherSettings(BackendSettings):
    kind: Literal["enricher"]
    locale: str = Field("en_US", pattern=r"^[a-z]{2}_[A-Z]{2}$")
    as_of: dt.date | None = Field(
        None, description="the day that ages are counted to; default: today"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        # Only the process that enriches loads what that takes.
        from router.backends.enriching import EnricherBackend

        return EnricherBackend(self)

    def refuses(self, fields: Mapping[str, Any]) -> str:
        if shape_of(fields) is None:
            return "fills records up to a JSON shape, and the request holds none"
        return ""
