"""A request of the last minutes is found in the journals, as the catalog has it, or not at all."""

import random

import pytest

from router.telemetry.journal_search import JournalSearch, began_at
from router.telemetry.lookup import CatalogMemory, requests_in
from router.telemetry.store.catalog import CATALOG_FILE
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal


@pytest.fixture
def stored(tmp_path):
    stored = Stored(tmp_path)
    yield stored
    stored.close()


def searching(stored, seconds_later=60, grace_seconds=600.0):
    wall = lambda: NOON / 1e6 + seconds_later  # noqa: E731 - a clock that stands
    return JournalSearch(stored.folder, grace_seconds=grace_seconds, wall=wall)


async def test_what_the_journals_say_is_what_the_catalog_says_sealed_or_not(stored):
    chance = random.Random(5)
    requests = [request(NOON + n * 100_000, key_id=f"k{n % 3}") for n in range(60)]
    ids = [row["request_id"] for row in requests]
    memory = CatalogMemory(stored.folder, wall=lambda: NOON / 1e6 + 60)
    for turn in range(6):
        stored.write("requests", requests[turn * 10 : turn * 10 + 10], f"w{turn % 2}")
        about = [chance.choice(requests[: turn * 10 + 10]) for _ in range(12)]
        statements = [
            signal(row, chance.choice((None, 0.5, 1.0)), ts=row["ts"] + chance.randrange(9_000_000))
            for row in about
        ]
        for row in statements:
            row |= {"comment": "why?", "value": "true"} if chance.random() < 0.4 else {}
        stored.write("signals", statements, f"w{chance.randrange(3)}")
        if chance.random() < 0.5:
            stored.seal()
        here = searching(stored).find(ids[:8])
        assert list(here) == ids[:8]
        in_catalog = requests_in(stored.folder / CATALOG_FILE, ids)
        assert {id_: await memory.find(id_) for id_ in ids if id_ in in_catalog} == in_catalog
    memory.close()


def test_what_may_not_be_whole_is_not_found_here(stored):
    rows = [request(NOON + n) for n in range(9)]
    ids = [row["request_id"] for row in rows]
    stored.write("requests", rows)
    assert list(searching(stored).find(ids[:1])) == ids[:1]
    assert searching(stored).find(ids) == {}, "so many ids are quicker in one query"
    assert searching(stored, 301).find(ids[:1]) == {}, "nobody knows what was removed"
    assert searching(stored, 60, grace_seconds=100.0).find(ids[:1]) == {}
    assert searching(stored, -60).find(ids[:1]) == {}, "the clock was set back"
    assert searching(stored).find(["", "chosen-by-the-caller", ids[0][:-1], "é" * 36]) == {}


def test_a_request_that_began_before_its_id_says_so_is_not_found_here(stored):
    row = request(NOON - 10 * MINUTE) | {"request_id": request(NOON)["request_id"]}
    stored.write("requests", [row])
    assert searching(stored).find([row["request_id"]]) == {}


def test_after_a_caller_was_forgotten_the_journals_are_not_whole(stored):
    mine, other = request(key_id="mine"), request(key_id="other")
    stored.write("requests", [mine, other])
    stored.write("signals", [signal(other, 1.0)])
    stored.close()
    stored.keeper.forget(keys=("mine",))
    stored.write("requests", [request(NOON + 1)])
    assert searching(stored).find([other["request_id"], mine["request_id"]]) == {}
    both = requests_in(stored.folder / CATALOG_FILE, [other["request_id"], mine["request_id"]])
    assert list(both) == [other["request_id"]]
    assert len(both[other["request_id"]].signals) == 1


def test_a_damaged_line_is_left_to_the_catalog(stored):
    row = request()
    stored.write("requests", [row])
    (path,) = (p for p in (stored.folder / "journal" / "requests").glob("w1*"))
    path.write_bytes(path.read_bytes().replace(b"cheap", b"cheep"))
    assert searching(stored).find([row["request_id"]]) == {}


def test_an_id_says_when_its_request_began():
    assert began_at(request(NOON)["request_id"]) == pytest.approx(NOON / 1e6, abs=0.001)
    assert began_at("9b2d0a52-5b6e-4b8a-9d3c-2f6a1f0f5c11") is None
    assert began_at("zzzzzzzz-zzzz-7b8a-9d3c-2f6a1f0f5c11") is None
