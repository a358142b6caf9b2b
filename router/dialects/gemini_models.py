"""What a Gemini model can do that others cannot, read from its name. Pure.

By Google's documentation: models before 2.5 do not think; 2.5 thinks within a budget of tokens;
from 3 on a model thinks at a level, always, and signs the calls that it makes. A name without a
version counts as the newest kind.
"""

import re
from dataclasses import dataclass
from typing import Literal

_VERSION = re.compile(r"gemini-(\d{1,2})(?:[.-](\d{1,2}))?(?![\d.])")
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}


@dataclass(frozen=True, slots=True)
class GeminiModel:
    thinking: Literal["none", "budget", "level"] = "level"
    levels: tuple[str, ...] = ("minimal", "low", "medium", "high")
    always_thinks: bool = True
    signs: bool = True  # whether it wants the signatures of its own calls back
    form_with_tools: bool = True  # whether JSON can be wanted beside tools

    def budget(self, effort: str) -> int | None:
        return _BUDGETS.get(effort)


def gemini_model(name: str) -> GeminiModel:
    match = _VERSION.search(name.lower())
    version = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    pro = "-pro" in name.lower()
    if version < (2, 5):
        return GeminiModel("none", (), always_thinks=False, signs=False, form_with_tools=False)
    if version < (3, 0):
        return GeminiModel("budget", always_thinks=pro, signs=False, form_with_tools=False)
    if pro:
        levels = ("low", "high") if version < (3, 1) else ("low", "medium", "high")
        return GeminiModel(levels=levels)
    return GeminiModel()
