"""A process holds the stores that are asked, and lets go of cold ones where memory gets short."""

from pathlib import Path

import pytest

from router.config.knowledge_access import StoreAccess
from router.documents.formats import Section
from router.knowledge.asking import StoreSearch
from router.knowledge.held import HeldSearches, hot_stores
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import Rights
from router.knowledge.stored import NewDocument
from tests.knowledge.word_encoder import WordEncoder

DAY = 86_400.0


class SizedSearch(StoreSearch):
    """A search whose vectors are said to take 300 MB."""

    @property
    def held_bytes(self) -> int:
        return 300 << 20


class Process:
    def __init__(self, folder: Path) -> None:
        self.shelf, self.free, self.now, self.made = StoreShelf(folder), 4_000, 0.0, 0
        self.held = HeldSearches(
            lambda: {"hot"}, free_mb=lambda: self.free, steady=lambda: self.now
        )

    def ask(self, name: str) -> StoreSearch:
        store = self.shelf.kept(name)

        def make() -> StoreSearch:
            self.made += 1
            return SizedSearch(name, store, WordEncoder())

        self.now += 10
        return self.held.get(name, store, make)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


def test_cold_stores_go_first_and_hot_ones_stay(process: Process) -> None:
    for name in ("hot", "first", "second", "third"):
        process.ask(name)
    assert process.ask("first") is process.ask("first")
    assert (process.made, process.held.names) == (4, ["hot", "second", "third", "first"])
    process.free = 500  # 12 MB are missing: one store is enough
    process.ask("third")
    assert process.held.names == ["hot", "first", "third"]
    process.free = 300
    process.ask("first")
    assert process.held.names == ["hot", "first"]
    process.ask("first")
    assert process.held.names == ["first"]  # nothing but a hot one was left
    process.ask("hot")
    assert process.made == 5


def test_a_new_store_of_an_old_name_is_not_answered_by_the_old_one(process: Process) -> None:
    def put(text: str) -> None:
        document = NewDocument("a", "a", "a", [Section("", text)], {})
        process.shelf.kept("menu").put(document, by="t")

    put("Rhubarb cake is served on Sundays.")
    before = process.ask("menu")
    for path in process.shelf.place("menu").iterdir():
        path.unlink()
    put("Soup is served on Mondays.")
    search = process.ask("menu")
    assert search is not before
    assert [passage.text for passage in search.store.all_passages()] == [
        "Soup is served on Mondays."
    ]


def test_a_store_is_hot_by_its_reads_of_a_week(tmp_path: Path) -> None:
    now, alice = [1_780_000_000.0], Reader("a", "alice", "law")
    rights = Rights(tmp_path, wall=lambda: now[0])
    declare(rights, {name: StoreAccess(owner="alice") for name in ("often", "rarely")}, str)
    for _ in range(60):
        rights.take(alice, "often", "read")
    rights.take(alice, "rarely", "read")
    assert hot_stores(rights) == {"often"}
    now[0] += 8 * DAY
    assert hot_stores(rights) == frozenset()
