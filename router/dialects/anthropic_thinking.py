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
        return {"thinking": dict(given["thinking"])}
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


def _within_budget(
    effort: str, most_tokens: int, messages: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    if most_tokens <= _LEAST:
        rule = f"= {effort} needs `max_completion_tokens` above {_LEAST}, and it is {most_tokens}"
        raise Untranslatable("reasoning_effort", rule)
    if _answers_a_call_without_its_thoughts(messages):
        # The API takes up the thinking of a turn in the middle only from its signed beginning.
        return {}
    budget = min(_BUDGETS[effort], max(_LEAST, most_tokens // 2))
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _answers_a_call_without_its_thoughts(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last message gives results of calls, and the caller left out the thoughts."""
    if len(messages) < 2 or messages[-1]["content"][0]["type"] != "tool_result":
        return False
    kinds = [block["type"] for block in messages[-2]["content"]]
    return "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking")
