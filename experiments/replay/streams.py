"""A stream: the prompts of a set in a shuffled order, read by the router's own code.

The router fits its lens to the first prompts of a stream, so the features of these prompts have no
lens in them. Lenses and features are cached in files, under a name that changes with the code that
makes them.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    outcomes: Outcomes, seed: int, *, tagged: bool, early: int = 0, cache: Path
) -> Stream:
    """The stream of a seed. With `early`, the lens was fitted to so many prompts beforehand, which
    stand first in the order, and every prompt is read with it."""
    order = np.random.default_rng(seed).permutation(len(outcomes.prompts)).tolist()
    ordered = outcomes.at(order)
    requests = [
        _request(prompt, _task(task) if tagged else "", number)
        for number, (prompt, task) in enumerate(zip(ordered.prompts, ordered.tasks, strict=True))
    ]
    key = f"{outcomes.name}-{_digest(ordered, early)}-{seed}{'-tags' if tagged else ''}"
    path = cache / f"{key}.pickle"
    fitted_at = 0 if early else min(ENOUGH, len(requests))
    if path.is_file():
        lens, features = pickle.loads(path.read_bytes())
    else:
        lens = _lens(ordered, requests, early or ENOUGH)
        features = [
            _features(request, ordered.vectors[at], lens if at >= fitted_at else None)
            for at, request in enumerate(requests)
        ]
        _write(path, pickle.dumps((lens, features)))
    return Stream(ordered, seed, tagged, requests, features, lens, fitted_at)


def _lens(outcomes: Outcomes, requests: Sequence[Request], count: int) -> Lens | None:
    if len(requests) < count:
        return None
    words = [terms(request.reading.text) for request in requests[:count]]
    kinds = [request.reading.kinds for request in requests[:count]]
    return fitted(words, [vector.tolist() for vector in outcomes.vectors[:count]], kinds)


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


def _digest(outcomes: Outcomes, early: int) -> str:
    digest = blake2b(f"{early} {outcomes.prompts!r}".encode("utf-8", "replace"), digest_size=6)
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
