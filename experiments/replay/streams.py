"""A stream: the prompts of a set in a shuffled order, read by the router's own code.

The router fits its lens to the first prompts of a stream, so the features of these prompts have no
lens in them. Lenses and features are cached in files, under a name that changes with the code that
makes them.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from experiments.replay.outcomes import Outcomes
from learner.policy import Context
from router.api.parse import parse_chat
from router.config.config import Config
from router.domain import Request
from router.plans.compiled import Plans
from router.request.lens import ENOUGH, Lens, fitted
from router.request.terms import terms
from router.routing.case import Features, Surroundings, case_of

ROOT = Path(__file__).parent.parent.parent
_CODE = ("router/request", "router/routing/case.py", "router/api/parse.py", "router/encoding")


@dataclass(frozen=True, slots=True)
class Stream:
    """The prompts of a set in the order of their arrival; every sequence is in that order."""

    outcomes: Outcomes
    seed: int
    tagged: bool
    requests: Sequence[Request] = field(repr=False)
    features: Sequence[Features] = field(repr=False)
    lens: Lens | None = field(repr=False)
    fitted_at: int  # the number of prompts that have no features of the lens
    earlier: "Stream | None" = field(default=None, repr=False)  # prompts that were set aside

    @property
    def name(self) -> str:
        return f"{self.outcomes.name}{', tags' if self.tagged else ''}"

    def __len__(self) -> int:
        return len(self.requests)

    def context(self, step: int) -> Context:
        """The context of a prompt, as the learner gets it."""
        context = self.features[step].context
        return {name: value for name, value in context.items() if name != "complexity"}


def stream_of(
    outcomes: Outcomes, seed: int, *, tagged: bool, cache: Path, early: int = 0, warm: bool = False
) -> Stream:
    """The stream of a seed. The first `early` prompts of the order are set aside as `earlier`; with
    `warm`, the lens was fitted to them, and every prompt is read with it."""
    order = np.random.default_rng(seed).permutation(len(outcomes.prompts)).tolist()
    ordered = outcomes.at(order)
    requests = [
        _request(prompt, _task(task) if tagged else "", number)
        for number, (prompt, task) in enumerate(zip(ordered.prompts, ordered.tasks, strict=True))
    ]
    places = slice(0, early) if warm else slice(early, early + ENOUGH)
    with_lens = 0 if warm else places.stop
    name = f"{outcomes.name}-{_digest(ordered, places)}-{seed}{'-tags' if tagged else ''}"
    path = cache / f"{name}.pickle"
    if path.is_file():
        lens, features = pickle.loads(path.read_bytes())
    else:
        lens = _lens(ordered, requests, places)
        features = [
            _features(request, ordered.vectors[at], lens if at >= with_lens else None)
            for at, request in enumerate(requests)
        ]
        _write(path, pickle.dumps((lens, features)))
    stream = Stream(ordered, seed, tagged, requests, features, lens, with_lens)
    if not early:
        return stream
    earlier = _part(stream, slice(0, early))
    return replace(_part(stream, slice(early, None)), earlier=earlier)


def _part(stream: Stream, rows: slice) -> Stream:
    kept = range(len(stream))[rows]
    return replace(
        stream,
        outcomes=stream.outcomes.at(kept),
        requests=stream.requests[rows],
        features=stream.features[rows],
        fitted_at=max(stream.fitted_at - kept.start, 0),
    )


def _lens(outcomes: Outcomes, requests: Sequence[Request], places: slice) -> Lens | None:
    """The lens that is fitted to these prompts; None if there are too few."""
    if len(requests) < places.stop:
        return None
    words = [terms(request.reading.text) for request in requests[places]]
    kinds = [request.reading.kinds for request in requests[places]]
    return fitted(words, [vector.tolist() for vector in outcomes.vectors[places]], kinds)


def _features(request: Request, vector: Any, lens: Lens | None) -> Features:
    return case_of(_READING, request, Surroundings(lens=lens, vector=vector)).features


# Features do not depend on plans, but the router reads a request for a set of plans.
_READING = Plans(
    Config.model_validate(
        {
            "backends": {"any": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
            "plans": {"any": {"ask": "any"}},
        }
    )
)


def _request(prompt: str, task: str, number: int) -> Request:
    messages = [{"role": "user", "content": prompt}]
    fields: dict[str, Any] = {"model": "auto", "messages": messages}
    if task:
        fields["metadata"] = {"task": task}
    return parse_chat(orjson.dumps(fields), {}, request_id=f"r{number}", key_id="")


def _task(category: str) -> str:
    """A category as a caller would name its task."""
    task = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in category)
    return task.strip("-")[:64]


def _digest(outcomes: Outcomes, places: slice) -> str:
    digest = blake2b(f"{places} {outcomes.prompts!r}".encode("utf-8", "replace"), digest_size=6)
    for place in _CODE:
        files = sorted((ROOT / place).rglob("*.py")) or [ROOT / place]
        for path in files:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)
