"""Scores the search of three stores with questions of somebody who has not seen the code.

    python -m experiments.knowledge.finding QUESTIONS SPANISH ENCODERS [--which unseen]

QUESTIONS holds `questions_{ethereum,football,spanish}_{seen,unseen}.jsonl`; the documents of the
first two are shipped. Each store is searched with the packaged encoder and with the multilingual
one; `together` asks each question of all three stores at once, each with the encoder that it has
by default. Only figures are printed.
"""

import argparse
import dataclasses
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.config.knowledge import MULTILINGUAL
from router.documents.formats import files_of, sections_of
from router.documents.front_matter import metadata_of
from router.documents.indexing import SHIPPED_DOCUMENTS
from router.documents.languages import SPANISH
from router.knowledge.encoders import encoder_named
from router.knowledge.finding.compression import extracts
from router.knowledge.finding.evaluating import (
    Question,
    answers,
    encoded_again,
    questions_of,
    scores,
)
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.memory_source import PassagesInMemory
from router.knowledge.finding.store_source import language_in
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument

_ENOUGH, _PERHAPS = 0.65, 0.25
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.8)  # of the tokens of the passages
_DEPTH, _GIVEN = 5, 3  # passages that nDCG looks at, and that an answer is made of


def store_of(folder: Path, home: Path) -> KnowledgeStore:
    store = KnowledgeStore(home)
    for path in files_of(folder):
        metadata = metadata_of(path.read_text("utf-8"))
        sections = sections_of(path)
        document = NewDocument(path.name, sections[0].title, path.name, sections, metadata)
        store.put(document, by="experiment")
    return store


def measured(finder: Finder, questions: Sequence[Question]) -> list[dict[str, Any]]:
    rows = scores(finder, questions, enough=_ENOUGH, perhaps=_PERHAPS)
    return [
        {name: value if name == "way" else round(value, 3) for name, value in fields.items()}
        for fields in map(dataclasses.asdict, rows)
    ]


def lost_by(finder: Finder, questions: Sequence[Question]) -> dict[str, Any]:
    """For shares of the tokens of the passages: which share of the answers that the passages hold
    is gone from their telling sentences."""
    held, gone = 0, dict.fromkeys(_SHARES, 0)
    for question in questions:
        findings = finder.find(question.text, question.earlier, question.where, most=_GIVEN)
        if not any(answers(question, hit.passage) for hit in findings.hits):
            continue
        held += 1
        for share in _SHARES:
            cut = extracts(findings, finder.source.language, tokens=10_000, share=share)
            gone[share] += not any(
                answers(question, each.hit.passage) and question.contains in each.text
                for each in cut
            )
    return {f"{share:.0%}": round(count / held, 3) for share, count in gone.items()}


def together(
    finders: Mapping[str, Finder], questions: Mapping[str, Sequence[Question]]
) -> dict[str, Any]:
    """For the questions of each store: nDCG@5 of the passages of all stores, merged by score, and
    the share whose answer is among the first three."""
    figures = {}
    for name, own in questions.items():
        gain = within = 0.0
        for question in own:
            passages = [
                (hit.score, other == name and answers(question, hit.passage))
                for other, finder in finders.items()
                for hit in finder.find(
                    question.text, question.earlier, question.where, most=_DEPTH
                ).hits
            ]
            ranked = [right for _, right in sorted(passages, key=lambda pair: -pair[0])][:_DEPTH]
            if True in ranked:
                rank = ranked.index(True)
                gain += 1 / math.log2(2 + rank)
                within += rank < _GIVEN
        answerable = sum(bool(question.document) for question in own)
        figures[name] = {
            "ndcg": round(gain / answerable, 3),
            "within": round(within / answerable, 3),
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("spanish", type=Path)
    parser.add_argument("encoders", type=Path)
    parser.add_argument("--which", choices=("seen", "unseen"), default="unseen")
    given = parser.parse_args()
    folders = {name: SHIPPED_DOCUMENTS / name for name in ("ethereum", "football")}
    folders["spanish"] = given.spanish
    encoders = {
        "packaged": encoder_named(None, str(given.encoders)),
        "multilingual": encoder_named(MULTILINGUAL, None),
    }
    by_default: dict[str, Finder] = {}
    own_questions: dict[str, list[Question]] = {}
    result: dict[str, Any] = {"which": given.which}
    for name, folder in folders.items():
        path = given.questions / f"questions_{name}_{given.which}.jsonl"
        own_questions[name] = questions_of(path.read_bytes())
        result[name] = {"questions": len(own_questions[name])}
        with tempfile.TemporaryDirectory() as home:
            store = store_of(folder, Path(home) / "store")
            for each, encoder in encoders.items():
                finder = Finder(PassagesInMemory(encoded_again(store, encoder)), encoder)
                result[name][each] = measured(finder, own_questions[name])
                if (each == "multilingual") == (language_in(store) == SPANISH):
                    by_default[name] = finder
                    result[name]["lost_at"] = lost_by(finder, own_questions[name])
            store.close()
    result["together"] = together(by_default, own_questions)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
