"""How much of one store stands in another one, by passages that repeat each other.

Of a large store, some passages stand for all. What is measured goes to nobody but an owner of both.
"""

from collections.abc import Mapping
from itertools import combinations

from router.config.knowledge import StoreSettings
from router.knowledge.alike import repeats, samples_of
from router.knowledge.house.proposals import HouseFinding
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore

LEAST_OVERLAP = 0.9
_LEAST_PASSAGES = 5  # fewer passages are no evidence
_LOOKED_AT = 300  # passages of the smaller store


def merges(shelf: StoreShelf, stores: Mapping[str, StoreSettings]) -> list[HouseFinding]:
    """The pairs of one owner's stores of which one holds nearly all of the other. Tables are not
    compared, so a store with tables or with queries stays as it is."""
    present = [
        name
        for name, settings in sorted(stores.items())
        if shelf.exists(name) and not shelf.is_archived(name) and not settings.queries
    ]
    counts = {name: shelf.kept(name).count() for name in present}
    findings = []
    for pair in combinations(present, 2):
        first, second = (shelf.rights.ownership(name) for name in pair)
        if first is None or second is None or first.owner != second.owner:
            continue
        small, large = sorted(pair, key=lambda name: (counts[name]["passages"], name))
        few = counts[small]["passages"] < _LEAST_PASSAGES
        if few or counts[small]["tables"] or counts[large]["tables"]:
            continue
        share = overlap(shelf.kept(small), shelf.kept(large))
        if share <= LEAST_OVERLAP:
            continue
        about = {
            "purpose": f"merge {small} into {large}: {large} holds {share:.0%} of its passages",
            "small": small,
            "large": large,
            "overlap": round(share, 4),
            "passages": {name: counts[name]["passages"] for name in (small, large)},
        }
        subject = f"{pair[0]} {pair[1]}"
        findings.append(HouseFinding("merge", subject, first.owner, "", about, list(pair)))
    return findings


def overlap(small: KnowledgeStore, large: KnowledgeStore) -> float:
    """The share of the passages of a store that repeat a passage of the other store."""
    ids = [id_ for (id_,) in small.looking.execute("select id from passages order by id")]
    count = min(len(ids), _LOOKED_AT)
    passages = small.passages([ids[n * len(ids) // count] for n in range(count)])
    if not passages:
        return 0.0
    return sum(_stands_in(large, each.text) for each in passages) / len(passages)


def _stands_in(store: KnowledgeStore, text: str) -> bool:
    samples = samples_of(text)
    marks = ", ".join("?" * len(samples))
    rows = store.looking.execute(
        "select distinct p.text from samples s join passages p on p.id = s.passage "
        f"where s.hash in ({marks}) limit 20",
        samples,
    )
    return any(repeats(text, other) for (other,) in rows)
