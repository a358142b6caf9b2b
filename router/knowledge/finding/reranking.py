"""A second ranking of the first few passages, by a cross-encoder that reads question and passage.

The model is a folder of `sentence-transformers`. It is help, and never needed: where it is missing,
fails or takes too long, the passages keep their order, and the reason is named. One question is
ranked at a time; while a ranking that took too long still runs, others go without.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, TimeoutError
from functools import lru_cache
from pathlib import Path
from typing import Any

from router.value import value

MOST = 12  # passages that are ranked again
_MOST_CHARACTERS = 2_000  # of a passage
_SECONDS = 2.0  # the first question goes without, if its loading takes longer
_log = logging.getLogger("waggle")

Scores = Callable[[str, Sequence[str]], Sequence[float]]


class CannotRerank(RuntimeError):
    """There is no model in the folder, or no library to run it; the message says the mend."""


@value
class NewOrder:
    """The places of the texts, the best first; `trouble`: why they kept their order."""

    places: Sequence[int]
    trouble: str = ""


class Reranker:
    """Ranks the texts that may answer a question; safe for several threads."""

    def __init__(self, load: Callable[[], Scores], *, seconds: float = _SECONDS) -> None:
        self._load, self._seconds = load, seconds
        self._scores: Scores | None = None
        self._working = threading.Lock()
        self._trouble = ""  # of a model that cannot be loaded

    def order(self, question: str, texts: Sequence[str]) -> NewOrder:
        own = NewOrder(range(len(texts)))
        if len(texts) < 2:
            return own
        if self._trouble:
            return NewOrder(own.places, self._trouble)
        if not self._working.acquire(blocking=False):
            return NewOrder(own.places, "the re-ranker still works on another question")
        answer: Future[Sequence[float]] = Future()
        first = [text[:_MOST_CHARACTERS] for text in texts[:MOST]]
        threading.Thread(target=self._work, args=(question, first, answer), daemon=True).start()
        try:
            scores = answer.result(self._seconds)
        except TimeoutError:
            return NewOrder(own.places, f"the re-ranker took longer than {self._seconds:g} s")
        except Exception as error:
            return NewOrder(own.places, f"the re-ranker failed: {error}")
        best = sorted(range(len(first)), key=lambda place: (-scores[place], place))
        return NewOrder([*best, *range(len(first), len(texts))])

    def _work(self, question: str, texts: Sequence[str], answer: Future[Sequence[float]]) -> None:
        try:
            if self._scores is None:
                self._scores = self._load()
            answer.set_result(self._scores(question, texts))
        except Exception as error:  # any error of a model that somebody brought
            if self._scores is None:
                self._trouble = str(error)
                _log.warning("passages are not ranked again: %s", error)
            answer.set_exception(error)
        finally:
            self._working.release()


@lru_cache(maxsize=4)
def reranker_in(folder: str, *, seconds: float = _SECONDS) -> Reranker:
    """The re-ranker of a folder, which is loaded at its first question."""
    return Reranker(lambda: scores_of(Path(folder)), seconds=seconds)


def scores_of(folder: Path) -> Scores:
    """What gives the texts their scores. Raises `CannotRerank`."""
    if not (folder / "config.json").is_file():
        raise CannotRerank(f"`rerank: {folder}` holds no model: there is no config.json")
    try:
        from sentence_transformers import CrossEncoder
    except ImportError:
        raise CannotRerank(
            "`rerank` needs the package sentence-transformers, which is not installed"
        ) from None
    try:
        model: Any = CrossEncoder(str(folder), device="cpu", local_files_only=True, num_labels=1)
    except Exception as error:  # any error of a model that somebody brought
        raise CannotRerank(f"`rerank: {folder}` cannot be loaded: {error}") from None

    def scores(question: str, texts: Sequence[str]) -> Sequence[float]:
        rows = model.predict([(question, text) for text in texts], show_progress_bar=False)
        return [float(row) for row in rows]

    return scores
