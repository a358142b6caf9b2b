"""A model rewrites the prompt that has functions written, from what the functions achieved. Pure.

The rewritten prompt must pass gates: it is bounded in length, keeps the contract of functions word
for word, holds no secret and no personal data, and is not a prompt that was tried before.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from router.guardrails.personal import personal_spans
from router.trials.book import Rejected
from router.trials.prompt_versions import CONTRACT, Achievement, PromptVersion

MOST_CHARACTERS = 6_000
_MOST_SHOWN = 12  # achievements in the question
_LONGEST_WHY = 300
_LEAST_SECRET = 6  # characters; shorter values stand in any text
_BETWEEN = re.compile(r"<prompt>(.*)</prompt>", re.DOTALL)
_SECRETS = re.compile(
    r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|glpat)[-_][A-Za-z0-9_-]{12,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bBearer +[A-Za-z0-9._~+/-]{12,}|-----BEGIN|\beyJ[A-Za-z0-9_-]{10,}\."
    r"|\b(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9+/]{32,}"
)


def to_rewrite_prompt(
    version: PromptVersion, sources: Mapping[str, str], earlier: Sequence[PromptVersion]
) -> str:
    """The question to the model. `sources` has the code of functions by their keys."""
    best, worst = _examples(version.achieved, sources)
    others = "\n".join(
        f"version {other.version}: mean score {other.score:.2f} of {len(other.achieved)}"
        for other in earlier
        if other.score is not None
    )
    return (
        "You improve a prompt. A model gets the prompt and writes a Python function, which is then "
        "tried on real traffic. A score of 1 says that the function won its trial, 0 that a gate "
        "refused it before its trial.\n\n"
        f"<prompt>\n{version.text.strip()}\n</prompt>\n\n"
        f"What its functions achieved, the latest last:\n{_listed(version.achieved)}\n\n"
        f"The mean scores of all versions:\n{others or 'none yet'}\n\n"
        f"{_shown('The best function', best)}{_shown('A function that lost', worst)}"
        "Write a better prompt: keep what led to wins, and say how to avoid what lost. Keep these "
        f"lines word for word:\n\n{CONTRACT}\n\n"
        f"Take at most {MOST_CHARACTERS:,} characters. Quote no key, password or personal data. "
        "Answer with the whole prompt between <prompt> and </prompt>, and nothing else.\n"
    )


def rewritten(answer: str, secrets: Collection[str], texts: Collection[str]) -> str:
    """The prompt in a model's answer. Raises `Rejected`, which names the gate that failed.

    `secrets` are values that must never leave the process; `texts` are the prompts so far.
    """
    match = _BETWEEN.search(answer)
    if match is None:
        raise Rejected("rewriting: the answer has no prompt between <prompt> and </prompt>")
    lines = match[1].replace("\r\n", "\n").strip().split("\n")
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if len(text) > MOST_CHARACTERS:
        raise Rejected(
            f"rewriting: the prompt has {len(text):,} characters, and {MOST_CHARACTERS:,} are "
            "the most"
        )
    if CONTRACT not in text:
        missing = next((line for line in CONTRACT.split("\n") if line not in text), "its order")
        raise Rejected(f"rewriting: the contract is not kept word for word: {missing.strip()!r}")
    if any(secret in text for secret in secrets if len(secret) >= _LEAST_SECRET):
        raise Rejected("rewriting: the prompt holds a secret of this configuration")
    if _SECRETS.search(text) or personal_spans(text):
        raise Rejected("rewriting: the prompt holds what looks like a key or personal data")
    if not all(char.isprintable() or char in "\n\t" for char in text):
        raise Rejected("rewriting: the prompt holds characters that cannot be printed")
    if " ".join(text.split()) in {" ".join(other.split()) for other in texts}:
        raise Rejected("rewriting: the prompt is the same as an earlier version")
    return text


def _listed(achieved: Sequence[Achievement]) -> str:
    return "\n".join(outcome_line(each) for each in achieved[-_MOST_SHOWN:]) or "nothing yet"


def outcome_line(each: Achievement) -> str:
    return f"- {each.score:.2f}: {' '.join(each.why.split())[:_LONGEST_WHY]}"


def _examples(achieved: Sequence[Achievement], sources: Mapping[str, str]) -> tuple[str, str]:
    """The source of the best function, and of the worst one that is not the best."""
    ranked = sorted((each for each in achieved if each.function in sources), key=lambda e: e.score)
    if not ranked:
        return "", ""
    worst = sources[ranked[0].function] if ranked[0].score < ranked[-1].score else ""
    return sources[ranked[-1].function], worst


def _shown(title: str, source: str) -> str:
    return f"{title}:\n```python\n{source.strip()[:2000]}\n```\n\n" if source else ""
