"""Trains an adapter on conversations with their answers, and then on pairs of answers (DPO).

A model learns the answer alone, not the prompt. The prompt is written by the function that a
`local` backend uses, so that a model never sees another form than the one it was trained on.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from router.models.lora import Lora, without
from router.training.course import Course
from router.training.trainer import Kept

IGNORED = -100  # a label that costs nothing
_RATES = (2e-4, 1e-3, 5e-3, 2e-2)
_TRIED = 12  # steps with which each rate is tried
_BATCH = 8
_CLIP = 1.0
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of AdamW
_BETA = 0.1  # how far pairs may move the model from where it was
_SMALL = 300_000  # numbers of an adapter for which rates are tried
_USUAL_RATE = 5e-4


@dataclass(frozen=True, slots=True)
class Text:
    """The tokens of a prompt and an answer, and where the answer begins."""

    tokens: tuple[int, ...]
    answer_at: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to a prompt, of which the first was preferred."""

    chosen: Text
    rejected: Text


@dataclass(frozen=True, slots=True)
class Lesson:
    """How long an adapter learns."""

    most_steps: int
    check_every: int = 20
    seed: int = 7


Tell = Callable[[int, float], None]  # hears each step that was checked, and the loss of then


def learn_texts(
    model: Any,
    adapters: Mapping[str, Lora],
    train: Sequence[Text],
    validation: Sequence[Text],
    lesson: Lesson,
    tell: Tell,
    kept: Kept,
) -> list[float]:
    """Learn answers for as long as the validation texts, which are not learned, become likelier.
    Returns the losses on the validation texts, the first from before training."""

    def step(batch: Sequence[Text]) -> torch.Tensor:
        return _loss(model, batch)

    def check() -> float:
        return loss_of(model, validation)

    return _learn(adapters, train, step, check, lesson, tell, kept)


def learn_pairs(
    model: Any,
    adapters: Mapping[str, Lora],
    train: Sequence[Pair],
    validation: Sequence[Pair],
    lesson: Lesson,
    tell: Tell,
    kept: Kept,
) -> list[float]:
    """Learn which of two answers is preferred (direct preference optimisation). The model as it is
    now is the reference. The better answers are learned, too, since preference alone may make both
    answers unlikely. Returns the losses on the validation pairs, the first from before training."""
    before = {id(pair): _margins(model, [pair]).item() for pair in (*train, *validation)}

    def pairs_loss(batch: Sequence[Pair]) -> torch.Tensor:
        reference = torch.tensor([before[id(pair)] for pair in batch], device=_device(model))
        moved = _margins(model, batch, graph=True) - reference
        preference = -functional.logsigmoid(_BETA * moved).mean()
        return preference + _loss(model, [pair.chosen for pair in batch])

    def check() -> float:
        with torch.no_grad():
            losses = [pairs_loss([pair]).item() for pair in validation]
        return sum(losses) / len(losses)

    return _learn(adapters, train, pairs_loss, check, lesson, tell, kept)


def loss_of(model: Any, texts: Sequence[Text]) -> float:
    """The loss of a token of an answer, on average over the tokens of all texts."""
    total, count = 0.0, 0
    with torch.no_grad():
        for text in texts:
            tokens = len(text.tokens) - text.answer_at
            total += float(_loss(model, [text])) * tokens
            count += tokens
    return total / max(count, 1)


def preferred_share(model: Any, adapters: Mapping[str, Lora], pairs: Sequence[Pair]) -> float:
    """The share of pairs whose chosen answer became likelier, beside the other, than it was before
    the adapter."""
    now = [_margins(model, [pair]).item() for pair in pairs]
    with without(adapters):
        before = [_margins(model, [pair]).item() for pair in pairs]
    return sum(a > b for a, b in zip(now, before, strict=True)) / len(pairs)


def _learn(
    adapters: Mapping[str, Lora],
    train: Sequence[Any],
    loss: Callable[[Sequence[Any]], torch.Tensor],
    check: Callable[[], float],
    lesson: Lesson,
    tell: Tell,
    kept: Kept,
) -> list[float]:
    """Take steps at the rate that a few steps show to be best, and keep the best weights."""
    course = Course.read(kept.read(), _weights(adapters))
    if course is None:
        rate = _best_rate(adapters, train, loss, check, lesson)
        course = Course(rate, 0, [check()], 0, _weights(adapters), _weights(adapters))
    optimizer = _optimizer(adapters, course.rate)
    _put(adapters, course.now)
    _restore(optimizer, course.moments)
    while course.step < lesson.most_steps and course.goes_on:
        until = min(course.step + lesson.check_every, lesson.most_steps)
        _steps(adapters, train, loss, range(course.step, until), lesson.seed, optimizer)
        course.see(until, check(), _weights(adapters), _moments(optimizer))
        tell(until, course.losses[-1])
        kept.write(course.written())
    _put(adapters, course.best)
    return course.losses


def _best_rate(
    adapters: Mapping[str, Lora],
    train: Sequence[Any],
    loss: Callable[[Sequence[Any]], torch.Tensor],
    check: Callable[[], float],
    lesson: Lesson,
) -> float:
    """The rate at which a few steps bring most; a large model is not tried."""
    begun = _weights(adapters)
    if sum(part.numel() for part in begun) > _SMALL:
        return _USUAL_RATE
    tried = []
    for rate in _RATES:
        optimizer = _optimizer(adapters, rate)
        _steps(adapters, train, loss, range(_TRIED), lesson.seed, optimizer)
        tried.append((check(), rate))
        _put(adapters, begun)
    return min(tried)[1]


def _steps(
    adapters: Mapping[str, Lora],
    train: Sequence[Any],
    loss: Callable[[Sequence[Any]], torch.Tensor],
    span: range,
    seed: int,
    optimizer: torch.optim.Optimizer,
) -> None:
    parameters = _parameters(adapters)
    for at in span:
        drawn = random.Random(f"{seed} {at}")
        batch = [train[drawn.randrange(len(train))] for _ in range(min(_BATCH, len(train)))]
        optimizer.zero_grad()
        loss(batch).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, _CLIP)
        optimizer.step()


def _optimizer(adapters: Mapping[str, Lora], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(_parameters(adapters), lr=rate, weight_decay=0.0)


def _parameters(adapters: Mapping[str, Lora]) -> list[nn.Parameter]:
    return [part for adapter in adapters.values() for part in (adapter.down, adapter.up)]


def _weights(adapters: Mapping[str, Lora]) -> list[torch.Tensor]:
    return [part.detach().clone() for part in _parameters(adapters)]


def _put(adapters: Mapping[str, Lora], weights: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for part, kept in zip(_parameters(adapters), weights, strict=True):
            part.copy_(kept)


def _moments(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """What the optimizer knows of the steps so far, in the order of the weights."""
    return [
        optimizer.state[part][name].detach().clone()
        for part in optimizer.param_groups[0]["params"]
        for name in _MOMENTS
    ]


def _restore(optimizer: torch.optim.Optimizer, moments: Sequence[torch.Tensor]) -> None:
    if not moments:
        return
    given = iter(moments)
    for part in optimizer.param_groups[0]["params"]:
        optimizer.state[part] = {name: next(given).clone() for name in _MOMENTS}


def _device(model: Any) -> Any:
    return next(model.parameters()).device


def _batch(model: Any, texts: Sequence[Text]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, labels and mask; what is padded and what belongs to prompts is ignored."""
    longest = max(len(text.tokens) for text in texts)
    tokens = torch.zeros(len(texts), longest, dtype=torch.long)
    labels = torch.full((len(texts), longest), IGNORED)
    mask = torch.zeros(len(texts), longest, dtype=torch.long)
    for row, text in enumerate(texts):
        size = len(text.tokens)
        tokens[row, :size] = torch.tensor(text.tokens)
        labels[row, text.answer_at : size] = tokens[row, text.answer_at : size]
        mask[row, :size] = 1
    device = _device(model)
    return tokens.to(device), labels.to(device), mask.to(device)


def _likelihoods(model: Any, texts: Sequence[Text]) -> tuple[torch.Tensor, torch.Tensor]:
    """The logarithm of the probability of each answer, and its number of tokens."""
    tokens, labels, mask = _batch(model, texts)
    logits = model(input_ids=tokens, attention_mask=mask).logits[:, :-1].float()
    labels = labels[:, 1:]
    counted = labels != IGNORED
    chosen = functional.log_softmax(logits, -1).gather(-1, labels.clamp(min=0).unsqueeze(-1))
    return (chosen.squeeze(-1) * counted).sum(-1), counted.sum(-1)


def _loss(model: Any, texts: Sequence[Text]) -> torch.Tensor:
    likelihoods, counts = _likelihoods(model, texts)
    return -likelihoods.sum() / counts.sum().clamp(min=1)


def _margins(model: Any, pairs: Sequence[Pair], *, graph: bool = False) -> torch.Tensor:
    with torch.set_grad_enabled(graph):
        chosen = _likelihoods(model, [pair.chosen for pair in pairs])[0]
        return chosen - _likelihoods(model, [pair.rejected for pair in pairs])[0]
