"""`waggle warm`: teaches the learner scores that were measured elsewhere.

The learner learns the same prompts and scores only once, whatever the name of their file.
"""

import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from rich.progress import track

from router.cli.context import CommandContext, in_context
from router.cli.outcome_options import (
    MapOption,
    ScaleOption,
    TableArgument,
    TaskOption,
    matched_table,
)
from router.cli.terminal import InputRefused, err, out
from router.config.config import Config
from router.domain import Reading
from router.files import write_whole
from router.outcomes.lessons import ScoredPrompt, scored_prompts
from router.request.complexity import complexity
from router.request.context import kind_of, numbers
from router.request.lens import ENOUGH, Lens, fitted, keep, kept
from router.request.reading import reading_of
from router.request.terms import terms

_MOST_FITTED = 2 * ENOUGH  # prompts of a lens; more need much memory, and show little more


@in_context
def warm(
    here: CommandContext,
    source: TableArgument,
    mapping: MapOption = None,
    scale: ScaleOption = None,
    task: TaskOption = "",
) -> None:
    """Teach the learner from a table of outcomes: prompts, models and their scores.

    The table may have a row for each answer (prompt, model, score), a column for each model, or
    lines such as {"prompt": "...", "scores": {"cheap": 0.4, "premium": 0.9}, "task": "crm"}.

    Example: waggle warm outcomes.parquet --map gpt-4-1106-preview=premium
    """
    config = here.config
    matched = matched_table(config, source, pairs=mapping or (), scale=scale, task_column=task)
    if not matched.table.has_prompts:
        raise InputRefused(
            f"{source} has no prompts, and the learner learns from prompts",
            "`waggle cards` makes cards of a table without prompts",
        )
    examples = scored_prompts(matched.table, matched.matches, matched.scale)
    lens = _lens(config, examples)
    rows = list(_rows(config, examples, lens))
    content = orjson.dumps({"at": time.time(), "lens": lens.number if lens else 0, "rows": rows})
    name = blake2b(orjson.dumps(rows), digest_size=8).hexdigest()
    path = config.learner_folder / "warm" / f"{name}.json"
    if path.exists():
        out.print(f"The learner knows {source} already ({name}), and learns nothing twice.")
        return
    write_whole(path, content)
    judged = sum(len(row["scores"]) for row in rows)
    up = here.running is not None
    when = f"The learner reads them {'within a second' if up else 'at its next start'}."
    out.print(f"{len(rows)} prompts with {judged} scores, as {name}. {when}")


def _lens(config: Config, examples: Sequence[ScoredPrompt]) -> Lens | None:
    """The lens in use; if there is none and the prompts are enough, a lens fitted to them."""
    lens = kept(config.learner_folder)
    distinct = list({example.prompt: None for example in examples})
    if lens is None and len(distinct) >= ENOUGH:
        chosen = distinct[:: max(len(distinct) // _MOST_FITTED, 1)]
        out.print(f"Fitting a lens to {len(chosen)} prompts …")
        lens = fitted(
            [terms(prompt) for prompt in chosen],
            [None] * len(chosen),
            [_reading(prompt).kinds for prompt in chosen],
        )
        keep(lens, config.learner_folder)
    return lens


def _rows(
    config: Config, examples: Sequence[ScoredPrompt], lens: Lens | None
) -> Iterator[dict[str, Any]]:
    """Each example as a row for the learner, with the features of its prompt."""
    weights = config.objective.ladder.all_weights
    for example in track(examples, "Reading", console=err, transient=True):
        reading = _reading(example.prompt)
        score = complexity(reading, weights)
        features = numbers(reading, score, tagged=bool(example.task), lens=lens)
        yield {
            "features": features,
            "kind": example.task or kind_of(features),
            "scores": dict(example.scores),
        }


def _reading(prompt: str) -> Reading:
    return reading_of({"messages": [{"role": "user", "content": prompt}]})
