"""Parameters of a request body that a plan may set, and the values that each may have. Pure.

A parameter that is not here is refused: it may be a slip, and a server would drop it silently.
Whether a certain server takes a parameter that its kind of backend can pass on is not known here.
"""

from collections.abc import Callable, Mapping
from typing import Any

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # the least effort first
BOUNDS = ("max_completion_tokens", "max_tokens")  # two names of the bound of an answer
_MOST_TOKENS = 10_000_000
_MOST_SEED = 2**63 - 1

BrokenRule = Callable[[Any], str]  # the rule that a value breaks; empty if it breaks none


def _number(least: float, most: float) -> BrokenRule:
    def broken(value: Any) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if number and least <= value <= most else f"a number from {least:g} to {most:g}"

    return broken


def _whole(least: int, most: int) -> BrokenRule:
    def broken(value: Any) -> str:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if whole and least <= value <= most else f"a whole number from {least} to {most}"

    return broken


def _word(*words: str) -> BrokenRule:
    return lambda value: "" if value in words else f"one of {', '.join(words)}"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value else "a text"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _mapping(value: Any) -> str:
    return "" if isinstance(value, dict) else "a mapping, `key: value`"


def _texts(value: Any) -> str:
    texts = value if isinstance(value, list) else [value]
    whole = texts and all(isinstance(text, str) and text for text in texts)
    return "" if whole else "a text or a list of texts"


SAMPLING: Mapping[str, BrokenRule] = {
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "seed": _whole(-_MOST_SEED, _MOST_SEED),
    "max_tokens": _whole(1, _MOST_TOKENS),
    "max_completion_tokens": _whole(1, _MOST_TOKENS),
    "stop": _texts,
}
# What OpenAI, and the servers that speak its dialect, take beside these.
PARAMETERS: Mapping[str, BrokenRule] = {
    **SAMPLING,
    "reasoning_effort": _word(*EFFORTS),
    "verbosity": _word("low", "medium", "high"),
    "frequency_penalty": _number(-2, 2),
    "presence_penalty": _number(-2, 2),
    "logit_bias": _mapping,
    "parallel_tool_calls": _flag,
    "service_tier": _text,
    "prompt_cache_key": _text,
    "web_search_options": _mapping,
    "top_k": _whole(-1, 1_000_000),
    "min_p": _number(0, 1),
    "top_a": _number(0, 1),
    "repetition_penalty": _number(0, 10),
    "repeat_penalty": _number(0, 10),
    "min_tokens": _whole(0, _MOST_TOKENS),
    "chat_template_kwargs": _mapping,
    "enable_thinking": _flag,
    "thinking": _mapping,
    "thinking_budget": _whole(-1, _MOST_TOKENS),
    "reasoning": _mapping,
    "reasoning_format": _text,
    "include_reasoning": _flag,
    "random_seed": _whole(0, _MOST_SEED),
    "safe_prompt": _flag,
    "provider": _mapping,
}
# Why a plan may not set a field, and what to do instead.
PROTECTED: Mapping[str, tuple[str, str]] = {
    "model": ("the plan names the model beside `set`", "Use `model:` of the plan."),
    "messages": ("messages are the caller's", "Use `system:` or `instruct:` of the plan."),
    "stream": ("the caller says whether the answer streams", "Leave it out."),
    "stream_options": ("the caller says how the answer streams", "Leave it out."),
    "n": ("the caller says how many answers there are", "Use a plan with `fan_out`."),
    "tools": ("tools are the caller's", "Leave it out."),
    "tool_choice": ("tools are the caller's", "Leave it out."),
    "functions": ("tools are the caller's", "Leave it out."),
    "function_call": ("tools are the caller's", "Leave it out."),
    "response_format": ("the caller says which form the answer has", "Use `gate: {schema: true}`."),
    "logprobs": ("a plan asks for logprobs where it needs them", "Use `accept` of a cascade."),
    "top_logprobs": ("a plan asks for logprobs where it needs them", "Use `accept` of a cascade."),
    "user": ("who asks is the caller's to say", "Leave it out."),
    "metadata": ("it is the caller's note", "Leave it out."),
    "store": ("whether an answer may be stored is the caller's to say", "Leave it out."),
}


def broken_rule(name: str, value: Any) -> str:
    """The rule that a parameter's value breaks; empty if it breaks none.

    null takes the caller's value out of the body, except for the bounds of an answer.
    """
    if value is None:
        return "a whole number: null would lift the caller's bound" if name in BOUNDS else ""
    return PARAMETERS[name](value)


def effort_in(settings: Mapping[str, Any]) -> str:
    """The effort that these parameters set; empty if they set none."""
    effort = settings.get("reasoning_effort")
    reasoning = settings.get("reasoning")
    if effort is None and isinstance(reasoning, dict):
        effort = reasoning.get("effort")
    return effort if isinstance(effort, str) else ""
