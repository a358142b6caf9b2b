"""Scores the search of three stores with questions of somebody who has not seen the code.

    python -m experiments.knowledge.finding QUESTIONS SPANISH ENCODERS [--which unseen]

QUESTIONS holds `questions_{ethereum,football,spanish}_{seen,unseen}.jsonl`; the documents of the
first two are shipped. Each store is searched with the packaged encoder alone and with Apertium;
`together` asks each question of all three stores at once. Only figures are printed.
"""

import argparse
import dataclasses
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.documents.formats import files_of, sections_of
from router.documents.front_matter import metadata_of
from router.documents.indexing import SHIPPED_DOCUMENTS
from router.encoding.encodes import Encodes
from router.encoding.home import encoder_of
from router.knowledge.finding.evaluating import (
    Question,
    answers,
    encoded_again,
    questions_of,
    scores,
)
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.memory_source import PassagesInMemory
from router.knowledge.finding.translating import Apertium, TranslatingEncoder
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument

_ENOUGH, _PERHAPS = 0.65, 0.25
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
    plain, translator = encoder_of(None, str(given.encoders)), Apertium()
    translating = TranslatingEncoder(plain, translator)
    encoders: dict[str, tuple[Encodes, Apertium | None]] = {
        "packaged": (plain, None),
        "multilingual": (translating, translator),
    }
    finders: dict[str, dict[str, Finder]] = {each: {} for each in encoders}
    own_questions: dict[str, list[Question]] = {}
    result: dict[str, Any] = {"which": given.which}
    for name, folder in folders.items():
        path = given.questions / f"questions_{name}_{given.which}.jsonl"
        own_questions[name] = questions_of(path.read_bytes())
        result[name] = {"questions": len(own_questions[name])}
        with tempfile.TemporaryDirectory() as home:
            store = store_of(folder, Path(home) / "store")
            for each, (encoder, own) in encoders.items():
                source = PassagesInMemory(encoded_again(store, encoder))
                finder = finders[each][name] = Finder(source, encoder, own)
                result[name][each] = measured(finder, own_questions[name])
            store.close()
    result["together"] = {each: together(own, own_questions) for each, own in finders.items()}
    translator.close()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
