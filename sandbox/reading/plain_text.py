"""Holds a request's text. Blanks replace each word that was understood, so none is read twice."""

import re
from collections.abc import Iterator

from sandbox.reading import patterns
from sandbox.reading.budget import spend

_SAME = str.maketrans(
    {
        "–": "-", "—": "-", "−": "-", "‑": "-", "’": "'", "“": '"', "”": '"', "≥": ">", "≤": "<",
        "×": "*", "\u00a0": " ", "σ": "sigma", "μ": "mu", "µ": "mu", "λ": "lambda", "α": "alpha",
        "β": "beta", "θ": "theta", "ρ": "rho", "\t": " ", "`": " ", "*": "*",
    }
)  # fmt: skip


def normalised(text: str) -> str:
    text = text.translate(_SAME)
    text = patterns.sub(
        r"\bR\s?²|\bR\s?\^\s?2|\bR-squared\b|\bR squared\b|\br2\b", "R2", text, flags=re.I
    )
    text = patterns.sub(r"\*\*(\w[^*\n]*)\*\*", r"\1", text)
    # Long runs of blanks make patterns slow.
    return patterns.sub(
        r"\n(?: ?\n){2,}+", "\n\n", patterns.sub(r"[^\S\n]{2,}+|[\r\v\f]", " ", text)
    )


class Words:
    """The text of a request, in which blanks replace the parts that are already understood."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: str) -> "re.Match[str] | None":
        """Return the first match, and replace it in the text by blanks."""
        spend()
        match = patterns.search(pattern, self.text, re.I)
        if match:
            self.blank(*match.span())
        return match

    def take_all(self, pattern: str) -> Iterator["re.Match[str]"]:
        while (match := self.take(pattern)) is not None:
            yield match

    def blank(self, start: int, end: int) -> None:
        """Replace a part of the text by blanks, but keep its line ends."""
        kept = "".join("\n" if c == "\n" else " " for c in self.text[start:end])
        self.text = self.text[:start] + kept + self.text[end:]

    def has(self, pattern: str) -> bool:
        spend()
        return patterns.search(pattern, self.text, re.I) is not None


_IRREGULAR = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "indices": "index",
    "criteria": "criterion", "heights": "height", "salaries": "salary", "statuses": "status",
    "bonuses": "bonus", "data": "data", "diabetes": "diabetes", "gas": "gas", "gpas": "gpa",
}  # fmt: skip
_STAY = ("ss", "us", "is", "ies", "news", "series")


def singular(word: str) -> str:
    low = word.lower()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    if low.endswith("ies") and len(low) > 4 and low != "series":
        return low[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return low[:-2]
    if low.endswith("s") and not low.endswith(_STAY) and len(low) > 3:
        return low[:-1]
    return low


def column_name(words: str) -> str:
    """Turn words into a column's name: `annual revenues` becomes `annual_revenue`."""
    words = words.strip().strip("\"'")
    if "_" in words and " " not in words:
        return words.lower()
    split = patterns.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    parts = [part for part in patterns.split(r"[\s\-]+", split) if part]
    if not parts:
        return ""
    parts = [part.lower() for part in parts]
    parts[-1] = singular(parts[-1])
    return "_".join(parts)
