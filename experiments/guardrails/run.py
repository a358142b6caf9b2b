"""Measures what guards find, and what they add to a request.

    make bench-guardrails

The cases were written by somebody who had not seen the code. `cases/` holds the half that the rules
were made with (`dev`) and, where it was put there, the half that nobody looked at (`unseen`).
"""

import asyncio
import json
import os
import platform
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from experiments.guardrails.report import readme_table
from experiments.guardrails.scoring import cases_in, personal_scores, word_scores
from experiments.readme import put
from tests.guarded import Parrot, guarded
from tests.rig import Rig

HERE = Path(__file__).parent
ROUNDS = 150
WORDS = "The invoice of ann@example.org, +49 170 1234567, is due. Bees dance to tell of flowers. "
BODY = {"model": "up", "messages": [{"role": "user", "content": WORDS * 24}]}
FUNCTION = 'def guard(call):\n    return "zzz" not in call["texts"][0]["text"]\n'
GUARDS: Mapping[str, str] = {
    "redact": "{name: g, kind: redact}",
    "redact, before and after": "{name: g, kind: redact, when: both}",
    "words": "{name: g, kind: words, words: [falcon, 'top secret'], regexes: ['x-[0-9]{9}']}",
    "schema": "{name: g, kind: schema, when: after, schema: {type: string}}",
    "function": "{name: g, kind: function, timeout_ms: 100, source: " + json.dumps(FUNCTION) + "}",
    "classifier": "{name: g, kind: classifier, ask: judge}",
}


def main() -> None:
    result: dict[str, Any] = {"cases": {}, **asyncio.run(added())}
    for half in ("dev", "unseen"):
        personal, words = HERE / f"cases/pii.{half}.jsonl", HERE / f"cases/guard_words.{half}.jsonl"
        if personal.exists() and words.exists():
            scores: dict[str, Any] = dict(personal_scores(cases_in(personal)))
            result["cases"][half] = scores | {"words": word_scores(cases_in(words))}
    result["machine"] = f"{os.cpu_count()} shared cores, Python {platform.python_version()}"
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    put("guardrails", readme_table(result))
    print(readme_table(result))


async def added() -> dict[str, Any]:
    """The median time that each guard adds to a request."""
    milliseconds, own, bare = {}, {}, []
    for name, guard in GUARDS.items():
        async with serving(f"[{guard}]") as with_guard, serving("[]") as without:
            pairs = [(await _timed(without), await _timed(with_guard)) for _ in range(ROUNDS + 10)]
        bare += [plain for (plain, _), _ in pairs[10:]]
        milliseconds[name] = statistics.median(m - p for (p, _), (m, _) in pairs[10:])
        own[name] = statistics.median(guards for _, (_, guards) in pairs[10:])
    return {
        "added_ms": milliseconds,
        "own_ms": own,
        "bare_ms": statistics.median(bare),
        "rounds": ROUNDS,
        "bytes": len(json.dumps(BODY)),
    }


@asynccontextmanager
async def serving(guards: str) -> AsyncIterator[Rig]:
    async with guarded(guards, Parrot("hello")) as (running, _):
        yield running


async def _timed(running: Rig) -> tuple[float, float]:
    """The milliseconds of a request, and those of its guards as the header tells."""
    begun = time.perf_counter()
    answer = await running.post("/v1/chat/completions", BODY)
    if answer.status != 200:
        raise SystemExit(f"the request failed: {answer.body[:300]!r}")
    seconds = time.perf_counter() - begun
    header = answer.headers.get("x-waggle-guard-ms", "")
    return 1000 * seconds, sum(float(part.partition("=")[2] or 0) for part in header.split(","))


if __name__ == "__main__":
    main()
