"""Measures how well the shipped specialists search, and how well a router picks a specialist.

This experiment also fits the weights of `router.documents.answer_confidence`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.config.backends import SpecialistSettings
from router.documents.answer_confidence import ENOUGH, WEIGHTS, features
from router.documents.content_words import content_words
from router.documents.indexing import refresh
from router.documents.passage_index import load
from router.documents.search import Expert, claim, evidence
from router.encoding.encoder import Encoder, packaged_model, prepared

HERE = Path(__file__).parent / "questions"
NAMES = ("ethereum", "football")
_PENALTY = 0.01


class Question(NamedTuple):
    """A question, the specialist that should answer it, and the headings of the right passages."""

    specialist: str  # "" where no specialist should answer
    text: str
    headings: tuple[str, ...]


def measured(home: Path) -> dict[str, Any]:
    encoder = Encoder(prepared(packaged_model(), home / "encoders"))
    experts = {}
    for name in NAMES:
        documents = SpecialistSettings(kind="specialist", folder=f"shipped:{name}").documents
        refresh(documents, home / name, encoder)
        experts[name] = Expert(load(home / name), encoder)
    questions = [question for name in NAMES for question in _questions(name)]
    held_out = _held_out()
    unrelated = [Question("", line, ()) for line in _lines("unrelated.txt")]
    traps = [Question("", line, ()) for line in _lines("traps.txt")]
    every = [*questions, *unrelated, *traps]
    seen = {name: _features(experts[name], encoder, every) for name in NAMES}
    return {
        "found": _searches(experts, questions),
        "found_held_out": _searches(experts, held_out),
        "routed": _routed(experts, encoder, questions),
        "routed_held_out": _routed(experts, encoder, held_out),
        "claimed_unrelated": _routed(experts, encoder, unrelated),
        "claimed_traps": _routed(experts, encoder, traps),
        "weights": list(WEIGHTS),
        "fitted": _fitted(np.concatenate(list(seen.values())), _labels(every)).round(2).tolist(),
        "cross_fitted": _crossed(seen, every),
        "calibration": _calibration(experts, [*held_out, *unrelated]),
    }


def _questions(name: str) -> list[Question]:
    pairs = (line.split("\t") for line in _lines(f"{name}.tsv"))
    return [Question(name, text, tuple(headings.split("|"))) for text, headings in pairs]


def _held_out() -> list[Question]:
    rows = (line.split("\t") for line in _lines("held_out.tsv"))
    return [Question(name, text, tuple(headings.split("|"))) for name, text, headings in rows]


def _lines(name: str) -> list[str]:
    return (HERE / name).read_text("utf-8").splitlines()


def _searches(experts: dict[str, Expert], questions: Sequence[Question]) -> dict[str, Any]:
    """For each specialist: how many of its questions put a right passage first."""
    result = {}
    for name, expert in experts.items():
        own = [question for question in questions if question.specialist == name]
        missed = [
            question.text
            for question in own
            if not _answers(expert.ask(question.text)[0].passage.title, question.headings)
        ]
        result[name] = {"asked": len(own), "first": len(own) - len(missed), "missed": missed}
    return result


def _answers(title: str, headings: tuple[str, ...]) -> bool:
    return title.rpartition(" › ")[2] in headings


def _routed(
    experts: dict[str, Expert], encoder: Encoder, questions: Sequence[Question]
) -> dict[str, Any]:
    """How many questions go to the right specialist, by the same steps as in a router."""
    wrong = []
    for question in questions:
        vector, words = encoder.encode([question.text])[0], content_words(question.text)
        sure = {
            name: claim(expert.index, vector, words)
            if set(words) & set(expert.index.weights)
            else 0.0
            for name, expert in experts.items()
        }
        best = max(sure, key=sure.__getitem__)
        got = best if sure[best] >= ENOUGH else ""
        if got != question.specialist:
            confidence = round(sure[best], 3)
            wrong.append({"question": question.text, "went_to": got, "confidence": confidence})
    return {"asked": len(questions), "right": len(questions) - len(wrong), "wrong": wrong}


def _features(
    expert: Expert, encoder: Encoder, questions: Sequence[Question]
) -> NDArray[np.float64]:
    rows = []
    for question in questions:
        vector, words = encoder.encode([question.text])[0], content_words(question.text)
        best = expert.index.passages.index(expert.ask(question.text)[0].passage)
        rows.append(features(evidence(expert.index, best, vector, words)))
    return np.array(rows)


def _labels(questions: Sequence[Question]) -> NDArray[np.float64]:
    return np.array([float(q.specialist == name) for name in NAMES for q in questions])


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a logistic regression by Newton's method; shrink the weights toward zero."""
    penalty = _PENALTY * np.array([0.0, 1, 1, 1, 1])
    weights = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (p - y) + penalty * weights
        bend = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-9)
        weights -= np.linalg.solve(bend, slope)
    return weights


def _crossed(seen: dict[str, NDArray[np.float64]], questions: Sequence[Question]) -> dict[str, Any]:
    """How well questions are routed with weights that are fitted on the other specialist."""
    right = false = 0
    sure = {}
    for name, other in (NAMES, NAMES[::-1]):
        y = np.array([float(question.specialist == other) for question in questions])
        sure[name] = 1 / (1 + np.exp(-seen[name] @ _fitted(seen[other], y)))
    for n, question in enumerate(questions):
        best = max(NAMES, key=lambda name: sure[name][n])
        got = best if sure[best][n] >= ENOUGH else ""
        right += bool(question.specialist) and got == question.specialist
        false += not question.specialist and got != ""
    theirs = sum(bool(question.specialist) for question in questions)
    others = len(questions) - theirs
    return {"theirs": theirs, "right": right, "others": others, "claimed": false}


def _calibration(experts: dict[str, Expert], questions: Sequence[Question]) -> dict[str, Any]:
    """Mean confidence and share of right answers, for each fifth of the confidence scale."""
    bins: dict[str, list[tuple[float, bool]]] = {}
    for question in questions:
        for name, expert in experts.items():
            hit = expert.ask(question.text)[0]
            own = name == question.specialist
            right = own and _answers(hit.passage.title, question.headings)
            fifth = f"{min(int(5 * hit.confidence), 4) / 5:.1f}"
            bins.setdefault(fifth, []).append((hit.confidence, right))
    return {
        fifth: {
            "answers": len(hits),
            "confidence": round(float(np.mean([confidence for confidence, _ in hits])), 3),
            "right": round(float(np.mean([right for _, right in hits])), 3),
        }
        for fifth, hits in sorted(bins.items())
    }
