"""What a Claude model can do that others cannot, read from its name. Pure.

By Anthropic's documentation: models up to 3.5 do not think; models up to 4.5 think within a budget
of tokens; 4.6 thinks as it sees fit, by an effort; from 4.7 on that is the only way, and there is
no temperature any more. A name without a version counts as the newest kind.
"""

import re
from dataclasses import dataclass
from typing import Literal

Thinking = Literal["none", "budget", "adaptive", "adaptive_only"]

_VERSION = re.compile(
    r"claude-(?:(?:opus|sonnet|haiku|fable|mythos)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?![\d.])"
)
_ALWAYS_THINKS = ("fable", "mythos")


@dataclass(frozen=True, slots=True)
class ClaudeModel:
    thinking: Thinking = "adaptive_only"
    can_stop_thinking: bool = True
    samples: bool = False  # whether it takes temperature, top_p and top_k
    structured: bool = True  # whether it can be held to a JSON Schema
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    most_tokens: int = 32_000  # bound of an answer whose caller sets none


def claude_model(name: str) -> ClaudeModel:
    version = _version(name)
    if version < (3, 7):
        most = 8192 if version >= (3, 5) else 4096
        return ClaudeModel("none", samples=True, structured=False, efforts=(), most_tokens=most)
    if version < (4, 6):
        structured = version >= (4, 5) or "opus-4-1" in name
        every = ("minimal", "low", "medium", "high", "xhigh", "max")
        return ClaudeModel("budget", samples=True, structured=structured, efforts=every)
    if version < (4, 7):
        efforts = ("low", "medium", "high", "max")
        return ClaudeModel("adaptive", samples=True, efforts=efforts)
    always = any(word in name for word in _ALWAYS_THINKS)
    return ClaudeModel(can_stop_thinking=not always)


def _version(name: str) -> tuple[int, int]:
    """The version in a model's name, such as (4, 5); the newest kind if the name has none."""
    match = _VERSION.search(name.lower())
    if match is None:
        return (99, 0)
    minor = int(match[2]) if match[2] else 0
    return int(match[1]), minor
