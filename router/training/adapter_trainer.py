"""Trains an adapter for a language model in a folder, by good answers and by pairs of answers.

The adapter first learns good answers by heart as far as later rows gain from it, and then, if the
data set has pairs, which of two answers is preferred. The test rows, which neither has seen, say
what it gained.
"""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from router.backends.chat_form import CHAT_FORM, answer_tokens, prompt_tokens
from router.models.lora import attached, files_of
from router.training.adapting import (
    Lesson,
    Pair,
    Text,
    learn_pairs,
    learn_texts,
    loss_of,
    preferred_share,
)
from router.training.data_query import DataRefused
from router.training.data_rows import DataRow
from router.training.data_sets import DataSet
from router.training.examples import GOOD
from router.training.trainer import Trained, Wish, Work

LEAST_ROWS = 20
_RANK, _ALPHA = 8, 16.0
_MOST_TOKENS = 512  # of a prompt with its answer; the beginning of a longer prompt is left out
_MOST_HELD_OUT = 200  # rows with which progress is measured
_GAIN = 0.01  # the least part of the loss that an adapter must save
_PREFERS = 0.5  # the least share of pairs that an adapter must order rightly

T = TypeVar("T")


def train_adapter(data: DataSet, wish: Wish, work: Work) -> Trained:
    model, tokenizer = _opened(wish.base)
    read = partial(_texts, tokenizer, most=_most_tokens(model))
    texts = {name: read(rows)[-wish.most_rows :] for name, rows in data.rows.items()}
    pairs = {name: _pairs(tokenizer, rows, _most_tokens(model)) for name, rows in data.rows.items()}
    train, validation = _with_validation(texts["train"], texts["validation"])
    if len(train) < LEAST_ROWS:
        raise DataRefused(
            f"{data.reference} has {len(train)} good answers to learn, and an adapter "
            f"needs {LEAST_ROWS}: make the data set wider, or wait for more traffic"
        )
    held_out = texts["test"] or validation
    adapters = attached(model, _RANK, _ALPHA)
    before = loss_of(model, held_out)
    lesson = Lesson(most_steps=wish.most_steps, seed=wish.seed)
    tell = partial(_tell, work, wish.most_steps, bool(pairs["train"]))
    begun = time.process_time()
    curves = {"loss": learn_texts(model, adapters, train, validation, lesson, tell, work.kept("a"))}
    pair_train, pair_validation = _with_validation(pairs["train"], pairs["validation"])
    preferred = None
    if pair_train and pair_validation:
        tell = partial(_tell_pairs, work, wish.most_steps)
        lesson = Lesson(most_steps=wish.most_steps // 2, seed=wish.seed)
        state = work.kept("b")
        curves["pairs"] = learn_pairs(
            model, adapters, pair_train, pair_validation, lesson, tell, state
        )
        preferred = preferred_share(model, adapters, pairs["test"] or pair_validation)
    after = loss_of(model, held_out)
    return Trained(
        files=files_of(adapters, Path(wish.base).name),
        parameters={
            "base": wish.base,
            "rank": _RANK,
            "alpha": _ALPHA,
            "rows": len(train),
            "pairs": len(pair_train),
            "most_tokens": _most_tokens(model),
        },
        metrics=_metrics(before, after, preferred, len(held_out), len(pairs["test"])),
        slices=(),
        calibration={},
        threshold=0.0,
        cost={"usd": 0.0, "training_cpu_seconds": round(time.process_time() - begun, 1)},
        why=_why(before, after, preferred),
        features=CHAT_FORM,
        curves=curves,
    )


def _metrics(
    before: float, after: float, preferred: float | None, texts: int, pairs: int
) -> dict[str, Any]:
    """What the adapter is worth on rows that it has not seen."""
    facts: dict[str, Any] = {
        "test_rows": texts,
        "loss_before": round(before, 4),
        "loss": round(after, 4),
        "loss_saved": round(1 - after / before, 4) if before else 0.0,
    }
    if preferred is not None:
        facts |= {"test_pairs": pairs, "preferred": round(preferred, 4)}
    return facts


def _why(before: float, after: float, preferred: float | None) -> str:
    """Why the adapter did not pass; empty if it did."""
    if preferred is None and after > (1 - _GAIN) * before:
        return f"its loss on test rows is {after:.3f}, and without it {before:.3f}"
    if preferred is not None and preferred <= _PREFERS:
        return f"of two answers it prefers the better one for {preferred:.0%} of test pairs"
    if preferred is not None and after > before:
        return f"it prefers better answers, but its loss rose from {before:.3f} to {after:.3f}"
    return ""


def _opened(base: str) -> tuple[Any, Any]:
    """The model and the tokenizer in a folder."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ModuleNotFoundError as error:
        raise DataRefused(
            f"an adapter needs {error.name}: run `pip install torch==2.13.0 transformers`"
        ) from None
    if not (Path(base) / "config.json").is_file():
        raise DataRefused(
            f"{base or 'the model to adapt'} holds no model (config.json): name a Hugging Face "
            "folder, or a model of a local backend, with --base"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind: Any = torch.float32 if device == "cpu" else "auto"
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        base, local_files_only=True, use_safetensors=True, dtype=kind
    )
    return model.to(device).eval(), tokenizer


def _most_tokens(model: Any) -> int:
    room = int(getattr(model.config, "max_position_embeddings", 0) or _MOST_TOKENS)
    return min(room, _MOST_TOKENS)


def _texts(tokenizer: Any, rows: Iterable[DataRow], *, most: int) -> list[Text]:
    """The good answers of rows; of pairs, the better answer."""
    texts = [
        _text(tokenizer, row, row.answer, most)
        for row in rows
        if row.rejected is not None or row.quality >= GOOD
    ]
    return [text for text in texts if text is not None]


def _pairs(tokenizer: Any, rows: Iterable[DataRow], most: int) -> list[Pair]:
    pairs = []
    for row in rows:
        if row.rejected is None:
            continue
        chosen = _text(tokenizer, row, row.answer, most)
        rejected = _text(tokenizer, row, row.rejected, most)
        if chosen is not None and rejected is not None:
            pairs.append(Pair(chosen, rejected))
    return pairs


def _text(tokenizer: Any, row: DataRow, answer: str, most: int) -> Text | None:
    """The prompt of a row with an answer; None if the answer alone is too long."""
    tokens = answer_tokens(tokenizer, answer)
    room = most - len(tokens)
    if room < 1:
        return None
    prompt = prompt_tokens(tokenizer, row.conversation)[-room:]
    return Text((*prompt, *tokens), len(prompt))


def _with_validation(train: Sequence[T], validation: Sequence[T]) -> tuple[list[T], list[T]]:
    """Training rows, and those with which progress is measured: the latest training rows where
    there are too few others."""
    if len(validation) >= LEAST_ROWS // 2:
        return list(train), list(validation[-_MOST_HELD_OUT:])
    rows = [*train, *validation]
    cut = len(rows) * 4 // 5
    return rows[:cut], rows[cut:][-_MOST_HELD_OUT:]


def _tell(work: Work, most: int, pairs: bool, step: int, loss: float) -> None:
    part = 0.6 if pairs else 0.9
    work.tell(0.05 + part * step / max(most, 1), f"step {step}, loss {loss:.3f}")


def _tell_pairs(work: Work, most: int, step: int, loss: float) -> None:
    work.tell(0.65 + 0.3 * step / max(most // 2, 1), f"pairs, step {step}, loss {loss:.3f}")
