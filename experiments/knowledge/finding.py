"""Scores the search of three stores with questions of somebody who has not seen the code.

    python -m experiments.knowledge.finding QUESTIONS SPANISH ENCODERS [--which unseen]

QUESTIONS holds `questions_{ethereum,football,spanish}_{seen,unseen}.jsonl`; the documents of the
first two are shipped. Each store is searched with the packaged encoder alone and with Apertium.
Only figures are printed.
"""

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from router.documents.formats import files_of, sections_of
from router.documents.front_matter import metadata_of
from router.documents.indexing import SHIPPED_DOCUMENTS
from router.encoding.encodes import Encodes
from router.encoding.home import encoder_of
from router.knowledge.finding.evaluating import Question, encoded_again, questions_of, scores
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.memory_source import PassagesInMemory
from router.knowledge.finding.translating import Apertium, TranslatingEncoder
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument

_ENOUGH = 0.65


def store_of(folder: Path, home: Path) -> KnowledgeStore:
    store = KnowledgeStore(home)
    for path in files_of(folder):
        metadata = metadata_of(path.read_text("utf-8"))
        sections = sections_of(path)
        document = NewDocument(path.name, sections[0].title, path.name, sections, metadata)
        store.put(document, by="experiment")
    return store


def measured(
    store: KnowledgeStore,
    questions: Sequence[Question],
    encoder: Encodes,
    translator: Apertium | None,
) -> list[dict[str, Any]]:
    source = PassagesInMemory(encoded_again(store, encoder))
    finder = Finder(source, encoder, translator)
    rows = scores(finder, questions, enough=_ENOUGH)
    return [
        {name: value if name == "way" else round(value, 3) for name, value in fields.items()}
        for fields in map(dataclasses.asdict, rows)
    ]


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
    result: dict[str, Any] = {"which": given.which}
    for name, folder in folders.items():
        path = given.questions / f"questions_{name}_{given.which}.jsonl"
        questions = questions_of(path.read_bytes())
        with tempfile.TemporaryDirectory() as home:
            store = store_of(folder, Path(home) / "store")
            translating = TranslatingEncoder(plain, translator)
            result[name] = {
                "questions": len(questions),
                "packaged": measured(store, questions, plain, None),
                "multilingual": measured(store, questions, translating, translator),
            }
            store.close()
    translator.close()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
