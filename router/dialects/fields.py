"""Fields of a chat request in a foreign dialect; what it cannot express is refused by name.

A field whose value is its default says nothing, and neither does a hint that changes no answer.
Every other field that has no translation raises `Untranslatable`. Reasons go to telemetry, so they
name fields and numbers, and never quote the caller's words.
"""

from collections.abc import Collection, Mapping
from typing import Any

# Of Waggle itself, for its own kinds of backends; never sent to a model server.
_WAGGLES = frozenset(
    {
        *("shape", "draft", "rules", "data", "variant", "for_writer", "conversation", "records"),
        *("tests", "objective", "without"),
    }
)
# Of OpenAI's dialect: these label, store or speed up a request, and change no answer.
_HINTS = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "metadata", "store", "prediction"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
    }
)
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "verbosity": ("medium",),
    "tools": ([],),
    "functions": ([],),
    "stop": ([], ""),
    "top_p": (1,),
    "min_p": (0,),
    "service_tier": ("auto", "default"),
    "reasoning_effort": ("",),
}


class Untranslatable(Exception):
    """A part of a request that the backend's own dialect cannot express: a field, and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"`{field}` {rule}")
        self.field, self.rule = field, rule


def telling(
    fields: Mapping[str, Any], takes: Collection[str], leave_out: Collection[str], dialect: str
) -> dict[str, Any]:
    """The fields that say something, without those of `leave_out`; all of them are in `takes`."""
    kept = {}
    for name, value in fields.items():
        if value is None or name in _HINTS or name in _WAGGLES or name in leave_out:
            continue
        if _is_default(name, value):
            continue
        if name not in takes:
            rule = f"has no counterpart in {dialect}: leave it out, or list it in `leave_out`"
            raise Untranslatable(name[:80], rule)
        kept[name] = value
    return kept


def _is_default(name: str, value: Any) -> bool:
    return any(
        value == default and isinstance(value, bool) == isinstance(default, bool)
        for default in _DEFAULTS.get(name, ())
    )


def number(
    fields: Mapping[str, Any], name: str, *, least: float, most: float, whole: bool = False
) -> Any:
    """A number of the request within these bounds; None if the request has none."""
    value = fields.get(name)
    if value is None:
        return None
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise Untranslatable(name, f"must be {'an integer' if whole else 'a number'}")
    if not least <= value <= most:
        raise Untranslatable(name, f"= {value} must be from {least:g} to {most:g} here")
    return value


def most_tokens(fields: Mapping[str, Any]) -> int | None:
    """The caller's bound of the answer, under its new name or its old one."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = number(fields, name, least=1, most=10_000_000, whole=True)
        if value is not None:
            return int(value)
    return None


def stops(fields: Mapping[str, Any], *, most: int) -> list[str]:
    """The texts at which the answer ends."""
    value = fields.get("stop")
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Untranslatable("stop", "must be a string or a list of strings")
    if len(texts) > most:
        raise Untranslatable("stop", f"has {len(texts)} texts, and {most} are the most here")
    return [text for text in texts if text]


def text_field(fields: Mapping[str, Any], name: str, choices: Collection[str] = ()) -> str:
    """A string of the request, one of `choices` if there are any; empty without one."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Untranslatable(name, "must be a string")
    if choices and value not in choices:
        raise Untranslatable(name, f"must be {', '.join(choices)} here")
    return value
