"""The tables that a feed brought to a store, by where they came from."""

from collections.abc import Collection

from router.knowledge.rows.keeping import drop_table
from router.knowledge.store import KnowledgeStore


def drop_tables(store: KnowledgeStore, source: str, *, by: str, kept: Collection[str] = ()) -> int:
    """Drop the tables that a source brought, but those `kept`; how many. `erase` then takes their
    cells off the disk."""
    names = [t.name for t in store.tables() if t.source == source and t.name not in kept]
    return sum(drop_table(store, name, by=by) is not None for name in names)
