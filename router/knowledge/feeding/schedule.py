"""When the queries of a store run: the store holds when each ran last, and which text it had."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import orjson

from router.config.knowledge import TableQuery
from router.config.knowledge_access import seconds_of
from router.knowledge.feeding.fed_tables import drop_tables
from router.knowledge.feeding.queries import QueryFailed, run_query
from router.knowledge.store import KnowledgeStore

_log = logging.getLogger("waggle")
_RUN = "query "  # begins the names of these settings, and the sources of tables


def run_due(store: KnowledgeStore, queries: Mapping[str, TableQuery], now: float) -> int:
    """Run the queries whose time has come, and drop the tables of queries that are gone; how many
    tables changed."""
    runs = runs_of(store)
    count = 0
    for name, query in queries.items():
        text = hashlib.blake2b(query.model_dump_json().encode(), digest_size=8).hexdigest()
        last = runs.get(name, {})
        since = now - float(last.get("at", 0.0))
        if last.get("text") == text and 0 <= since < seconds_of(query.every):
            continue
        error = ""
        try:
            count += run_query(store, name, query)
        except QueryFailed as failure:
            error = str(failure)
            # The message may quote a cell, so the store keeps it, and no log.
            why = f"`waggle knowledge show {store.folder.name}` says why"
            _log.warning("the query %s of %s does not run: %s", name, store.folder.name, why)
        _write(store, name, {"at": now, "text": text, "error": error})
    for name in set(runs) - set(queries):
        removed = drop_tables(store, f"{_RUN}{name}", by="configuration")
        _write(store, name, None)
        count += removed
    return count


def runs_of(store: KnowledgeStore) -> dict[str, dict[str, Any]]:
    """For each query that ever ran: when it ran last, and why it failed if it did."""
    rows = store.looking.execute(
        "select substr(name, ?), value from settings where substr(name, 1, ?) = ?",
        (len(_RUN) + 1, len(_RUN), _RUN),
    )
    return {name: orjson.loads(value) for name, value in rows}


def _write(store: KnowledgeStore, name: str, run: Mapping[str, Any] | None) -> None:
    with store.changing() as connection:
        if run is None:
            connection.execute("delete from settings where name = ?", (f"{_RUN}{name}",))
        else:
            connection.execute(
                "insert or replace into settings values (?, ?)",
                (f"{_RUN}{name}", orjson.dumps(run).decode()),
            )
