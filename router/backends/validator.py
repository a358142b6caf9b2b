"""What a validator can be told: the schema, the rules between fields, and whether to repair."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from router.backends.base import Backend, BackendSettings, Capability, SecretReader
from router.features import shape_of
from router.records.rules import RuleText


class ValidatorSettings(BackendSettings):
    kind: Literal["validator"]
    schema_: dict[str, Any] | None = Field(
        None, alias="schema", description="default: the shape or schema of the request"
    )
    rules: tuple[RuleText, ...] = Field((), description="between fields, e.g. `price <= msrp`")
    formats: bool = Field(True, description="check email, date, uri, …")
    repair: bool = False
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        # Only the process that validates loads what that takes.
        from router.backends.validating import ValidatorBackend

        return ValidatorBackend(self)

    def refuses(self, fields: Mapping[str, Any]) -> str:
        known = self.schema_ is not None or self.rules or fields.get("rules")
        if known or shape_of(fields) is not None:
            return ""
        return "validates records, and the request has no shape, schema or rules for them"
