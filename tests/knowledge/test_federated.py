"""Several stores in one question: only those that the caller may read, and no trace of others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.config.knowledge_access import StoreAccess
from router.knowledge.federated import opened_for
from router.knowledge.opening import NoSuchStore, StoreShelf, TooOften
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.grants import Terms
from router.knowledge.rights.reader import ANYONE, Reader
from router.knowledge.stored import NewDocument

BOB = Reader("b1", "bob", "sales")
STORES = ("handbook", "orders", "cases")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[StoreShelf]:
    shelf = StoreShelf(tmp_path)
    declare(shelf.rights, dict.fromkeys(STORES, StoreAccess(owner="alice")), lambda _: "")
    for name in STORES:
        shelf.kept(name).put(NewDocument("d", name, "d.md", [], {}), by="test")
    yield shelf
    shelf.close()


def give(shelf: StoreShelf, store: str, **terms: int) -> None:
    shelf.rights.grant(ANYONE, store, "key:bob", Terms(**terms), by="test")


def names(shelf: StoreShelf, named: tuple[str, ...] = ()) -> list[str]:
    return [each.name for each in opened_for(shelf, BOB, STORES, named)]


def test_a_question_asks_what_its_caller_may_read(shelf: StoreShelf) -> None:
    give(shelf, "handbook")
    give(shelf, "cases", must_cite=True)
    assert names(shelf) == ["handbook", "cases"]
    assert [each.must_cite for each in opened_for(shelf, BOB, STORES)] == [False, True]
    assert {each["store"] for each in shelf.rights.uses()} == {"handbook", "cases"}


def test_a_named_store_that_is_not_ones_own_is_none(shelf: StoreShelf) -> None:
    give(shelf, "handbook")
    assert names(shelf, ("handbook",)) == ["handbook"]
    errors = []
    for name in ("orders", "no-such-store"):
        with pytest.raises(NoSuchStore) as raised:
            names(shelf, ("handbook", name))
        errors.append(str(raised.value).replace(name, "NAME"))
    assert errors[0] == errors[1]
    assert sum(each["reads"] for each in shelf.rights.uses()) == 1  # a refused question uses none


def test_a_caller_of_no_store_gets_the_words_for_a_store_that_is_not_there(
    shelf: StoreShelf,
) -> None:
    with pytest.raises(NoSuchStore, match="this question"):
        names(shelf)


def test_a_used_up_grant_says_so_only_if_nothing_else_answers(shelf: StoreShelf) -> None:
    give(shelf, "handbook", rate=1)
    assert names(shelf) == ["handbook"]
    with pytest.raises(TooOften):
        names(shelf)
    give(shelf, "orders")
    assert names(shelf) == ["orders"]
