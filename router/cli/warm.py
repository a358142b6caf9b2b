"""`waggle warm`: teaches the learner scores that were measured elsewhere.

The learner learns the same prompts and scores only once, whatever the name of their file.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import track

from router.cli.context import CommandContext, in_context
from router.cli.terminal import InputRefused, err, out
from router.config.config import Config
from router.files import write_whole
from router.request.complexity import complexity
from router.request.context import numbers
from router.request.lens import ENOUGH, Lens, fitted, keep, kept, terms
from router.request.reading import reading_of


@in_context
def warm(
    here: CommandContext,
    source: Annotated[Path, typer.Argument(help="A file with one JSON object on each line.")],
) -> None:
    """Teach the learner from measured scores: prompts, with a score of each plan's answer.

    A line is {"prompt": "...", "scores": {"cheap": 0.4, "premium": 0.9}}, with a score from 0 to 1
    for each plan, and may name a "task".
    """
    config = here.config
    try:
        lines = [line for line in source.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise InputRefused(f"{source} cannot be read", str(error.strerror)) from None
    examples = [_example(config, f"{source}:{n}", line) for n, line in enumerate(lines, 1)]
    if not examples:
        raise InputRefused(f"{source} is empty", "write one prompt a line, with its scores")
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


def _example(config: Config, place: str, line: bytes) -> Mapping[str, Any]:
    """The checked content of one line; `place` is the line's file and number for errors."""
    try:
        example = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"{place} is not JSON: {error}") from None
    if not isinstance(example, dict) or not isinstance(example.get("prompt"), str):
        raise InputRefused(f'{place} needs a "prompt", a text, and has none')
    scores = example.get("scores")
    if not isinstance(scores, dict) or not scores:
        raise InputRefused(f'{place} needs "scores", a number from 0 to 1 for each plan')
    for plan, score in scores.items():
        if plan not in config.plans:
            plans = ", ".join(config.plans)
            raise InputRefused(f"{place} scores the unknown plan {plan}. Known: {plans}")
        number = isinstance(score, int | float) and not isinstance(score, bool)
        if not (number and 0 <= score <= 1):
            raise InputRefused(f"{place}: the score of {plan} must be 0 to 1, not {score!r}")
    task = example.get("task", "")
    if not isinstance(task, str):
        raise InputRefused(f"{place}: the task must be a text, not {task!r}")
    return example


def _lens(config: Config, examples: Sequence[Mapping[str, Any]]) -> Lens | None:
    """The lens in use; if there is none and the prompts are enough, a lens fitted to them."""
    lens = kept(config.learner_folder)
    distinct = list({example["prompt"]: None for example in examples})
    if lens is None and len(distinct) >= ENOUGH:
        out.print(f"Fitting a lens to {len(distinct)} prompts …")
        lens = fitted([terms(prompt) for prompt in distinct], [None] * len(distinct))
        keep(lens, config.learner_folder)
    return lens


def _rows(
    config: Config, examples: Sequence[Mapping[str, Any]], lens: Lens | None
) -> Iterator[dict[str, Any]]:
    """Each example as a row for the learner, with the features of its prompt."""
    weights = config.objective.ladder.all_weights
    for example in track(examples, "Reading", console=err, transient=True):
        reading = reading_of({"messages": [{"role": "user", "content": example["prompt"]}]})
        score = complexity(reading, weights)
        task = example.get("task", "")
        features = numbers(reading, score, sort=score.kind, tagged=bool(task), lens=lens)
        yield {"features": features, "kind": task or score.kind, "scores": example["scores"]}
