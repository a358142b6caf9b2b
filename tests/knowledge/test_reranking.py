"""A cross-encoder ranks passages again; whatever becomes of it, the answer comes, and says why."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from router.knowledge.finding.reranking import CannotRerank, Reranker, scores_of
from tests.waiting import until

TEXTS = ["long text", "text", "longest text"]


def by_length(question: str, texts: Sequence[str]) -> Sequence[float]:
    return [len(text) for text in texts]


def test_the_best_score_comes_first() -> None:
    order = Reranker(lambda: by_length).order("?", TEXTS)
    assert (order.places, order.trouble) == ([2, 0, 1], "")


async def test_a_slow_model_delays_nobody_for_long_and_ranks_again_later() -> None:
    end = threading.Event()

    def slow(question: str, texts: Sequence[str]) -> Sequence[float]:
        end.wait(60)
        return by_length(question, texts)

    reranker = Reranker(lambda: slow, seconds=0.05)
    order = reranker.order("?", TEXTS)
    assert (list(order.places), order.trouble) == (
        [0, 1, 2],
        "the re-ranker took longer than 0.05 s",
    )
    assert "still works" in reranker.order("?", TEXTS).trouble
    end.set()
    await until(lambda: not reranker.order("?", TEXTS).trouble)


def test_a_model_that_fails_is_named_and_the_order_stays() -> None:
    def failing(question: str, texts: Sequence[str]) -> Sequence[float]:
        raise ValueError("out of range")

    order = Reranker(lambda: failing).order("?", TEXTS)
    assert (list(order.places), order.trouble) == ([0, 1, 2], "the re-ranker failed: out of range")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRerank, match=r"rerank: .* holds no model"):
        scores_of(tmp_path)


def test_a_cross_encoder_folder_ranks(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    words = ["[PAD]", "[UNK]", "long", "text", "longest"]
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(tmp_path)
    tiny = BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        num_labels=1,
        initializer_range=1.0,
    )
    BertForSequenceClassification(tiny).save_pretrained(tmp_path)
    scores = scores_of(tmp_path)("text", TEXTS)
    assert len(set(scores)) == len(TEXTS)
    order = Reranker(lambda: scores_of(tmp_path), seconds=60).order("text", TEXTS)
    assert order.places == sorted(range(3), key=lambda place: -scores[place])
