"""How well the shipped specialists find, how well a router tells whose a question is, and how sure
they may be: the weights of `router.documents.answer_confidence` are fitted here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.config.backends import SpecialistSettings
from router.documents.answer_confidence import ENOUGH, WEIGHTS, features
from router.documents.content_words import content_words
from router.documents.indexing import refresh
from router.documents.passage_index import load
from router.documents.search import Expert, evidence
from router.encoding.encoder import Encoder, packaged_model, prepared

HERE = Path(__file__).parent / "questions"
NAMES = ("ethereum", "football")
_PENALTY = 0.01
Asked = Sequence[tuple[str, str, tuple[str, ...]]]  # whose, the question, headings that answer it


def measured(home: Path) -> dict[str, Any]:
    encoder = Encoder(prepared(packaged_model(), home / "encoders"))
    experts = {}
    for name in NAMES:
        documents = SpecialistSettings(kind="specialist", folder=f"shipped:{name}").documents
        refresh(documents, home / name, encoder)
        experts[name] = Expert(load(home / name), encoder)
    asked = [one for name in NAMES for one in _asked(name)]
    held_out = _held_out()
    unrelated = [("", line, ()) for line in _lines("unrelated.txt")]
    traps = [("", line, ()) for line in _lines("traps.txt")]
    every = [*asked, *unrelated, *traps]
    seen = {name: _seen(experts[name], encoder, every) for name in NAMES}
    return {
        "found": {
            name: _found(experts[name], [a for a in asked if a[0] == name]) for name in NAMES
        },
        "found_held_out": {
            name: _found(experts[name], [a for a in held_out if a[0] == name]) for name in NAMES
        },
        "routed": _routed(experts, encoder, asked),
        "routed_held_out": _routed(experts, encoder, held_out),
        "claimed_unrelated": _routed(experts, encoder, unrelated),
        "claimed_traps": _routed(experts, encoder, traps),
        "weights": list(WEIGHTS),
        "fitted": _fitted(np.concatenate(list(seen.values())), _theirs(every)).round(2).tolist(),
        "cross_fitted": _crossed(seen, every),
        "calibration": _calibration(experts, [*held_out, *unrelated]),
    }


def _asked(name: str) -> Asked:
    pairs = (line.split("\t") for line in _lines(f"{name}.tsv"))
    return [(name, question, tuple(headings.split("|"))) for question, headings in pairs]


def _held_out() -> Asked:
    rows = (line.split("\t") for line in _lines("held_out.tsv"))
    return [(name, question, tuple(headings.split("|"))) for name, question, headings in rows]


def _lines(name: str) -> list[str]:
    return (HERE / name).read_text("utf-8").splitlines()


def _found(expert: Expert, asked: Asked) -> dict[str, Any]:
    missed = [
        q for _, q, headings in asked if not _answers(expert.ask(q)[0].passage.title, headings)
    ]
    return {"asked": len(asked), "first": len(asked) - len(missed), "missed": missed}


def _answers(title: str, headings: tuple[str, ...]) -> bool:
    return title.rpartition(" › ")[2] in headings


def _routed(experts: dict[str, Expert], encoder: Encoder, asked: Asked) -> dict[str, Any]:
    """As a router decides: by the vectors and the vocabulary alone."""
    from router.documents.search import claim

    wrong = []
    for whose, question, _ in asked:
        vector, words = encoder.encode([question])[0], content_words(question)
        sure = {
            name: claim(expert.index, vector, words)
            if set(words) & set(expert.index.weights)
            else 0.0
            for name, expert in experts.items()
        }
        best = max(sure, key=sure.__getitem__)
        got = best if sure[best] >= ENOUGH else ""
        if got != whose:
            wrong.append({"question": question, "went_to": got, "confidence": round(sure[best], 3)})
    return {"asked": len(asked), "right": len(asked) - len(wrong), "wrong": wrong}


def _seen(expert: Expert, encoder: Encoder, asked: Asked) -> NDArray[np.float64]:
    rows = []
    for _, question, _ in asked:
        vector, words = encoder.encode([question])[0], content_words(question)
        best = expert.index.passages.index(expert.ask(question)[0].passage)
        rows.append(features(evidence(expert.index, best, vector, words)))
    return np.array(rows)


def _theirs(asked: Asked) -> NDArray[np.float64]:
    return np.array([float(whose == name) for name in NAMES for whose, _, _ in asked])


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression by Newton's method, all weights but the first drawn toward nothing."""
    penalty = _PENALTY * np.array([0.0, 1, 1, 1, 1])
    weights = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (p - y) + penalty * weights
        bend = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-9)
        weights -= np.linalg.solve(bend, slope)
    return weights


def _crossed(seen: dict[str, NDArray[np.float64]], every: Asked) -> dict[str, Any]:
    """Each specialist judged with weights that were fitted on the other one only."""
    right = false = 0
    sure = {}
    for name, other in (NAMES, NAMES[::-1]):
        y = np.array([float(whose == other) for whose, _, _ in every])
        sure[name] = 1 / (1 + np.exp(-seen[name] @ _fitted(seen[other], y)))
    for n, (whose, _, _) in enumerate(every):
        best = max(NAMES, key=lambda name: sure[name][n])
        got = best if sure[best][n] >= ENOUGH else ""
        right += bool(whose) and got == whose
        false += not whose and got != ""
    theirs = sum(bool(whose) for whose, _, _ in every)
    return {"theirs": theirs, "right": right, "others": len(every) - theirs, "claimed": false}


def _calibration(experts: dict[str, Expert], asked: Asked) -> dict[str, Any]:
    """Of answers that were given with so much confidence, how many were the right passage."""
    bins: dict[str, list[tuple[float, bool]]] = {}
    for whose, question, headings in asked:
        for name, expert in experts.items():
            hit = expert.ask(question)[0]
            right = name == whose and _answers(hit.passage.title, headings)
            place = f"{min(int(5 * hit.confidence), 4) / 5:.1f}"
            bins.setdefault(place, []).append((hit.confidence, right))
    return {
        place: {
            "answers": len(told),
            "confidence": round(float(np.mean([c for c, _ in told])), 3),
            "right": round(float(np.mean([r for _, r in told])), 3),
        }
        for place, told in sorted(bins.items())
    }
