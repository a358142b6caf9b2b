"""How long a Claude model may think: `reasoning_effort`, or Anthropic's own `thinking`. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.dialects.claude_models import ClaudeModel
from router.dialects.fields import Untranslatable, text_field

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_LEAST = 1024  # tokens of the smallest budget
_BUDGETS = {
    "minimal": _LEAST,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 32_000,
}


def thinking_of(
    given: Mapping[str, Any],
    model: ClaudeModel,
    most_tokens: int,
    messages: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The members of the body that make the model think, or keep it from thinking."""
    if given.get("thinking") is not None:
        if not isinstance(given["thinking"], Mapping):
            raise Untranslatable("thinking", "must be an object as Anthropic has it")
        thinking = dict(given["thinking"])
        if thinking.get("type") == "enabled" and answers_without_thoughts(messages):
            return _own_effort(given)
        return {"thinking": thinking, **_own_effort(given)}
    if "output_config" in given:
        return _own_effort(given)
    effort = text_field(given, "reasoning_effort", EFFORTS)
    if not effort:
        return {}
    if effort == "none":
        if not model.can_stop_thinking:
            raise Untranslatable("reasoning_effort", "= none: this model always thinks")
        return {}
    if model.thinking == "none":
        raise Untranslatable("reasoning_effort", "is not for this model: it does not think first")
    if model.thinking == "budget":
        return _within_budget(effort, most_tokens, messages)
    if effort == "minimal":
        effort = "low"
    if effort not in model.efforts:
        rule = f"= {effort} must be one of {', '.join(model.efforts)} for this model"
        raise Untranslatable("reasoning_effort", rule)
    thinking = {"type": "adaptive", "display": "summarized"}
    return {"thinking": thinking, "output_config": {"effort": effort}}


def _own_effort(given: Mapping[str, Any]) -> dict[str, Any]:
    """The effort as Anthropic itself has it."""
    config = given.get("output_config")
    if config is None:
        return {}
    if not isinstance(config, Mapping) or not isinstance(config.get("effort"), str):
        raise Untranslatable("output_config", "must be an object with an `effort`")
    return {"output_config": {"effort": config["effort"]}}


def _within_budget(
    effort: str, most_tokens: int, messages: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    if most_tokens <= _LEAST:
        rule = f"= {effort} needs `max_completion_tokens` above {_LEAST}, and it is {most_tokens}"
        raise Untranslatable("reasoning_effort", rule)
    if answers_without_thoughts(messages):
        return {}
    budget = min(_BUDGETS[effort], max(_LEAST, most_tokens // 2))
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def answers_without_thoughts(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last message gives results of calls, and the thoughts before these are missing:
    the API takes up the thinking of a turn in the middle only from its signed beginning."""
    if len(messages) < 2 or not _kinds(messages[-1]) or _kinds(messages[-1])[0] != "tool_result":
        return False
    kinds = _kinds(messages[-2])
    return "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking")


def _kinds(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    return [block["type"] for block in content] if isinstance(content, list) else []
