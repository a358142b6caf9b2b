"""Making a store that was proposed: its documents, from the words that telemetry keeps.

Only words of the owner's own key, or of keys that share with it, become documents. The store
is private. It answers after the next reload; until then nobody but the admins may read it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from router.config.config import Config
from router.config.knowledge import StoreSettings
from router.config.made_stores import is_free, keep_made_stores, made_stores
from router.config.values import NAME_PATTERN, NAME_RULE
from router.documents.formats import Section
from router.files import alone
from router.knowledge.house.archive import CannotMove
from router.knowledge.house.proposals import HouseFinding
from router.knowledge.house.recurring import DAYS, EVIDENT, THING, rows_of
from router.knowledge.house.requesters import Requesters
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE
from router.knowledge.stored import NewDocument
from router.request.sentences import new_part, sentences_in

_TITLE = 200  # characters
_ALIKE = 0.5
_MOST_ROWS = 5_000
_FROM = "request"  # the metadata that names the request whose words a document holds

_ANSWERED = f"""
select {THING} as thing, first(request_id order by ts), first(prompt order by ts),
       first(prompt_parts order by ts), first(answer order by ts)
from all_requests
where {EVIDENT} and list_contains($evidence, {THING}) and list_contains($keys, coalesce(key_id, ''))
      and plan = $plan and prompt is not null and answer is not null
group by thing order by thing limit {_MOST_ROWS}"""
_PASTED = f"""
select request_id, prompt, prompt_parts from all_requests
where {EVIDENT} and list_has_any(sentence_hashes, $evidence)
      and list_contains($keys, coalesce(key_id, '')) and prompt is not null
order by ts desc limit {_MOST_ROWS}"""


def documents_for(
    finding: HouseFinding, telemetry: Path, requesters: Requesters, now: float
) -> list[NewDocument]:
    """The documents that the kept words give; none without words."""
    arguments = {
        "since": int((now - DAYS * 86_400) * 1e6),
        "evidence": list(finding.evidence),
        "keys": requesters.key_ids(finding.owner),
    }
    if finding.about["fetched"] == "answers":
        plan = finding.about["plan"]
        rows = rows_of(telemetry, _ANSWERED, {**arguments, "plan": plan})
        return [_answer(plan, *row) for row in rows]
    rows = rows_of(telemetry, _PASTED, arguments)
    texts = {request_id: new_part(prompt, _parts(parts)) for request_id, prompt, parts in rows}
    return passages_in(texts, finding.evidence)


def passages_in(requests: Mapping[str, str], evidence: Iterable[str]) -> list[NewDocument]:
    """The passages that recur in the new words of these requests, each once and whole: runs of
    sentences that stand in the same requests as some of the evidence does."""
    places: dict[str, set[int]] = defaultdict(set)
    sentences = [sentences_in(text) for text in requests.values()]
    for place, own in enumerate(sentences):
        for hash_, _, _ in own:
            places[hash_].add(place)
    evident = [places[hash_] for hash_ in evidence if hash_ in places]
    recurs = {
        hash_: len(own) > 1 and any(len(own & each) >= _ALIKE * len(own | each) for each in evident)
        for hash_, own in places.items()
    }
    documents: list[NewDocument] = []
    taken: set[str] = set()
    for (request_id, text), own in zip(requests.items(), sentences, strict=True):
        run: list[tuple[str, int, int]] = []
        for sentence in (*own, ("", 0, 0)):
            if recurs.get(sentence[0]) and (not run or places[run[0][0]] & places[sentence[0]]):
                run.append(sentence)
                continue
            hashes = {hash_ for hash_, _, _ in run}
            if len(hashes - taken) > 1 and 2 * len(hashes & taken) < len(hashes):
                passage = text[run[0][1] : run[-1][2]].strip()
                documents.append(
                    _document(min(hashes), passage[:_TITLE], "", passage, {_FROM: request_id})
                )
                taken |= hashes
            run = []
    return documents


def forget_words(folder: Path, request_ids: Collection[str]) -> int:
    """Erase the documents that hold words of these requests, from all stores, and those that are
    archived or were merged, too; how many."""
    ids, count = set(request_ids), 0
    for file in sorted(folder.glob(f"*/*/{FILE}")):
        store = KnowledgeStore(file.parent, make=False)
        try:
            rows = store.looking.execute(
                "select id, json_extract(metadata, ?) from documents", (f"$.{_FROM}",)
            ).fetchall()
            gone = [id_ for id_, request_id in rows if request_id in ids]
            for id_ in gone:
                store.remove(id_, by="forgotten")
            if gone:
                store.erase()
        finally:
            store.close()
        count += len(gone)
    return count


def make(
    shelf: StoreShelf,
    config: Config,
    finding: HouseFinding,
    documents: Sequence[NewDocument],
    *,
    name: str,
    folder: str | None,
    by: str,
) -> None:
    """Make the store, with these documents or fed by a folder. Raises `CannotMove`."""
    if not documents and folder is None:
        raise CannotMove(
            "no words are kept of what recurs, so the store needs a folder that feeds it"
        )
    if not re.fullmatch(NAME_PATTERN, name):
        raise CannotMove(f"{name[:80]!r}: {NAME_RULE}")
    home = config.knowledge_folder
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(home / "made.lock"):
        made = made_stores(home)
        if (
            name in made
            or not is_free(config, name)
            or shelf.exists(name)
            or shelf.is_archived(name)
        ):
            raise CannotMove(f"there is a store, a backend or a plan {name} already")
        given: dict[str, Any] = {"owner": finding.owner or None, "locale": finding.locale or None}
        given |= {"folder": folder}
        settings = {key: each for key, each in given.items() if each is not None}
        for document in documents:
            shelf.kept(name).put(document, by=by)
        keep_made_stores(home, {**made, name: StoreSettings.model_validate(settings)})


def name_for(config: Config, finding: HouseFinding) -> str:
    """A free name for the store."""
    stem = f"{finding.about.get('plan', 'pasted')}-{finding.about['fetched']}"[:50]
    made = made_stores(config.knowledge_folder)
    names = (stem, *(f"{stem}-{n}" for n in range(2, 1000)))
    return next(name for name in names if name not in made and is_free(config, name))


def _answer(
    plan: str, thing: str, request_id: str, prompt: str, parts: Any, answer: str
) -> NewDocument:
    question = new_part(prompt, _parts(parts)).strip()
    hash_ = thing.rpartition(" ")[2]
    return _document(
        hash_, question[:_TITLE], question[:_TITLE], answer, {"plan": plan, _FROM: request_id}
    )


def _document(
    id_: str, title: str, heading: str, text: str, metadata: dict[str, Any]
) -> NewDocument:
    line = " ".join(title.split())
    return NewDocument(id_, line, id_, [Section(" ".join(heading.split()), text)], metadata)


def _parts(parts: Any) -> list[tuple[str, int]]:
    return [(part["role"], part["characters"]) for part in parts or ()]
